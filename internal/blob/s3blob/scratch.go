package s3blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
)

// named begins the names of files where the file system knows none without a name.
const named = ".blob-"

// makeScratch makes the folder, and removes what a process has left that was killed just before its file lost its name.
func makeScratch(dir string) error {
	err := failpoint.MkdirAll("s3blob.scratch-folder", dir, 0o700)
	if err == nil {
		err = sweep(dir)
	}
	if err != nil {
		return fmt.Errorf("cannot make the folder for zips on their way: %w", err)
	}
	return nil
}

func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), named) {
			continue
		}
		if err := failpoint.Remove("s3blob.sweep", filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// unnamedFiles is whether the kernel is asked for files without a name.
var unnamedFiles = true

// scratch makes a file that never has a name, or loses it at once where the file system knows no such files.
func (d *Driver) scratch() (*os.File, error) {
	if unnamedFiles {
		fd, err := failpoint.Open("s3blob.scratch", d.o.Scratch, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		if err == nil {
			return os.NewFile(uintptr(fd), d.o.Scratch), nil
		}
	}
	f, err := failpoint.CreateTemp("s3blob.scratch-named", d.o.Scratch, named)
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for a zip on its way: %w", err)
	}
	// One who starts at this moment may have swept it up.
	if err := failpoint.Remove("s3blob.scratch-unname", f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
