// Package database opens lamina's database, SQLite on one machine or PostgreSQL when it is shared, and gives both one face.
//
// SQL is written once. What both accept is: $1 placeholders, upserts with ON CONFLICT, RETURNING, partial indexes, the types
// BIGINT, TEXT, and bytetext. A bytetext is text that is compared by its bytes: a domain with the C collation on PostgreSQL,
// and nothing but a TEXT on SQLite, which compares so anyway. Times are BIGINT milliseconds, documents are TEXT.
//
// A Transaction takes a function and may run it again, when the database says that another transaction came between. Reads
// outside of a transaction go to a pool of their own, so that on SQLite no reader ever waits for the writer.
//
// A text with a NUL or with bytes that are not UTF-8 is refused with kind lambda.Invalid before it reaches the database,
// because PostgreSQL cannot hold it.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	dialect dialect
	write   *sql.DB
	read    *sql.DB // equal to write where there is no need of two
	folder  string  // of the file, when it is one
}

// dialect is what differs between the databases.
type dialect interface {
	// begin starts a transaction that writes.
	begin(ctx context.Context, db *sql.DB) (*sql.Tx, error)
	// retryable reports whether a transaction that failed with err may succeed when it runs again.
	retryable(err error) bool
	// lockTable keeps other writers of a table out until the transaction ends.
	lockTable(ctx context.Context, tx *sql.Tx, table string) error
	// migrate applies migrations one process at a time.
	migrate(ctx context.Context, db *sql.DB, m migrations) error
	// checkSchema gives the last migration that was applied, and refuses a schema with newer ones.
	checkSchema(ctx context.Context, db *sql.DB, m migrations) (int64, error)
}

// Open opens the database at a URL: sqlite:///folder/file.db, which is created with its folder when it is not there, readable
// by its owner alone; or postgres://user:password@host/name. It changes no schema.
func Open(ctx context.Context, rawURL string) (*DB, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("cannot open the database: its URL cannot be read") // the cause would print the password
	}
	switch u.Scheme {
	case "sqlite":
		return openSQLite(ctx, u)
	case "postgres", "postgresql":
		return openPostgres(ctx, rawURL)
	}
	return nil, fmt.Errorf("cannot open the database: %q is neither sqlite nor postgres", u.Scheme)
}

// Close closes all connections.
func (db *DB) Close() error {
	if db.read == db.write {
		return db.write.Close()
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// Query reads outside of a transaction.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := runner{db.read}.Query(ctx, query, args...)
	return rows, db.withFault(err)
}

// QueryRow reads one row outside of a transaction.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *Row {
	row := runner{db.read}.QueryRow(ctx, query, args...)
	row.fault = db.withFault
	return row
}
