package sqlcatalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

// InsertLayerVersion gives the version the next number of its layer and records it.
func (c *Catalog) InsertLayerVersion(ctx context.Context, v catalog.LayerVersion, quota int64) (catalog.LayerVersion, error) {
	v.Created = toMilliseconds(v.Created)
	err := c.change(ctx, func(tx *database.Tx) error {
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		if v.ARN.Version, err = nextVersion(ctx, tx, v.ARN.LayerKey, seq); err != nil {
			return err
		}
		if err := writeLayerVersion(ctx, tx, v, seq); err != nil {
			return err
		}
		if err := addCode(ctx, tx, v.ARN.Scope, v.Content.Size); err != nil {
			return err
		}
		return checkQuota(ctx, tx, v.ARN.Scope, quota)
	})
	if err != nil {
		return catalog.LayerVersion{}, fmt.Errorf("cannot insert a version of %s: %w", v.ARN.LayerKey.ARN(), err)
	}
	return v, nil
}

func nextVersion(ctx context.Context, tx *database.Tx, k lambda.LayerKey, seq int64) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `INSERT INTO layers (partition, account, region, name, last_version, sequence)
		VALUES ($1, $2, $3, $4, 1, $5)
		ON CONFLICT (partition, account, region, name)
		DO UPDATE SET last_version = layers.last_version + 1, sequence = excluded.sequence
		RETURNING last_version`, k.Partition, k.Account, k.Region, k.Name, seq).Scan(&n)
	return n, err
}

func writeLayerVersion(ctx context.Context, tx *database.Tx, v catalog.LayerVersion, seq int64) error {
	runtimes, err := encodeList(v.Runtimes)
	if err != nil {
		return err
	}
	architectures, err := encodeList(v.Architectures)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO layer_versions (partition, account, region, name, version, digest, size, unzipped_size,
		content_digest, tree_key, description, license_info, runtimes, architectures, created, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		v.ARN.Partition, v.ARN.Account, v.ARN.Region, v.ARN.Name, v.ARN.Version,
		v.Content.Digest, v.Content.Size, v.Content.UnzippedSize, v.Content.ContentDigest, v.Content.TreeKey,
		v.Description, v.LicenseInfo, runtimes, architectures, v.Created.UnixMilli(), seq)
	return err
}

// layerVersionColumns are what scanLayerVersion takes.
const layerVersionColumns = `v.partition, v.account, v.region, v.name, v.version, v.digest, v.size, v.unzipped_size,
	v.content_digest, v.tree_key, v.description, v.license_info, v.runtimes, v.architectures, v.created`

const selectLayerVersion = `SELECT ` + layerVersionColumns + ` FROM layer_versions v `

// scanner is a row of one or of many.
type scanner interface{ Scan(dest ...any) error }

func scanLayerVersion(row scanner) (catalog.LayerVersion, error) {
	var v catalog.LayerVersion
	var created int64
	err := row.Scan(&v.ARN.Partition, &v.ARN.Account, &v.ARN.Region, &v.ARN.Name, &v.ARN.Version,
		&v.Content.Digest, &v.Content.Size, &v.Content.UnzippedSize, &v.Content.ContentDigest, &v.Content.TreeKey,
		&v.Description, &v.LicenseInfo, document{&v.Runtimes}, document{&v.Architectures}, &created)
	v.Created = time.UnixMilli(created).UTC()
	return v, err
}

// GetLayerVersion gives a layer version.
func (c *Catalog) GetLayerVersion(ctx context.Context, arn lambda.LayerVersionARN) (catalog.LayerVersion, error) {
	v, err := scanLayerVersion(c.db.QueryRow(ctx, selectLayerVersion+
		`WHERE v.partition = $1 AND v.account = $2 AND v.region = $3 AND v.name = $4 AND v.version = $5`,
		arn.Partition, arn.Account, arn.Region, arn.Name, arn.Version))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.LayerVersion{}, lambda.Errorf(lambda.NotFound, "no layer version %s", arn)
	}
	if err != nil {
		return catalog.LayerVersion{}, fmt.Errorf("cannot read layer version %s: %w", arn, err)
	}
	return v, nil
}

