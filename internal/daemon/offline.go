package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
)

// offline is what is kept in a data folder, without a server, or beside the one that runs.
type offline struct {
	stoppers
	dir     *folder
	db      *database.DB
	records *sqlcatalog.Catalog
	zips
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
	if o.records, err = sqlcatalog.OpenAsIs(ctx, o.db); err != nil {
		return nil, newerRecords(err)
	}
	claim := func(d *s3blob.Driver) error { return o.owns(ctx, cfg, d) }
	if o.zips, err = openZips(ctx, cfg, o.dir, claim, nil, &o.stoppers); err != nil {
		return nil, err
	}
	return o, nil
}

// owns refuses an S3 store that does not belong to the records that were opened: what to free and what is missing, they cannot
// tell. It claims nothing.
func (o *offline) owns(ctx context.Context, cfg config.Config, d *s3blob.Driver) error {
	secret, err := os.ReadFile(o.dir.sub("secret"))
	if cfg.Shared() {
		secret, err = o.records.KeptSecret(ctx, signingSecret)
	}
	if err != nil {
		return fmt.Errorf("cannot tell whether the zips in the S3 store belong to these records: %w", err)
	}
	owner, err := d.Owner(ctx)
	if err == nil && owner == "" {
		return &Problem{Text: "no lamina serve has used this S3 store yet", Todo: "name the one that it uses: --blob URL"}
	}
	if err == nil && owner != ownerID(secret) {
		err = notOurs(cfg)
	}
	return err
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
