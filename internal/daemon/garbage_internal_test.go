package daemon

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPercentOf(t *testing.T) {
	for live, want := range map[uint64]int{
		0:         1600,
		1 << 20:   1600,
		4 << 20:   400,
		16 << 20:  100,
		17 << 20:  100,
		100 << 20: 100,
	} {
		if got := percentOf(live); got != want {
			t.Errorf("with %d bytes held: got %d, want %d", live, got, want)
		}
	}
}

// gcPercent is what is set.
func gcPercent() int {
	percent := debug.SetGCPercent(goPercent)
	debug.SetGCPercent(percent)
	return percent
}

// TestPacer: each collection sets when the next one comes, until the end.
func TestPacer(t *testing.T) {
	before := gcPercent()
	defer debug.SetGCPercent(before)
	const never = 1 // what no collection sets
	p := &pacer{percent: never}
	told := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.percent != never
	}
	p.watch()
	for range 2 {
		for !told() { // until the test's deadline: what a collection finds is told some time later
			runtime.GC()
		}
		p.mu.Lock()
		if got := gcPercent(); got != p.percent {
			t.Errorf("got %d, want %d", got, p.percent)
		}
		p.percent = never
		p.mu.Unlock()
	}
	p.stop()
	if got := gcPercent(); got != goPercent {
		t.Errorf("afterwards it is %d, want %d", got, goPercent)
	}
}

func TestGarbageIsTheUsers(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := gcPercent()
	defer paceGarbage()()
	for range 3 {
		runtime.GC()
	}
	if got := gcPercent(); got != before {
		t.Errorf("got %d, want what was before: %d", got, before)
	}
}
