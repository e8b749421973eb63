package invoke

import (
	"sync"

	"github.com/laminadev/lamina/internal/lambda"
)

// counter counts the running invocations of each account and region.
type counter struct {
	limit int

	mu      sync.Mutex
	running map[lambda.Scope]int // guarded by mu; without zeros
}

// acquire takes a place, and gives what returns it; false when all are taken.
func (c *counter) acquire(s lambda.Scope) (release func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[s] >= c.limit {
		return nil, false
	}
	if c.running == nil {
		c.running = map[lambda.Scope]int{}
	}
	c.running[s]++
	return func() { c.release(s) }, true
}

func (c *counter) release(s lambda.Scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[s]--; c.running[s] == 0 {
		delete(c.running, s)
	}
}

// revisions remembers the newest revision that was invoked of each function.
type revisions struct {
	mu     sync.Mutex
	newest map[string]int64 // by function ID; guarded by mu
}

// maxRevisions bounds what is remembered. To forget costs one needless look for old environments.
const maxRevisions = 100_000

// seen notes a revision and reports whether it is news.
func (r *revisions) seen(functionID string, number int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.newest[functionID]; ok && number <= known {
		return false
	}
	if r.newest == nil || len(r.newest) >= maxRevisions {
		r.newest = map[string]int64{}
	}
	r.newest[functionID] = number
	return true
}
