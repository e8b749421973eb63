// Package cached gives a catalog whose functions, versions and aliases are read from memory, for the path of an invocation.
//
// A write through the cache is seen by every read that begins after it. What other servers write is seen when the number of
// the newest change, which is asked for in intervals, has gone on further than the writes through the cache explain. The
// cache then forgets everything: to read it again costs one query a function, version or alias.
package cached

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Store is a catalog.Store. GetFunction, GetVersion, GetAlias and ListFunctions answer from memory, and what it gives shares its maps and slices with other answers:
// nobody may change them. All other methods are the catalog's own.
type Store struct {
	catalog.Store
	loads singleflight.Group
	stop  context.CancelFunc
	done  sync.WaitGroup

	// changed holds something when others have written since it was last received from.
	changed chan struct{}

	// writing is held for reading by writes and for writing by polls, so that a poll never meets a write that has happened and
	// is not counted yet.
	writing sync.RWMutex

	// mu guards the fields below.
	mu sync.Mutex
	// functions has what was read of each: a catalog.Function under "", versions under their numbers, aliases under their names.
	functions map[lambda.FunctionKey]map[lambda.Qualifier]any
	// pages has the names of functions of the pages that were listed of a scope.
	pages map[lambda.Scope]map[page][]lambda.FunctionName
	// reserved has what the functions of a scope have reserved together.
	reserved map[lambda.Scope]int64
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
	c := &Store{Store: s, stop: stop, functions: map[lambda.FunctionKey]map[lambda.Qualifier]any{}, pages: map[lambda.Scope]map[page][]lambda.FunctionName{},
		reserved: map[lambda.Scope]int64{}, explained: unknown,
		changed: make(chan struct{}, 1)}
	if poll > 0 {
		c.done.Go(func() { c.follow(ctx, poll) })
	}
	return c
}

// Changed gives a channel that holds something when others have written since it was last received from. One may receive.
func (c *Store) Changed() <-chan struct{} { return c.changed }

// Close stops to follow the catalog and closes it.
func (c *Store) Close() error {
	c.stop()
	c.done.Wait()
	return c.Store.Close()
}

// GetFunction gives a function, from memory if it is there. Those who ask for one that is not wait for one reading.
func (c *Store) GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error) {
	return get(ctx, c, k, "", func() (catalog.Function, error) { return c.Store.GetFunction(ctx, k) })
}

// GetVersion gives a version, as GetFunction does.
func (c *Store) GetVersion(ctx context.Context, k lambda.FunctionKey, number int64) (catalog.Version, error) {
	q := lambda.Qualifier(strconv.FormatInt(number, 10))
	return get(ctx, c, k, q, func() (catalog.Version, error) { return c.Store.GetVersion(ctx, k, number) })
}

// GetAlias gives an alias, as GetFunction does.
func (c *Store) GetAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error) {
	return get(ctx, c, k, name, func() (catalog.Alias, error) { return c.Store.GetAlias(ctx, k, name) })
}

// Reserved gives what functions have reserved, as GetFunction gives one. A reservation that changes and a function that is
// deleted ask for it anew.
func (c *Store) Reserved(ctx context.Context, s lambda.Scope) (int64, error) {
	c.mu.Lock()
	n, ok := c.reserved[s]
	epoch := c.epoch
	c.mu.Unlock()
	if ok {
		return n, nil
	}
	n, err := c.Store.Reserved(ctx, s)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch == c.epoch {
		c.reserved[s] = n
	}
	return n, nil
}

func get[T any](ctx context.Context, c *Store, k lambda.FunctionKey, q lambda.Qualifier, read func() (T, error)) (T, error) {
	for {
		found, epoch := c.lookup(k, q)
		if v, ok := found.(T); ok {
			return v, nil
		}
		var none T
		v, err, shared := c.loads.Do(fmt.Sprintf("%d %T %s", epoch, none, k.QualifiedARN(q)), func() (any, error) {
			v, err := read()
			if err == nil {
				c.keep(k, q, epoch, v)
			}
			return v, err
		})
		if err == nil {
			return v.(T), nil
		}
		if !shared || ctx.Err() != nil || !gaveUp(err) {
			return none, err
		}
		// The one whose reading we shared went away; read again.
	}
}

func gaveUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *Store) lookup(k lambda.FunctionKey, q lambda.Qualifier) (found any, epoch int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.functions[k][q], c.epoch
}

// keep remembers what was read in an epoch.
func (c *Store) keep(k lambda.FunctionKey, q lambda.Qualifier, epoch int64, v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch == c.epoch {
		c.put(k, q, v)
	}
}

// put is for those who hold mu.
func (c *Store) put(k lambda.FunctionKey, q lambda.Qualifier, v any) {
	if c.functions[k] == nil {
		c.functions[k] = map[lambda.Qualifier]any{}
	}
	c.functions[k][q] = v
}
