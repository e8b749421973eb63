package linuxsandbox

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// process is one that Spawn started.
type process struct {
	box  *box
	pid  int
	done chan struct{} // closed when exit is set
	exit sandbox.Exit
}

// Spawn implements sandbox.Sandbox. A program that cannot be started gives an *os.PathError with Op "fork/exec", a
// folder that cannot be entered one with Op "chdir".
func (b *box) Spawn(ctx context.Context, c sandbox.Command) (sandbox.Process, error) {
	conn, err := b.conn()
	if err != nil {
		return nil, err
	}
	if err := b.Thaw(); err != nil {
		return nil, err
	}
	m := initproto.Spawn{
		Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir,
		Stdout: c.Stdout != nil, Stderr: c.Stderr != nil, Extra: uint64(len(c.ExtraFiles)),
	}
	b.spawned.Store(true)
	p := &process{box: b, done: make(chan struct{})}
	r := &request{
		accept:  func(a answer) { b.register(p, a) },
		discard: func(a answer) { b.disown(conn, a) },
	}
	err = withDescriptors(c, func(descriptors []int) error {
		_, err := conn.call(ctx, initproto.VerbSpawn, m.Append(nil), descriptors, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// register makes a process known before its exit can be reported.
func (b *box) register(p *process, a answer) {
	if a.err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.pid = int(a.reply.PID)
	if b.processes == nil {
		p.finish(sandbox.Exit{Signal: syscall.SIGKILL})
		return
	}
	b.processes[p.pid] = p
}

// disown kills a process whose Spawn was given up.
func (b *box) disown(c *conn, a answer) {
	if a.err == nil {
		c.send(initproto.VerbSignal, 0, initproto.Signal{PID: a.reply.PID, Signal: uint64(syscall.SIGKILL)}.Append(nil), nil)
	}
}

// withDescriptors lends the files' descriptors to f without changing the files, as Fd would.
func withDescriptors(c sandbox.Command, f func([]int) error) error {
	var files []*os.File
	for _, file := range append([]*os.File{c.Stdout, c.Stderr}, c.ExtraFiles...) {
		if file != nil {
			files = append(files, file)
		}
	}
	if len(files) > initproto.MaxDescriptors {
		return fmt.Errorf("cannot hand %d files to a process: %w", len(files), syscall.EMFILE)
	}
	return lend(files, nil, f)
}

func lend(files []*os.File, descriptors []int, f func([]int) error) error {
	if len(files) == 0 {
		return f(descriptors)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = lend(files[1:], append(descriptors, int(fd)), f)
	})
	if err != nil {
		return err
	}
	return inner
}

// PID implements sandbox.Process.
func (p *process) PID() int { return p.pid }

// Wait implements sandbox.Process. The end of the sandbox ends the process too.
func (p *process) Wait(ctx context.Context) (sandbox.Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	default:
	}
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return sandbox.Exit{}, ctx.Err()
	}
}

// Signal implements sandbox.Process. A process that has ended takes any signal.
func (p *process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	c, err := p.box.conn()
	if err != nil {
		return nil // the process has ended with its sandbox, or is about to
	}
	m := initproto.Signal{PID: uint64(p.pid), Signal: uint64(sig)}
	_, err = c.call(p.box.alive, initproto.VerbSignal, m.Append(nil), nil, &request{})
	return err
}

func (p *process) finish(e sandbox.Exit) {
	p.exit = e
	close(p.done)
}
