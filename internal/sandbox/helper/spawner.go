package helper

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// spawner is a thread without privileges that starts processes. Credentials, no_new_privs, the bounding set and the
// seccomp filter belong to a thread in Linux and are inherited by what that thread starts; the other threads of the
// helper keep theirs. All calls here are raw ones, because Go's wrappers would change every thread.
type spawner struct {
	jobs  chan func()
	ready chan initproto.Failure // gets one, when the privileges are gone
	null  int
}

// newSpawner begins one and waits until it is ready.
func newSpawner(groups []int) (*spawner, initproto.Failure) {
	s := beginSpawner()
	return s, s.enter(groups)
}

// beginSpawner begins to give up the privileges in a new thread. From then on the kernel may show the helper's own part of
// /proc to nobody in the sandbox, the helper neither.
func beginSpawner() *spawner {
	s := &spawner{jobs: make(chan func()), ready: make(chan initproto.Failure, 1)}
	go s.run()
	return s
}

// enter has the thread enter the cgroups, and returns when that is done. What it starts afterwards is in them too.
func (s *spawner) enter(groups []int) initproto.Failure {
	failure := <-s.ready
	if !failure.Failed() {
		s.do(func() { failure = enterGroups(groups) })
	}
	var err error
	if s.null, err = unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil && !failure.Failed() {
		failure = fail("open", "/dev/null", err)
	}
	// Processes cannot look into the helper (/proc/1/exe, /proc/1/fd, ptrace), whatever their user ID.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil && !failure.Failed() {
		failure = fail("prctl", "dumpable", err)
	}
	return failure
}

func (s *spawner) run() {
	runtime.LockOSThread() // never unlocked: this thread is of no use to others
	s.ready <- dropPrivileges()
	for job := range s.jobs {
		job()
	}
}

// enterGroups moves this thread alone, which the kernel does at once; to move a whole process it may wait for
// milliseconds until no thread anywhere is about to start another.
func enterGroups(groups []int) initproto.Failure {
	for _, fd := range groups {
		if _, err := unix.Write(fd, []byte("0")); err != nil {
			return fail("enter the cgroup", "", err)
		}
	}
	return initproto.Failure{}
}

// do runs f in the spawner's thread.
func (s *spawner) do(f func()) {
	done := make(chan struct{})
	s.jobs <- func() { f(); close(done) }
	<-done
}

// dropPrivileges makes the calling thread a plain, unprivileged one for good.
func dropPrivileges() initproto.Failure {
	return run([]step{
		{"join a new session keyring", newKeyring},
		{"set no_new_privs", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"empty the bounding set", emptyBounding},
		{"clear ambient capabilities", func() error {
			return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
		}},
		{"set the user", setUser},
		{"drop capabilities", dropCapabilities},
		{"install the seccomp filter", installFilter},
	})
}

// newKeyring leaves the keyring of whoever started the server behind. A kernel without keyrings is fine.
func newKeyring() error {
	_, _, errno := unix.RawSyscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
	if errno != 0 && errno != unix.ENOSYS && errno != unix.EPERM && errno != unix.EDQUOT {
		return errno
	}
	return nil
}

func emptyBounding() error {
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err == unix.EINVAL {
			return nil // past the last one that the kernel knows
		}
		if err != nil {
			return err
		}
	}
}

// setUser becomes AWS's user. Rootless the only user there is, is that one.
func setUser() error {
	if os.Getuid() != 0 {
		return nil
	}
	group := uint32(initproto.GID)
	calls := [][4]uintptr{
		{unix.SYS_SETGROUPS, 1, uintptr(unsafe.Pointer(&group)), 0},
		{unix.SYS_SETRESGID, initproto.GID, initproto.GID, initproto.GID},
		{unix.SYS_SETRESUID, initproto.UID, initproto.UID, initproto.UID},
	}
	for _, c := range calls {
		if _, _, errno := unix.RawSyscall(c[0], c[1], c[2], c[3]); errno != 0 {
			return errno
		}
	}
	runtime.KeepAlive(&group)
	return nil
}

func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// spawn answers VerbSpawn.
func (s *session) spawn(p *packet) {
	m, err := initproto.ParseSpawn(p.msg.Body)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("parse", "spawn", err)})
		return
	}
	files, err := s.files(m, p)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("fork/exec", m.Path, err)})
		return
	}
	s.reaper.start(func() int {
		return s.spawner.start(m, files, func(pid int, failure initproto.Failure) {
			s.reply(p, initproto.Reply{Failure: failure, PID: uint64(pid)})
		})
	})
}

// files lists the child's descriptors from 0 on. They stay the packet's, which closes them.
func (s *session) files(m initproto.Spawn, p *packet) ([]uintptr, error) {
	null := uintptr(s.spawner.null)
	files := []uintptr{null, null, null}
	rest := p.descriptors
	next := func() (uintptr, error) {
		if len(rest) == 0 {
			return 0, initproto.ErrMessage
		}
		fd := rest[0]
		rest = rest[1:]
		// Programs do not expect a pipe that says "try again".
		return uintptr(fd), unix.SetNonblock(fd, false)
	}
	var err error
	if m.Stdout {
		if files[1], err = next(); err != nil {
			return nil, err
		}
	}
	if m.Stderr {
		if files[2], err = next(); err != nil {
			return nil, err
		}
	}
	for range m.Extra {
		fd, err := next()
		if err != nil {
			return nil, err
		}
		files = append(files, fd)
	}
	return files, nil
}

// start starts a process and calls told in the spawner's thread: whoever waits for the answer does not wait for another
// thread to wake up.
func (s *spawner) start(m initproto.Spawn, files []uintptr, told func(pid int, failure initproto.Failure)) (pid int) {
	s.do(func() {
		var failure initproto.Failure
		defer func() { told(pid, failure) }()
		// Go does not tell a folder that cannot be entered from a program that cannot be run.
		if err := enterable(m.Dir); err != nil {
			failure = fail("chdir", m.Dir, err)
			return
		}
		var err error
		pid, err = syscall.ForkExec(m.Path, m.Args, &syscall.ProcAttr{
			Dir:   m.Dir,
			Env:   m.Env,
			Files: files,
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
		failure = fail("fork/exec", m.Path, err)
	})
	return pid
}

func enterable(dir string) error {
	if dir == "" {
		return nil
	}
	return unix.Access(dir+"/.", unix.X_OK)
}
