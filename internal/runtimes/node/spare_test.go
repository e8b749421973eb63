package node_test

import (
	"testing"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

func TestSpareGoesOn(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		runtimetest.SpareGoesOn(t, p.Path, "--expose-gc", "-e",
			"require(process.argv[1] + '/lamina/spare.cjs').wait(3, () => {}).then(() => { console.log('went on,', process.env.A); process.exit(0); })", p.Runtime)
	})
}
