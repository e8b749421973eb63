package layerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/layer"
)

// fileKey names a file that trees share. Mode and time belong to the inode, so they are part of its name.
type fileKey struct {
	sum   digest.Digest
	mode  uint32
	mtime int64
	size  int64 // follows from sum
}

func keyOfFile(e archive.Entry, sum digest.Digest) fileKey {
	return fileKey{sum, uint32(e.Mode.Perm()), layer.ModTime(e).Unix(), e.Size}
}

// path is where the file lies below the folder of its account.
func (k fileKey) path() string {
	sum := k.sum.Hex()
	b := make([]byte, 0, len(sum)+32) // it is made for each file of a tree
	b = append(b, sum[:2]...)
	b = append(b, '/')
	b = append(b, sum...)
	b = append(b, '.', octal(k.mode>>9), octal(k.mode>>6), octal(k.mode>>3), octal(k.mode), '.')
	return string(strconv.AppendInt(b, k.mtime, 10))
}

// octal is the last digit.
func octal(n uint32) byte { return '0' + byte(n&7) }

// files is the file store of one account: a folder whose files are hard links to those of trees.
//
//	<Dir>/files/<account>/<two hex digits>/<SHA-256, hex>.<mode, four octal digits>.<mtime, seconds>
//
// A file comes in only when the tree that it was written for has its marker, hence when its bytes are synced; so a name here
// can be trusted after a crash, and losing one costs a second copy and nothing else. A file that no tree has any more has one
// link left: Collect removes it.
//
// At the file system's limit of links another file takes the name; the trees that have the old one keep it. An empty file is
// never shared, since it costs nothing but its inode.
type files struct {
	dir      *os.File
	maxLinks uint64 // 0: the file system's own limit
	packed   *packedTable
}

func openFiles(path string, maxLinks uint64) (*files, error) {
	if err := failpoint.MkdirAll("layerstore.files", path, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &files{dir: dir, maxLinks: maxLinks, packed: openPackedTable(filepath.Join(path, packedName))}, nil
}

func (f *files) close() error { return errors.Join(f.packed.close(), f.dir.Close()) }

// linked is what came of an attempt to link a file.
type linked uint8

const (
	absent   linked = iota // it has to be written
	full                   // likewise, and takes the name, since the one that has it can have no more links
	shared                 // it is there
	recalled               // likewise, and was known by its packed bytes
)

// link puts the file of a key into a directory. An error of the file system counts as absence: whoever then writes the file
// meets it again, if it is not only one of links.
func (f *files) link(k fileKey, dir int, name string) linked {
	from, path := int(f.dir.Fd()), k.path()
	err := failpoint.Linkat("layerstore.link", from, path, dir, name)
	if errors.Is(err, unix.EMLINK) {
		return full
	}
	if err != nil {
		return absent
	}
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return absent
	}
	if !k.matches(&st) { // somebody has changed it
		failpoint.Unlinkat("layerstore.unlink-changed", dir, name)
		failpoint.Unlinkat("layerstore.forget-changed", from, path)
		return absent
	}
	if f.maxLinks > 0 && uint64(st.Nlink) > f.maxLinks {
		failpoint.Unlinkat("layerstore.unlink-full", dir, name)
		return full
	}
	return shared
}

// matches compares what a look at the inode tells.
func (k fileKey) matches(st *unix.Stat_t) bool {
	return st.Mode == unix.S_IFREG|k.mode && st.Size == k.size && st.Mtim.Sec == k.mtime && int(st.Uid) == os.Geteuid()
}

// add gives a file of a tree its name here. Where there is one, it stays, unless it is to be replaced.
func (f *files) add(k fileKey, dir int, name string, replace bool) error {
	to, path := int(f.dir.Fd()), k.path()
	if replace {
		return f.replace(dir, name, path)
	}
	err := failpoint.Linkat("layerstore.share", dir, name, to, path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := failpoint.Mkdirat("layerstore.share-folder", to, path[:2], 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		err = failpoint.Linkat("layerstore.share-first", dir, name, to, path)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// newSuffix ends the name of a file that is about to take that of another one.
const newSuffix = ".new"

// replace gives the name of a shared file to another one with the same content. Whoever does so at the same time, or did when
// it crashed, has such a file too: it does not matter whose gets the name.
func (f *files) replace(dir int, name, path string) error {
	to, at := int(f.dir.Fd()), path+newSuffix
	if err := failpoint.Unlinkat("layerstore.share-again", to, at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := failpoint.Linkat("layerstore.share-new", dir, name, to, at)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := failpoint.Renameat("layerstore.share-replace", to, at, to, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ownFiles is the folder of what no account has published: runtimes.
const ownFiles = "lamina"

// allFiles is the folder of all accounts where they share files.
const allFiles = "all"

// filesOf gives the file store of an account, opening it when it is asked for first; nil for no account.
func (s *Store) filesOf(account string) (*files, error) {
	switch {
	case account == "":
		return nil, nil
	case s.shareAll:
		account = allFiles
	case account == ownFiles:
	case !plainName(account):
		account = "x" + digest.Of([]byte(account)).Hex()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if f := s.opened[account]; f != nil {
		return f, nil
	}
	f, err := openFiles(filepath.Join(s.files, account), s.maxLinks)
	if err != nil {
		return nil, fmt.Errorf("cannot open the files of account %s: %w", account, err)
	}
	s.opened[account] = f
	return f, nil
}

// plainName: an account's number, or another name that means nothing to a file system.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' && c < 'a' || c > 'z' {
			return false
		}
	}
	return len(s) <= 64 && s != allFiles && s != ownFiles
}
