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

// InsertAlias records an alias.
func (c *Catalog) InsertAlias(ctx context.Context, a catalog.Alias) (catalog.Alias, error) {
	k := a.Key
	err := c.change(ctx, func(tx *database.Tx) error {
		f, err := getFunction(ctx, tx, k)
		if err != nil {
			return err
		}
		if err := checkVersions(ctx, tx, a); err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		a.RevisionID = newRevisionID()
		other, weight := share(a)
		n, err := tx.Exec(ctx, `INSERT INTO function_aliases (partition, account, region, name, function_id, alias, version, description,
			other, weight, revision_id, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (partition, account, region, name, alias) DO NOTHING`,
			k.Partition, k.Account, k.Region, k.Name, f.ID, a.Name, a.Version, a.Description, other, weight, a.RevisionID, seq)
		if err == nil && n == 0 {
			return lambda.Errorf(lambda.Conflict, "the alias exists")
		}
		return err
	})
	if err != nil {
		return catalog.Alias{}, fmt.Errorf("cannot insert alias %s: %w", k.QualifiedARN(a.Name), err)
	}
	return a, nil
}

// checkVersions refuses an alias of a version that is not there.
func checkVersions(ctx context.Context, tx *database.Tx, a catalog.Alias) error {
	versions := []int64{a.Version}
	if a.Share != nil {
		versions = append(versions, a.Share.Version)
	}
	for _, n := range versions {
		if n == 0 {
			continue
		}
		if _, err := getVersion(ctx, tx, a.Key, n); err != nil {
			return err
		}
	}
	return nil
}

func share(a catalog.Alias) (other *int64, weight *float64) {
	if a.Share == nil {
		return nil, nil
	}
	return &a.Share.Version, &a.Share.Weight
}

const selectAlias = `SELECT partition, account, region, name, alias, version, description, other, weight, revision_id FROM function_aliases
	WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4 `

func scanAlias(row scanner) (catalog.Alias, error) {
	var a catalog.Alias
	var other *int64
	var weight *float64
	err := row.Scan(&a.Key.Partition, &a.Key.Account, &a.Key.Region, &a.Key.Name, &a.Name, &a.Version, &a.Description,
		&other, &weight, &a.RevisionID)
	if other != nil && weight != nil {
		a.Share = &catalog.Share{Version: *other, Weight: *weight}
	}
	return a, err
}

// GetAlias gives an alias.
func (c *Catalog) GetAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error) {
	return getAlias(ctx, c.db, k, name)
}

func getAlias(ctx context.Context, q database.Querier, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error) {
	a, err := scanAlias(q.QueryRow(ctx, selectAlias+"AND alias = $5", k.Partition, k.Account, k.Region, k.Name, name))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Alias{}, lambda.Errorf(lambda.NotFound, "no alias %s", k.QualifiedARN(name))
	}
	if err != nil {
		return catalog.Alias{}, fmt.Errorf("cannot read alias %s: %w", k.QualifiedARN(name), err)
	}
	return a, nil
}

// ListAliases gives aliases by name.
func (c *Catalog) ListAliases(ctx context.Context, k lambda.FunctionKey, version int64, after lambda.Qualifier, limit int) ([]catalog.Alias, error) {
	rows, err := c.db.Query(ctx, selectAlias+`AND alias > $5 AND (CAST($6 AS BIGINT) < 0 OR version = $6 OR other = $6)
		ORDER BY alias LIMIT $7`, k.Partition, k.Account, k.Region, k.Name, after, version, limit)
	if err == nil {
		var list []catalog.Alias
		if list, err = scanAll(rows, scanAlias); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the aliases of %s: %w", k.ARN(), err)
}

// UpdateAlias changes an alias.
func (c *Catalog) UpdateAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier, change func(*catalog.Alias) error) (catalog.Alias, error) {
	var a catalog.Alias
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if a, err = getAlias(ctx, tx, k, name); err != nil {
			return err
		}
		if err := change(&a); err != nil {
			return err
		}
		a.Key, a.Name, a.RevisionID = k, name, newRevisionID()
		return writeAlias(ctx, tx, a)
	})
	if err != nil {
		return catalog.Alias{}, err // change's own must stay as it is
	}
	return a, nil
}

func writeAlias(ctx context.Context, tx *database.Tx, a catalog.Alias) error {
	if err := checkVersions(ctx, tx, a); err != nil {
		return err
	}
	seq, err := nextSequence(ctx, tx)
	if err != nil {
		return err
	}
	other, weight := share(a)
	k := a.Key
	_, err = tx.Exec(ctx, `UPDATE function_aliases SET version = $6, description = $7, other = $8, weight = $9, revision_id = $10,
		sequence = $11 WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4 AND alias = $5`,
		k.Partition, k.Account, k.Region, k.Name, a.Name, a.Version, a.Description, other, weight, a.RevisionID, seq)
	return err
}

// DeleteAlias forgets an alias.
func (c *Catalog) DeleteAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM function_aliases WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4
			AND alias = $5`, k.Partition, k.Account, k.Region, k.Name, name)
		if err != nil || n == 0 {
			return err
		}
		return forgetQualifier(ctx, tx, k, name)
	})
	if err != nil {
		return fmt.Errorf("cannot delete alias %s: %w", k.QualifiedARN(name), err)
	}
	return nil
}
