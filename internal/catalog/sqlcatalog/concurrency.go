package sqlcatalog

import (
	"context"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// Shares gives how the concurrency of an account in a region is shared out.
func (c *Catalog) Shares(ctx context.Context, s lambda.Scope) (catalog.Shares, error) {
	return sharesOf(ctx, c.db, s)
}

func sharesOf(ctx context.Context, q database.Querier, s lambda.Scope) (catalog.Shares, error) {
	shares, err := reservedOf(ctx, q, s)
	if err == nil {
		shares.Provisioned, err = recordsOf(ctx, q, s, catalog.RecordProvisionedConcurrency)
	}
	if err != nil {
		return catalog.Shares{}, fmt.Errorf("cannot read how the concurrency of %s is shared out: %w", s, err)
	}
	return shares, nil
}

func reservedOf(ctx context.Context, q database.Querier, s lambda.Scope) (catalog.Shares, error) {
	shares := catalog.Shares{Reserved: map[lambda.FunctionName]int{}}
	// The condition is that of the index.
	rows, err := q.Query(ctx, `SELECT name, reserved FROM functions
		WHERE partition = $1 AND account = $2 AND region = $3 AND reserved IS NOT NULL`, s.Partition, s.Account, s.Region)
	if err != nil {
		return shares, err
	}
	defer rows.Close()
	for rows.Next() {
		var name lambda.FunctionName
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return shares, err
		}
		shares.Reserved[name] = n
	}
	return shares, rows.Err()
}

// UpdateReserved changes a function. Writers queue, so the shares stay as they are meanwhile.
func (c *Catalog) UpdateReserved(ctx context.Context, k lambda.FunctionKey, change func(*catalog.Function, catalog.Shares) error) (catalog.Function, error) {
	var f catalog.Function
	err := c.change(ctx, func(tx *database.Tx) error {
		shares, err := sharesOf(ctx, tx, k.Scope)
		if err != nil {
			return err
		}
		f, err = updateFunction(ctx, tx, k, 0, func(f *catalog.Function) error { return change(f, shares) })
		return err
	})
	if err != nil {
		return catalog.Function{}, err // change's own must stay as it is
	}
	return f, nil
}

// UpdateProvisioned changes a record, likewise.
func (c *Catalog) UpdateProvisioned(ctx context.Context, k lambda.FunctionKey, q lambda.Qualifier, change func(*catalog.Record, catalog.Shares) error) (catalog.Record, error) {
	var r catalog.Record
	err := c.change(ctx, func(tx *database.Tx) error {
		shares, err := sharesOf(ctx, tx, k.Scope)
		if err != nil {
			return err
		}
		none := catalog.Record{Key: k, Kind: catalog.RecordProvisionedConcurrency, Qualifier: q}
		r, err = updateRecord(ctx, tx, none, false, func(r *catalog.Record) error { return change(r, shares) })
		return err
	})
	if err != nil {
		return catalog.Record{}, err // likewise
	}
	return r, nil
}
