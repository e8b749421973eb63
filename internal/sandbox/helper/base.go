package helper

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// The scratch folder holds what is needed while the root is built: the host's root, an empty folder, files to be shown
// above others. It is unmounted with all that hangs below it when the root is finished.
const (
	scratch      = "/.lamina"
	scratchOld   = scratch + "/old"
	scratchEmpty = scratch + "/empty"
	scratchNone  = scratch + "/none" // a file with nothing in it
)

// Attributes that everything in the sandbox has.
const safe = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV

// base is the part of the root that is the same for every sandbox: a tmpfs with /proc and /dev, and the host's root
// below the scratch folder until finish.
type base struct {
	old     int      // descriptor of the host's root
	layers  int      // scratch folders used so far
	mapped  bool     // the helper has a user of its own, 0
	hasTmp  bool     // the server gave one
	spawner *spawner // begun
	// processors are those that processes may use; nil: all
	processors *unix.CPUSet
}

// assembleBase needs no word from the server, so that a prepared sandbox has it behind itself.
func assembleBase() (*base, initproto.Failure) {
	unix.Umask(0)
	b := &base{mapped: os.Getuid() == 0}
	failure := run([]step{
		{"make mounts private", detachPropagation},
		{"mount tmpfs", stackRoot},
		{"pivot_root", pivot},
		{"mount proc", mountProc},
		{"mount /dev", mountDev},
		{"make threads", makeThreads},
		{"begin the spawner", b.beginSpawner},
		{"bring up the loopback", loopbackUp},
	})
	if failure.Failed() {
		return nil, failure
	}
	var err error
	b.old, err = unix.Open(scratchOld, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return b, fail("open", "host root", err)
}

func (b *base) beginSpawner() error {
	b.spawner = beginSpawner()
	return nil
}

// detachPropagation lets the host's later mounts come in (a prepared sandbox may wait for long) and none go out.
func detachPropagation() error {
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
}

// stackRoot puts the new root on top of "/", where it hides nothing that is needed, and goes into it.
func stackRoot() error {
	fd, err := newTmpfs(safe, "mode", "0755", "size", "64m")
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := attach(fd, "/"); err != nil {
		return err
	}
	if err := unix.Fchdir(fd); err != nil {
		return err
	}
	if err := unix.Mkdir("."+scratch, 0o755); err != nil {
		return err
	}
	// Closed to the sandbox's user: a root that is left open for a while is used by then.
	sfd, err := newTmpfs(safe, "mode", "0700", "size", "64m")
	if err != nil {
		return err
	}
	defer unix.Close(sfd)
	if err := attach(sfd, "."+scratch); err != nil {
		return err
	}
	if err := unix.Mkdir("."+scratchOld, 0o755); err != nil {
		return err
	}
	if err := touch("."+scratchNone, 0o444); err != nil {
		return err
	}
	return unix.Mkdir("."+scratchEmpty, 0o755)
}

func pivot() error {
	if err := unix.PivotRoot(".", "."+scratchOld); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// newTmpfs gives a detached tmpfs with options in pairs.
func newTmpfs(attr int, options ...string) (int, error) { return newFS("tmpfs", attr, options...) }

func newFS(kind string, attr int, options ...string) (int, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	for i := 0; i < len(options); i += 2 {
		if err := unix.FsconfigSetString(fs, options[i], options[i+1]); err != nil {
			return -1, err
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attr)
}

// attach moves a detached mount to a path. The descriptor stays valid.
func attach(fd int, path string) error {
	return unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// show binds one path to another, read-only.
func show(source, target string, attr uint64) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	set := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | attr}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &set); err != nil {
		return err
	}
	return attach(fd, target)
}
