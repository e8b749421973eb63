package cached

import (
	"context"
	"time"
)

// follow asks for the number of the newest change until the context ends.
func (c *Store) follow(ctx context.Context, poll time.Duration) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.poll(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// poll forgets everything when somebody else wrote. When the catalog does not answer, the cache stays as it is: old answers
// keep functions running where none would.
func (c *Store) poll(ctx context.Context) {
	c.writing.Lock()
	defer c.writing.Unlock()
	n, err := c.Store.Sequence(ctx)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == c.explained {
		return
	}
	c.explained = n
	c.epoch++
	clear(c.functions)
	clear(c.pages)
	clear(c.reserved)
	select {
	case c.changed <- struct{}{}:
	default: // it says so already
	}
}
