// Package linuxsandbox makes sandboxes on the Linux kernel directly: namespaces, mounts, cgroups.
//
// The server clones the helper (lamina-init, package helper) into new user, mount, PID, network, IPC, UTS and cgroup
// namespaces and tells it over a socket (package initproto) what the root looks like and what to start. There are
// three kinds of identity:
//
//   - Mapped, as root: a sandbox has a range of 65536 host IDs, one range for each account, and its processes are user
//     993 of that range. The server opens every source of the root itself, as a detached mount that shows root's files as
//     the sandbox's root's, and passes descriptors; so sources may lie where that range could never reach.
//   - Split, for an ordinary user with subordinate IDs (/etc/subuid and newuidmap): the sandbox's root is the caller, and
//     its user 993 one of the subordinate IDs, another for each account. The helper opens the sources with the caller's
//     rights, and the caller's own files are the sandbox's root's.
//   - Single, for anybody else: the only ID in the sandbox is 993, which is the caller's own outside. The helper opens the
//     sources with the caller's rights. Modes of the caller's own files are therefore not enforced inside.
//
// Memory and processes are limited by cgroups where they can be had (cgroups.go), else memory is sampled and the sandbox
// killed when it has too much, and processes are limited by RLIMIT_NPROC. The processor is limited by cgroups or not at all.
//
// /tmp is, as root, a file system of the configured size on the disk (disks.go). Without root it is a tmpfs: what is
// written there counts as shared memory, under the sandbox's memory limit where that is a cgroup.
package linuxsandbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox"
)

// Options are the settings of a Driver.
type Options struct {
	StateDir string         // for the helper's file; it also tells the cgroups of one server from another's
	Helper   string         // an installed lamina-init; "": the embedded one, or without that the running program
	Prepared int            // sandboxes kept started ahead of Create, from Recover on; 0: none
	Outside  *egress.Policy // what sandboxes may call; nil: they have no network
	CPU      bool           // whether sandboxes can be given a share of the processor, where the machine can
	Log      *slog.Logger
}

// Driver makes sandboxes. It implements sandbox.Driver.
type Driver struct {
	log     *slog.Logger
	state   string
	program *program
	ids     *identities
	cgroups *cgroups
	sampler *sampler
	pool    *pool
	disks   *disks
	outside atomic.Pointer[egress.Policy] // nil: sandboxes have no network
	turn    atomic.Uint64                 // counts processors given to sandboxes that see only some

	mu     sync.Mutex // guards what follows
	boxes  map[string]*box
	closed bool
}

var _ sandbox.Driver = (*Driver)(nil)

var errClosed = errors.New("the sandbox driver is closed")

// New looks at the machine and starts nothing.
func New(o Options) (*Driver, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	program, err := openProgram(o)
	if err != nil {
		return nil, err
	}
	d := &Driver{
		log:     o.Log,
		state:   o.StateDir,
		program: program,
		ids:     newIdentities(),
		cgroups: findCgroups(stateName(o.StateDir), o.CPU),
		sampler: newSampler(),
		boxes:   map[string]*box{},
	}
	d.pool = newPool(o.Prepared, d.start)
	d.disks = newDisks(o.StateDir, d.ids.mapped, o.Prepared)
	d.outside.Store(o.Outside)
	return d, nil
}

// Create implements sandbox.Driver.
func (d *Driver) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	return d.create(ctx, spec, d.outside.Load())
}

func (d *Driver) create(ctx context.Context, spec sandbox.Spec, outside *egress.Policy) (sandbox.Sandbox, error) {
	if err := check(spec); err != nil {
		return nil, err
	}
	b, err := d.admit(spec, outside)
	if err != nil {
		return nil, err
	}
	if err := b.begin(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// admit books the name of a sandbox.
func (d *Driver) admit(spec sandbox.Spec, outside *egress.Policy) (*box, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	if d.boxes[spec.ID] != nil {
		return nil, errors.New("cannot create sandbox " + spec.ID + ": there is one with this ID")
	}
	b := newBox(d, spec)
	b.policy = outside
	d.boxes[spec.ID] = b
	return b, nil
}

func (d *Driver) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.boxes, id)
}

// Close ends every sandbox. It may be called twice.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	var boxes []*box
	for _, b := range d.boxes {
		boxes = append(boxes, b)
	}
	d.mu.Unlock()

	d.pool.close()
	var all sync.WaitGroup
	for _, b := range boxes {
		all.Go(func() { b.Close() })
	}
	all.Wait()
	d.disks.close()
	d.sampler.close()
	d.cgroups.leave()
	return d.program.close()
}
