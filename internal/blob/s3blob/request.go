package s3blob

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/failpoint"
)

// The functions below are the requests that change the store. Each has a fail point before it, and one after it, where a test lets
// its answer get lost.

// upload makes an object. The SHA-256 is signed in place of a checksum: the store refuses bytes that do not have it.
func (d *Driver) upload(ctx context.Context, key string, r io.Reader, size int64, sha256 string, o minio.PutObjectOptions) error {
	if err := failpoint.Hit("s3blob.upload"); err != nil {
		return err
	}
	o.DisableContentSha256 = true
	if _, err := d.core.PutObject(ctx, d.o.Bucket, key, r, size, "", sha256, o); err != nil {
		return err
	}
	return failpoint.Hit("s3blob.uploaded")
}

// copy makes an object of another one, inside the store.
func (d *Driver) copy(ctx context.Context, from, to string) error {
	if err := failpoint.Hit("s3blob.copy"); err != nil {
		return err
	}
	_, err := d.core.Client.CopyObject(ctx, minio.CopyDestOptions{Bucket: d.o.Bucket, Object: to}, minio.CopySrcOptions{Bucket: d.o.Bucket, Object: from})
	if err != nil {
		return err
	}
	return failpoint.Hit("s3blob.copied")
}

// delete deletes an object. To delete one that is not there is no error for the store.
func (d *Driver) delete(ctx context.Context, key string) error {
	if err := failpoint.Hit("s3blob.delete"); err != nil {
		return err
	}
	if err := d.core.RemoveObject(ctx, d.o.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return err
	}
	return failpoint.Hit("s3blob.deleted")
}
