package sqlcatalog

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

const selectObject = `SELECT o.partition, o.bucket, o.name, o.version_id, o.number, o.marker, o.digest, o.size, o.etag, o.modified, o.about
	FROM objects o WHERE o.partition = $1 AND o.bucket = $2 `

func scanObject(row scanner) (catalog.Object, error) {
	var o catalog.Object
	var marker, modified int64
	err := row.Scan(&o.Bucket.Partition, &o.Bucket.Name, &o.Name, &o.VersionID, &o.Number, &marker, &o.Digest, &o.Size, &o.ETag,
		&modified, document{&o.About})
	o.Marker, o.Modified = marker != 0, time.UnixMilli(modified).UTC()
	return o, err
}

// PutObject records the newest version of an object.
func (c *Catalog) PutObject(ctx context.Context, o catalog.Object, check catalog.Check) (catalog.Object, error) {
	var put catalog.Object
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		put, err = putObject(ctx, tx, o, check)
		return err
	})
	if err != nil {
		return catalog.Object{}, err // check's own must stay as it is
	}
	return put, nil
}

func putObject(ctx context.Context, tx *database.Tx, o catalog.Object, check catalog.Check) (catalog.Object, error) {
	b, err := getBucket(ctx, tx, o.Bucket)
	if err != nil {
		return o, err
	}
	if err := checkNewest(ctx, tx, o.Bucket, o.Name, check); err != nil {
		return o, err
	}
	return writeObject(ctx, tx, b, o)
}

func checkNewest(ctx context.Context, tx *database.Tx, k catalog.BucketKey, name string, check catalog.Check) error {
	if check == nil {
		return nil
	}
	newest, err := getObject(ctx, tx, k, catalog.ObjectID{Name: name})
	switch {
	case err == nil:
		return check(&newest)
	case lambda.IsKind(err, lambda.NotFound):
		return check(nil)
	}
	return err
}

// writeObject writes the newest version of an object, with the ID that the bucket gives it.
func writeObject(ctx context.Context, tx *database.Tx, b catalog.Bucket, o catalog.Object) (catalog.Object, error) {
	about, err := encode(o.About)
	if err != nil {
		return o, err
	}
	if o.Number, err = nextSequence(ctx, tx); err != nil {
		return o, err
	}
	o.VersionID, o.Modified = rand.Text(), toMilliseconds(o.Modified)
	if b.Versioning != catalog.VersioningEnabled {
		o.VersionID = catalog.NullVersion
		if err := deleteVersion(ctx, tx, b.Key, o.Name, catalog.NullVersion); err != nil {
			return o, err
		}
	}
	marker := 0
	if o.Marker {
		marker = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO objects (partition, bucket, name, number, version_id, marker, digest, size, etag, modified, about, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		o.Bucket.Partition, o.Bucket.Name, o.Name, o.Number, o.VersionID, marker, o.Digest, o.Size, o.ETag, o.Modified.UnixMilli(), about, o.Number)
	return o, err
}

func deleteVersion(ctx context.Context, tx *database.Tx, k catalog.BucketKey, name, versionID string) error {
	_, err := tx.Exec(ctx, "DELETE FROM objects WHERE partition = $1 AND bucket = $2 AND name = $3 AND version_id = $4",
		k.Partition, k.Name, name, versionID)
	return err
}

// GetObject gives a version of an object.
func (c *Catalog) GetObject(ctx context.Context, k catalog.BucketKey, id catalog.ObjectID) (catalog.Object, error) {
	if _, err := getBucket(ctx, c.db, k); err != nil {
		return catalog.Object{}, err
	}
	return getObject(ctx, c.db, k, id)
}

func getObject(ctx context.Context, q database.Querier, k catalog.BucketKey, id catalog.ObjectID) (catalog.Object, error) {
	o, err := scanObject(q.QueryRow(ctx, selectObject+`AND o.name = $3 AND (CAST($4 AS TEXT) = '' OR o.version_id = $4)
		ORDER BY o.number DESC LIMIT 1`, k.Partition, k.Name, id.Name, id.VersionID))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Object{}, lambda.Errorf(lambda.NotFound, "no object %q in %s", id.Name, k.Name)
	}
	if err != nil {
		return catalog.Object{}, fmt.Errorf("cannot read object %q in %s: %w", id.Name, k.Name, err)
	}
	return o, nil
}

