package execenv

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/runtimes"
)

// mostSpares bounds the spares of all accounts and runtimes together.
const mostSpares = 16

// spares keeps some spares of every runtime that an account has used lately.
type spares struct {
	pool *Pool
	size int // of each runtime and account

	mu      sync.Mutex // guards what follows
	ready   []*spare   // the oldest first
	booting map[spareKey]int
	closed  bool
	work    sync.WaitGroup // boots and ends
}

func newSpares(p *Pool, size int) *spares {
	return &spares{pool: p, size: size, booting: map[spareKey]int{}}
}

func (l *spares) on() bool { return l.size > 0 }

// take gives a spare that fits, or nil. One that does not fit any more is ended.
func (l *spares) take(key spareKey, r *runtimes.Runtime) *spare {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i < len(l.ready); {
		s := l.ready[i]
		if s.key != key {
			i++
			continue
		}
		l.ready = slices.Delete(l.ready, i, i+1)
		if s.fits(r) {
			s.expiry.Stop()
			return s
		}
		l.end(s)
	}
	return nil
}

// want has the number of spares brought to its size.
func (l *spares) want(key spareKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	have := l.booting[key]
	for _, s := range l.ready {
		if s.key == key {
			have++
		}
	}
	for ; have < l.size && !l.closed; have++ {
		l.booting[key]++
		l.work.Go(func() { l.boot(key) })
	}
}

func (l *spares) boot(key spareKey) {
	s, err := l.pool.bootSpare(context.Background(), key)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.booting[key]--
	if l.booting[key] == 0 {
		delete(l.booting, key)
	}
	switch {
	case err != nil && !l.closed:
		// The next cold start goes the plain way and meets the same error.
		l.pool.o.Log.Warn("cannot boot a runtime ahead", "runtime", key.runtime, "error", err)
	case err != nil:
	case l.closed:
		l.end(s)
	default:
		l.keep(s)
	}
}

// keep adds a spare. The caller holds mu.
func (l *spares) keep(s *spare) {
	if len(l.ready) >= mostSpares {
		l.end(l.ready[0])
		l.ready = l.ready[1:]
	}
	l.ready = append(l.ready, s)
	s.expiry = time.AfterFunc(l.pool.o.IdleTimeout, func() { l.expire(s) })
}

// expire ends a spare that nobody wanted for long.
func (l *spares) expire(s *spare) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.ready, s); i >= 0 {
		l.ready = slices.Delete(l.ready, i, i+1)
		l.end(s)
	}
}

// end ends a spare in the background. The caller holds mu, or nothing is waited for yet.
func (l *spares) end(s *spare) { l.work.Go(s.close) }

// close ends all and waits.
func (l *spares) close() {
	l.mu.Lock()
	l.closed = true
	for _, s := range l.ready {
		l.end(s)
	}
	l.ready = nil
	l.mu.Unlock()
	l.work.Wait()
}

// sameRuntime reports whether sandboxes of both are alike.
func sameRuntime(a, b *runtimes.Runtime) bool {
	return a.Version == b.Version && slices.Equal(a.Bootstrap, b.Bootstrap) && slices.Equal(a.Env, b.Env) && reflect.DeepEqual(a.Mounts, b.Mounts)
}
