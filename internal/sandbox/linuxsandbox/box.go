package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// box is a sandbox. Its life follows the helper's: whatever ends the helper runs end, once.
type box struct {
	driver *Driver
	spec   sandbox.Spec
	memory *memory
	policy *egress.Policy // of the way out; nil: there is none
	done   chan struct{}
	// alive is cancelled at the end; what runs for the sandbox in the server stops with it.
	alive   context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup
	frozen  atomic.Bool
	spawned atomic.Bool // since it was frozen last

	mu        sync.Mutex // guards what follows
	started   *started   // nil until begun
	closing   bool
	ending    chan struct{} // closed when the last end for too much memory has come; nil: there was none
	processes map[int]*process
	listeners map[net.Listener]bool
}

var _ sandbox.Sandbox = (*box)(nil)

func newBox(d *Driver, spec sandbox.Spec) *box {
	b := &box{
		driver:    d,
		spec:      spec,
		done:      make(chan struct{}),
		processes: map[int]*process{},
		listeners: map[net.Listener]bool{},
	}
	b.memory = newMemory(spec.Memory, b.overLimit)
	b.alive, b.cancel = context.WithCancel(context.Background())
	return b
}

// begin takes a helper and makes it this sandbox. The slow parts that do not need each other run beside each other: the
// helper's own start, making a disk, and opening trees here.
func (b *box) begin(ctx context.Context) error {
	id, err := b.driver.ids.of(b.spec.Account)
	if err != nil {
		return err
	}
	defer b.driver.pool.fill(id)
	tmp := b.driver.disks.order(b.spec.TmpSize)
	defer tmp.cancel()
	s, err := b.driver.pool.take(b.spec.ID, id)
	if err != nil {
		return fmt.Errorf("cannot create sandbox %s: %w", b.spec.ID, err)
	}
	if !b.adopt(s) {
		s.stop()
		return errClosed
	}
	if err := b.setUp(ctx, s, tmp); err != nil {
		return fmt.Errorf("cannot create sandbox %s: %w", b.spec.ID, err)
	}
	if err := b.reach(ctx); err != nil {
		return err
	}
	return b.outside(ctx)
}

// adopt ties the box to a helper, unless the box is closed already.
func (b *box) adopt(s *started) bool {
	s.conn.onExit(b.exited)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || !s.whenEnded(b.end) {
		return false
	}
	b.started = s
	b.driver.sampler.add(b.memory) // before the end can remove it
	return true
}

// setUp lets the helper begin as early as can be. Nothing of the function runs before both it and the limits are there.
func (b *box) setUp(ctx context.Context, s *started, tmp *order) error {
	ns, err := s.idmap()
	if err != nil {
		return err
	}
	defer ns.close()
	root, err := plan(b.spec.Root, int(ns))
	if err != nil {
		return err
	}
	defer root.close()
	limited := make(chan error, 1)
	go func() { limited <- s.group.limit(b.spec.Memory, b.spec.Processes) }()
	b.memory.watch(s.group.meter())
	err = s.whyEnded(b.describe(ctx, s, root, tmp, ns))
	if unlimited := <-limited; err == nil {
		err = unlimited
	}
	return err
}

// whyEnded gives the failure that the helper began with, where an error only says that it is gone.
func (s *started) whyEnded(err error) error {
	if !errors.Is(err, errEnded) {
		return err
	}
	a := <-s.conn.hello // the end has come to whoever reads the socket, or is about to
	a.close()
	if a.err != nil {
		return a.err
	}
	return err
}

func (s *started) sendMounts(root *rootPlan) error {
	for _, m := range root.batches {
		if err := s.conn.send(initproto.VerbMounts, 0, m.mounts.Append(nil), m.descriptors); err != nil {
			return err
		}
	}
	return nil
}

