package helper

import (
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// reaper waits for every child of PID 1: processes that Spawn started, whose end is reported, and orphans.
type reaper struct {
	control *control

	mu      sync.Mutex // held from before a fork until the child is known and its Spawn is answered
	changed sync.Cond
	started map[int]bool // what Spawn started and has not been reaped
	idle    bool         // there is no child at all
}

func newReaper(c *control) *reaper {
	r := &reaper{control: c, started: map[int]bool{}}
	r.changed.L = &r.mu
	return r
}

// begin begins to wait, for children that there are already too.
func (r *reaper) begin() { go r.run() }

func (r *reaper) run() {
	for {
		r.waitForChildren()
		switch childEnded(0) {
		case nil:
			r.reap()
		case unix.ECHILD:
			r.noteIdle()
		}
	}
}

func (r *reaper) waitForChildren() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.idle {
		r.changed.Wait()
	}
}

// reap takes one child that has ended. Under the lock, since nobody else would tell its end any more.
func (r *reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var status unix.WaitStatus
	pid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOHANG, nil)
	now := time.Now()
	if err != nil || !r.started[pid] || !status.Exited() && !status.Signaled() {
		return
	}
	delete(r.started, pid)
	e := initproto.Exit{PID: uint64(pid), Nanos: uint64(now.UnixNano())}
	if status.Signaled() {
		e.Signal = uint64(status.Signal())
	} else {
		e.Code = uint64(status.ExitStatus())
	}
	r.control.send(initproto.VerbExit, 0, e.Append(nil))
}

// noteIdle notes that there are no children, unless one was started in the meantime. Without children there are no orphans.
func (r *reaper) noteIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if childEnded(unix.WNOHANG) == unix.ECHILD {
		r.idle = true
		r.changed.Broadcast()
	}
}

// childEnded waits until a child has ended, which it leaves as it is, and says ECHILD when there is none.
func childEnded(options uintptr) error {
	var info [128]byte // siginfo_t
	_, _, errno := unix.Syscall6(unix.SYS_WAITID, unix.P_ALL, 0, uintptr(unsafe.Pointer(&info)),
		unix.WEXITED|unix.WNOWAIT|unix.WALL|options, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// start runs f, which forks, and answers; the child's exit cannot be reported before.
func (r *reaper) start(f func() int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pid := f(); pid > 0 {
		r.started[pid] = true
	}
	// Even a failed start had a child for a moment.
	r.idle = false
	r.changed.Broadcast()
}

// killAll kills everything but the helper and returns when all of it is reaped and reported.
func (r *reaper) killAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.idle {
		// One call reaches every process in the PID namespace, and none of them can fork past it.
		unix.Kill(-1, unix.SIGKILL)
		r.changed.Wait()
	}
}

// signal sends a signal to a process that is not reaped yet, so its number cannot mean another one.
func (r *reaper) signal(m initproto.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.started[int(m.PID)] {
		return nil
	}
	return unix.Kill(int(m.PID), unix.Signal(m.Signal))
}

func (r *reaper) count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(len(r.started))
}
