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
	jobs chan func()
	null int
}

// newSpawner enters the cgroups and gives up the privileges in a new thread, and returns when that is done.
func newSpawner(groups []int) (*spawner, initproto.Failure) {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fail("open", "/dev/null", err)
	}
	s := &spawner{jobs: make(chan func()), null: null}
	ready := make(chan initproto.Failure)
	go s.run(groups, ready)
	failure := <-ready
	// Processes cannot look into the helper (/proc/1/exe, /proc/1/fd, ptrace), whatever their user ID.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil && !failure.Failed() {
		failure = fail("prctl", "dumpable", err)
	}
	return s, failure
}

func (s *spawner) run(groups []int, ready chan<- initproto.Failure) {
	runtime.LockOSThread() // never unlocked: this thread is of no use to others
	failure := enterGroups(groups)
	if !failure.Failed() {
		failure = dropPrivileges()
	}
	ready <- failure
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
		pid, failure := s.spawner.start(m, files)
		s.reply(p, initproto.Reply{Failure: failure, PID: uint64(pid)})
		return pid
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

func (s *spawner) start(m initproto.Spawn, files []uintptr) (pid int, failure initproto.Failure) {
	s.do(func() {
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
	return pid, failure
}

func enterable(dir string) error {
	if dir == "" {
		return nil
	}
	return unix.Access(dir+"/.", unix.X_OK)
}
