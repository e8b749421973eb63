// Package diskblob keeps blobs in a folder.
//
//	<folder>/sha256/<first two hex digits>/<64 hex digits>   a blob
//	<folder>/staging/<anything>                              bytes that have no name yet
//
// A staged file is written, synced, and moved to its name, and then the folder of the name is synced: a name that exists
// has all of its bytes, also after a power failure. Its time is that of its last Commit. Whoever stages holds a lock on the file, so Open can tell what a crash
// left behind from what another process is writing, and removes only the former.
package diskblob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// Driver is a blob.Driver over a folder.
type Driver struct {
	names, staging string

	kept atomic.Bool // the folder itself has been synced
}

var _ blob.Driver = (*Driver)(nil)

// Open makes the folder if it is not there and removes staging files that a crash left. Several processes may have one
// folder open.
func Open(dir string) (*Driver, error) {
	d := &Driver{names: filepath.Join(dir, "sha256"), staging: filepath.Join(dir, "staging")}
	for _, sub := range []string{d.names, d.staging} {
		if err := failpoint.MkdirAll("diskblob.folder", sub, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make the folder of blobs: %w", err)
		}
	}
	if err := d.sweep(); err != nil {
		return nil, fmt.Errorf("cannot clean up %q: %w", d.staging, err)
	}
	return d, nil
}

// sweep removes the staging files that nobody has locked.
func (d *Driver) sweep() error {
	entries, err := os.ReadDir(d.staging)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(d.staging, e.Name())
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue // its owner was faster
		}
		if err != nil {
			return err
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			err = failpoint.Remove("diskblob.sweep", path)
		}
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Open opens a blob.
func (d *Driver) Open(_ context.Context, sum digest.Digest) (blob.Reader, error) {
	f, err := os.Open(d.path(sum))
	if err != nil {
		return nil, fmt.Errorf("cannot open blob %s: %w", sum, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot open blob %s: %w", sum, err)
	}
	return &reader{f, info.Size()}, nil
}

// Delete forgets a blob. Readers that have it open keep it.
func (d *Driver) Delete(_ context.Context, sum digest.Digest) error {
	if err := failpoint.Remove("diskblob.delete", d.path(sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot delete blob %s: %w", sum, err)
	}
	return nil
}

// DeleteBefore forgets a blob that was last committed before t. The folder of its name is locked meanwhile: a Commit of this blob
// has made it young before, or comes after and finds none.
func (d *Driver) DeleteBefore(_ context.Context, sum digest.Digest, t time.Time) (deleted bool, err error) {
	path := d.path(sum)
	err = inShard(filepath.Dir(path), unix.LOCK_EX, func() error {
		info, err := os.Lstat(path)
		if err != nil || !info.ModTime().Before(t) {
			return err
		}
		deleted = true
		return failpoint.Remove("diskblob.delete-before", path)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("cannot delete blob %s: %w", sum, err)
	}
	return deleted, nil
}

// inShard runs f with a folder of names locked.
func inShard(path string, how int, f func() error) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), how); err != nil {
		return &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	return f()
}

// List calls f for each blob. Blobs that come or go meanwhile may be listed or not.
func (d *Driver) List(ctx context.Context, f func(blob.Info) error) error {
	return filepath.WalkDir(d.names, func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || e.IsDir() {
			return err
		}
		sum, ok := parseName(e.Name())
		if !ok || path != d.path(sum) {
			return nil // not ours
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(blob.Info{Digest: sum, Size: info.Size(), Created: info.ModTime()})
	})
}

// Close does nothing: a driver holds no descriptor.
func (d *Driver) Close() error { return nil }

func (d *Driver) path(sum digest.Digest) string {
	name := sum.Hex()
	return filepath.Join(d.names, name[:2], name)
}

func parseName(name string) (digest.Digest, bool) {
	var sum digest.Digest
	if len(name) != hex.EncodedLen(len(sum)) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(name))
	return sum, err == nil
}

type reader struct {
	*os.File
	size int64
}

func (r *reader) Size() int64 { return r.size }
