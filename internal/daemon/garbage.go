package daemon

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

const (
	// leastGarbage is how much is allocated between two collections of garbage at least. What a server of few functions holds
	// is little, so that Go alone would collect several times a second while it is called without a pause, and the calls in
	// between would wait.
	leastGarbage = 16 << 20
	goPercent    = 100 // Go's own: as much again as is held
)

// pacer sets, after each collection, when the next one comes.
type pacer struct {
	mu      sync.Mutex // guards what follows
	percent int        // that is set
	ended   bool
}

// paceGarbage starts a pacer, unless the user has said with GOGC when to collect. stop ends it.
func paceGarbage() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	p := &pacer{percent: goPercent}
	p.watch()
	return p.stop
}

// cycle is garbage at once, and tells of the collection that finds it.
type cycle struct{ p *pacer }

func (p *pacer) watch() { runtime.AddCleanup(&cycle{p}, (*pacer).collected, p) }

// collected is called after each collection.
func (p *pacer) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	p.set(percentOf(live[0].Value.Uint64()))
	p.watch()
}

// set is called with mu. Setting stops everything for a moment, so what has hardly changed stays.
func (p *pacer) set(percent int) {
	if d := percent - p.percent; d*d*100 < p.percent*p.percent { // less than a tenth
		return
	}
	p.percent = percent
	debug.SetGCPercent(percent)
}

func (p *pacer) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	debug.SetGCPercent(goPercent)
}

// percentOf is the garbage between two collections, in percent of what is held.
func percentOf(live uint64) int {
	return max(goPercent, int(leastGarbage*100/max(live, 1<<20)))
}
