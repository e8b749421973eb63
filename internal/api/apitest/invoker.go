package apitest

import (
	"context"
	"sync"

	"github.com/laminadev/lamina/internal/invoke"
)

// Invoker stands for the service that runs functions: it remembers what it got and answers what it was told.
type Invoker struct {
	mu  sync.Mutex
	In  invoke.Input // of the last call
	Out invoke.Output
	Err error
}

// Invoke answers Out and Err.
func (i *Invoker) Invoke(_ context.Context, in invoke.Input) (invoke.Output, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.In = in
	return i.Out, i.Err
}
