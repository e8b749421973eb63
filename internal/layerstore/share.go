package layerstore

import (
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
)

// maxLinks is how many links a shared file may have, 0 when that is the file system's affair. Tests set it.
var maxLinks uint64

// shareLater lets other trees have the files of a tree that has its marker, in the background. What fails costs room and
// nothing else.
func (s *Store) shareLater(b *build) {
	if b.files == nil {
		b.made = nil
		return
	}
	s.start(func() {
		defer func() { b.made = nil }()
		// A lock of our own: the one of the build ends with the first user of the tree.
		dir, err := lockDir(b.path, unix.LOCK_SH)
		if errors.Is(err, errNoTree) || errors.Is(err, errBusy) {
			return
		}
		if err == nil {
			err = errors.Join(b.made.share(filepath.Join(b.path, rootName)), dir.Close())
		}
		if err != nil {
			s.log.Warn("cannot share the files of a tree", "tree", b.tree, "error", err)
		}
	})
}

// share gives the files that were written their names in the file store, and remembers what their packed bytes inflate to.
func (u *unpacker) share(path string) error {
	root, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	u.root = root
	var known []packedEntry
	for _, b := range u.batches(archive.File) {
		var written []int
		for _, i := range b.entries {
			if u.entries[i].Size == 0 || u.linked[i] == recalled {
				continue
			}
			known = append(known, packedEntry{u.packed[i], u.sums[i]})
			if u.linked[i] != shared {
				written = append(written, i)
			}
		}
		if err := u.shareWritten(b.dir, written); err != nil {
			return err
		}
	}
	return u.files.packed.put(known)
}

func (u *unpacker) shareWritten(dir string, written []int) error {
	if len(written) == 0 {
		return nil
	}
	err := u.in(dir, func(fd int) error {
		for _, i := range written {
			e := u.entries[i]
			_, name := split(e.Path)
			if err := u.files.add(keyOfFile(e, u.sums[i]), fd, name, u.linked[i] == full); err != nil {
				return failed("share", e, err)
			}
		}
		return nil
	})
	if errors.Is(err, unix.EACCES) {
		return nil // a directory that shuts its owner out
	}
	return err
}
