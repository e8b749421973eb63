package failpoint

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// The functions below do what those of package os do.

// MkdirAll makes a directory and those above it.
func MkdirAll(point, path string, mode fs.FileMode) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return os.MkdirAll(path, mode)
}

// Mkdir makes a directory.
func Mkdir(point, path string, mode fs.FileMode) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return os.Mkdir(path, mode)
}

// MkdirTemp makes a directory with a name of its own.
func MkdirTemp(point, dir, pattern string) (string, error) {
	if err := Hit(point); err != nil {
		return "", &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return os.MkdirTemp(dir, pattern)
}

// OpenFile opens a file, which may make it.
func OpenFile(point, path string, flag int, mode fs.FileMode) (*os.File, error) {
	if err := Hit(point); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.OpenFile(path, flag, mode)
}

// CreateTemp makes a file with a name of its own.
func CreateTemp(point, dir, pattern string) (*os.File, error) {
	if err := Hit(point); err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return os.CreateTemp(dir, pattern)
}

// Remove removes a file or an empty directory.
func Remove(point, path string) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return os.Remove(path)
}

// RemoveAll removes a path and what is below it.
func RemoveAll(point, path string) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return os.RemoveAll(path)
}

// Rename is the bare system call, which replaces an empty folder by a folder. (os.Rename refuses any.)
func Rename(point, from, to string) error {
	err := Hit(point)
	if err == nil {
		err = unix.Rename(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Link makes a hard link, and replaces nothing.
func Link(point, from, to string) error {
	if err := Hit(point); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	return os.Link(from, to)
}

// Chmod sets a mode.
func Chmod(point, path string, mode fs.FileMode) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return os.Chmod(path, mode)
}

// Touch gives a file the time that it is now.
func Touch(point, path string) error {
	now := unix.Timespec{Nsec: unix.UTIME_NOW}
	err := Hit(point)
	if err == nil {
		err = unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{now, now}, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return &fs.PathError{Op: "utimensat", Path: path, Err: err}
	}
	return nil
}

// SyncDir moves a directory's names to the disk.
func SyncDir(point, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(Sync(point, f), f.Close())
}

// Sync moves a file to the disk.
func Sync(point string, f *os.File) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "sync", Path: f.Name(), Err: err}
	}
	return f.Sync()
}

// Truncate changes a file's size.
func Truncate(point string, f *os.File, size int64) error {
	if err := Hit(point); err != nil {
		return &fs.PathError{Op: "truncate", Path: f.Name(), Err: err}
	}
	return f.Truncate(size)
}

// Write writes p. Where it shall fail or stop, it does so after half of it.
func Write(point string, w io.Writer, p []byte) (int, error) {
	return half(point, p, w.Write)
}

// WriteAt writes p at an offset. Where it shall fail or stop, it does so after half of it.
func WriteAt(point string, f *os.File, p []byte, off int64) (int, error) {
	return half(point, p, func(p []byte) (int, error) { return f.WriteAt(p, off) })
}

// Writer gives what writes to w as Write does.
func Writer(point string, w io.Writer) io.Writer { return writer{point, w} }

type writer struct {
	point string
	w     io.Writer
}

func (w writer) Write(p []byte) (int, error) { return half(w.point, p, w.w.Write) }

// half writes p, or a half of it and fails.
func half(point string, p []byte, write func([]byte) (int, error)) (int, error) {
	plan := armed.Load()
	if plan == nil || !plan.due(point) {
		return write(p)
	}
	n, err := write(p[:len(p)/2])
	if plan.fault.Err == nil {
		stop()
	}
	if err == nil {
		err = plan.fault.Err
	}
	return n, err
}
