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

const selectBucket = `SELECT partition, name, account, region, versioning, tags, created FROM buckets `

func scanBucket(row scanner) (catalog.Bucket, error) {
	var b catalog.Bucket
	var created int64
	err := row.Scan(&b.Key.Partition, &b.Key.Name, &b.Account, &b.Region, &b.Versioning, document{&b.Tags}, &created)
	b.Created = time.UnixMilli(created).UTC()
	return b, err
}

// InsertBucket records a bucket.
func (c *Catalog) InsertBucket(ctx context.Context, b catalog.Bucket) (catalog.Bucket, error) {
	b.Created = toMilliseconds(b.Created)
	err := c.change(ctx, func(tx *database.Tx) error {
		tags, err := encode(b.Tags)
		if err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO buckets (partition, name, account, region, versioning, tags, created, sequence)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (partition, name) DO NOTHING`,
			b.Key.Partition, b.Key.Name, b.Account, b.Region, b.Versioning, tags, b.Created.UnixMilli(), seq)
		if err == nil && n == 0 {
			err = lambda.Errorf(lambda.Conflict, "the bucket %s exists", b.Key.Name)
		}
		return err
	})
	if err != nil {
		return catalog.Bucket{}, fmt.Errorf("cannot insert bucket %s: %w", b.Key.Name, err)
	}
	return b, nil
}

// GetBucket gives a bucket.
func (c *Catalog) GetBucket(ctx context.Context, k catalog.BucketKey) (catalog.Bucket, error) {
	return getBucket(ctx, c.db, k)
}

func getBucket(ctx context.Context, q database.Querier, k catalog.BucketKey) (catalog.Bucket, error) {
	b, err := scanBucket(q.QueryRow(ctx, selectBucket+"WHERE partition = $1 AND name = $2", k.Partition, k.Name))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Bucket{}, lambda.Errorf(lambda.NotFound, "no bucket %s", k.Name)
	}
	if err != nil {
		return catalog.Bucket{}, fmt.Errorf("cannot read bucket %s: %w", k.Name, err)
	}
	return b, nil
}

// ListBuckets gives buckets of an account, by name.
func (c *Catalog) ListBuckets(ctx context.Context, partition, account, after string, limit int) ([]catalog.Bucket, error) {
	rows, err := c.db.Query(ctx, selectBucket+"WHERE partition = $1 AND account = $2 AND name > $3 ORDER BY name LIMIT $4",
		partition, account, after, limit)
	if err == nil {
		var list []catalog.Bucket
		if list, err = scanAll(rows, scanBucket); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the buckets of %s: %w", account, err)
}

// UpdateBucket changes a bucket.
func (c *Catalog) UpdateBucket(ctx context.Context, k catalog.BucketKey, change func(*catalog.Bucket) error) (catalog.Bucket, error) {
	var b catalog.Bucket
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if b, err = getBucket(ctx, tx, k); err != nil {
			return err
		}
		if err := change(&b); err != nil {
			return err
		}
		tags, err := encode(b.Tags)
		if err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE buckets SET versioning = $3, tags = $4, sequence = $5 WHERE partition = $1 AND name = $2",
			k.Partition, k.Name, b.Versioning, tags, seq)
		return err
	})
	if err != nil {
		return catalog.Bucket{}, err // change's own must stay as it is
	}
	return b, nil
}

// DeleteBucket forgets an empty bucket.
func (c *Catalog) DeleteBucket(ctx context.Context, k catalog.BucketKey) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := getBucket(ctx, tx, k); err != nil {
			return err
		}
		var n int64
		err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM objects WHERE partition = $1 AND bucket = $2 LIMIT 1) o",
			k.Partition, k.Name).Scan(&n)
		if err != nil {
			return err
		}
		if n > 0 {
			return lambda.Errorf(lambda.Conflict, "the bucket %s is not empty", k.Name)
		}
		if _, err := nextSequence(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM buckets WHERE partition = $1 AND name = $2", k.Partition, k.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot delete bucket %s: %w", k.Name, err)
	}
	return nil
}