// matchFilter is the condition that a version's lists, which are JSON, hold the filter's texts in their quotes: taking them out
// makes a difference. (LIKE would take "_" for any character.) NULL, a list that was not sent, holds nothing.
const matchFilter = `(CAST($5 AS TEXT) = '' OR replace(v.runtimes, $5, '') <> v.runtimes)
	AND (CAST($6 AS TEXT) = '' OR replace(v.architectures, $6, '') <> v.architectures)`

// quote gives a text as it stands in a JSON list; "" stays empty.
func quote(s string) string {
	if s == "" {
		return ""
	}
	b, _ := json.Marshal(s) // cannot fail on a string
	return string(b)
}

// ListLayerVersions gives versions of a layer, newest first.
func (c *Catalog) ListLayerVersions(ctx context.Context, k lambda.LayerKey, f catalog.LayerFilter, before int64, limit int) ([]catalog.LayerVersion, error) {
	list, err := c.listLayerVersions(ctx, selectLayerVersion+`WHERE v.partition = $1 AND v.account = $2 AND v.region = $3
		AND v.name = $4 AND `+matchFilter+` AND (CAST($7 AS BIGINT) = 0 OR v.version < $7) ORDER BY v.version DESC LIMIT $8`,
		k.Partition, k.Account, k.Region, k.Name, quote(f.Runtime), quote(f.Architecture), before, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot list the versions of %s: %w", k.ARN(), err)
	}
	return list, nil
}

// ListLayers gives the newest matching version of each layer that has one, by name.
func (c *Catalog) ListLayers(ctx context.Context, s lambda.Scope, f catalog.LayerFilter, after lambda.LayerName, limit int) ([]catalog.LayerVersion, error) {
	// Layers in their order, and of each the one version: what a page costs does not grow with the versions that there are.
	// (SQLite takes the tables of a CROSS JOIN in the order in which they are written.)
	const newest = `SELECT v.version FROM layer_versions v WHERE v.partition = l.partition AND v.account = l.account
		AND v.region = l.region AND v.name = l.name AND ` + matchFilter + ` ORDER BY v.version DESC LIMIT 1`
	list, err := c.listLayerVersions(ctx, `SELECT `+layerVersionColumns+` FROM layers l CROSS JOIN layer_versions v
		WHERE l.partition = $1 AND l.account = $2 AND l.region = $3 AND l.name > $4
		AND v.partition = l.partition AND v.account = l.account AND v.region = l.region AND v.name = l.name
		AND v.version = (`+newest+`) ORDER BY l.name LIMIT $7`,
		s.Partition, s.Account, s.Region, after, quote(f.Runtime), quote(f.Architecture), limit)
	if err != nil {
		return nil, fmt.Errorf("cannot list the layers of %s: %w", s, err)
	}
	return list, nil
}

func (c *Catalog) listLayerVersions(ctx context.Context, query string, args ...any) ([]catalog.LayerVersion, error) {
	rows, err := c.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []catalog.LayerVersion
	for rows.Next() {
		v, err := scanLayerVersion(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// DeleteLayerVersion forgets a version; the layer stays, so that its number is never given again.
func (c *Catalog) DeleteLayerVersion(ctx context.Context, arn lambda.LayerVersionARN) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		var size int64
		err := tx.QueryRow(ctx, `DELETE FROM layer_versions
			WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4 AND version = $5 RETURNING size`,
			arn.Partition, arn.Account, arn.Region, arn.Name, arn.Version).Scan(&size)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := addCode(ctx, tx, arn.Scope, -size); err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE layers SET sequence = $5 WHERE partition = $1 AND account = $2 AND region = $3 AND name = $4`,
			arn.Partition, arn.Account, arn.Region, arn.Name, seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot delete layer version %s: %w", arn, err)
	}
	return nil
}

// toMilliseconds gives the time as the database will give it back.
func toMilliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
