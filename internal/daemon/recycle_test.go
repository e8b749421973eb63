package daemon_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/daemon"
)

// pool is one that notes what it is told.
type pool struct {
	functions []string
	told      chan map[string]int64
	seen      map[string]int64
}

func (p *pool) Functions() []string { return p.functions }

func (p *pool) Retire(id string, keep int64) { p.note(id, keep) }

func (p *pool) RetireOlder(id string, newest int64) { p.note(id, newest) }

func (p *pool) note(id string, n int64) {
	p.seen[id] = n
	if len(p.seen) == len(p.functions) {
		p.told <- p.seen
		p.seen = map[string]int64{}
	}
}

// TestRecycle lets another server change one function and delete another one. The first look fails: it is taken again, though
// nobody changes anything meanwhile.
func TestRecycle(t *testing.T) {
	changed := make(chan struct{}, 1)
	p := &pool{functions: []string{"changed", "deleted"}, told: make(chan map[string]int64), seen: map[string]int64{}}
	failures := 1
	stop := daemon.Recycle(t.Context(), changed, p, func(_ context.Context, ids []string) (map[string]int64, error) {
		if failures--; failures >= 0 {
			return nil, errors.New("the database is away")
		}
		if diff := cmp.Diff(p.functions, ids); diff != "" {
			t.Errorf("asked for (-want +got):\n%s", diff)
		}
		return map[string]int64{"changed": 7}, nil
	})
	defer stop()
	for range 2 {
		changed <- struct{}{}
		if diff := cmp.Diff(map[string]int64{"changed": 7, "deleted": 0}, <-p.told); diff != "" {
			t.Errorf("the pool was told (-want +got):\n%s", diff)
		}
	}
}
