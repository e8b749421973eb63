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
		f.ahead++
		p.ahead++
		f.live++
		p.work.Add(1)
		a := newEnvironment(p, f, e.rev, e.source.Version)
		a.ahead = true
		go p.initialiseAhead(a)
	}
}

// initialiseAhead brings an environment through its Init phase without an invocation. One that fails is thrown away: the
// invocation that needs one will see the failure itself.
func (p *Pool) initialiseAhead(e *environment) {
	if err := e.create(context.Background()); err != nil {
		p.o.Log.Warn("cannot make an execution environment ahead", "function", e.rev.Key.Name, "error", err)
		p.failAhead(e)
		return
	}
	timer := time.NewTimer(p.o.InitTimeout)
	defer timer.Stop()
	if e.initialise(context.Background(), telemetry.PhaseInit, timer, p.o.InitTimeout) != nil {
		p.failAhead(e)
		return
	}
	e.initDuration = 0 // no invocation waited for it, and AWS reports none then
	p.put(e)
}

func (p *Pool) failAhead(e *environment) {
	p.mu.Lock()
	e.fleet.failsAhead = true
	p.mu.Unlock()
	p.discard(e)
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
