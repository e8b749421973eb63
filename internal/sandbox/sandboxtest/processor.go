package sandboxtest

import (
	"errors"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

// testProcessorShare measures by what a share allows at most, which load on the machine can only make less.
func testProcessorShare(e *env) {
	s := e.create(e.spec())
	err := s.LimitCPU(0.2)
	if errors.Is(err, errors.ErrUnsupported) {
		e.Skip("NOT RUN: this user has no cgroup that limits the processor")
	}
	if err != nil {
		e.Fatalf("limit: %v", err)
	}
	pid, _ := e.busy(s)
	const used, share = 10, 5 // hundredths of a second of processor time, and one in how many
	start, began := ticks(pid), time.Now()
	e.eventually("it computes", func() bool { return ticks(pid) >= start+used })
	if took := time.Since(began); took < used*share*10*time.Millisecond/2 {
		e.Errorf("%d ms of processor time took %v", used*10, took)
	}
	if err := s.LimitCPU(0); err != nil {
		e.Errorf("no limit: %v", err)
	}
	s.Close()
	if err := s.LimitCPU(1); err == nil || errors.Is(err, errors.ErrUnsupported) {
		e.Errorf("after the end: %v", err)
	}
}

// seen is a script that counts processors in every way that programs do.
const seen = `nproc; grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online; echo $(taskset -p $$ | grep -o '[0-9a-f]*$')`

func testProcessorsSeen(e *env) {
	all := e.output(e.create(e.spec()), `nproc; ls /sys 2>&1; true`)
	n, _, _ := strings.Cut(all, "\n")
	e.equal("all", all, n+"\nls: cannot access '/sys': No such file or directory")
	if n == "1" {
		e.Skip("NOT RUN: there is only one processor")
	}
	masks := map[string]bool{}
	for range 2 {
		spec := e.spec()
		spec.Processors = 1
		s := e.create(spec)
		before, mask := cutLast(e.output(s, seen))
		e.equal("one", before, "1\n1\n0")
		masks[mask] = true
	}
	if len(masks) != 2 {
		e.Errorf("two sandboxes have to take turns: %v", masks)
	}
	spec := e.spec()
	spec.Processors = 1000
	e.equal("more than there are", e.output(e.create(spec), `nproc; ls /sys 2>&1; true`), all)
	e.processorsLater()
}

// processorsLater confines what runs already.
func (e *env) processorsLater() {
	e.Helper()
	spec := e.spec()
	spec.Awaiting = []string{"/opt"}
	spec.TmpSize, spec.Memory = 0, 0
	s := e.create(spec)
	p, _ := e.spawn(s, `exec sleep 1000`)
	if err := s.Complete(e.Context(), sandbox.Rest{TmpSize: 1 << 20, Processors: 1}); err != nil {
		e.Fatalf("complete: %v", err)
	}
	before, mask := cutLast(e.output(s, seen))
	e.equal("later", before, "1\n1\n0")
	e.equal("what runs already", e.output(s, `taskset -p $(pgrep sleep) | grep -o '[0-9a-f]*$'`), mask)
	if err := p.Signal(9); err != nil {
		e.Error(err)
	}
	e.wait(p)
}

func cutLast(lines string) (before, last string) {
	i := strings.LastIndexByte(lines, '\n')
	return lines[:max(i, 0)], lines[i+1:]
}
