package layerstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer"
)

const (
	rootName   = "root"     // the tree itself
	markerName = "complete" // says that the tree is synced
)

// build is a tree below tmp that this process is making.
type build struct {
	path          string
	dir           *os.File // of path, locked exclusively; the lock moves with the folder
	content, tree digest.Digest
	files         *files    // that the tree's files are shared in; nil when they are not
	made          *unpacker // how it was made, for share
}

// build unpacks an archive into a new folder below tmp. After an error nothing is left of it.
func (s *Store) build(ctx context.Context, a *archive.Archive, files *files) (*build, error) {
	b, err := s.newBuild()
	if err != nil {
		return nil, err
	}
	b.files = files
	if err := b.unpack(ctx, a); err != nil {
		return nil, errors.Join(err, b.discard())
	}
	b.content, b.tree = layer.Keys(a.Entries(), b.made.sums)
	s.inflated.Add(b.made.inflated.Load())
	return b, nil
}

// newBuild makes and locks a folder below tmp. A process that starts may take it for a leftover before it is locked; then
// another one is made.
func (s *Store) newBuild() (*build, error) {
	for {
		path, err := failpoint.MkdirTemp("layerstore.build", s.tmp, "")
		if err != nil {
			return nil, err
		}
		dir, err := lockDir(path, unix.LOCK_EX)
		if err == nil {
			return &build{path: path, dir: dir}, nil
		}
		if !errors.Is(err, errNoTree) && !errors.Is(err, errBusy) {
			return nil, errors.Join(err, failpoint.Remove("layerstore.build-unlocked", path))
		}
	}
}

func (b *build) unpack(ctx context.Context, a *archive.Archive) error {
	if err := failpoint.Fchmod("layerstore.build-mode", int(b.dir.Fd()), 0o755); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := failpoint.Fchown("layerstore.build-owner", int(b.dir.Fd()), 0, 0); err != nil { // tmp may hand down a group
			return err
		}
	}
	path := filepath.Join(b.path, rootName)
	if err := failpoint.Mkdir("layerstore.build-root", path, 0o700); err != nil {
		return err
	}
	root, err := os.Open(path)
	if err != nil {
		return err
	}
	defer root.Close()
	b.made, err = unpack(ctx, a, int(root.Fd()), int(b.dir.Fd()), b.files)
	return err
}

// unpackBlob builds the tree of a stored zip.
func (s *Store) unpackBlob(ctx context.Context, r blob.Reader, c lambda.Content) (*build, error) {
	a, err := archive.Open(r, r.Size(), archive.Limits{UnzippedSize: c.UnzippedSize})
	if err != nil {
		return nil, err
	}
	b, err := s.build(ctx, a, nil) // whose it is, is not known any more
	if err != nil {
		return nil, err
	}
	if b.tree != c.TreeKey {
		err := fmt.Errorf("the zip holds tree %s in place of %s", b.tree, c.TreeKey)
		return nil, errors.Join(err, b.discard())
	}
	return b, nil
}

// finish gives a tree its name, syncs it, and marks it. It ends with the folder locked for use. Where another process was
// faster, its tree is used and ours is thrown away.
func (s *Store) finish(ctx context.Context, b *build, c lambda.Content) (*os.File, error) {
	dir, err := s.place(ctx, b, c.TreeKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot keep tree %s: %w", c.TreeKey, err), b.discard())
	}
	if dir != b.dir {
		if err := b.discard(); err != nil {
			s.log.Warn("cannot remove a tree that is not needed", "path", b.path, "error", err)
		}
	} else if err := b.mark(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot keep tree %s: %w", c.TreeKey, err), b.discard())
	} else {
		s.shareLater(b)
	}
	if err := s.memo.put(c); err != nil {
		s.log.Warn("cannot write down what is known of a zip", "zip", c.Digest, "error", err)
	}
	return dir, nil
}

// place moves a tree to its name. When there is one, that one is locked and given back.
func (s *Store) place(ctx context.Context, b *build, key digest.Digest) (*os.File, error) {
	path := s.treePath(key)
	for {
		err := failpoint.Rename("layerstore.name", b.path, path)
		if err == nil {
			b.path = path
			return b.dir, nil
		}
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOTEMPTY) {
			return nil, err
		}
		dir, err := s.acquire(ctx, key)
		if !errors.Is(err, errNoTree) {
			return dir, err
		}
	}
}

// mark syncs the file system, writes the marker, and turns the lock into that of a user.
func (b *build) mark() error {
	if err := failpoint.Syncfs("layerstore.sync", int(b.dir.Fd())); err != nil {
		return fmt.Errorf("cannot sync: %w", err)
	}
	fd, err := failpoint.Openat("layerstore.mark", int(b.dir.Fd()), markerName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("cannot write the marker: %w", err)
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("cannot write the marker: %w", err)
	}
	return unix.Flock(int(b.dir.Fd()), unix.LOCK_SH)
}

// discard removes what was built and lets go of the lock.
func (b *build) discard() error { return errors.Join(removeTree(b.path), b.dir.Close()) }

// abandon discards in the background. Store.mu is held.
func (b *build) abandon(s *Store) {
	discard := func() {
		if err := b.discard(); err != nil {
			s.log.Warn("cannot remove a tree that is not needed", "path", b.path, "error", err)
		}
	}
	if !s.startLocked(discard) {
		discard()
	}
}
