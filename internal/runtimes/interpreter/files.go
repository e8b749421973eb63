package interpreter

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Stamp tells whether a file is still the one that it was.
type Stamp struct {
	Size  int64
	MTime int64 // nanoseconds
}

// StampOf gives the stamp of a file.
func StampOf(path string) (Stamp, error) {
	st, err := os.Stat(path)
	if err != nil {
		return Stamp{}, err
	}
	return Stamp{Size: st.Size(), MTime: st.ModTime().UnixNano()}, nil
}

// Executable reports whether a file is there that somebody may run.
func Executable(file string) bool {
	st, err := os.Stat(file)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}

// IsDir reports whether a folder is there.
func IsDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// staleAge is when a half-made folder can only be what a killed process left.
const staleAge = 24 * time.Hour

// RemoveStale removes half-made folders that killed processes left. What cannot be removed stays: it is in nobody's way.
func RemoveStale(pattern string) {
	found, _ := filepath.Glob(pattern)
	for _, dir := range found {
		if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) > staleAge {
			os.RemoveAll(dir)
		}
	}
}

// Make fills a folder beside its place and moves it there, so that one with its final name is complete. When another process was
// faster, its folder stays.
func Make(dir string, fill func(dir string) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	RemoveStale(filepath.Join(filepath.Dir(dir), ".new-*"))
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := fill(tmp); err != nil {
		return err
	}
	if err := syncDisk(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil && !IsDir(dir) {
		return err
	}
	return nil
}

// syncDisk moves everything on a folder's file system to the disk: a tree that has its name is taken for whole ever after, also
// when a power failure came right behind.
func syncDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

// WorldReadable opens a tree to every user: the sandbox's is not ours, and the umask may be strict.
func WorldReadable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		mode := st.Mode().Perm() | 0o444
		if st.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// writeFile replaces a file in one step, and makes its folder.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", f.Name(), err)
	}
	return os.Rename(f.Name(), path)
}
