package execenv_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/execenv"
)

func TestShareOfTheProcessor(t *testing.T) {
	for name, tc := range map[string]struct {
		on         bool
		memory     int
		processors int
		cores      []float64
	}{
		"off":   {false, 128, 0, nil},
		"least": {true, 128, 2, []float64{128.0 / 1769}},
		"much":  {true, 3538, 3, []float64{2}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *execenv.Options) { o.CPU = tc.on })
			rev := b.revision("echo")
			rev.Config.MemorySize = tc.memory
			for range 2 { // the second invocation finds the environment as the Init phase left it
				check(t, "payload", string(b.invoke(rev, "a", `"x"`, true).Payload), `"x"`)
			}
			check(t, "processors", (<-b.driver.specs).Processors, tc.processors)
			var cores []float64
			for len(b.driver.cores) > 0 {
				cores = append(cores, <-b.driver.cores)
			}
			if diff := cmp.Diff(cores, tc.cores); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
		})
	}
}

// The share begins with the end of the first Init phase, also of one that failed: what initialises again has only that.
func TestShareOfTheProcessorAfterAFailedInit(t *testing.T) {
	b := newBench(t, func(o *execenv.Options) { o.CPU = true })
	rev := b.revision("init-exit")
	b.invoke(rev, "a", `"x"`, true)
	check(t, "limits", len(b.driver.cores), 1)
}
