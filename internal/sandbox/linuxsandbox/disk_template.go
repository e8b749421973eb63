package linuxsandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// mkfsOptions make a file system that costs little to make, to copy and to mount.
var mkfsOptions = []string{"-q", "-F", "-b", "4096", "-i", "16384", "-m", "0", "-O", "^has_journal,^resize_inode",
	"-E", "lazy_itable_init=1,nodiscard"}

// templateFile is where the template of a size stays, as the helper's file does, for the next server or run. Whoever changes
// how templates are made changes the name.
func (d *disks) templateFile(bytes int64) string {
	return filepath.Join(d.dir, fmt.Sprintf("tmp-%d.1.ext4", bytes))
}

// template gives an empty file system of a size. It is made once.
func (d *disks) template(bytes int64) (*os.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	if f := d.templates[bytes]; f != nil {
		return f, nil
	}
	f := openTemplate(d.templateFile(bytes), bytes)
	if f == nil {
		var err error
		if f, err = d.newTemplate(bytes); err != nil {
			return nil, err
		}
	}
	d.templates[bytes] = f
	return f, nil
}

// openTemplate opens one that was left; nil where there is none.
func openTemplate(path string, bytes int64) *os.File {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() != bytes {
		f.Close()
		return nil
	}
	return f
}

// forget lets go of a template of which no copy can be mounted, so that the next disk gets a new one.
func (d *disks) forget(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	os.Remove(d.templateFile(bytes))
	delete(d.templates, bytes) // others may be copying it; it closes itself
}

// newTemplate makes one. It gets its name when all of it is on the disk; where that fails, the next server makes its own.
func (d *disks) newTemplate(bytes int64) (*os.File, error) {
	f, err := d.image(bytes)
	if err != nil {
		return nil, err
	}
	if err := d.format(f, bytes); err != nil {
		f.Close()
		return nil, err
	}
	if f.Sync() == nil {
		nameFile(f, d.templateFile(bytes))
	}
	return f, nil
}

// nameFile gives a file a name that had none.
func nameFile(f *os.File, path string) {
	os.Remove(path) // what openTemplate would not have
	unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
}

// format makes the file system, open to every user and without lost+found.
func (d *disks) format(image *os.File, bytes int64) error {
	cmd := exec.Command(d.mkfs, slices.Concat(mkfsOptions, []string{"/proc/self/fd/3", strconv.FormatInt(bytes/4096, 10)})...)
	cmd.ExtraFiles = []*os.File{image}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot make a file system: %s: %w: %s", d.mkfs, err, out)
	}
	k, err := mountImage(image, bytes)
	if err != nil {
		return err
	}
	defer func() {
		k.release()
		unix.Close(k.root)
		unix.Close(k.mount)
	}()
	if err := unix.Unlinkat(k.root, "lost+found", unix.AT_REMOVEDIR); err != nil {
		return fmt.Errorf("cannot empty a file system: %w", err)
	}
	if err := unix.Fchmod(k.root, 0o1777); err != nil {
		return fmt.Errorf("cannot open a file system to all: %w", err)
	}
	return unix.Syncfs(k.root)
}
