package daemon

import (
	"context"
	"sync/atomic"

	"github.com/laminadev/lamina/internal/sandbox"
)

// hopeful makes sandboxes with a network without having tried first whether they can have one, since a trial takes longer than
// the rest of a run. When one fails, it and those that follow are made without.
type hopeful struct {
	outsideDriver
	without atomic.Bool
}

// outsideDriver is what a *linuxsandbox.Driver is here.
type outsideDriver interface {
	sandbox.Driver
	CloseOutside()
}

func (h *hopeful) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	box, err := h.outsideDriver.Create(ctx, spec)
	if err == nil || ctx.Err() != nil || !h.without.CompareAndSwap(false, true) {
		return box, err
	}
	h.CloseOutside()
	return h.outsideDriver.Create(ctx, spec)
}
