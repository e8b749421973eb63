// Package failpoint changes what is on the disk, and gives each change a name at which a test can make it fail or stop the
// process. What must not be lost (blobs, trees, records, the data folder's own files) is written with it alone; its test reads
// the source and names calls that go past it.
//
// Nothing but a test can arm it: no variable, flag or file does. It is in every build, since what is tested shall be what
// ships; a point that is not armed costs one load of a pointer beside a system call.
//
// A point is named "<package>.<what>", each name stands at one place of the source.
package failpoint

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Fault says what happens where.
type Fault struct {
	Point string // "": at every point
	After int    // hits that pass before it happens
	// Err is what the call gives then and from then on, without doing its work; half of what was to be written is written.
	// Without one the process stops there, as if by kill -9.
	Err error
}

// armed is what is to happen; nil almost always.
var armed atomic.Pointer[plan]

// plan is a fault that waits for its hit, or a list that is being kept.
type plan struct {
	fault Fault
	fails bool // there is a fault

	// mu guards the fields below.
	mu   sync.Mutex
	hits []string
	left int // hits that still pass
}

// Arm lets a fault happen, in place of what was armed before, until disarm is called. It is for tests.
func Arm(f Fault) (disarm func()) {
	p := &plan{fault: f, fails: true, left: f.After}
	armed.Store(p)
	return func() { armed.CompareAndSwap(p, nil) }
}

// Record keeps the names of the points that are hit, in their order, until stop is called, which gives them. It is for tests.
func Record() (stop func() []string) {
	p := &plan{}
	armed.Store(p)
	return func() []string {
		armed.CompareAndSwap(p, nil)
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.hits
	}
}

// Hit is a point for what this package has no function for: a caller does its work only when there is no error.
func Hit(point string) error {
	if p := armed.Load(); p != nil {
		return p.hit(point)
	}
	return nil
}

func (p *plan) hit(point string) error {
	if !p.due(point) {
		return nil
	}
	if p.fault.Err == nil {
		stop()
	}
	return p.fault.Err
}

// due notes a hit, and reports whether the fault happens at it.
func (p *plan) due(point string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fails {
		p.hits = append(p.hits, point)
		return false
	}
	if p.fault.Point != "" && p.fault.Point != point {
		return false
	}
	if p.left > 0 {
		p.left--
		return false
	}
	return true
}

// stop ends the process before anything else can happen in it.
func stop() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
