package sqlcatalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// PublishVersion changes a function and publishes a version of it.
func (c *Catalog) PublishVersion(ctx context.Context, k lambda.FunctionKey, quota int64,
	publish func(*catalog.Function, *catalog.Version) (*catalog.Version, error)) (catalog.Function, catalog.Version, error) {
	var f catalog.Function
	var v catalog.Version
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		f, v, err = publishVersion(ctx, tx, k, quota, publish)
		return err
	})
	if err != nil {
		return catalog.Function{}, catalog.Version{}, err // publish's own must stay as it is
	}
	return f, v, nil
}

func publishVersion(ctx context.Context, tx *database.Tx, k lambda.FunctionKey, quota int64,
	publish func(*catalog.Function, *catalog.Version) (*catalog.Version, error)) (f catalog.Function, v catalog.Version, err error) {
	old, err := getFunction(ctx, tx, k)
	if err != nil {
		return f, v, err
	}
	var newest *catalog.Version
	v, err = getVersion(ctx, tx, k, old.Newest)
	switch {
	case err == nil:
		newest = &v
	case !lambda.IsKind(err, lambda.NotFound):
		return f, v, err
	}
	f = old
	wanted, err := publish(&f, newest)
	if err != nil || wanted == nil && f.Latest.Number != 0 {
		return old, v, err
	}
	if err := recordFunction(ctx, tx, old, &f, quota); err != nil || wanted == nil {
		return f, v, err
	}
	if v, err = insertVersion(ctx, tx, &f, *wanted); err != nil {
		return f, v, err
	}
	return f, v, checkQuota(ctx, tx, k.Scope, quota)
}

