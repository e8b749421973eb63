// Package daemon builds the server of its parts, starts them in order, and stops them in reverse. It is the only place that
// knows both a contract and its drivers.
//
// It also answers what the command line asks of this machine without a server: which runtimes there are (ListRuntimes,
// AddRuntime) and what works (Examine).
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/laminadev/lamina/internal/config"
)

// Run serves until ctx ends, and then drains: it takes no new calls, lets running ones end within their time, and stops
// every part. It calls ready once, when calls are answered. A failure that the user can mend is a *Problem.
func Run(ctx context.Context, cfg config.Config, ready func(addr net.Addr)) (err error) {
	log := newLog(os.Stderr, cfg)
	ln, err := listen(ctx, cfg.Listen) // first, since it fails most often and costs nothing
	if err != nil {
		return err
	}
	defer ln.Close()
	if err := reachesItself(cfg.Reach, ln.Addr()); err != nil {
		return err
	}
	dir, err := openFolder(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	defer paceGarbage()()

	p, err := assemble(ctx, cfg, dir, log)
	if err != nil {
		return err
	}
	seq := newSequence()
	defer seq.close()
	srv := newServer(ctx, seq.wrap(p.handler), log)
	served := make(chan error, 1)
	go func() { served <- srv.serve(ln) }()
	ready(ln.Addr())

	select {
	case err = <-served:
		served <- nil
	case <-ctx.Done():
	}
	patience := drainTime(cfg.DrainTimeout, p.pool.Longest())
	log.Info("stopping", "drain", patience)
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	srv.drain(drained)
	return errors.Join(err, <-served, p.close(drained))
}

// leastDrain is what every running call gets where no time is set; an invocation gets what its function's timeout gives it.
const leastDrain = 30 * time.Second

// drainTime is what running calls get: what was set, or else as long as the longest of the running invocations may take.
func drainTime(set, longest time.Duration) time.Duration {
	if set > 0 {
		return set
	}
	return max(longest, leastDrain)
}

// stopper is how a part ends; ctx is the time that running work gets.
type stopper struct {
	name string
	stop func(ctx context.Context) error
}

// stoppers ends parts in reverse order of their start.
type stoppers []stopper

func (s *stoppers) add(name string, stop func(context.Context) error) {
	*s = append(*s, stopper{name, stop})
}

func (s *stoppers) close(ctx context.Context) error {
	var errs []error
	for len(*s) > 0 {
		last := (*s)[len(*s)-1]
		*s = (*s)[:len(*s)-1]
		if err := last.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("cannot stop the %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

// plain makes a Close without a context a stop.
func plain(f func() error) func(context.Context) error {
	return func(context.Context) error { return f() }
}
