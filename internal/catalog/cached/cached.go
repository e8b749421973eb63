// Package cached gives a catalog whose functions are read from memory, for the path of an invocation.
//
// A write through the cache is seen by every read that begins after it. What other servers write is seen when the number of
// the newest change, which is asked for in intervals, has gone on further than the writes through the cache explain. The
// cache then forgets everything: to read it again costs one query a function.
package cached

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Store is a catalog.Store. GetFunction answers from memory, and what it gives shares its maps and slices with other answers:
// nobody may change them. All other methods are the catalog's own.
type Store struct {
	catalog.Store
	loads singleflight.Group
	stop  context.CancelFunc
	done  sync.WaitGroup

	// writing is held for reading by writes and for writing by polls, so that a poll never meets a write that has happened and
	// is not counted yet.
	writing sync.RWMutex

	// mu guards the fields below.
	mu        sync.Mutex
	functions map[lambda.FunctionKey]catalog.Function
	// epoch grows whenever a function may have changed. What was read in one epoch is not kept in the next, and nobody waits
	// for a reading that began in an earlier one.
	epoch int64
	// explained is the number of the newest change, as far as this process knows; unknown before the first poll.
	explained int64
}

const unknown = -1

// New gives a cache over a catalog, which its Close closes. poll is how often it asks for changes of others; 0 says that there
// are none, because this process is the only one that writes.
func New(s catalog.Store, poll time.Duration) *Store {
	ctx, stop := context.WithCancel(context.Background())
	c := &Store{Store: s, stop: stop, functions: map[lambda.FunctionKey]catalog.Function{}, explained: unknown}
	if poll > 0 {
		c.done.Go(func() { c.follow(ctx, poll) })
	}
	return c
}

// Close stops to follow the catalog and closes it.
func (c *Store) Close() error {
	c.stop()
	c.done.Wait()
	return c.Store.Close()
}

// GetFunction gives a function, from memory if it is there. Those who ask for one that is not wait for one reading.
func (c *Store) GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error) {
	for {
		f, epoch, ok := c.lookup(k)
		if ok {
			return f, nil
		}
		v, err, shared := c.loads.Do(fmt.Sprint(epoch, " ", k.ARN()), func() (any, error) { return c.load(ctx, k, epoch) })
		if err == nil {
			return v.(catalog.Function), nil
		}
		if !shared || ctx.Err() != nil || !gaveUp(err) {
			return catalog.Function{}, err
		}
		// The one whose reading we shared went away; read again.
	}
}

func gaveUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *Store) lookup(k lambda.FunctionKey) (f catalog.Function, epoch int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok = c.functions[k]
	return f, c.epoch, ok
}

func (c *Store) load(ctx context.Context, k lambda.FunctionKey, epoch int64) (catalog.Function, error) {
	f, err := c.Store.GetFunction(ctx, k)
	if err != nil {
		return catalog.Function{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch == c.epoch {
		c.functions[k] = f
	}
	return f, nil
}
