package helper

import (
	"errors"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Limits of every process, soft and hard but for the stack, where only the soft one is set: AWS's.
const (
	openFiles    = 1024
	lockedMemory = 64 << 10
	stack        = 8 << 20
)

// What the kernel counts for the user who runs the server as well, for all of its sandboxes together: one must not take
// everybody's.
const (
	pendingSignals = mostProcesses // the kernel's own default is the same for both; a timer counts as one
	messageQueues  = 100 << 10     // bytes: one queue of the default size
)

// noCore is a limit of cores at which the kernel, unlike at 0, does not start the program either that core_pattern may name: as
// root, on the host. The filter has processes keep it.
const noCore = 1

// RLIMIT_NPROC counts threads of one user in one user namespace. Where the helper has a user of its own, the sandbox's has
// only the spawner thread besides, and the helper's must have room for its threads; rootless both are one user. It is never
// more than what functions were seen to have on AWS.
const (
	reservedForSpawner = 1
	leastProcesses     = 24
	mostProcesses      = 742
)

// setUp finishes the root, unless that comes later, and sets the limits. It gives a descriptor of /proc.
func (b *base) setUp(m initproto.Setup) (int, initproto.Failure) {
	if f := b.makeFolders(m.Folders); f.Failed() {
		return -1, f
	}
	if !m.Open {
		if f := b.finish(initproto.Finish{TmpSize: m.TmpSize, Processors: m.Processors}); f.Failed() {
			return -1, f
		}
	}
	failure := run([]step{
		{"set the host name", func() error { return unix.Sethostname([]byte(m.Hostname)) }},
		{"add addresses", func() error { return addAddresses(m.LocalAddrs) }},
		{"set limits", func() error { return b.setLimits(m.Processes) }},
	})
	if failure.Failed() {
		return -1, failure
	}
	unix.Umask(0o022)
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return proc, fail("open", "/proc", err)
}

// finish makes /tmp, lets go of the host and closes the root.
func (b *base) finish(m initproto.Finish) initproto.Failure {
	return run([]step{
		{"mount /tmp", func() error { return b.mountTmp(m.TmpSize) }},
		{"show processors", func() error { return b.limitProcessors(m.Processors) }},
		{"detach the host root", b.detach},
		{"make the root read-only", closeRoot},
		{"see that the root is read-only", seeRootClosed},
	})
}

// limitProcessors keeps what runs already, and what will be started, to some of the processors.
func (b *base) limitProcessors(p initproto.Processors) error {
	set, n := choose(p)
	if set == nil {
		return nil
	}
	b.processors = set
	confine(set, threadsBeside()...)
	return b.showProcessors(n)
}

func (b *base) makeFolders(folders []string) initproto.Failure {
	for _, f := range folders {
		if err := makeFolder(f); err != nil {
			return fail("make folder", f, err)
		}
	}
	return initproto.Failure{}
}

// step is one thing to do, by a name for its failure.
type step struct {
	op string
	do func() error
}

// run does one step after the other up to the first that fails.
func run(steps []step) initproto.Failure {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fail(s.op, "", err)
		}
	}
	return initproto.Failure{}
}

func (b *base) mountTmp(size uint64) error {
	if b.hasTmp {
		return nil
	}
	options := []string{"mode", "1777"}
	if size > 0 {
		options = append(options, "size", strconv.FormatUint(size, 10))
	}
	fd, err := newTmpfs(safe, options...)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := makeFolder("/tmp"); err != nil {
		return err
	}
	return attach(fd, "/tmp")
}

// detach unmounts the scratch folder with the host's root and the layers below it.
func (b *base) detach() error {
	unix.Close(b.old)
	if err := unix.Unmount(scratch, unix.MNT_DETACH); err != nil {
		return err
	}
	return unix.Rmdir(scratch)
}

func closeRoot() error {
	return unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | safe})
}

// seeRootClosed asks the kernel, as whatever runs in here could: a sandbox with a root that can be written to must not start.
func seeRootClosed() error {
	var st unix.Statfs_t
	if err := unix.Statfs("/", &st); err != nil {
		return err
	}
	if st.Flags&unix.ST_RDONLY == 0 {
		return errors.New("it can be written to")
	}
	return nil
}

// setLimits sets the helper's own resource limits; what it starts inherits them.
func (b *base) setLimits(processes uint64) error {
	limits := map[int]uint64{
		unix.RLIMIT_NOFILE: openFiles, unix.RLIMIT_CORE: noCore, unix.RLIMIT_MEMLOCK: lockedMemory,
		unix.RLIMIT_SIGPENDING: pendingSignals, unix.RLIMIT_MSGQUEUE: messageQueues,
		unix.RLIMIT_RTPRIO: 0, unix.RLIMIT_NICE: 0, // a user may have been given some
	}
	if processes > 0 {
		limits[unix.RLIMIT_NPROC] = min(max(processes+b.reserved(), leastProcesses), mostProcesses)
	}
	for which, value := range limits {
		if err := setLimit(which, value, value); err != nil {
			return err
		}
	}
	return setLimit(unix.RLIMIT_STACK, stack, unix.RLIM_INFINITY)
}

// setLimit sets a limit as far as the one that we have ourselves lets us.
func setLimit(which int, soft, hard uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(which, &now); err != nil {
		return err
	}
	hard = min(hard, now.Max)
	// syscall, not unix: it also stops Go from giving its children the limit it found at its start.
	return syscall.Setrlimit(which, &syscall.Rlimit{Cur: min(soft, hard), Max: hard})
}

func (b *base) reserved() uint64 {
	if b.mapped {
		return reservedForSpawner
	}
	return uint64(len(numbers("/proc/self/task")))
}
