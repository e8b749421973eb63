package daemon

import (
	"context"
	"errors"
	"sync"

	"github.com/laminadev/lamina/internal/lambda"
)

// A server that starts has interpreters booted for so many kinds of functions, found among so many functions.
const (
	expectedKinds     = 4
	expectedFunctions = 100
)

// expectFunctions boots interpreters, in the background, for functions that are there already, so that the first invocations
// after a start find what later ones find. It looks at the default account and region, in which most servers have all.
func (p *parts) expectFunctions(ctx context.Context) error {
	if p.cfg.Spares == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() {
		if err := p.expect(ctx); err != nil && !errors.Is(err, context.Canceled) {
			p.log.Warn("cannot boot interpreters for the functions that are here", "error", err)
		}
	})
	p.add("expected functions", func(context.Context) error {
		cancel()
		work.Wait()
		return nil
	})
	return nil
}

func (p *parts) expect(ctx context.Context) error {
	scope := lambda.NewScope(p.cfg.Account, p.cfg.Region)
	functions, err := p.catalog.ListFunctions(ctx, scope, "", expectedFunctions)
	if err != nil {
		return err
	}
	type kind struct {
		runtime lambda.Runtime
		memory  int
	}
	seen := map[kind]bool{}
	for i := range functions {
		c := &functions[i].Latest.Config
		k := kind{runtime: c.Runtime}
		if c.Runtime.Family() == "nodejs" {
			k.memory = c.MemorySize
		}
		if seen[k] || functions[i].State != lambda.StateActive {
			continue
		}
		if seen[k] = true; len(seen) > expectedKinds {
			return nil
		}
		if err := p.pool.Expect(ctx, &functions[i].Latest); err != nil && !lambda.IsKind(err, lambda.BadRuntime) {
			return err
		}
	}
	return nil
}
