package helper

import "golang.org/x/sys/unix"

// masked are files of /proc that tell about the host or steer it. What does not exist is passed over.
var masked = []string{
	"/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/sched_debug",
	"/proc/latency_stats", "/proc/timer_stats", "/proc/interrupts", "/proc/kallsyms", "/proc/vmallocinfo", "/proc/modules",
	"/proc/diskstats", "/proc/locks", "/proc/cmdline", // other sandboxes' disks and locks, and what the host was started with
}

// maskedFolders likewise.
var maskedFolders = []string{"/proc/acpi", "/proc/scsi", "/proc/bus", "/proc/irq", "/proc/driver", "/proc/asound", "/proc/fs", "/proc/pressure"}

// mountProc must come before the host's root is detached: in a user namespace the kernel gives a new /proc only to one
// who could see a whole one already.
func mountProc() error {
	fd, err := newFS("proc", safe|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Mkdir("/proc", 0o555); err != nil {
		return err
	}
	if err := attach(fd, "/proc"); err != nil {
		return err
	}
	// No user namespaces below this one. Seccomp refuses them too, with AWS's error; this holds for what it does not see.
	set("/proc/sys/user/max_user_namespaces", "0")
	// The kernel counts these for the user who runs the server as well, of whom there is often no more than 128.
	set("/proc/sys/user/max_inotify_instances", "16")
	set("/proc/sys/user/max_inotify_watches", "4096")
	// The server started a descriptor, so the kernel named the process for its number.
	set("/proc/1/comm", Name)
	// What is left of /proc's settings is closed for good, whatever a process may come to hold.
	if err := show("/proc/sys", "/proc/sys", unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC); err != nil {
		return err
	}
	if err := mask(scratchNone, masked); err != nil {
		return err
	}
	return mask(scratchEmpty, maskedFolders)
}

// mask shows a source over those of the targets that there are. It looks first: a mount that finds no place is dear to give
// up, since the kernel waits until no processor looks at it any more.
func mask(source string, targets []string) error {
	for _, t := range targets {
		var st unix.Stat_t
		if unix.Lstat(t, &st) == unix.ENOENT {
			continue
		}
		if err := show(source, t, unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC); err != nil {
			return err
		}
	}
	return nil
}

// set writes a setting that may be missing.
func set(path, value string) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Write(fd, []byte(value))
	unix.Close(fd)
}

// mountDev makes the /dev of AWS's sandboxes: six devices, four links, no shm, no pts.
func mountDev() error {
	if err := unix.Mkdir("/dev", 0o755); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		target := "/dev/" + name
		if err := touch(target, 0o666); err != nil {
			return err
		}
		err := show(scratchOld+target, target, unix.MOUNT_ATTR_NOEXEC)
		if err != nil && !(err == unix.ENOENT && name != "null") {
			return err
		}
	}
	links := [][2]string{
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	}
	for _, l := range links {
		if err := unix.Symlink(l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// touch makes an empty file, or finds that there is one.
func touch(path string, mode uint32) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, mode)
	if err == unix.EEXIST {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
