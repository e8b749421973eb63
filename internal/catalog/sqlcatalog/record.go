package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

const (
	selectRecords = `SELECT partition, account, region, name, kind, qualifier, document, modified FROM function_records
	WHERE partition = $1 AND account = $2 AND region = $3 `
	selectRecord = selectRecords + "AND name = $4 AND kind = $5 "
)

func scanRecord(row scanner) (catalog.Record, error) {
	var r catalog.Record
	var modified int64
	err := row.Scan(&r.Key.Partition, &r.Key.Account, &r.Key.Region, &r.Key.Name, &r.Kind, &r.Qualifier, &r.Document, &modified)
	r.Modified = time.UnixMilli(modified).UTC()
	return r, err
}

// GetRecord gives a record.
func (c *Catalog) GetRecord(ctx context.Context, k lambda.FunctionKey, kind catalog.RecordKind, q lambda.Qualifier) (catalog.Record, error) {
	return getRecord(ctx, c.db, k, kind, q)
}

func getRecord(ctx context.Context, from database.Querier, k lambda.FunctionKey, kind catalog.RecordKind, q lambda.Qualifier) (catalog.Record, error) {
	r, err := scanRecord(from.QueryRow(ctx, selectRecord+"AND qualifier = $6", k.Partition, k.Account, k.Region, k.Name, kind, q))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Record{}, lambda.Errorf(lambda.NotFound, "no %s record of %s", kind, k.QualifiedARN(q))
	}
	if err != nil {
		return catalog.Record{}, fmt.Errorf("cannot read the %s record of %s: %w", kind, k.QualifiedARN(q), err)
	}
	return r, nil
}

// ListRecords gives records of one kind by qualifier.
func (c *Catalog) ListRecords(ctx context.Context, k lambda.FunctionKey, kind catalog.RecordKind, after lambda.Qualifier, first bool, limit int) ([]catalog.Record, error) {
	var from int64
	if first {
		from = 1
	}
	rows, err := c.db.Query(ctx, selectRecord+"AND (CAST($6 AS BIGINT) = 1 OR qualifier > $7) ORDER BY qualifier LIMIT $8",
		k.Partition, k.Account, k.Region, k.Name, kind, from, after, limit)
	if err == nil {
		var list []catalog.Record
		if list, err = scanAll(rows, scanRecord); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the %s records of %s: %w", kind, k.ARN(), err)
}

// RecordsOf gives the records of one kind of an account in a region.
func (c *Catalog) RecordsOf(ctx context.Context, s lambda.Scope, kind catalog.RecordKind) ([]catalog.Record, error) {
	list, err := recordsOf(ctx, c.db, s, kind)
	if err != nil {
		return nil, fmt.Errorf("cannot list the %s records of %s: %w", kind, s, err)
	}
	return list, nil
}

func recordsOf(ctx context.Context, q database.Querier, s lambda.Scope, kind catalog.RecordKind) ([]catalog.Record, error) {
	rows, err := q.Query(ctx, selectRecords+"AND kind = $4 ORDER BY name, qualifier", s.Partition, s.Account, s.Region, kind)
	if err != nil {
		return nil, err
	}
	return scanAll(rows, scanRecord)
}

// UpdateRecord changes a record.
func (c *Catalog) UpdateRecord(ctx context.Context, k lambda.FunctionKey, kind catalog.RecordKind, q lambda.Qualifier, renew bool, change func(*catalog.Record) error) (catalog.Record, error) {
	var r catalog.Record
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		r, err = updateRecord(ctx, tx, catalog.Record{Key: k, Kind: kind, Qualifier: q}, renew, change)
		return err
	})
	if err != nil {
		return catalog.Record{}, err // change's own must stay as it is
	}
	return r, nil
}

func updateRecord(ctx context.Context, tx *database.Tx, none catalog.Record, renew bool, change func(*catalog.Record) error) (catalog.Record, error) {
	f, err := getFunction(ctx, tx, none.Key)
	if err != nil {
		return none, err
	}
	seq, err := nextSequence(ctx, tx)
	if err != nil {
		return none, err
	}
	before, after, err := touch(ctx, tx, f, none.Qualifier, renew, seq)
	if err != nil {
		return none, err
	}
	r, err := getRecord(ctx, tx, none.Key, none.Kind, none.Qualifier)
	if lambda.IsKind(err, lambda.NotFound) {
		r, err = none, nil
	}
	if err != nil {
		return r, err
	}
	r.Owner = before
	if err := change(&r); err != nil {
		return r, err
	}
	r.Key, r.Kind, r.Qualifier, r.Modified, r.Owner = none.Key, none.Kind, none.Qualifier, toMilliseconds(r.Modified), after
	return r, writeRecord(ctx, tx, r, f.ID, seq)
}

// touch refuses a qualifier that means nothing, and renews the RevisionID of what it means.
func touch(ctx context.Context, tx *database.Tx, f catalog.Function, q lambda.Qualifier, renew bool, seq int64) (before, after lambda.RevisionID, err error) {
	const (
		function = "UPDATE functions SET revision_id = $2, sequence = $3 WHERE id = $1"
		version  = "UPDATE function_versions SET revision_id = $2, sequence = $3 WHERE function_id = $1 AND version = $4"
		alias    = "UPDATE function_aliases SET revision_id = $2, sequence = $3 WHERE function_id = $1 AND alias = $4"
	)
	after = newRevisionID()
	update, args := function, []any{f.ID, after, seq}
	if number, ok := q.Number(); ok {
		v, err := getVersion(ctx, tx, f.Key, number)
		if err != nil {
			return "", "", err
		}
		before, update, args = v.RevisionID, version, append(args, number)
	} else if q != "" {
		a, err := getAlias(ctx, tx, f.Key, q)
		if err != nil {
			return "", "", err
		}
		before, update, args = a.RevisionID, alias, append(args, q)
	} else {
		before = f.RevisionID
	}
	if !renew {
		return before, before, nil
	}
	_, err = tx.Exec(ctx, update, args...)
	return before, after, err
}

func writeRecord(ctx context.Context, tx *database.Tx, r catalog.Record, functionID string, seq int64) error {
	k := r.Key
	if r.Document == "" {
		_, err := tx.Exec(ctx, `DELETE FROM function_records WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4
			AND kind = $5 AND qualifier = $6`, k.Partition, k.Account, k.Region, k.Name, r.Kind, r.Qualifier)
		return err
	}
	if hasNUL(r.Document) {
		return database.CheckText("\x00")
	}
	_, err := tx.Exec(ctx, `INSERT INTO function_records (partition, account, region, name, function_id, kind, qualifier, document,
		modified, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (partition, account, region, name, kind, qualifier)
		DO UPDATE SET document = excluded.document, modified = excluded.modified, sequence = excluded.sequence`,
		k.Partition, k.Account, k.Region, k.Name, functionID, r.Kind, r.Qualifier, r.Document, r.Modified.UnixMilli(), seq)
	return err
}
