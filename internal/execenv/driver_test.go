package execenv_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

// plainDriver runs sandboxes' processes on the host, without isolation. It is a real driver in everything that execenv
// can see: paths below the mounts, processes, signals, a /tmp (as TMPDIR), and the network (on 127.0.0.1).
type plainDriver struct {
	oom   atomic.Bool // the next process that is killed was out of memory
	peak  int64
	specs chan sandbox.Spec
	ended chan string  // IDs of closed sandboxes
	cores chan float64 // shares of the processor that sandboxes were limited to

	mu    sync.Mutex
	boxes []*plainBox
}

func newDriver() *plainDriver {
	return &plainDriver{peak: 45 << 20, specs: make(chan sandbox.Spec, 1000), ended: make(chan string, 1000), cores: make(chan float64, 1000)}
}

func (d *plainDriver) Create(_ context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	tmp, err := os.MkdirTemp("", "box")
	if err != nil {
		return nil, err
	}
	b := &plainBox{d: d, spec: spec, tmp: tmp, done: make(chan struct{}), procs: map[*plainProcess]struct{}{}}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boxes = append(d.boxes, b)
	d.specs <- spec
	return b, nil
}

func (d *plainDriver) Recover(context.Context) error           { return nil }
func (d *plainDriver) Probe(context.Context) []sandbox.Finding { return nil }
func (d *plainDriver) Close() error                            { return nil }

// last is the sandbox that was made last.
func (d *plainDriver) last() *plainBox {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.boxes[len(d.boxes)-1]
}

func (d *plainDriver) created() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.boxes)
}

type plainBox struct {
	d    *plainDriver
	spec sandbox.Spec
	tmp  string
	addr string

	mu     sync.Mutex
	done   chan struct{}
	closed bool
	oom    bool
	// refusal is what Spawn fails with from now on, if not nil
	refusal error
	procs   map[*plainProcess]struct{}
}

func (b *plainBox) Listen(_ context.Context, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil && strings.HasSuffix(addr, ":9001") { // the Runtime API's
		b.addr = l.Addr().String()
	}
	return l, err
}

func (b *plainBox) Connect(context.Context, string) (net.Conn, error) {
	return nil, errors.New("not in this driver")
}

// host finds the host's file of a path in the sandbox.
func (b *plainBox) host(p string) string {
	for _, m := range b.spec.Root {
		rest, ok := strings.CutPrefix(p, m.Target+"/")
		if !ok {
			continue
		}
		for _, dir := range m.Overlay {
			if name := path.Join(dir, rest); exists(name) {
				return name
			}
		}
	}
	return "/nowhere" + p
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// refuse makes the sandbox start nothing any more.
func (b *plainBox) refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusal = err
}

func (b *plainBox) Spawn(_ context.Context, c sandbox.Command) (sandbox.Process, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errors.New("the sandbox is closed")
	}
	if b.refusal != nil {
		return nil, b.refusal
	}
	cmd := &exec.Cmd{Path: b.host(c.Path), Args: c.Args, Dir: b.tmp, Stdout: c.Stdout, Stderr: c.Stderr, ExtraFiles: c.ExtraFiles,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	for _, kv := range c.Env {
		cmd.Env = append(cmd.Env, strings.ReplaceAll(kv, "_API=169.254.100.1:9001", "_API="+b.addr))
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+b.tmp)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &plainProcess{cmd: cmd, ended: make(chan struct{})}
	b.procs[p] = struct{}{}
	go b.reap(p)
	return p, nil
}

func (b *plainBox) reap(p *plainProcess) {
	_ = p.cmd.Wait()
	p.exit.Time = time.Now()
	st := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if st.Signaled() {
		p.exit.Signal = st.Signal()
	} else {
		p.exit.Code = st.ExitStatus()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if st.Signaled() && b.d.oom.CompareAndSwap(true, false) {
		b.oom = true
	}
	delete(b.procs, p)
	close(p.ended)
}

func (b *plainBox) Complete(context.Context, sandbox.Rest) error { return errors.ErrUnsupported }
func (b *plainBox) Freeze() error                                { return errors.ErrUnsupported }
func (b *plainBox) LimitCPU(cores float64) error                 { b.d.cores <- cores; return nil }
func (b *plainBox) Thaw() error                                  { return nil }

func (b *plainBox) KillAll(context.Context) error {
	b.mu.Lock()
	var procs []*plainProcess
	for p := range b.procs {
		procs = append(procs, p)
	}
	b.mu.Unlock()
	for _, p := range procs {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.oom = false
	return nil
}

func (b *plainBox) Usage() sandbox.Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return sandbox.Usage{Peak: b.d.peak, OOMKilled: b.oom}
}

func (b *plainBox) Done() <-chan struct{} { return b.done }

func (b *plainBox) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		<-b.done
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	_ = b.KillAll(context.Background())
	_ = os.RemoveAll(b.tmp)
	close(b.done)
	b.d.ended <- b.spec.ID
	return nil
}

// die is what happens when the sandbox's first process is killed: everything ends, and nobody asked for it.
func (b *plainBox) die() {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.closed = true
	close(b.done)
	b.mu.Unlock()
	_ = b.KillAll(context.Background())
	_ = os.RemoveAll(b.tmp)
	b.d.ended <- b.spec.ID
}

type plainProcess struct {
	cmd   *exec.Cmd
	ended chan struct{}
	exit  sandbox.Exit
}

func (p *plainProcess) PID() int { return p.cmd.Process.Pid }

func (p *plainProcess) Wait(ctx context.Context) (sandbox.Exit, error) {
	select {
	case <-p.ended:
		return p.exit, nil
	case <-ctx.Done():
		return sandbox.Exit{}, ctx.Err()
	}
}

func (p *plainProcess) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }
