package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/sandbox"
)

// busy prints one line and then computes for ever.
const busy = `echo ready; while :; do :; done`

// freeze freezes a sandbox, or ends the case where this machine cannot.
func (e *env) freeze(s sandbox.Sandbox) {
	e.Helper()
	err := s.Freeze()
	if errors.Is(err, errors.ErrUnsupported) {
		e.Skip("NOT RUN: this user has no cgroup to freeze with")
	}
	if err != nil {
		e.Fatalf("freeze: %v", err)
	}
}

// testFreeze uses another process's processor time as its clock: while that one computes, the frozen one does not.
func testFreeze(e *env) {
	s, clock := e.create(e.spec()), e.create(e.spec())
	pid, _ := e.busy(s)
	other, _ := e.busy(clock)
	for range 2 {
		start := ticks(pid)
		e.eventually("it computes", func() bool { return ticks(pid) > start })
		e.freeze(s)
		e.eventually("it rests", func() bool { return resting(pid, other) })
		frozen, now := ticks(pid), ticks(other)
		e.eventually("the clock goes on", func() bool { return ticks(other) > now+20 })
		if got := ticks(pid); got != frozen {
			e.Errorf("it computed for %d ticks while it was frozen", got-frozen)
		}
		if err := s.Thaw(); err != nil {
			e.Fatalf("thaw: %v", err)
		}
		e.eventually("it computes again", func() bool { return ticks(pid) > frozen })
	}
}

// resting reports whether a process stood still while another did a little.
func resting(pid, other int) bool {
	before, began := ticks(pid), ticks(other)
	for ticks(other) <= began {
	}
	return ticks(pid) == before
}

// testFrozenEnds ends frozen sandboxes in every way.
func testFrozenEnds(e *env) {
	s := e.create(e.spec())
	_, p := e.busy(s)
	e.freeze(s)
	if err := s.KillAll(e.Context()); err != nil {
		e.Errorf("kill all: %v", err)
	}
	e.equal("end by kill all", e.wait(p).String(), "signal: killed")
	e.equal("afterwards", e.output(s, `echo fine`), "fine")

	_, p = e.busy(s)
	e.freeze(s)
	e.equal("beside what was frozen", e.output(s, `echo fine`), "fine")
	e.freeze(s)
	s.Close()
	e.equal("end by close", e.wait(p).String(), "signal: killed")
	if err := s.Freeze(); err == nil {
		e.Error("freeze after the end: no error")
	}
	if left := e.suite.Leftovers(e.prefix()); len(left) > 0 {
		e.Errorf("left behind: %q", left)
	}

	s = e.create(e.spec())
	_, p = e.busy(s)
	e.freeze(s)
	if err := e.driver.Close(); err != nil {
		e.Errorf("close: %v", err)
	}
	e.equal("end with the driver", e.wait(p).String(), "signal: killed")
}

// busy starts a process that computes, and gives its number outside.
func (e *env) busy(s sandbox.Sandbox) (pid int, p sandbox.Process) {
	e.Helper()
	before := descendants(os.Getpid())
	p, r := e.spawn(s, busy)
	e.equal("the busy one", e.readLine(r), "ready")
	for _, pid := range descendants(os.Getpid()) {
		line, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if !slices.Contains(before, pid) && strings.HasPrefix(string(line), "bash\x00") {
			return pid, p
		}
	}
	e.Fatal("the busy process cannot be found")
	return 0, nil
}

// ticks is the processor time that a process has used, in the kernel's units; 0 when there is no such process.
func ticks(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var sum int64
	for _, f := range fields[11:13] { // utime and stime
		n, _ := strconv.ParseInt(f, 10, 64)
		sum += n
	}
	return sum
}

// testComplete gives a sandbox its code, /tmp and limit after a process has started in it.
func testComplete(e *env) {
	code := e.folder("lib/x", "code")
	spec := e.spec()
	spec.Awaiting = []string{"/var/task/lib", "/opt/lib"}
	spec.TmpSize, spec.Memory = 0, 0
	s := e.create(spec)
	r, w, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	p, out := e.spawn(s, `cd /var/task; ls -A /opt/lib /var/task; echo ready; read -r go <&3
cd /var/task && cat lib/x /opt/y; touch /tmp/x && b=$(stat -f -c %b /tmp); echo $((b > 1900 && b <= 2048)); ls -A /; touch /opt/z; umask
ls -d /.lamina; while read -r _ _ _ _ at _; do case $at in /.lamina*) echo $at;; esac; done </proc/self/mountinfo`, r)
	for _, want := range []string{"/opt/lib:", "", "/var/task:", "lib", "ready"} {
		e.equal("before", e.readLine(out), want)
	}
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	rest := sandbox.Rest{TmpSize: 8 << 20, Memory: 64 << 20, Root: []sandbox.Mount{
		{Target: "/var/task", Overlay: []string{code}}, {Target: "/opt", Overlay: []string{e.folder("y", "upper"), e.folder("y", "lower")}}}}
	if err := s.Complete(ctx, rest); err != nil {
		e.Fatalf("complete: %v", err)
	}
	if err := s.Complete(ctx, rest); err == nil {
		e.Error("twice: no error")
	}
	w.WriteString("go\n")
	e.equal("after", e.readAll(out), strings.Join([]string{"codeupper1", "bin", "dev", "lib", "lib64", "opt", "proc", "sbin", "tmp", "usr", "var",
		"touch: cannot touch '/opt/z': Read-only file system", "0022", "ls: cannot access '/.lamina': No such file or directory"}, "\n"))
	e.wait(p)
	out2, exit := e.run(s, `x=$(head -c 200000000 /dev/zero | tr '\0' x); echo no`)
	e.equal("too much memory", out2+exit.String(), "signal: killed")
	if err := s.KillAll(ctx); err != nil {
		e.Fatalf("kill all: %v", err)
	}
	e.equal("the next one", e.output(s, `cat /opt/y`), "upper")

	whole := e.create(e.spec())
	if err := whole.Complete(ctx, rest); err == nil {
		e.Error("a whole sandbox was completed")
	}
}