// UpdateObject changes what is kept with an object.
func (c *Catalog) UpdateObject(ctx context.Context, k catalog.BucketKey, id catalog.ObjectID, change func(*catalog.Object) error) (catalog.Object, error) {
	var o catalog.Object
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := getBucket(ctx, tx, k); err != nil {
			return err
		}
		var err error
		if o, err = getObject(ctx, tx, k, id); err != nil {
			return err
		}
		if err := change(&o); err != nil {
			return err
		}
		about, err := encode(o.About)
		if err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE objects SET about = $5, sequence = $6 WHERE partition = $1 AND bucket = $2 AND name = $3 AND number = $4`,
			k.Partition, k.Name, o.Name, o.Number, about, seq)
		return err
	})
	if err != nil {
		return catalog.Object{}, err
	}
	return o, nil
}

// DeleteObjects forgets versions and deletes objects.
func (c *Catalog) DeleteObjects(ctx context.Context, k catalog.BucketKey, ids []catalog.ObjectID, now time.Time) ([]catalog.Object, error) {
	var done []catalog.Object
	err := c.change(ctx, func(tx *database.Tx) error {
		b, err := getBucket(ctx, tx, k)
		if err != nil {
			return err
		}
		done = make([]catalog.Object, 0, len(ids))
		for _, id := range ids {
			o, err := deleteObject(ctx, tx, b, id, now)
			if err != nil {
				return err
			}
			done = append(done, o)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot delete objects of %s: %w", k.Name, err)
	}
	return done, nil
}

func deleteObject(ctx context.Context, tx *database.Tx, b catalog.Bucket, id catalog.ObjectID, now time.Time) (catalog.Object, error) {
	if id.VersionID == "" && b.Versioning != catalog.VersioningNever {
		return writeObject(ctx, tx, b, catalog.Object{Bucket: b.Key, Name: id.Name, Marker: true, Modified: now})
	}
	versioned := id.VersionID != ""
	if !versioned {
		id.VersionID = catalog.NullVersion
	}
	o, err := getObject(ctx, tx, b.Key, id)
	if lambda.IsKind(err, lambda.NotFound) {
		return catalog.Object{}, nil
	}
	if err != nil {
		return o, err
	}
	if _, err := nextSequence(ctx, tx); err != nil {
		return o, err
	}
	if err := deleteVersion(ctx, tx, b.Key, id.Name, id.VersionID); err != nil || versioned {
		return o, err
	}
	return catalog.Object{}, nil
}

// inRange is the condition of a catalog.ObjectRange.
const inRange = `AND o.name > $3 AND o.name >= $4 AND (CAST($5 AS TEXT) = '' OR o.name < $5) `

// ListObjects gives the newest versions, by name.
func (c *Catalog) ListObjects(ctx context.Context, k catalog.BucketKey, r catalog.ObjectRange, limit int) ([]catalog.Object, error) {
	return c.listObjects(ctx, k, selectObject+inRange+`AND o.marker = 0 AND NOT EXISTS (SELECT 1 FROM objects n WHERE n.partition = o.partition
		AND n.bucket = o.bucket AND n.name = o.name AND n.number > o.number) ORDER BY o.name LIMIT $6`, r.After, r.From, r.Before, limit)
}

// ListObjectVersions gives versions and markers, by name, the newest first.
func (c *Catalog) ListObjectVersions(ctx context.Context, k catalog.BucketKey, r catalog.ObjectRange, below int64, limit int) ([]catalog.Object, error) {
	return c.listObjects(ctx, k, selectObject+inRange+`AND (CAST($6 AS BIGINT) = 0 OR o.name <> $4 OR o.number < $6)
		ORDER BY o.name, o.number DESC LIMIT $7`, r.After, r.From, r.Before, below, limit)
}

func (c *Catalog) listObjects(ctx context.Context, k catalog.BucketKey, query string, args ...any) ([]catalog.Object, error) {
	if _, err := getBucket(ctx, c.db, k); err != nil {
		return nil, err
	}
	rows, err := c.db.Query(ctx, query, append([]any{k.Partition, k.Name}, args...)...)
	if err == nil {
		var list []catalog.Object
		if list, err = scanAll(rows, scanObject); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the objects of %s: %w", k.Name, err)
}
