package s3blob

import (
	"context"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// MaxGone is how often a renewal whose source goes away is tried.
const MaxGone = maxGone

// SetPartSize makes parts small.
func SetPartSize(t *testing.T, n int64) {
	old := partSize
	partSize = n
	t.Cleanup(func() { partSize = old })
}

// SetFresh makes generations old sooner.
func SetFresh(t *testing.T, d time.Duration) {
	old := fresh
	fresh = d
	t.Cleanup(func() { fresh = old })
}

// Keys gives all keys of a driver.
func Keys(ctx context.Context, d *Driver, f func(string)) error {
	_, err := d.list(ctx, d.o.Prefix, 0, func(o minio.ObjectInfo) error { f(o.Key); return nil })
	return err
}

// Put makes any object below the prefix.
func Put(ctx context.Context, d *Driver, key, text string) error {
	return d.put(ctx, d.key(key), text, minio.PutObjectOptions{})
}

// SetOpenTimeout makes Open impatient.
func SetOpenTimeout(t *testing.T, d time.Duration) {
	old := openTimeout
	openTimeout = d
	t.Cleanup(func() { openTimeout = old })
}

// SetUnnamedFiles makes the file system one that knows no files without a name.
func SetUnnamedFiles(ask bool) (reset func()) {
	unnamedFiles = ask
	return func() { unnamedFiles = true }
}
