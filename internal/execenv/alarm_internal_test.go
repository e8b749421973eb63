package execenv

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAlarm: an environment that was taken meanwhile is idle for the whole time before its alarm counts, and not a moment
// longer.
func TestAlarm(t *testing.T) {
	for _, tc := range []struct {
		name  string
		taken []time.Duration // when; each time for 3 ms
		want  time.Duration
	}{
		{"never taken", nil, 100 * time.Millisecond},
		{"taken once", []time.Duration{60 * time.Millisecond}, 163 * time.Millisecond},
		{"taken often", []time.Duration{10 * time.Millisecond, 70 * time.Millisecond, 150 * time.Millisecond}, 253 * time.Millisecond},
		{"taken when it rings", []time.Duration{99 * time.Millisecond}, 202 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const idle = 100 * time.Millisecond
				p := &Pool{o: Options{IdleTimeout: idle}}
				e := &environment{pool: p, fleet: &fleet{}}
				began := time.Now()
				var rang time.Duration
				var ring func()
				ring = func() {
					p.mu.Lock()
					defer p.mu.Unlock()
					if e.idleAlarm.rang(e, idle, ring) {
						rang = time.Since(began)
					}
				}
				put := func() {
					p.mu.Lock()
					defer p.mu.Unlock()
					e.idleFrom = time.Now()
					e.fleet.addIdle(e)
					if !e.idleAlarm.set {
						e.idleAlarm.start(idle, ring)
					}
				}
				put()
				for _, at := range tc.taken {
					time.Sleep(at - time.Since(began))
					p.mu.Lock()
					e.fleet.idle = nil
					p.mu.Unlock()
					time.Sleep(3 * time.Millisecond)
					put()
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if rang != tc.want {
					t.Errorf("it counted after %v, want %v", rang, tc.want)
				}
				e.stopAlarms()
				if e.idleAlarm.set || e.freezeAlarm.set {
					t.Error("an alarm is set after stopAlarms")
				}
			})
		})
	}
}
