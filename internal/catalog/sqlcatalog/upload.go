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

const selectUpload = `SELECT o.id, o.partition, o.bucket, o.name, o.about, o.initiated FROM uploads o WHERE o.partition = $1 AND o.bucket = $2 `

func scanUpload(row scanner) (catalog.Upload, error) {
	var u catalog.Upload
	var initiated int64
	err := row.Scan(&u.ID, &u.Bucket.Partition, &u.Bucket.Name, &u.Name, document{&u.About}, &initiated)
	u.Initiated = time.UnixMilli(initiated).UTC()
	return u, err
}

// InsertUpload records an upload under a new ID.
func (c *Catalog) InsertUpload(ctx context.Context, u catalog.Upload) (catalog.Upload, error) {
	u.ID, u.Initiated = rand.Text(), toMilliseconds(u.Initiated)
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := getBucket(ctx, tx, u.Bucket); err != nil {
			return err
		}
		about, err := encode(u.About)
		if err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO uploads (id, partition, bucket, name, about, initiated, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.ID, u.Bucket.Partition, u.Bucket.Name, u.Name, about, u.Initiated.UnixMilli(), seq)
		return err
	})
	if err != nil {
		return catalog.Upload{}, fmt.Errorf("cannot insert an upload to %s: %w", u.Bucket.Name, err)
	}
	return u, nil
}

// GetUpload gives an upload.
func (c *Catalog) GetUpload(ctx context.Context, k catalog.BucketKey, name, id string) (catalog.Upload, error) {
	return getUpload(ctx, c.db, k, name, id)
}

func getUpload(ctx context.Context, q database.Querier, k catalog.BucketKey, name, id string) (catalog.Upload, error) {
	u, err := scanUpload(q.QueryRow(ctx, selectUpload+"AND o.name = $3 AND o.id = $4", k.Partition, k.Name, name, id))
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Upload{}, lambda.Errorf(lambda.NotFound, "no upload %q of %q in %s", id, name, k.Name)
	}
	if err != nil {
		return catalog.Upload{}, fmt.Errorf("cannot read an upload to %s: %w", k.Name, err)
	}
	return u, nil
}

// ListUploads gives uploads, by name and ID.
func (c *Catalog) ListUploads(ctx context.Context, k catalog.BucketKey, r catalog.ObjectRange, afterID string, limit int) ([]catalog.Upload, error) {
	if _, err := getBucket(ctx, c.db, k); err != nil {
		return nil, err
	}
	rows, err := c.db.Query(ctx, selectUpload+inRange+`AND (CAST($6 AS TEXT) = '' OR o.name <> $4 OR o.id > $6) ORDER BY o.name, o.id LIMIT $7`,
		k.Partition, k.Name, r.After, r.From, r.Before, afterID, limit)
	if err == nil {
		var list []catalog.Upload
		if list, err = scanAll(rows, scanUpload); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the uploads to %s: %w", k.Name, err)
}

// PutPart records a part of an upload.
func (c *Catalog) PutPart(ctx context.Context, u catalog.Upload, p catalog.Part) (catalog.Part, error) {
	p.Modified = toMilliseconds(p.Modified)
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := getUpload(ctx, tx, u.Bucket, u.Name, u.ID); err != nil {
			return err
		}
		seq, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO upload_parts (upload_id, number, digest, size, etag, checksum, modified, sequence)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (upload_id, number) DO UPDATE SET digest = excluded.digest,
			size = excluded.size, etag = excluded.etag, checksum = excluded.checksum, modified = excluded.modified, sequence = excluded.sequence`,
			u.ID, p.Number, p.Digest, p.Size, p.ETag, p.Checksum, p.Modified.UnixMilli(), seq)
		return err
	})
	if err != nil {
		return catalog.Part{}, fmt.Errorf("cannot insert part %d of an upload to %s: %w", p.Number, u.Bucket.Name, err)
	}
	return p, nil
}

// ListParts gives parts of an upload by number.
func (c *Catalog) ListParts(ctx context.Context, u catalog.Upload, after, limit int) ([]catalog.Part, error) {
	rows, err := c.db.Query(ctx, `SELECT number, digest, size, etag, checksum, modified FROM upload_parts
		WHERE upload_id = $1 AND number > $2 ORDER BY number LIMIT $3`, u.ID, after, limit)
	if err == nil {
		var list []catalog.Part
		if list, err = scanAll(rows, scanPart); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("cannot list the parts of an upload to %s: %w", u.Bucket.Name, err)
}

func scanPart(row scanner) (catalog.Part, error) {
	var p catalog.Part
	var modified int64
	err := row.Scan(&p.Number, &p.Digest, &p.Size, &p.ETag, &p.Checksum, &modified)
	p.Modified = time.UnixMilli(modified).UTC()
	return p, err
}

// DeleteUpload forgets an upload.
func (c *Catalog) DeleteUpload(ctx context.Context, u catalog.Upload) error {
	err := c.change(ctx, func(tx *database.Tx) error {
		if _, err := nextSequence(ctx, tx); err != nil {
			return err
		}
		return deleteUpload(ctx, tx, u)
	})
	if err != nil {
		return fmt.Errorf("cannot delete an upload to %s: %w", u.Bucket.Name, err)
	}
	return nil
}

func deleteUpload(ctx context.Context, tx *database.Tx, u catalog.Upload) error {
	n, err := tx.Exec(ctx, "DELETE FROM uploads WHERE id = $1 AND partition = $2 AND bucket = $3 AND name = $4",
		u.ID, u.Bucket.Partition, u.Bucket.Name, u.Name)
	if err == nil && n == 0 {
		err = lambda.Errorf(lambda.NotFound, "no upload %q of %q in %s", u.ID, u.Name, u.Bucket.Name)
	}
	return err
}

// CompleteUpload makes an upload an object.
func (c *Catalog) CompleteUpload(ctx context.Context, u catalog.Upload, o catalog.Object, check catalog.Check) (catalog.Object, error) {
	var put catalog.Object
	err := c.change(ctx, func(tx *database.Tx) error {
		var err error
		if put, err = putObject(ctx, tx, o, check); err != nil {
			return err
		}
		return deleteUpload(ctx, tx, u)
	})
	if err != nil {
		return catalog.Object{}, err
	}
	return put, nil
}
