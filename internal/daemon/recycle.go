package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// recycler ends environments of functions that another server has changed or deleted. (An invocation would never get one of
// them: this gives their memory back, and ends what runs in them.)
type recycler struct {
	changed <-chan struct{} // says that another server has written
	newest  func(ctx context.Context, ids []string) (map[string]int64, error)
	pool    interface {
		Functions() []string
		Retire(functionID string, keep int64)
		RetireOlder(functionID string, newest int64)
	}
	log *slog.Logger

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// recycleRest is the pause after a look, so that one who changes much costs little. A look that failed is taken again after it:
// what was missed may be the last change for long.
const recycleRest = time.Second / 2

// start begins to follow; ctx gives values alone.
func (r *recycler) start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() { r.follow(ctx) })
}

func (r *recycler) stop() {
	r.cancel()
	r.work.Wait()
}

func (r *recycler) follow(ctx context.Context) {
	seen := true
	for {
		if seen {
			select {
			case <-r.changed:
			case <-ctx.Done():
				return
			}
		}
		seen = r.look(ctx, seen)
		select {
		case <-time.After(recycleRest):
		case <-ctx.Done():
			return
		}
	}
}

// look ends what is over, and reports whether it could see that. It says so once when it cannot.
func (r *recycler) look(ctx context.Context, sawBefore bool) bool {
	held := r.pool.Functions()
	newest, err := r.newest(ctx, held)
	if err != nil {
		if sawBefore && ctx.Err() == nil {
			r.log.WarnContext(ctx, "cannot see which functions another server has changed", "error", err)
		}
		return false
	}
	for _, id := range held {
		if n, there := newest[id]; there {
			r.pool.RetireOlder(id, n) // we ourselves may have written a newer one since
		} else {
			r.pool.Retire(id, 0)
		}
	}
	return true
}
