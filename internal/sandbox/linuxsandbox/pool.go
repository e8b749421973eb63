package linuxsandbox

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// pool keeps helpers started ahead, all of the identity that was asked for last: one that was made for an account never
// serves another.
type pool struct {
	size  int
	start func(name string, id identity) (*started, error)

	mu       sync.Mutex
	identity identity
	ready    []*started
	filling  bool
	made     int // names them
	closed   bool
	end      chan struct{} // closed by close
	work     sync.WaitGroup
}

// settle is how long the pool waits after a sandbox was taken: whoever took it is about to start a program, and should
// not have to share the processor.
const settle = 20 * time.Millisecond

func newPool(size int, start func(string, identity) (*started, error)) *pool {
	return &pool{size: size, start: start, end: make(chan struct{})}
}

// take gives a helper: a prepared one, or a new one. The caller calls fill when it is done with the urgent work.
func (p *pool) take(name string, id identity) (*started, error) {
	if s := p.prepared(id); s != nil {
		return s, nil
	}
	return p.start(name, id)
}

func (p *pool) prepared(id identity) *started {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.identity != id {
		return nil
	}
	for len(p.ready) > 0 {
		s := p.ready[0]
		p.ready = p.ready[1:]
		select {
		case <-s.gone: // it was killed while it waited
		default:
			return s
		}
	}
	return nil
}

// fill brings the pool to its size in the background.
func (p *pool) fill(id identity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size == 0 || p.closed {
		return
	}
	if p.identity != id {
		old := p.ready
		p.identity, p.ready = id, nil
		p.work.Go(func() { stopAll(old) })
	}
	if !p.filling {
		p.filling = true
		p.work.Go(p.run)
	}
}

func (p *pool) run() {
	for {
		select {
		case <-time.After(settle):
		case <-p.end:
		}
		name, id, more := p.wanted()
		if !more {
			return
		}
		s, err := p.start(name, id)
		if !p.put(id, s, err) {
			return
		}
	}
}

// wanted says what to start next. Its cgroup has a name of its own: the sandbox that it becomes is not known yet.
func (p *pool) wanted() (string, identity, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := !p.closed && len(p.ready) < p.size
	p.filling = more
	p.made++
	return fmt.Sprintf("prepared-%d-%d", os.Getpid(), p.made), p.identity, more
}

// put keeps a helper, if it is still wanted. A failure ends the filling until the next Create, which meets the same one
// and reports it.
func (p *pool) put(wanted identity, s *started, err error) bool {
	p.mu.Lock()
	if err == nil && p.identity == wanted {
		p.identity = s.identity // it may be another than was asked for, and will be from now on
	}
	keep := err == nil && !p.closed && p.identity == s.identity
	if keep {
		p.ready = append(p.ready, s)
	}
	if err != nil {
		p.filling = false
	}
	p.mu.Unlock()
	if err == nil && !keep {
		s.stop()
	}
	return err == nil
}

func (p *pool) close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.end)
	}
	ready := p.ready
	p.ready = nil
	p.mu.Unlock()
	stopAll(ready)
	p.work.Wait()
}

func stopAll(list []*started) {
	for _, s := range list {
		s.stop()
	}
}