// insertVersion publishes a function's newest revision under the next number, which f.Newest then is.
func insertVersion(ctx context.Context, tx *database.Tx, f *catalog.Function, v catalog.Version) (catalog.Version, error) {
	k := f.Key
	err := tx.QueryRow(ctx, `INSERT INTO function_names (partition, account, region, name, last_version, sequence)
		VALUES ($1, $2, $3, $4, 1, $5)
		ON CONFLICT (partition, account, region, name)
		DO UPDATE SET last_version = function_names.last_version + 1, sequence = excluded.sequence
		RETURNING last_version`, k.Partition, k.Account, k.Region, k.Name, f.Sequence).Scan(&v.Number)
	if err != nil {
		return v, err
	}
	v.Revision, v.RevisionID, f.Newest = f.Latest, newRevisionID(), v.Number
	_, err = tx.Exec(ctx, `INSERT INTO function_versions (partition, account, region, name, function_id, version, revision, description,
		revision_id, state, state_reason, state_reason_code, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		k.Partition, k.Account, k.Region, k.Name, f.ID, v.Number, v.Revision.Number, v.Description,
		v.RevisionID, v.State, v.StateReason.Text, v.StateReason.Code, f.Sequence)
	if err != nil {
		return v, err
	}
	if err := addCode(ctx, tx, k.Scope, v.Revision.Code.Size); err != nil {
		return v, err
	}
	_, err = tx.Exec(ctx, "UPDATE functions SET newest = $2 WHERE id = $1", f.ID, f.Newest)
	return v, err
}

// settleVersions brings the versions that wait for an update to where it ended.
func settleVersions(ctx context.Context, tx *database.Tx, old, f catalog.Function) error {
	changing := func(f catalog.Function) bool {
		return f.State == lambda.StatePending || f.UpdateStatus == lambda.UpdateInProgress
	}
	if !changing(old) || changing(f) {
		return nil
	}
	state, reason := lambda.StateActive, catalog.Reason{}
	if f.State == lambda.StateFailed {
		state, reason = f.State, f.StateReason
	} else if f.UpdateStatus == lambda.UpdateFailed {
		state, reason = lambda.StateFailed, f.UpdateReason
	}
	rows, err := tx.Query(ctx, "SELECT version FROM function_versions WHERE function_id = $1 AND revision = $2 AND state = 'Pending'", f.ID, f.Latest.Number)
	if err != nil {
		return err
	}
	versions, err := scanAll(rows, func(row scanner) (n int64, err error) { return n, row.Scan(&n) })
	if err != nil {
		return err
	}
	for _, n := range versions {
		if _, err := tx.Exec(ctx, `UPDATE function_versions SET state = $3, state_reason = $4, state_reason_code = $5, revision_id = $6,
			sequence = $7 WHERE function_id = $1 AND version = $2`,
			f.ID, n, state, reason.Text, reason.Code, newRevisionID(), f.Sequence); err != nil {
			return err
		}
	}
	return nil
}

// scanAll reads rows to their end.
func scanAll[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// selectVersion reads the columns that scanVersion takes.
const selectVersion = `SELECT v.version, v.description, v.revision_id, v.state, v.state_reason, v.state_reason_code, ` + revisionColumns + `
	FROM function_versions v JOIN function_revisions r ON r.function_id = v.function_id AND r.number = v.revision
	WHERE v.partition = $1 AND v.account = $2 AND v.region = $3 AND v.name = $4 `

func scanVersion(row scanner) (catalog.Version, error) {
	var v catalog.Version
	var modified int64
	dest := []any{&v.Number, &v.Description, &v.RevisionID, &v.State, &v.StateReason.Text, &v.StateReason.Code}
	err := row.Scan(append(dest, revisionDest(&v.Revision, &modified)...)...)
	v.Revision.LastModified = time.UnixMilli(modified).UTC()
	return v, err
}

// GetVersion gives a version.
func (c *Catalog) GetVersion(ctx context.Context, k lambda.FunctionKey, number int64) (catalog.Version, error) {
	return getVersion(ctx, c.db, k, number)
}

func getVersion(ctx context.Context, q database.Querier, k lambda.FunctionKey, number int64) (catalog.Version, error) {
	v, err := scanVersion(q.QueryRow(ctx, selectVersion+"AND v.version = $5", k.Partition, k.Account, k.Region, k.Name, number))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Version{}, lambda.Errorf(lambda.NotFound, "no version %d of %s", number, k.ARN())
	}
	if err != nil {
		return catalog.Version{}, fmt.Errorf("cannot read version %d of %s: %w", number, k.ARN(), err)
	}
	return v, nil
}

// ListVersions gives versions, ascending.
func (c *Catalog) ListVersions(ctx context.Context, k lambda.FunctionKey, after int64, limit int) ([]catalog.Version, error) {
	rows, err := c.db.Query(ctx, selectVersion+"AND v.version > $5 ORDER BY v.version LIMIT $6",
		k.Partition, k.Account, k.Region, k.Name, after, limit)
	if err == nil {
		var list []catalog.Version
		if list, err = scanAll(rows, scanVersion); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the versions of %s: %w", k.ARN(), err)
}

// DeleteVersion forgets a version that no alias means.
func (c *Catalog) DeleteVersion(ctx context.Context, k lambda.FunctionKey, number int64) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		var aliases int64
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM function_aliases WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4
			AND (version = $5 OR other = $5)`, k.Partition, k.Account, k.Region, k.Name, number).Scan(&aliases)
		if err != nil {
			return err
		}
		if aliases > 0 {
			return lambda.Errorf(lambda.Conflict, "%d aliases mean the version", aliases)
		}
		v, err := getVersion(ctx, tx, k, number)
		if lambda.IsKind(err, lambda.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM function_versions WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4
			AND version = $5`, k.Partition, k.Account, k.Region, k.Name, number); err != nil {
			return err
		}
		if err := addCode(ctx, tx, k.Scope, -v.Revision.Code.Size); err != nil {
			return err
		}
		return forgetQualifier(ctx, tx, k, lambda.Qualifier(strconv.FormatInt(number, 10)))
	})
	if err != nil {
		return fmt.Errorf("cannot delete version %d of %s: %w", number, k.ARN(), err)
	}
	return nil
}

// forgetQualifier deletes the records of a version or alias that is gone, and numbers the change.
func forgetQualifier(ctx context.Context, tx *database.Tx, k lambda.FunctionKey, q lambda.Qualifier) error {
	_, err := tx.Exec(ctx, `DELETE FROM function_records WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4
		AND qualifier = $5`, k.Partition, k.Account, k.Region, k.Name, q)
	if err != nil {
		return err
	}
	_, err = nextSequence(ctx, tx)
	return err
}
