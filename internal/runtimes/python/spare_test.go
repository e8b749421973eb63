package python_test

import (
	"testing"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

func TestSpareGoesOn(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		runtimetest.SpareGoesOn(t, p.Path, "-c",
			"import os, sys; sys.path.insert(0, sys.argv[1]); from lamina_runtime import spare; spare.wait(3); print('went on,', os.environ['A'])", p.Runtime)
	})
}
