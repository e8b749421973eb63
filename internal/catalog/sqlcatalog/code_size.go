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

// codeSizesSchema is the number of the migration that began to count.
const codeSizesSchema = 7

// countedCode adds up what records of layer versions, functions and their versions say, as addCode counts it while they come and
// go.
const countedCode = `SELECT partition, account, region, 0 AS counted, size AS has FROM layer_versions
	UNION ALL SELECT f.partition, f.account, f.region, 0, r.size
		FROM functions f JOIN function_revisions r ON r.function_id = f.id AND r.number = f.latest
	UNION ALL SELECT v.partition, v.account, v.region, 0, r.size
		FROM function_versions v JOIN function_revisions r ON r.function_id = v.function_id AND r.number = v.revision`

// WrongCount is an account's code in a region that was counted wrong.
type WrongCount struct {
	Scope        lambda.Scope
	Counted, Has int64 // bytes
}

// CountedWrong adds up the code of all accounts and compares it with what was counted, as of one moment.
func (c *Catalog) CountedWrong(ctx context.Context) ([]WrongCount, error) {
	if c.uncounted {
		return nil, nil
	}
	list, err := c.countedWrong(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot add up how much code there is: %w", err)
	}
	return list, nil
}

func (c *Catalog) countedWrong(ctx context.Context) ([]WrongCount, error) {
	rows, err := c.db.Query(ctx, `SELECT partition, account, region, CAST(SUM(counted) AS BIGINT), CAST(SUM(has) AS BIGINT) FROM (
		SELECT partition, account, region, size AS counted, 0 AS has FROM code_sizes UNION ALL `+countedCode+`
	) code GROUP BY partition, account, region HAVING SUM(counted) <> SUM(has) ORDER BY partition, account, region`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []WrongCount
	for rows.Next() {
		var w WrongCount
		if err := rows.Scan(&w.Scope.Partition, &w.Scope.Account, &w.Scope.Region, &w.Counted, &w.Has); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

// CountAgain counts the code of all accounts anew. Servers may use the database meanwhile.
func (c *Catalog) CountAgain(ctx context.Context) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM code_sizes"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO code_sizes (partition, account, region, size)
			SELECT partition, account, region, CAST(SUM(has) AS BIGINT) FROM (`+countedCode+`) code GROUP BY partition, account, region`)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot count the code of accounts again: %w", err)
	}
	return nil
}
