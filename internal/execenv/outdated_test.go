package execenv_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

// growing is runtimes that get one more mount when something is added to them.
type growing struct {
	execenv.Runtimes
	added atomic.Bool
}

func (g *growing) Resolve(ctx context.Context, r lambda.Runtime) (*runtimes.Runtime, error) {
	rt, err := g.Runtimes.Resolve(ctx, r)
	if err == nil && g.added.Load() {
		rt.Mounts = append(rt.Mounts, sandbox.Mount{Target: "/var/lang/added", Empty: true})
	}
	return rt, err
}

// What was added to a runtime reaches a function whose initialisation failed without it, and leaves a warm one alone.
func TestAddedToTheRuntime(t *testing.T) {
	for handler, want := range map[string]int{"init-exit": 2, "state": 1} {
		var g growing
		b := newBench(t, func(o *execenv.Options) { g.Runtimes = o.Runtimes; o.Runtimes = &g })
		rev := b.revision(handler)
		b.invoke(rev, "a", "1", true)
		g.added.Store(true)
		b.invoke(rev, "b", "1", true)
		check(t, handler+": environments", b.driver.created(), want)
	}
}
