package daemon

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/runtimes"
)

// Restore makes a data folder of a backup. The folder must be absent or empty; it is there only when all of the backup is in
// it, and synced. Zips of records go to the S3 store of the settings, when there is one.
func Restore(ctx context.Context, cfg config.Config, file string) (_ BackedUp, err error) {
	if cfg.Database != "" {
		return BackedUp{}, &Problem{Text: "a backup is restored into the data folder, its records too", Todo: "leave --database out"}
	}
	entries, err := os.ReadDir(cfg.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return BackedUp{}, &Problem{Text: "cannot use the data folder " + cfg.Data + ": " + err.Error(), Todo: "name another one: --data FOLDER", Err: err}
	}
	if len(entries) > 0 {
		return BackedUp{}, &Problem{Text: cfg.Data + " is not empty", Todo: "name a folder that is not there, and move it later: --data FOLDER"}
	}
	in, err := os.Open(file)
	if err != nil {
		return BackedUp{}, fmt.Errorf("cannot read the backup: %w", err)
	}
	defer in.Close()
	parent := filepath.Dir(cfg.Data)
	if err := failpoint.MkdirAll("daemon.restore-parent", parent, 0o700); err != nil {
		return BackedUp{}, fmt.Errorf("cannot make the data folder: %w", err)
	}
	if err := sweepLeft(parent, restoreScratch); err != nil {
		return BackedUp{}, fmt.Errorf("cannot clean up for the data folder: %w", err)
	}
	held, err := hold(func() (*os.File, error) {
		dir, err := failpoint.MkdirTemp("daemon.restore", parent, restoreScratch)
		if err != nil {
			return nil, err
		}
		return os.Open(dir)
	})
	if err != nil {
		return BackedUp{}, fmt.Errorf("cannot make the data folder: %w", err)
	}
	dir := held.Name()
	defer held.Close()
	defer failpoint.RemoveAll("daemon.restore-done", dir)
	r := &restore{ctx: ctx, cfg: cfg, dir: dir}
	if err := r.fill(in); err != nil {
		return BackedUp{}, fmt.Errorf("cannot restore %s: %w", file, err)
	}
	if err := failpoint.Rename("daemon.restore-name", dir, cfg.Data); err != nil { // it replaces an empty folder
		return BackedUp{}, fmt.Errorf("cannot name the data folder: %w", err)
	}
	if err := failpoint.SyncDir("daemon.restore-sync-parent", parent); err != nil {
		return BackedUp{}, fmt.Errorf("cannot name the data folder: %w", err)
	}
	return r.done, nil
}

// restoreScratch begins the name of a data folder that is not whole.
const restoreScratch = ".lamina-restore-"

// restore is one that is being read.
type restore struct {
	ctx   context.Context
	cfg   config.Config
	dir   string
	blobs *blob.Store
	done  BackedUp

	// Set when the first zip comes, after the small files, and only if there is an S3 store:
	s3  *blob.Store
	own map[digest.Digest]bool // zips of runtimes, which stay on this machine
}

var errNotWhole = errors.New("it is no backup of lamina, or not all of it")

