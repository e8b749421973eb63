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
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
)

// A backup is a tar: first what it is, then the records, the other small files, the zips, and a last entry without which it
// is not whole.
//
//	lamina-backup.json         JSON: {"Format": 1, "Lamina": version}
//	lamina.db                  the records, as of one moment
//	secret, runtimes/sdk/…, logs/…
//	blobs/sha256/<hex digits>  every zip that the records and the runtimes need
//	end
//
// Trees are left out: they are unpacked again when they are needed.
const (
	backupHead   = "lamina-backup.json"
	backupEnd    = "end"
	backupBlobs  = "blobs/sha256/"
	backupFormat = 1
)

const (
	backupScratch = ".lamina-backup-" // begins the name of a backup that is not whole
	copyScratch   = ".backup-"        // begins that of the folder, in the data folder, for a copy of the records
)

type backupHeader struct {
	Format int
	Lamina string
}

// BackedUp counts what is in a backup.
type BackedUp struct {
	Zips  int
	Bytes int64 // of all files
}

// Backup writes everything that cannot be made again to a new file. A server may run meanwhile: the records are those of one
// moment, and every zip that they need is there. The file has its name only when it is whole and synced.
func Backup(ctx context.Context, cfg config.Config, file string) (_ BackedUp, err error) {
	if _, err := os.Lstat(file); err == nil {
		return BackedUp{}, &Problem{Text: file + " is there already", Todo: "name a file that is not there"}
	}
	if !strings.HasPrefix(cfg.DatabaseURL(), "sqlite:") {
		return BackedUp{}, &Problem{
			Text: "the records are in a database of its own server, which has its own backups",
			Todo: "copy the database first, with its own tool (pg_dump), and then " + zipsPlace(cfg),
		}
	}
	o, err := openOffline(ctx, cfg)
	if err != nil {
		return BackedUp{}, err
	}
	defer func() { err = errors.Join(err, o.close(ctx)) }()
	unlock, err := o.lockZips()
	if err != nil {
		return BackedUp{}, err
	}
	defer unlock()
	return o.backup(ctx, file)
}

// zipsPlace says where zips are, for those who copy them with other tools.
func zipsPlace(cfg config.Config) string {
	s, ok := cfg.S3()
	if !ok {
		return "the folder " + filepath.Join(cfg.Data, "blobs")
	}
	return "the bucket " + s.Bucket + " (aws s3 sync), or switch on versioning of the bucket"
}

// lockZips keeps a collection from freeing what a backup still has to read, and one backup from another's scratch folder.
func (o *offline) lockZips() (func(), error) {
	f, err := os.Open(o.dir.sub("blobs"))
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &Problem{Text: "another `lamina gc` or `lamina backup` is at work on this data folder", Todo: "try again when it has ended", Err: err}
		}
		return nil, fmt.Errorf("cannot lock the zips: %w", err)
	}
	return func() { f.Close() }, nil
}

func (o *offline) backup(ctx context.Context, file string) (_ BackedUp, err error) {
	if err := sweepLeft(filepath.Dir(file), backupScratch); err != nil {
		return BackedUp{}, fmt.Errorf("cannot clean up for the backup: %w", err)
	}
	out, err := hold(func() (*os.File, error) {
		return failpoint.CreateTemp("daemon.backup", filepath.Dir(file), backupScratch) // 0600: it holds what people keep private
	})
	if err != nil {
		return BackedUp{}, fmt.Errorf("cannot write the backup: %w", err)
	}
	defer failpoint.Remove("daemon.backup-done", out.Name())
	defer out.Close()
	b := &backup{offline: o, ctx: ctx, tar: tar.NewWriter(failpoint.Writer("daemon.backup-write", out))}
	sync := func() error { return failpoint.Sync("daemon.backup-sync", out) }
	for _, step := range []func() error{b.head, b.records, b.small, b.zips, b.end, sync, out.Close} {
		if err := step(); err != nil {
			return BackedUp{}, fmt.Errorf("cannot write the backup: %w", err)
		}
	}
	if err := failpoint.Link("daemon.backup-name", out.Name(), file); err != nil { // unlike a rename, it replaces nothing
		return BackedUp{}, fmt.Errorf("cannot write the backup: %w", err)
	}
	if err := failpoint.SyncDir("daemon.backup-sync-folder", filepath.Dir(file)); err != nil {
		return BackedUp{}, fmt.Errorf("cannot write the backup: %w", err)
	}
	return b.done, nil
}