// describe sends the Spec, which the helper reads when it has come so far, and waits until the root stands.
func (b *box) describe(ctx context.Context, s *started, root *rootPlan, tmp *order, ns idmap) error {
	if err := s.sendMounts(root); err != nil {
		return err
	}
	if len(b.spec.Awaiting) == 0 {
		if err := b.sendTmp(s, tmp, ns); err != nil {
			return err
		}
	}
	setup := initproto.Setup{
		Hostname:   "sandbox",
		TmpSize:    uint64(b.spec.TmpSize),
		Processes:  uint64(b.spec.Processes),
		LocalAddrs: b.spec.LocalAddrs,
		Folders:    b.spec.Awaiting,
		Open:       len(b.spec.Awaiting) > 0,
		Processors: b.driver.processors(b.spec.Processors),
	}
	files, err := s.group.entries()
	if err != nil {
		return err
	}
	thawers, err := s.group.thawers()
	files = append(files, thawers...)
	defer closeAll(files)
	if err != nil {
		return err
	}
	setup.Freezers = uint64(len(thawers))
	a, err := s.conn.call(ctx, initproto.VerbSetup, setup.Append(nil), files, &request{})
	if err != nil {
		a.close()
		return err
	}
	if len(a.descriptors) != 1 {
		a.close()
		return initproto.ErrMessage
	}
	b.memory.watchProcesses(os.NewFile(uintptr(a.descriptors[0]), "sandbox proc"))
	return nil
}

// conn gives the control socket, once the sandbox stands.
func (b *box) conn() (*conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || b.started == nil {
		return nil, errEnded
	}
	return b.started.conn, nil
}

// KillAll implements sandbox.Sandbox. What broke the limit of memory until then is killed before it returns, so that nothing
// which is started afterwards is meant.
func (b *box) KillAll(ctx context.Context) error {
	b.awaitEnding()
	if err := b.killAll(ctx); err != nil {
		return err
	}
	b.memory.forgive()
	b.awaitEnding()
	return nil
}

// awaitEnding waits for the ends for too much memory that have been decided on.
func (b *box) awaitEnding() {
	b.mu.Lock()
	ending := b.ending
	b.mu.Unlock()
	if ending != nil {
		<-ending
	}
}

func (b *box) killAll(ctx context.Context) error {
	c, err := b.conn()
	if err != nil {
		return err
	}
	if err := b.Thaw(); err != nil {
		return err
	}
	_, err = c.call(ctx, initproto.VerbKillAll, nil, nil, &request{})
	return err
}

// overLimit ends what used too much memory: the limit is the sandbox's, not one process's.
func (b *box) overLimit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closing {
		before, ended := b.ending, make(chan struct{})
		b.ending = ended
		b.work.Go(func() {
			defer close(ended)
			if before != nil {
				<-before
			}
			b.killAll(b.alive)
		})
	}
}

// Usage implements sandbox.Sandbox.
func (b *box) Usage() sandbox.Usage { return b.memory.usage() }

// Done implements sandbox.Sandbox.
func (b *box) Done() <-chan struct{} { return b.done }

// Close implements sandbox.Sandbox.
func (b *box) Close() error {
	b.mu.Lock()
	b.closing = true
	s := b.started
	b.mu.Unlock()
	if s == nil {
		b.endOnce()
	} else {
		s.conn.close()
	}
	<-b.done
	return nil
}

// endOnce ends a box that has no helper. Close may be called twice.
func (b *box) endOnce() {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.done:
	default:
		b.cancel()
		b.driver.forget(b.spec.ID)
		close(b.done)
	}
}

// exited hears from the helper that a process ended. Whether memory was the reason is known before anybody who waits
// for the process hears of it.
func (b *box) exited(e initproto.Exit) {
	b.mu.Lock()
	p := b.processes[int(e.PID)]
	delete(b.processes, int(e.PID))
	b.mu.Unlock()
	if syscall.Signal(e.Signal) == syscall.SIGKILL {
		b.memory.check()
	}
	if p != nil {
		p.finish(sandbox.Exit{Code: int(e.Code), Signal: syscall.Signal(e.Signal), Time: time.Unix(0, int64(e.Nanos))})
	}
}

// end runs when the helper is gone and with it every process. Nothing of the sandbox is left after it.
func (b *box) end() {
	b.mu.Lock()
	b.closing = true
	processes, listeners := b.processes, b.listeners
	b.processes, b.listeners = nil, nil
	b.mu.Unlock()

	b.cancel()
	b.memory.check()
	b.driver.sampler.remove(b.memory)
	b.memory.close()
	for _, p := range processes {
		p.finish(sandbox.Exit{Signal: syscall.SIGKILL, Time: time.Now()})
	}
	for l := range listeners {
		l.Close()
	}
	b.work.Wait()
	b.driver.forget(b.spec.ID)
	close(b.done)
}
