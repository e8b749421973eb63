package layerstore

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

var (
	errNoTree = errors.New("no such tree")
	errBusy   = errors.New("another process holds the tree")
)

// busyPoll is how often a tree that another process makes is looked at.
const busyPoll = 10 * time.Millisecond

func (s *Store) treePath(key digest.Digest) string { return filepath.Join(s.trees, key.Hex()) }

// acquire locks a complete tree for use. While another process makes or removes it, acquire waits; what a dead process left
// half-made is thrown away. The error is errNoTree when there is none.
func (s *Store) acquire(ctx context.Context, key digest.Digest) (*os.File, error) {
	path := s.treePath(key)
	for {
		dir, err := lockDir(path, unix.LOCK_SH)
		if err == nil {
			if hasMarker(dir) {
				return dir, nil
			}
			dir.Close()
			err = s.throwAway(path)
		}
		if !errors.Is(err, errBusy) {
			return nil, err
		}
		select {
		case <-time.After(busyPoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// throwAway removes the name of a tree without marker, and its files in the background. It ends with errNoTree.
func (s *Store) throwAway(path string) error {
	dir, err := lockDir(path, unix.LOCK_EX)
	if err != nil {
		return err
	}
	if hasMarker(dir) { // it was finished in between: look again
		dir.Close()
		return errBusy
	}
	// The new name is free: no other process can guess it, and the folder is locked under both names.
	away, err := failpoint.MkdirTemp("layerstore.away", s.tmp, "")
	if err == nil {
		err = failpoint.Rename("layerstore.throw-away", path, away)
	}
	if err != nil {
		dir.Close()
		return err
	}
	s.log.Info("threw away a tree that a crash left half-made", "tree", filepath.Base(path))
	s.removeLater(away, dir)
	return errNoTree
}

// removeLater removes a folder that is locked by dir, in the background.
func (s *Store) removeLater(path string, dir *os.File) {
	remove := func() {
		if err := errors.Join(removeTree(path), dir.Close()); err != nil {
			s.log.Warn("cannot remove a tree", "path", path, "error", err)
		}
	}
	if !s.start(remove) {
		remove()
	}
}

// sweep throws away what a crash left: trees without marker and whatever is below tmp, unless a living process holds it.
func (s *Store) sweep() error {
	leftovers, err := os.ReadDir(s.tmp)
	if err != nil {
		return err
	}
	trees, err := os.ReadDir(s.trees)
	if err != nil {
		return err
	}
	for _, e := range leftovers {
		path := filepath.Join(s.tmp, e.Name())
		dir, err := lockDir(path, unix.LOCK_EX)
		switch {
		case err == nil:
			s.removeLater(path, dir)
		case !errors.Is(err, errBusy) && !errors.Is(err, errNoTree):
			return err
		}
	}
	for _, e := range trees {
		path := filepath.Join(s.trees, e.Name())
		if _, err := os.Lstat(filepath.Join(path, markerName)); err == nil || !isTreeName(e.Name()) {
			continue
		}
		if err := s.throwAway(path); !errors.Is(err, errBusy) && !errors.Is(err, errNoTree) {
			return err
		}
	}
	return nil
}

func isTreeName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == len(digest.Digest{})
}

// lockDir opens a folder and locks it without waiting. The error is errBusy when another holds it, errNoTree when there is
// none, also when it went away before it was locked.
func lockDir(path string, how int) (*os.File, error) {
	dir, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoTree
	}
	if err != nil {
		return nil, err
	}
	if err := lockOpened(dir, path, how); err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

func lockOpened(dir *os.File, path string, how int) error {
	if err := unix.Flock(int(dir.Fd()), how|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errBusy
		}
		return &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	locked, err := dir.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(locked, named) {
		return errNoTree
	}
	return err
}

func hasMarker(dir *os.File) bool {
	var st unix.Stat_t
	return unix.Fstatat(int(dir.Fd()), markerName, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// removeTree removes a folder and all below it, also where an ordinary user has given directories modes that shut him out.
// Links are removed, not followed.
func removeTree(path string) error {
	if failpoint.RemoveAll("layerstore.remove", path) == nil {
		return nil
	}
	filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			failpoint.Chmod("layerstore.remove-mode", p, 0o700) // what cannot be changed shows in the removal
		}
		return nil
	})
	return failpoint.RemoveAll("layerstore.remove-again", path)
}
