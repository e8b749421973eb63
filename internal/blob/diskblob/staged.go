package diskblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// Stage makes a staging file that this process holds locked.
func (d *Driver) Stage(context.Context) (blob.DriverStaged, error) {
	for {
		f, err := failpoint.CreateTemp("diskblob.stage", d.staging, "")
		if err != nil {
			return nil, err
		}
		ours, err := lock(f)
		if err == nil && ours {
			return &staged{driver: d, f: f}, nil
		}
		f.Close()
		if err != nil {
			failpoint.Remove("diskblob.stage-unlocked", f.Name())
			return nil, err
		}
	}
}

// lock locks a new file. Before that, a process that starts may have taken it for a leftover: then it is not ours.
func lock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot lock %q: %w", f.Name(), err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, err
	}
	return st.Nlink > 0, nil
}

// staged is a file in the staging folder.
type staged struct {
	driver *Driver
	f      *os.File
	size   int64
	synced bool
	named  bool // it has left the staging folder
	done   bool
}

func (s *staged) Write(p []byte) (int, error) {
	if s.done {
		return 0, fs.ErrClosed
	}
	n, err := failpoint.Write("diskblob.write", s.f, p)
	s.size += int64(n)
	return n, err
}

// WriteAhead asks the kernel to begin to move the bytes to the disk. It is only a hint: where it is not known, Commit has more
// to do.
func (s *staged) WriteAhead() {
	if !s.done {
		unix.SyncFileRange(int(s.f.Fd()), 0, s.size, unix.SYNC_FILE_RANGE_WRITE)
	}
}

func (s *staged) ReadAt(p []byte, off int64) (int, error) { return s.f.ReadAt(p, off) }

// Commit gives the file its name. When it fails, the bytes stay staged and Discard is still due.
func (s *staged) Commit(_ context.Context, sum digest.Digest) error {
	if s.done {
		return fs.ErrClosed
	}
	path := s.driver.path(sum)
	shard := filepath.Dir(path)
	if err := failpoint.Mkdir("diskblob.shard", shard, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !s.present(path) {
		if err := s.sync(); err != nil { // before others have to wait for us
			return err
		}
	}
	if err := inShard(shard, unix.LOCK_SH, func() error { return s.name(path) }); err != nil {
		return err
	}
	// Also when another has put the blob there: he may not have come to this line yet.
	if err := errors.Join(failpoint.SyncDir("diskblob.sync-shard", shard), failpoint.SyncDir("diskblob.sync-names", s.driver.names), s.driver.keep()); err != nil {
		return err
	}
	return s.Discard()
}

// keep makes the folder stay that Open has made.
func (d *Driver) keep() error {
	if d.kept.Load() {
		return nil
	}
	err := failpoint.SyncDir("diskblob.sync-folder", filepath.Dir(d.names))
	d.kept.Store(err == nil)
	return err
}

// name gives the file its name, or makes the blob young that has it. Nobody deletes an old blob of the name meanwhile.
func (s *staged) name(path string) error {
	if s.present(path) {
		return failpoint.Touch("diskblob.touch-present", path)
	}
	if err := s.sync(); err != nil {
		return err
	}
	if err := failpoint.Touch("diskblob.touch", s.f.Name()); err != nil {
		return err
	}
	if err := failpoint.Rename("diskblob.name", s.f.Name(), path); err != nil {
		return err
	}
	s.named = true
	return nil
}

func (s *staged) sync() error {
	if s.synced {
		return nil
	}
	err := failpoint.Sync("diskblob.sync", s.f)
	s.synced = err == nil
	return err
}

// present reports whether the blob is there already. A name that has not all of its bytes cannot be ours and is replaced.
func (s *staged) present(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == s.size
}

// Discard removes the file, if it still has its staging name, and closes it.
func (s *staged) Discard() error {
	if s.done {
		return nil
	}
	s.done = true
	var err error
	if !s.named {
		err = failpoint.Remove("diskblob.discard", s.f.Name())
	}
	return errors.Join(err, s.f.Close())
}
