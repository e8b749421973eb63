package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

func testClose(e *env) {
	s := e.create(e.spec())
	p, r := e.spawn(s, `trap '' TERM; setsid sleep 1000 & echo ready; while :; do sleep 1; done`)
	e.equal("ready", e.readLine(r), "ready")
	select {
	case <-s.Done():
		e.Fatal("it has ended by itself")
	default:
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := s.Close(); err != nil {
				e.Errorf("close: %v", err)
			}
		})
	}
	all.Wait()
	<-s.Done()
	e.equal("end", e.wait(p).String(), "signal: killed")
	if err := p.Signal(9); err != nil {
		e.Errorf("a signal after the end: %v", err)
	}
	if _, err := s.Spawn(e.Context(), sandbox.Command{Path: "/bin/true"}); err == nil {
		e.Error("spawn after the end: no error")
	}
	if _, err := s.Listen(e.Context(), "127.0.0.1:1"); err == nil {
		e.Error("listen after the end: no error")
	}
	if err := s.KillAll(e.Context()); err == nil {
		e.Error("kill all after the end: no error")
	}
	if left := e.suite.Leftovers(e.prefix()); len(left) > 0 {
		e.Errorf("left behind: %q", left)
	}
}

// testKilledHelper ends a sandbox from outside, as the kernel might when memory runs out.
func testKilledHelper(e *env) {
	before := children(os.Getpid())
	s := e.create(e.spec())
	p, r := e.spawn(s, `setsid sleep 1000 & echo ready; wait`)
	e.equal("ready", e.readLine(r), "ready")
	for _, child := range children(os.Getpid()) {
		if !slices.Contains(before, child) {
			number, _, _ := strings.Cut(child, " ")
			pid, err := strconv.Atoi(number)
			if err != nil {
				e.Fatal(err)
			}
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	select {
	case <-s.Done():
	case <-time.After(patience):
		e.Fatal("the sandbox goes on")
	}
	e.equal("end", e.wait(p).String(), "signal: killed")
	if _, err := s.Spawn(e.Context(), sandbox.Command{Path: "/bin/true"}); err == nil {
		e.Error("spawn after the end: no error")
	}
}

func testGiveUp(e *env) {
	ctx, cancel := context.WithCancel(e.Context())
	cancel()
	if s, err := e.driver.Create(ctx, e.spec()); !errors.Is(err, context.Canceled) {
		e.Errorf("create: %v, %v", s, err)
	}
	s := e.create(e.spec())
	if _, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/true"}); !errors.Is(err, context.Canceled) {
		e.Errorf("spawn: %v", err)
	}
	// Some of these come to an end before they are given up, some after; none may stay.
	for range 20 {
		ctx, cancel := context.WithCancel(e.Context())
		go cancel()
		s.Spawn(ctx, sandbox.Command{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: "/"})
		s.Listen(ctx, "127.0.0.1:99")
	}
	p, _ := e.spawn(s, `sleep 1000`)
	ctx, cancel = context.WithCancel(e.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		e.Errorf("wait: %v", err)
	}
}

func testOneID(e *env) {
	spec := e.spec()
	s := e.create(spec)
	if _, err := e.driver.Create(e.Context(), spec); err == nil {
		e.Error("a second sandbox of one ID: no error")
	}
	e.equal("the first", e.output(s, `echo fine`), "fine")
	s.Close()
	e.equal("the next", e.output(e.create(spec), `echo fine`), "fine")
}

func testDriverClose(e *env) {
	s := e.create(e.spec())
	p, _ := e.spawn(s, `sleep 1000`)
	if err := e.driver.Close(); err != nil {
		e.Errorf("close: %v", err)
	}
	e.equal("end", e.wait(p).String(), "signal: killed")
	<-s.Done()
	if _, err := e.driver.Create(e.Context(), e.spec()); err == nil {
		e.Error("create after the end: no error")
	}
}

func testProbe(e *env) {
	findings := e.driver.Probe(e.Context())
	if len(findings) == 0 {
		e.Fatal("it found nothing")
	}
	for _, f := range findings {
		e.Logf("%s: %v (%s) %s %s", f.Name, f.OK, f.Detail, f.Degrade, f.Fix)
		if f.Name == "" || f.Detail == "" {
			e.Errorf("a finding without words: %+v", f)
		}
		// This machine makes sandboxes, or the other cases fail.
		if !f.OK && f.Degrade == "" {
			e.Errorf("sandboxes cannot be made, it says: %+v", f)
		}
	}
}

// Sandboxes of testMany, and how many live at a time. The variable asks for more of them.
const (
	many         = 50
	atATime      = 8
	manyVariable = "LAMINA_TEST_MANY"
)

func testMany(e *env) {
	many := many
	if more, err := strconv.Atoi(os.Getenv(manyVariable)); err == nil {
		many = more
	}
	slots := make(chan struct{}, atATime)
	var all sync.WaitGroup
	for i := range many {
		spec := e.spec(sandbox.Mount{Target: "/opt", Overlay: []string{e.folder("a", "a"), e.folder("b", "b")}})
		spec.Account = fmt.Sprintf("%012d", i%3)
		spec.LocalAddrs = []string{"169.254.100.1"}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			e.wholeLife(spec, i)
		})
	}
	all.Wait()
}

// wholeLife may run beside others, so it does not end the case by itself.
func (e *env) wholeLife(spec sandbox.Spec, i int) {
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	s, err := e.driver.Create(ctx, spec)
	if err != nil {
		e.Errorf("create %d: %v", i, err)
		return
	}
	defer s.Close()
	if _, err := s.Listen(ctx, "169.254.100.1:9001"); err != nil {
		e.Errorf("listen %d: %v", i, err)
	}
	for range 2 {
		c := sandbox.Command{Path: "/bin/sh", Args: []string{"sh", "-c", fmt.Sprintf("echo %d >/tmp/x; (sleep 1000 &); exit %d", i, i%100)}, Dir: "/opt"}
		p, err := s.Spawn(ctx, c)
		if err != nil {
			e.Errorf("spawn %d: %v", i, err)
			return
		}
		if exit, err := p.Wait(ctx); err != nil || exit.Code != i%100 {
			e.Errorf("wait %d: %v, %v", i, exit, err)
		}
		if err := s.KillAll(ctx); err != nil {
			e.Errorf("kill all %d: %v", i, err)
		}
	}
	s.Usage()
}
