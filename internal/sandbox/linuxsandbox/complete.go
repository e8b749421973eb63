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

// complete lets the helper begin as early as can be, and does beside its work what it does not wait for. The limits are set
// before the answer is believed: nothing of the function runs until then.
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
	ns, err := s.idmap()
	if err != nil {
		return err
	}
	defer ns.close()
	if err := s.sendRoot(r.Root, ns); err != nil {
		return err
	}
	limited := make(chan error, 1)
	go func() { limited <- s.group.limit(r.Memory, 0) }() // that of processes stands
	err = b.finish(ctx, s, r, tmp, ns)
	if unlimited := <-limited; err == nil {
		err = unlimited
	}
	if err == nil {
		b.memory.setLimit(r.Memory)
	}
	return err
}

func (s *started) sendRoot(root []sandbox.Mount, ns idmap) error {
	p, err := plan(root, int(ns))
	if err != nil {
		return err
	}
	defer p.close()
	return s.sendMounts(p)
}

// finish adds /tmp and closes the root.
func (b *box) finish(ctx context.Context, s *started, r sandbox.Rest, tmp *order, ns idmap) error {
	if err := b.sendTmp(s, tmp, ns); err != nil {
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
