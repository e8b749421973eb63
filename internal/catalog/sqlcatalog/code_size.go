package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// CodeStorage gives the bytes of all zips of an account in a region.
func (c *Catalog) CodeStorage(ctx context.Context, s lambda.Scope) (int64, error) {
	n, err := codeSize(ctx, c.db, s)
	if err != nil {
		return 0, fmt.Errorf("cannot read how much code %s has: %w", s, err)
	}
	return n, nil
}

func codeSize(ctx context.Context, q database.Querier, s lambda.Scope) (int64, error) {
	var n int64
	err := q.QueryRow(ctx, "SELECT size FROM code_sizes WHERE partition = $1 AND account = $2 AND region = $3",
		s.Partition, s.Account, s.Region).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// addCode counts bytes that an account has more, or less. Whoever writes or deletes a layer version, a function's version or
// newest revision calls it in the same transaction.
func addCode(ctx context.Context, tx *database.Tx, s lambda.Scope, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO code_sizes (partition, account, region, size) VALUES ($1, $2, $3, $4)
		ON CONFLICT (partition, account, region) DO UPDATE SET size = code_sizes.size + excluded.size`,
		s.Partition, s.Account, s.Region, bytes)
	return err
}

// functionCode adds up a function's newest code and that of its versions; it is 0 when there is no function.
func functionCode(ctx context.Context, tx *database.Tx, k lambda.FunctionKey) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT CAST(r.size + COALESCE((SELECT SUM(p.size) FROM function_versions v
			JOIN function_revisions p ON p.function_id = v.function_id AND p.number = v.revision WHERE v.function_id = f.id), 0) AS BIGINT)
		FROM functions f JOIN function_revisions r ON r.function_id = f.id AND r.number = f.latest `+whereFunction,
		k.Partition, k.Account, k.Region, k.Name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// checkQuota refuses what was written when the account's code is over its quota with it.
func checkQuota(ctx context.Context, tx *database.Tx, s lambda.Scope, quota int64) error {
	if quota == 0 {
		return nil
	}
	n, err := codeSize(ctx, tx, s)
	if err != nil {
		return err
	}
	if n > quota {
		return lambda.Errorf(lambda.OverQuota, "%d bytes of code in %s are over the quota of %d", n, s, quota)
	}
	return nil
}
