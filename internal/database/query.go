package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/lambda"
)

// Querier reads: a *DB or a *Tx.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *Row
}

// Row is one row to come. Like a *sql.Row, it keeps an error until Scan, which gives sql.ErrNoRows when there is none.
type Row struct {
	row   *sql.Row
	err   error
	fault func(error) error // nil inside of a transaction, whose end says it
}

// Scan reads the columns.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.row.Scan(dest...)
	if r.fault != nil {
		err = r.fault(err)
	}
	return err
}

// handle is what *sql.DB and *sql.Tx have in common.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// runner runs statements whose arguments it has checked.
type runner struct{ h handle }

func (r runner) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	values, err := convert(args)
	if err != nil {
		return 0, err
	}
	res, err := r.h.ExecContext(ctx, query, values...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (r runner) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	values, err := convert(args)
	if err != nil {
		return nil, err
	}
	return r.h.QueryContext(ctx, query, values...)
}

func (r runner) QueryRow(ctx context.Context, query string, args ...any) *Row {
	values, err := convert(args)
	if err != nil {
		return &Row{err: err}
	}
	return &Row{row: r.h.QueryRowContext(ctx, query, values...)}
}

// convert brings arguments to the few types that every driver takes, and refuses texts that one of them could not store.
func convert(args []any) ([]any, error) {
	values := make([]any, len(args))
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("cannot use argument %d of a query: %w", i+1, err)
		}
		if s, ok := v.(string); ok {
			if err := CheckText(s); err != nil {
				return nil, err
			}
		}
		values[i] = v
	}
	return values, nil
}

// CheckText refuses, with kind lambda.Invalid, a text that a database cannot store.
func CheckText(s string) error {
	if strings.ContainsRune(s, 0) {
		return lambda.Errorf(lambda.Invalid, "a text with a NUL character cannot be stored")
	}
	if !utf8.ValidString(s) {
		return lambda.Errorf(lambda.Invalid, "a text that is not UTF-8 cannot be stored")
	}
	return nil
}
