package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// Account gives an account; one that was never recorded belongs to no organisation.
func (c *Catalog) Account(ctx context.Context, id string) (catalog.Account, error) {
	a := catalog.Account{ID: id}
	err := c.db.QueryRow(ctx, "SELECT organisation FROM accounts WHERE id = $1", id).Scan(&a.Organisation)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return catalog.Account{}, fmt.Errorf("cannot read account %s: %w", id, err)
	}
	return a, nil
}

// UpdateAccount records an account's organisation.
func (c *Catalog) UpdateAccount(ctx context.Context, a catalog.Account) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO accounts (id, organisation, sequence) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET organisation = excluded.organisation, sequence = excluded.sequence`,
			a.ID, a.Organisation, seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot record account %s: %w", a.ID, err)
	}
	return nil
}

// Usage gives what an account has in a region.
func (c *Catalog) Usage(ctx context.Context, s lambda.Scope) (catalog.Usage, error) {
	var u catalog.Usage
	var err error
	if u.CodeSize, err = c.CodeStorage(ctx, s); err != nil {
		return u, err
	}
	if u.Reserved, err = c.Reserved(ctx, s); err != nil {
		return u, err
	}
	err = c.db.QueryRow(ctx, "SELECT COUNT(*) FROM functions WHERE partition = $1 AND account = $2 AND region = $3",
		s.Partition, s.Account, s.Region).Scan(&u.Functions)
	if err != nil {
		return u, fmt.Errorf("cannot count the functions of %s: %w", s, err)
	}
	return u, nil
}

// Reserved adds up the reservations of an account in a region.
func (c *Catalog) Reserved(ctx context.Context, s lambda.Scope) (int64, error) {
	var n int64
	// The condition is that of the index.
	err := c.db.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM functions
		WHERE partition = $1 AND account = $2 AND region = $3 AND reserved IS NOT NULL`, s.Partition, s.Account, s.Region).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("cannot add up what is reserved in %s: %w", s, err)
	}
	return n, nil
}
