package failpoint

import "golang.org/x/sys/unix"

// The functions below do what those of package unix do: most work below an open directory, or on an open file.

// Openat opens a file, which may make it.
func Openat(point string, dir int, name string, flags int, mode uint32) (int, error) {
	if err := Hit(point); err != nil {
		return -1, err
	}
	return unix.Openat(dir, name, flags, mode)
}

// Open opens a file by its path, which may make one without a name.
func Open(point, path string, flags int, mode uint32) (int, error) {
	if err := Hit(point); err != nil {
		return -1, err
	}
	return unix.Open(path, flags, mode)
}

// WriteFd writes all of p. Where it shall fail or stop, it does so after half of it.
func WriteFd(point string, fd int, p []byte) error {
	if armed.Load() == nil {
		return writeAll(fd, p)
	}
	_, err := half(point, p, func(p []byte) (int, error) { return len(p), writeAll(fd, p) })
	return err
}

func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// Mkdirat makes a directory.
func Mkdirat(point string, dir int, path string, mode uint32) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Mkdirat(dir, path, mode)
}

// Symlinkat makes a symbolic link.
func Symlinkat(point, target string, dir int, name string) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Symlinkat(target, dir, name)
}

// Linkat makes a hard link.
func Linkat(point string, oldDir int, oldPath string, newDir int, newPath string) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Linkat(oldDir, oldPath, newDir, newPath, 0)
}

// Unlinkat removes a name of a file.
func Unlinkat(point string, dir int, path string) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Unlinkat(dir, path, 0)
}

// Renameat renames.
func Renameat(point string, oldDir int, oldPath string, newDir int, newPath string) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Renameat(oldDir, oldPath, newDir, newPath)
}

// Fchmod sets a mode.
func Fchmod(point string, fd int, mode uint32) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Fchmod(fd, mode)
}

// Fchmodat sets the mode of what a directory holds.
func Fchmodat(point string, dir int, name string, mode uint32) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Fchmodat(dir, name, mode, 0)
}

// Fchown sets an owner.
func Fchown(point string, fd, uid, gid int) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Fchown(fd, uid, gid)
}

// UtimesNanoAt sets times, of a link itself.
func UtimesNanoAt(point string, dir int, path string, times []unix.Timespec) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, path, times, unix.AT_SYMLINK_NOFOLLOW)
}

// Syncfs moves everything of a file system to the disk.
func Syncfs(point string, fd int) error {
	if err := Hit(point); err != nil {
		return err
	}
	return unix.Syncfs(fd)
}