func (r *restore) fill(in io.Reader) error {
	// As the server makes them: what sandboxes mount lies below the last two.
	for sub, mode := range map[string]fs.FileMode{"blobs": 0o700, "logs": 0o700, "trees": 0o755, "runtimes": 0o755} {
		if err := failpoint.Mkdir("daemon.restore-folder", filepath.Join(r.dir, sub), mode); err != nil {
			return err
		}
	}
	driver, err := diskblob.Open(filepath.Join(r.dir, "blobs"))
	if err != nil {
		return err
	}
	r.blobs = blob.New(driver)
	defer r.blobs.Close()
	defer func() {
		if r.s3 != nil {
			r.s3.Close()
		}
	}()
	if err := r.entries(tar.NewReader(in)); err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(r.dir, "lamina.db")); err != nil {
		return errNotWhole
	}
	if err := r.checkRecords(); err != nil {
		return err
	}
	lock, err := failpoint.OpenFile("daemon.restore-lock", filepath.Join(r.dir, "lock"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := lock.Close(); err != nil {
		return err
	}
	f, err := os.Open(r.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return failpoint.Syncfs("daemon.restore-sync", int(f.Fd()))
}

func (r *restore) entries(t *tar.Reader) error {
	for first := true; ; first = false {
		h, err := t.Next()
		if err != nil {
			return errors.Join(errNotWhole, err)
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		switch {
		case first:
			err = readHead(h, t)
		case h.Name == backupEnd:
			return nil
		case h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name):
			err = errNotWhole
		case strings.HasPrefix(h.Name, backupBlobs):
			err = r.zip(strings.TrimPrefix(h.Name, backupBlobs), h.Size, t)
		default:
			err = r.file(h.Name, h.Size, t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// checkRecords refuses records that this lamina could not read.
func (r *restore) checkRecords() (err error) {
	db, err := database.Open(r.ctx, database.SQLiteURL(filepath.Join(r.dir, "lamina.db")))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = sqlcatalog.OpenAsIs(r.ctx, db)
	return newerRecords(err)
}

func readHead(h *tar.Header, t io.Reader) error {
	var head backupHeader
	b, err := io.ReadAll(io.LimitReader(t, 1<<16))
	if err != nil || h.Name != backupHead || json.Unmarshal(b, &head) != nil {
		return errNotWhole
	}
	if head.Format != backupFormat {
		return fmt.Errorf("it has format %d, from lamina %s; this lamina reads %d", head.Format, head.Lamina, backupFormat)
	}
	return nil
}

// zip keeps a zip, whose bytes must be what its name says.
func (r *restore) zip(name string, size int64, t io.Reader) error {
	d, err := digest.Parse("sha256:" + name)
	if err != nil {
		return err
	}
	to, err := r.placeOf(d)
	if err != nil {
		return err
	}
	st, err := to.Stage(r.ctx, digest.NewReader(t, d, size))
	if err != nil {
		return err
	}
	defer st.Discard()
	r.done.Zips++
	r.done.Bytes += size
	return st.Commit(r.ctx)
}

// placeOf gives the store for a zip. (One that a runtime and a record need would have to be in both; no layer is a runtime's SDK.)
func (r *restore) placeOf(d digest.Digest) (*blob.Store, error) {
	if _, ok := r.cfg.S3(); !ok {
		return r.blobs, nil
	}
	if r.s3 == nil {
		if err := r.openS3(); err != nil {
			return nil, err
		}
	}
	if r.own[d] {
		return r.blobs, nil
	}
	return r.s3, nil
}

// openS3 claims the S3 store with the secret of the backup.
func (r *restore) openS3() error {
	secret, err := os.ReadFile(filepath.Join(r.dir, "secret"))
	if err != nil {
		return err
	}
	added, _, err := runtimes.Contents(filepath.Join(r.dir, "runtimes"))
	if err != nil {
		return err
	}
	driver, err := openS3(r.ctx, r.cfg, &folder{path: r.dir})
	if err != nil {
		return err
	}
	r.s3, r.own = blob.New(driver), map[digest.Digest]bool{}
	for _, c := range added {
		r.own[c.Digest] = true
	}
	owner, err := driver.Claim(r.ctx, ownerID(secret))
	if err == nil && owner != ownerID(secret) {
		err = notOurs(r.cfg)
	}
	return err
}

// file keeps one of the files that have the name of their place.
func (r *restore) file(name string, size int64, t io.Reader) error {
	if name != "lamina.db" && name != "secret" && !strings.HasPrefix(name, "runtimes/sdk/") && !strings.HasPrefix(name, "logs/") {
		return errNotWhole
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := failpoint.MkdirAll("daemon.restore-file-folder", filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := failpoint.OpenFile("daemon.restore-file", path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(failpoint.Writer("daemon.restore-write", f), t)
	r.done.Bytes += n
	return errors.Join(err, f.Close())
}
