package execenv

import (
	"errors"
	"slices"
	"time"
)

// startFreezeTimer has the environment stopped when nobody takes it soon. The caller holds the pool's mu.
func (p *Pool) startFreezeTimer(e *environment) {
	switch {
	case !p.o.Freeze:
	case e.freezeTimer == nil:
		e.freezeTimer = time.AfterFunc(p.o.FreezeAfter, func() { p.freeze(e) })
	default:
		e.freezeTimer.Reset(p.o.FreezeAfter)
	}
}

func (e *environment) stopTimers() {
	e.idleTimer.Stop()
	if e.freezeTimer != nil {
		e.freezeTimer.Stop()
	}
}

// freeze stops an environment, unless it was taken at the last moment. Whoever takes it afterwards thaws it.
func (p *Pool) freeze(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(e.fleet.idle, e) || time.Since(e.idleFrom) < p.o.FreezeAfter || !e.alive() {
		return
	}
	err := e.box.Freeze()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		p.o.Freeze = false
	case err != nil && e.alive():
		p.o.Log.Error("cannot freeze an execution environment", "id", e.id, "error", err)
	case err == nil:
		e.frozen = true
	}
}

// thaw makes an environment run that was taken. It reports whether the environment can be used.
func (e *environment) thaw() bool {
	if !e.frozen {
		return true
	}
	e.frozen = false
	if err := e.box.Thaw(); err != nil {
		e.pool.o.Log.Error("cannot thaw an execution environment", "id", e.id, "error", err)
		return false
	}
	return true
}
