// Package sandbox is the contract for starting a process tree in isolation, and nothing else.
//
// A sandbox has its own namespaces, a read-only root that the caller describes, one writable /tmp, and one small helper
// as PID 1. The helper holds a control socket to the server; whatever needs the sandbox's network or processes goes
// through it (listen, connect, spawn, signal, status). When the control socket closes, the sandbox ends and nothing of it
// is left, even if the server was killed.
//
// A driver promises:
//
//   - Processes run as the given user, without capabilities, and cannot gain privileges.
//   - Nothing of the host can be reached but the mounts of the Spec, read-only, and the addresses in Spec.Reach.
//   - Create returns when the sandbox can Spawn; an error leaves nothing behind.
//   - Close kills every process, waits until the kernel has let go, removes what was made, and may be called twice.
//   - Recover removes what killed servers of the same state folder left; it is called once, before the first Create.
package sandbox

import (
	"context"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Driver makes sandboxes.
type Driver interface {
	Create(ctx context.Context, spec Spec) (Sandbox, error)
	Recover(ctx context.Context) error
	// Probe finds out by doing what works on this machine.
	Probe(ctx context.Context) []Finding
	Close() error
}

// Spec describes a sandbox.
type Spec struct {
	ID         string // unique; also names the cgroup
	Account    string // 12 digits; sandboxes of different accounts may get different host ids
	Root       []Mount
	TmpSize    int64    // bytes of /tmp
	Memory     int64    // bytes, for everything in it; 0: no limit
	Processes  int      // processes and threads; 0: no limit
	Reach      []string // host addresses "host:port": the sandbox can dial that port on its loopback
	LocalAddrs []string // addresses put on the sandbox's loopback beside 127.0.0.1, "169.254.100.1"
	Processors int      // how many processors are seen, if there are more; 0: all

	// Awaiting makes a sandbox that is not whole: /tmp, the limit of memory and more of the root come with Complete. It lists
	// folders that are there, empty, until then. Before Complete the root is not closed, and the host's files may be within
	// reach of what runs, so that can only be a program of our own which has not seen anything of strangers.
	Awaiting []string
}

// Rest is what a sandbox that awaited it is completed with.
type Rest struct {
	Root       []Mount
	TmpSize    int64
	Memory     int64
	Processors int
}

// Mount is one read-only part of the root, attached in order. Target is an absolute path. Exactly one of the sources is
// set.
type Mount struct {
	Target string
	// Bind shows a file or folder of the host.
	Bind string
	// Overlay shows folders merged, the FIRST one on top (overlayfs's lowerdir order). An empty list shows an empty folder.
	Overlay []string
	// File makes a file with these bytes, world-readable.
	File []byte
	// Link makes a symbolic link with this target.
	Link string
	// Empty shows an empty read-only folder: a mask.
	Empty bool
	// Optional mounts are left out when their source does not exist.
	Optional bool
}

// Sandbox is a running one.
type Sandbox interface {
	// Listen opens a TCP listener inside the sandbox's network.
	Listen(ctx context.Context, addr string) (net.Listener, error)
	// Connect opens a TCP connection inside the sandbox's network.
	Connect(ctx context.Context, addr string) (net.Conn, error)
	Spawn(ctx context.Context, c Command) (Process, error)
	// Complete makes a sandbox whole that was created with Awaiting. After an error it can only be closed.
	Complete(ctx context.Context, r Rest) error
	// KillAll kills every process but the helper and returns when all are gone. /tmp stays.
	KillAll(ctx context.Context) error
	// Freeze stops every process but the helper, until Thaw, Spawn, KillAll or the end. Where the machine has nothing for it
	// the error is errors.ErrUnsupported.
	Freeze() error
	Thaw() error
	// LimitCPU gives the sandbox a share of the machine's processors: 0.5 is half the time of one; 0 ends the limit. Where
	// the machine has nothing for it, or the driver was not told to have it, the error is errors.ErrUnsupported.
	LimitCPU(cores float64) error
	// Usage reads what the sandbox holds now. It may be called after the end and then gives the last values known.
	Usage() Usage
	// Done is closed when the sandbox ended by itself or by Close.
	Done() <-chan struct{}
	Close() error
}

// Usage is memory as AWS reports it: anonymous and shared memory, without the page cache.
type Usage struct {
	Memory    int64 // bytes now
	Peak      int64 // highest seen over the sandbox's life
	OOMKilled bool  // the memory limit killed a process since the last KillAll
}

// Command is a process to start.
type Command struct {
	Path string   // absolute, inside the sandbox
	Args []string // with argv[0]
	Env  []string
	Dir  string
	// Stdout and Stderr receive the output; the sandbox does not close them. Both may be the same file.
	Stdout, Stderr *os.File
	// ExtraFiles become descriptors 3, 4, … of the process.
	ExtraFiles []*os.File
}

// Process is a started process.
type Process interface {
	PID() int // inside the sandbox
	// Wait returns when the process has ended; it may be called from several goroutines.
	Wait(ctx context.Context) (Exit, error)
	Signal(sig syscall.Signal) error
}

// Exit says how a process ended.
type Exit struct {
	Code   int            // exit status, when Signal is 0
	Signal syscall.Signal // the signal that killed it
	Time   time.Time
}

// String is the wording of AWS's messages, which is Go's: "exit status 1", "signal: killed".
func (e Exit) String() string {
	if e.Signal != 0 {
		return "signal: " + e.Signal.String()
	}
	return "exit status " + strconv.Itoa(e.Code)
}

// Finding is what Probe learned about one ability.
type Finding struct {
	Name    string // "user namespace"
	OK      bool
	Detail  string // what was tried, and what came out
	Degrade string // what happens instead, when not OK; "" means that sandboxes cannot be made without it
	Fix     string // the exact command line that mends it, when one is known
}