// backup is one that is being written.
type backup struct {
	*offline
	ctx      context.Context
	tar      *tar.Writer
	contents []lambda.Content
	done     BackedUp
}

func (b *backup) head() error {
	text, err := json.Marshal(backupHeader{backupFormat, ThisBuild().Version})
	if err != nil {
		return err
	}
	return b.write(backupHead, int64(len(text)), strings.NewReader(string(text)))
}

func (b *backup) end() error {
	return errors.Join(b.write(backupEnd, 0, strings.NewReader("")), b.tar.Close())
}

// write adds a file of exactly size bytes.
func (b *backup) write(name string, size int64, r io.Reader) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: now(), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	n, err := io.Copy(b.tar, io.LimitReader(r, size))
	if err == nil && n < size {
		err = fmt.Errorf("%s has become shorter", name)
	}
	b.done.Bytes += n
	return err
}

// records copies the database and reads from the copy which zips it needs.
func (b *backup) records() (err error) {
	if err := b.removeScratch(); err != nil {
		return err
	}
	dir, err := failpoint.MkdirTemp("daemon.backup-records", b.dir.path, copyScratch)
	if err != nil {
		return err
	}
	defer failpoint.RemoveAll("daemon.backup-records-done", dir)
	path := filepath.Join(dir, "lamina.db")
	if err := b.db.Copy(b.ctx, path); err != nil {
		return err
	}
	if err := b.file("lamina.db", path); err != nil {
		return err
	}
	db, err := database.Open(b.ctx, database.SQLiteURL(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	records, err := sqlcatalog.OpenAsIs(b.ctx, db)
	if err != nil {
		return err
	}
	b.contents, err = records.Contents(b.ctx)
	return err
}

// removeScratch removes what a backup has left that was killed.
func (b *backup) removeScratch() error {
	entries, err := os.ReadDir(b.dir.path)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), copyScratch) {
			err = errors.Join(err, failpoint.RemoveAll("daemon.backup-sweep", b.dir.sub(e.Name())))
		}
	}
	return err
}

// file adds a file as long as it is now. One that is not there is left out.
func (b *backup) file(name, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return b.write(name, info.Size(), f)
}

func (b *backup) small() error {
	if err := b.file("secret", b.dir.sub("secret")); err != nil {
		return err
	}
	added, _, err := runtimes.Contents(b.dir.sub("runtimes"))
	if err != nil {
		return err
	}
	b.contents = append(b.contents, added...)
	for _, sub := range []string{"runtimes/sdk", "logs"} {
		err := filepath.WalkDir(b.dir.sub(sub), func(p string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case sub == "runtimes/sdk" && e.IsDir() && strings.HasPrefix(e.Name(), "."):
				return fs.SkipDir // one that is being installed
			case !e.Type().IsRegular():
				return nil
			}
			rel, err := filepath.Rel(b.dir.path, p)
			if err != nil {
				return err
			}
			return b.file(filepath.ToSlash(rel), p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) zips() error {
	seen := map[digest.Digest]bool{}
	for _, c := range b.contents {
		if seen[c.Digest] {
			continue
		}
		seen[c.Digest] = true
		if err := b.zip(c.Digest); err != nil {
			return err
		}
		b.done.Zips++
	}
	return nil
}

func (b *backup) zip(d digest.Digest) error {
	r, err := b.store.OpenZip(b.ctx, d)
	if errors.Is(err, fs.ErrNotExist) {
		r, err = b.own.OpenZip(b.ctx, d) // of a runtime
	}
	if err != nil {
		return fmt.Errorf("a zip that records need cannot be read (`lamina check` says more): %w", err)
	}
	defer r.Close()
	// A damaged zip is noticed here, and not when the backup is all that is left.
	return b.write(path.Join(backupBlobs, d.Hex()), r.Size(), digest.NewReader(io.NewSectionReader(r, 0, r.Size()), d, r.Size()))
}
