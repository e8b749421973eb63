package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
)

// offline is what is kept in a data folder, without a server, or beside the one that runs.
type offline struct {
	stoppers
	dir     *folder
	db      *database.DB
	records *sqlcatalog.Catalog
	store   *layerstore.Store
}

// openOffline opens what is there and makes nothing.
func openOffline(ctx context.Context, cfg config.Config) (_ *offline, err error) {
	o := &offline{dir: &folder{path: cfg.Data}}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close(ctx))
		}
	}()
	if err := o.exists(cfg); err != nil {
		return nil, err
	}
	if o.db, err = database.Open(ctx, cfg.DatabaseURL()); err != nil {
		return nil, err
	}
	o.add("database", plain(o.db.Close))
	o.records = sqlcatalog.OpenAsIs(o.db)
	driver, err := diskblob.Open(o.dir.sub("blobs"))
	if err != nil {
		return nil, err
	}
	blobs := blob.New(driver)
	o.add("blob store", plain(blobs.Close))
	if o.store, err = layerstore.Open(layerstore.Options{Dir: o.dir.sub("trees"), Blobs: blobs, Now: now}); err != nil {
		return nil, err
	}
	o.add("layer store", plain(o.store.Close))
	return o, nil
}

// exists refuses a folder that no server has used.
func (o *offline) exists(cfg config.Config) error {
	needed := []string{"lock", "blobs", "trees"}
	if cfg.Database == "" {
		needed = append(needed, "lamina.db")
	}
	for _, name := range needed {
		_, err := os.Lstat(o.dir.sub(name))
		if errors.Is(err, fs.ErrNotExist) {
			return &Problem{Text: fmt.Sprintf("%s is no data folder of lamina: it has no %s", cfg.Data, name), Todo: "name the one that `lamina serve` uses: --data FOLDER", Err: err}
		}
		if err != nil {
			return fmt.Errorf("cannot look into the data folder: %w", err)
		}
	}
	return nil
}

// contents gives everything that a record or a runtime needs.
func (o *offline) contents(ctx context.Context) ([]lambda.Content, error) {
	recorded, err := o.records.Contents(ctx)
	if err != nil {
		return nil, err
	}
	added, _, err := runtimes.Contents(o.dir.sub("runtimes"))
	return append(recorded, added...), err
}

// databaseName is how messages call the database: without its password.
func databaseName(cfg config.Config) string {
	if cfg.Database == "" {
		return filepath.Join(cfg.Data, "lamina.db")
	}
	scheme, _, _ := strings.Cut(cfg.Database, ":")
	return "the " + scheme + " database"
}
