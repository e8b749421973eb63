package runtimeapi

import (
	"errors"
	"net"
	"sync"
	"time"
)

// maxConns bounds the connections of one environment, so that a function cannot take the server's descriptors.
const maxConns = 128

// Server is the Runtime API of one environment.
type Server struct {
	listener net.Listener
	changed  chan struct{} // capacity 1: something happened since Status was last read
	closing  chan struct{}
	running  sync.WaitGroup

	// mu guards what follows. A connection's write lock is taken after it, never before.
	mu      sync.Mutex
	closed  bool
	conns   map[*conn]struct{}
	drained chan struct{} // closed and forgotten when the last connection ends
	parked  []*conn       // connections that wait in GET next, the newest last
	state   State
	current *Invocation // the one that runs, or ran last
	pending bool        // current has not been handed to a runtime yet
	answer  *Answer     // of current
	initErr *Answer

	metadata *metadata // nil until Describe
}

// Serve starts to serve the connections that the listener accepts. Close ends it.
func Serve(l net.Listener) *Server {
	s := &Server{
		listener: l,
		changed:  make(chan struct{}, 1),
		closing:  make(chan struct{}),
		conns:    map[*conn]struct{}{},
		state:    Started,
	}
	s.running.Go(s.accept)
	return s
}

// Close closes the listener and every connection and waits for what serves them. It may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.closeConns()
	s.mu.Unlock()
	err := s.listener.Close()
	s.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Reset forgets the runtime, its connections and its invocation, and waits for the next one in state Started. The caller
// has killed the old runtime.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeConns()
	s.state = Started
	s.current, s.pending, s.answer, s.initErr = nil, false, nil, nil
	select {
	case <-s.changed:
	default:
	}
}

// Drain waits until every connection has been read to its end, or for the given time. The runtime is dead; what it wrote
// before is then in Status.
func (s *Server) Drain(limit time.Duration) {
	s.mu.Lock()
	if len(s.conns) == 0 {
		s.mu.Unlock()
		return
	}
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}

// Connected reports whether a client is connected: a runtime that boots ahead connects when it is ready.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0
}

func (s *Server) accept() {
	for {
		nc, err := s.listener.Accept()
		if err != nil {
			if !s.pauseAfter(err) {
				return
			}
			continue
		}
		c := newConn(s, nc)
		if !s.add(c) {
			nc.Close()
			continue
		}
		s.running.Go(c.serve)
	}
}

// pauseAfter reports whether accepting goes on after an error, and waits before it does: the process may be out of
// descriptors for a moment.
func (s *Server) pauseAfter(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
		return false
	}
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.conns) >= maxConns {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unpark(c)
	delete(s.conns, c)
	s.signalDrained()
}

// closeConns cuts every connection off; what their goroutines still do changes nothing any more.
func (s *Server) closeConns() {
	for c := range s.conns {
		c.cut = true
		c.nc.Close()
		s.unpark(c)
	}
	clear(s.conns)
	s.signalDrained()
}

func (s *Server) signalDrained() {
	if len(s.conns) == 0 && s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// notify tells the owner that Status has news.
func (s *Server) notify() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
