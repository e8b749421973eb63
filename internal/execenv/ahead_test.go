package execenv_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

func withAhead(n int) option { return func(o *execenv.Options) { o.Ahead = n } }

// TestAhead: where invocations run at the same time, the next one on top of them meets an environment that has initialised.
func TestAhead(t *testing.T) {
	b := newBench(t, withAhead(1))
	rev := b.revision("gate")
	first := b.hold(rev, "first")
	check(t, "wanted for one invocation", b.pool.WantedAhead(), 0)
	second := b.hold(rev, "second")
	eventually(t, "one is ahead", func() bool { return b.pool.Ahead() == 1 })
	third := b.hold(rev, "third")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2, Ahead: 1})
	eventually(t, "the next is ahead", func() bool { return b.pool.Ahead() == 1 })
	check(t, "environments", b.driver.created(), 4)
	for _, h := range []*held{first, second} {
		if got := string(h.letGo().LogTail); !strings.Contains(got, "Init Duration: ") {
			t.Errorf("got log tail %q", got)
		}
	}
	if got := string(third.letGo().LogTail); strings.Contains(got, "Init Duration: ") {
		t.Errorf("got log tail %q", got)
	}
	// Used environments are taken before it, however many come.
	open, _ := json.Marshal(third.gate)
	for range 5 {
		b.invoke(rev, "again", string(open), true)
	}
	check(t, "ahead afterwards", b.pool.Ahead(), 1)
	check(t, "environments", b.driver.created(), 4)
}

// TestAheadOfOthers: what is ahead of one function or revision is not another's, ends with its revision, and with the pool.
func TestAheadOfOthers(t *testing.T) {
	b := newBench(t, withAhead(1))
	rev, other := b.revision("gate"), b.revision("gate")
	first, second := b.hold(rev, "first"), b.hold(rev, "second")
	eventually(t, "one is ahead", func() bool { return b.pool.Ahead() == 1 })
	alone := b.hold(other, "alone")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 3})
	alone.letGo()
	b.pool.Retire(rev.FunctionID, rev.Number+1)
	check(t, "ahead of a retired revision", b.pool.Ahead(), 0)
	b.ended()
	first.letGo()
	second.letGo()
	if err := b.pool.Close(context.Background()); err != nil {
		t.Error(err)
	}
	check(t, "wanted", b.pool.WantedAhead(), 0)
}

// TestAheadIdles: it ends as any environment that nobody uses.
func TestAheadIdles(t *testing.T) {
	b := newBench(t, withAhead(1), func(o *execenv.Options) { o.IdleTimeout = 50 * time.Millisecond })
	rev := b.revision("gate")
	first, second := b.hold(rev, "first"), b.hold(rev, "second")
	b.ended()
	eventually(t, "none is wanted", func() bool { return b.pool.WantedAhead() == 0 })
	first.letGo()
	second.letGo()
}

// TestAheadFails: a function whose Init phase fails without an invocation is not tried again.
func TestAheadFails(t *testing.T) {
	b := newBench(t, withAhead(1))
	rev := b.revision("gate-twice")
	rev.Config.Environment = &lambda.Variables{Map: map[string]string{"INITS": filepath.Join(t.TempDir(), "inits")}}
	first, second := b.hold(rev, "first"), b.hold(rev, "second")
	b.ended()
	eventually(t, "none is wanted", func() bool { return b.pool.WantedAhead() == 0 })
	open, _ := json.Marshal(first.gate)
	first.letGo()
	second.letGo()
	check(t, "payload", string(b.invoke(rev, "again", string(open), true).Payload), string(open))
	check(t, "environments", b.driver.created(), 3)
}

// TestAheadNobodyWants: an Init phase that is in the middle when its revision is retired, or the pool closed, ends at once,
// and the function's log says nothing of it.
func TestAheadNobodyWants(t *testing.T) {
	for name, retire := range map[string]func(p *execenv.Pool, rev *lambda.Revision){
		"retired": func(p *execenv.Pool, rev *lambda.Revision) { p.Retire(rev.FunctionID, rev.Number+1) },
		"retired by another server": func(p *execenv.Pool, rev *lambda.Revision) {
			p.RetireOlder(rev.FunctionID, rev.Number+1)
		},
		"closed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, withAhead(1), func(o *execenv.Options) { o.InitTimeout = time.Hour })
			rev := b.revision("gate-hang")
			inits := filepath.Join(t.TempDir(), "inits")
			rev.Config.Environment = &lambda.Variables{Map: map[string]string{"INITS": inits}}
			first, second := b.hold(rev, "first"), b.hold(rev, "second")
			waitFor(t, inits+".hangs")
			if retire != nil {
				retire(b.pool, rev)
				b.ended()
			}
			first.letGo()
			second.letGo()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := b.pool.Close(ctx); err != nil {
				t.Error(err)
			}
			check(t, "wanted", b.pool.WantedAhead(), 0)
			for _, e := range b.log.all() {
				if r, ok := e.Record.(*telemetry.InitReport); ok && r.Status != telemetry.StatusSuccess {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
}

// TestNoneAhead: the setting switches it off.
func TestNoneAhead(t *testing.T) {
	b := newBench(t)
	rev := b.revision("gate")
	first, second := b.hold(rev, "first"), b.hold(rev, "second")
	check(t, "wanted", b.pool.WantedAhead(), 0)
	first.letGo()
	second.letGo()
	check(t, "environments", b.driver.created(), 2)
}
