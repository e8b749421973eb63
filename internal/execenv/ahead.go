package execenv

import (
	"context"
	"slices"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// mostAhead bounds the environments of all functions together that were initialised ahead and not used yet.
const mostAhead = 16

// wantAhead has environments initialised for the invocations that would come on top of those that run, when several run at
// once: each time one had to be made for an invocation while others were busy, or one that was made ahead is used so. They
// are of the same revision as e, and idle like others until they are taken.
func (p *Pool) wantAhead(e *environment) {
	f := e.fleet
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.busy-f.ending < 2 || f.retired || f.failsAhead || p.fleets[f.key] != f {
		return
	}
	for f.ahead < p.o.Ahead && p.ahead < mostAhead && !p.closed {
		p.beginAhead(f, e.rev, e.source.Version)
	}
}

// beginAhead has one environment initialised. The caller holds mu.
func (p *Pool) beginAhead(f *fleet, rev *lambda.Revision, version string) {
	f.ahead++
	p.ahead++
	f.live++
	p.work.Add(1)
	e := newEnvironment(p, f, rev, version)
	e.ahead = true
	ctx, end := context.WithCancel(context.Background())
	if f.begun == nil {
		f.begun = map[*environment]context.CancelFunc{}
	}
	f.begun[e] = end
	go p.initialiseAhead(ctx, e)
}

// initialiseAhead brings an environment through its Init phase without an invocation. One that fails is thrown away: the
// invocation that needs one will see the failure itself. So is one that nobody can want any more, at once.
func (p *Pool) initialiseAhead(ctx context.Context, e *environment) {
	ok := p.tryAhead(ctx, e)
	p.mu.Lock()
	ended := ctx.Err() != nil
	e.fleet.begun[e]()
	delete(e.fleet.begun, e)
	e.fleet.failsAhead = e.fleet.failsAhead || !ok && !ended
	p.mu.Unlock()
	if !ok || ended {
		p.discard(e)
		return
	}
	e.initDuration = 0 // no invocation waited for it, and AWS reports none then
	p.put(e)
}

// tryAhead makes the environment and initialises it; it gives up when ctx ends.
func (p *Pool) tryAhead(ctx context.Context, e *environment) bool {
	if err := e.create(ctx); err != nil {
		if ctx.Err() == nil {
			p.o.Log.Warn("cannot make an execution environment ahead", "function", e.rev.Key.Name, "error", err)
		}
		return false
	}
	if e.sparable {
		defer func() { p.spares.want(e.spareKey()) }()
	}
	closed := make(chan struct{})
	giveUp := context.AfterFunc(ctx, func() {
		defer close(closed)
		e.closeBox()
	})
	defer func() {
		if !giveUp() {
			<-closed
		}
	}()
	timer := time.NewTimer(p.o.InitTimeout)
	defer timer.Stop()
	return e.initialise(ctx, telemetry.PhaseInit, timer, p.o.InitTimeout) == nil
}

// useAhead notes that an environment that was initialised ahead has an invocation, or is no more. The caller holds mu.
func (p *Pool) useAhead(e *environment) {
	if !e.ahead {
		return
	}
	e.ahead = false
	e.fleet.ahead--
	p.ahead--
}

// addIdle adds an environment to those that wait. One that was never used is taken after all others. The caller holds mu.
func (f *fleet) addIdle(e *environment) {
	if e.ahead {
		f.idle = slices.Insert(f.idle, 0, e)
		return
	}
	f.idle = append(f.idle, e)
}

// Expect has a runtime booted for a function that may soon be invoked, when functions like it can start in one.
func (p *Pool) Expect(ctx context.Context, rev *lambda.Revision) error {
	r, err := p.o.Runtimes.Resolve(ctx, rev.Config.Runtime)
	if err != nil {
		return err
	}
	defer r.Release()
	e := &environment{pool: p, rev: rev, runtime: r}
	if r.Spare() != nil && p.spares.on() {
		p.spares.want(e.spareKey())
	}
	return nil
}
