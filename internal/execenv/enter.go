package execenv

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/sandbox"
)

// Room is an execution environment without a runtime: what a function would see, for people to look at.
type Room struct {
	Sandbox sandbox.Sandbox
	Env     []string // of the runtime
	Dir     string   // where it would start

	e *environment
}

// Enter makes an environment of a revision and starts nothing in it. The caller closes it.
func (p *Pool) Enter(ctx context.Context, rev *lambda.Revision) (*Room, error) {
	version := string(lambda.VersionLatest)
	key := fleetKey{rev.FunctionID, rev.Number, version}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	p.work.Add(1)
	f := p.fleet(key)
	f.live++
	p.mu.Unlock()
	e := newEnvironment(p, f, rev, version)
	if err := e.create(ctx); err != nil {
		p.discard(e)
		return nil, err
	}
	return &Room{Sandbox: e.box, Env: e.env, Dir: taskRoot, e: e}, nil
}

// Close ends the environment.
func (r *Room) Close() { r.e.pool.discard(r.e) }
