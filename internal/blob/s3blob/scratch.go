package s3blob

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func makeScratch(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder for zips on their way: %w", err)
	}
	return nil
}

// scratch makes a file that never has a name, or loses it at once where the file system knows no such files.
func (d *Driver) scratch() (*os.File, error) {
	fd, err := unix.Open(d.o.Scratch, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), d.o.Scratch), nil
	}
	f, err := os.CreateTemp(d.o.Scratch, ".blob-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a file for a zip on its way: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
