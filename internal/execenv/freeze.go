package execenv

import "errors"

// startFreezeAlarm has the environment stopped when nobody takes it soon. The caller holds the pool's mu.
func (p *Pool) startFreezeAlarm(e *environment) {
	if p.o.Freeze && !e.freezeAlarm.set {
		e.freezeAlarm.start(p.o.FreezeAfter, func() { p.freeze(e) })
	}
}

// stopAlarms ends the alarms of an environment that ends. The caller holds the pool's mu.
func (e *environment) stopAlarms() {
	e.idleAlarm.stop()
	e.freezeAlarm.stop()
}

// freeze stops an environment, unless it was taken at the last moment. Whoever takes it afterwards thaws it.
func (p *Pool) freeze(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !e.freezeAlarm.rang(e, p.o.FreezeAfter, func() { p.freeze(e) }) || !e.alive() {
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
