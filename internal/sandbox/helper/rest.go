package helper

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Rest. A helper that nobody has asked anything for a while needs no Go: it starts its own program again as a process that only
// waits (asleep.go), in three pages of memory instead of Go's half a megabyte. When there is something to do, that one starts the
// program once more, as Go, which goes on where the one before stopped. It stays one process, PID 1, all the time: its children,
// its cgroups, its namespaces and its capabilities are the same ones.
//
// What goes along is in the arguments: a letter and a number for each descriptor, child and processor.
const (
	argAsleep    = "rest"
	argAwake     = "wake" // as long as argAsleep, which is written over
	argGroup     = 'g'    // a descriptor of a cgroup for what is started
	argFreezer   = 'f'    // a descriptor of a file that thaws
	argChild     = 'p'    // a process that Spawn started
	argProcessor = 'c'    // one that may be used, if not all may
)

// restAfter is how long nobody has asked anything then.
const restAfter = 500 // milliseconds

// entered is set by entry_*.s, and so in a program that begins there.
var entered bool

// allowRest lets the helper rest from now on, if its program can. Where it has no user of its own it does not: its threads are
// among the processes that the sandbox may have, and those that it gave up would be the function's, and missing when it wakes.
func (s *session) allowRest() {
	if !entered || os.Getuid() != 0 || s.rootOpen || s.failure.Failed() {
		return
	}
	after := unix.NsecToTimeval(restAfter * 1e6)
	if slices.Contains(s.flags, initproto.RestsAtOnce) {
		after.Sec, after.Usec = 0, 1
	}
	unix.SetsockoptTimeval(s.control.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &after) // without it, it never rests
}

// rest returns only when it cannot be, and is not tried again then.
func (s *session) rest() {
	s.reaper.mu.Lock() // no end of a child is on its way
	kept := slices.Concat([]int{initproto.ControlFD, initproto.ProgramFD}, s.groups, s.control.freezers)
	for _, fd := range kept {
		unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	}
	if !opened() {
		execute(s.carried())
	}
	for _, fd := range kept {
		unix.CloseOnExec(fd)
	}
	unix.SetsockoptTimeval(s.control.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{})
	s.reaper.mu.Unlock()
}

// opened reports whether this machine's kernel lets a process be looked into that has changed its user. Then the thread that becomes
// the sandbox's user would open all of the helper to the sandbox for a moment: at the first start there is nobody yet, but when it
// wakes there is.
func opened() bool {
	setting, err := readFile("/proc/sys/fs/suid_dumpable")
	return err != nil || string(setting) == "1\n"
}

// carried are the arguments that a session goes on with.
func (s *session) carried() []string {
	args := append([]string{Name, argAsleep}, s.flags...)
	add := func(kind byte, list ...int) {
		for _, n := range list {
			args = append(args, string(kind)+strconv.Itoa(n))
		}
	}
	add(argGroup, s.groups...)
	add(argFreezer, s.control.freezers...)
	for pid := range s.reaper.started {
		add(argChild, pid)
	}
	if set := s.processors; set != nil {
		for cpu, left := 0, set.Count(); left > 0; cpu++ {
			if set.IsSet(cpu) {
				add(argProcessor, cpu)
				left--
			}
		}
	}
	return args
}

// awake makes the session that carried the arguments.
func awake(c *control, args []string) *session {
	s := &session{control: c, reaper: newReaper(c)}
	for _, arg := range args {
		n, err := strconv.Atoi(arg[1:])
		switch kind := arg[0]; {
		case err != nil:
			s.flags = append(s.flags, arg)
		case kind == argGroup:
			s.groups = append(s.groups, n)
		case kind == argFreezer:
			c.freezers = append(c.freezers, n)
		case kind == argChild:
			s.reaper.started[n] = true
		case kind == argProcessor:
			if s.processors == nil {
				s.processors = new(unix.CPUSet)
			}
			s.processors.Set(n)
		}
	}
	makeThreads() // never fails
	var failure initproto.Failure
	if s.spawner, failure = newSpawner(s.groups); failure.Failed() {
		c.end() // nobody has asked: there is no answer to say it in
	}
	s.confineSpawner()
	s.reaper.begin()
	s.allowRest()
	return s
}

// execute starts the helper's program in its place. It returns when that cannot be.
func execute(args []string) {
	argv := pointers(args)
	envp := pointers(unix.Environ())
	var path [1]byte
	unix.RawSyscall6(unix.SYS_EXECVEAT, initproto.ProgramFD, uintptr(unsafe.Pointer(&path)), uintptr(unsafe.Pointer(&argv[0])),
		uintptr(unsafe.Pointer(&envp[0])), unix.AT_EMPTY_PATH, 0)
	runtime.KeepAlive(argv)
	runtime.KeepAlive(envp)
}

// pointers is a list of C strings, with its end. There is no zero byte in any of these.
func pointers(list []string) []*byte {
	all := make([]*byte, len(list)+1)
	for i, s := range list {
		all[i] = unsafe.SliceData(append([]byte(s), 0))
	}
	return all
}
