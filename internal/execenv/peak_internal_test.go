package execenv

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

// growing is a sandbox whose memory has grown each time that somebody asks.
type growing struct {
	sandbox.Sandbox
	asked int64
}

func (g *growing) Usage() sandbox.Usage {
	g.asked++
	return sandbox.Usage{Peak: g.asked}
}

// TestPeak: only of invocations that follow one another within a moment, and are as short, the memory is not read anew.
func TestPeak(t *testing.T) {
	const short, moment = peakStays / 4, peakStays / 2
	for _, tc := range []struct {
		name  string
		run   run
		after time.Duration
		want  int64 // the second invocation's
	}{
		{"short, at once", run{elapsed: short}, moment, 1},
		{"short, later", run{elapsed: short}, peakStays, 2},
		{"long", run{elapsed: peakStays}, moment, 2},
		{"with its log", run{elapsed: short, inv: Invocation{LogTail: true}}, moment, 2},
		{"failed", run{elapsed: short, fault: &fault{}}, moment, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &environment{box: &growing{}}
				if got := (&run{e: e, elapsed: short}).peak(); got != 1 {
					t.Errorf("the first read %d", got)
				}
				time.Sleep(tc.after)
				tc.run.e = e
				if got := tc.run.peak(); got != tc.want {
					t.Errorf("got %d, want %d", got, tc.want)
				}
			})
		})
	}
}
