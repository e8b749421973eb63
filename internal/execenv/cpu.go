package execenv

import "github.com/laminadev/lamina/internal/lambda"

// processors is how many the function sees; 0: all.
func (e *environment) processors() int {
	if !e.pool.o.CPU {
		return 0
	}
	return lambda.VisibleProcessors(e.rev.Config.MemorySize)
}

// limitCPU gives the environment its share of the processor from now on. The Init phase comes before: on AWS it has a whole
// processor, whatever the memory. One that is done again, at an invocation, has not, there and here.
func (e *environment) limitCPU() {
	if !e.pool.o.CPU {
		return
	}
	if err := e.box.LimitCPU(lambda.ProcessorShare(e.rev.Config.MemorySize)); err != nil && e.alive() {
		e.pool.o.Log.Error("cannot limit the processor of an execution environment", "id", e.id, "error", err)
	}
}
