package linuxsandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Complete implements sandbox.Sandbox.
func (b *box) Complete(ctx context.Context, r sandbox.Rest) error {
	if err := b.complete(ctx, r); err != nil {
		return fmt.Errorf("cannot complete sandbox %s: %w", b.spec.ID, err)
	}
	return nil
}

func (b *box) complete(ctx context.Context, r sandbox.Rest) error {
	if err := checkRest(b.spec, r); err != nil {
		return err
	}
	s, err := b.helper()
	if err != nil {
		return err
	}
	tmp := b.driver.disks.order(r.TmpSize)
	defer tmp.cancel()
	root, err := s.plan(r.Root)
	if err != nil {
		return err
	}
	defer root.close()
	if err := s.group.limit(r.Memory, b.spec.Processes); err != nil {
		return err
	}
	b.memory.setLimit(r.Memory)
	if err := s.sendMounts(root); err != nil {
		return err
	}
	if err := b.sendTmp(s, tmp); err != nil {
		return err
	}
	finish := initproto.Finish{TmpSize: uint64(r.TmpSize), Processors: b.driver.processors(r.Processors)}
	a, err := s.conn.call(ctx, initproto.VerbFinish, finish.Append(nil), nil, &request{})
	a.close()
	return err
}

// checkRest finds mistakes of the caller.
func checkRest(s sandbox.Spec, r sandbox.Rest) error {
	if len(s.Awaiting) == 0 {
		return errors.New("it is whole")
	}
	if r.TmpSize <= 0 || r.Memory < 0 || r.Processors < 0 {
		return errors.New("bad size")
	}
	for _, m := range r.Root {
		if err := checkMount(m); err != nil {
			return err
		}
	}
	return nil
}
