// Package apitest has what tests put behind the front door: a real control plane in a fresh folder, and stand-ins for the
// two parts that need execution environments, running functions and keeping their logs.
package apitest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/objects"
)

// NewControl gives a control plane on SQLite that has been started, and ends with the test. blobs is the folder of its zips.
func NewControl(t testing.TB, blobs string) *control.Service {
	t.Helper()
	c, _ := New(t, blobs)
	return c
}

// New gives a control plane as NewControl does, and S3 over the same records and bytes.
func New(t testing.TB, blobs string) (*control.Service, *objects.Service) {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	db, err := database.Open(ctx, "sqlite://"+filepath.Join(dir, "lamina.db"))
	must(t, err)
	sql, err := sqlcatalog.Open(ctx, db)
	must(t, err)
	records := cached.New(sql, 0)
	disk, err := diskblob.Open(blobs)
	must(t, err)
	store := blob.New(disk)
	trees, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: store})
	must(t, err)
	o := objects.New(objects.Options{Catalog: records, Blobs: store})
	c := control.New(control.Options{Catalog: records, Store: trees, Blobs: store, Objects: o,
		Organisations: map[string]string{"333333333333": "o-abcdefghij"}})
	must(t, c.Start(ctx))
	t.Cleanup(func() {
		c.Stop()
		must(t, trees.Close())
		must(t, store.Close())
		must(t, records.Close())
	})
	return c, o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
