package invoke

import (
	"context"
	"sync"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// pot is what invocations share: that of an account and region, or a function's own.
type pot struct {
	lambda.Scope
	function lambda.FunctionName // "" is the account's
}

// counter counts the running invocations of each pot.
type counter struct {
	mu      sync.Mutex
	running map[pot]int64 // guarded by mu; without zeros
}

// acquire takes one of the places of a pot, and gives what returns it; false when all are taken.
func (c *counter) acquire(p pot, limit int64) (release func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[p] >= limit {
		return nil, false
	}
	if c.running == nil {
		c.running = map[pot]int64{}
	}
	c.running[p]++
	return func() { c.release(p) }, true
}

func (c *counter) release(p pot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[p]--; c.running[p] == 0 {
		delete(c.running, p)
	}
}

// admit takes a place for an invocation: of those that the function has reserved, or of those that nobody has.
func (s *Service) admit(ctx context.Context, fn *catalog.Function) (release func(), err error) {
	p, limit, reason := pot{Scope: fn.Key.Scope}, s.limit, "ConcurrentInvocationLimitExceeded"
	if fn.Reserved != nil {
		p.function, limit, reason = fn.Key.Name, int64(*fn.Reserved), "ReservedFunctionConcurrentInvocationLimitExceeded"
	} else {
		reserved, err := s.functions.Reserved(ctx, fn.Key.Scope)
		if err != nil {
			return nil, err
		}
		limit -= reserved
	}
	release, ok := s.running.acquire(p, limit)
	if !ok {
		return nil, &lambda.Error{Kind: lambda.Throttled, Message: "Rate Exceeded.", Reason: reason}
	}
	return release, nil
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
