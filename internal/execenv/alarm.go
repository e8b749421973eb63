package execenv

import (
	"slices"
	"time"
)

// alarm rings when an environment has been idle for a time. One that is taken leaves its alarms set: to stop and start a
// timer with each invocation costs more than to look, when it rings, for how long the environment has been idle by then.
// The pool's mu guards it.
type alarm struct {
	timer *time.Timer // nil until the first time
	set   bool        // it will ring
}

// start sets the alarm to ring after d.
func (a *alarm) start(d time.Duration, ring func()) {
	a.set = true
	if a.timer == nil {
		a.timer = time.AfterFunc(d, ring)
		return
	}
	a.timer.Reset(d)
}

func (a *alarm) stop() {
	a.set = false
	if a.timer != nil {
		a.timer.Stop()
	}
}

// rang reports whether the environment has been idle for d. When it is idle and has not, the alarm is set again; when it is
// not idle, whoever puts it back does that.
func (a *alarm) rang(e *environment, d time.Duration, ring func()) bool {
	a.set = false
	if !slices.Contains(e.fleet.idle, e) {
		return false
	}
	if left := d - time.Since(e.idleFrom); left > 0 {
		a.start(left, ring)
		return false
	}
	return true
}
