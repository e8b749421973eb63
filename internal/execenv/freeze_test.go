package execenv_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/execenv"
)

// The function leaves a thread behind that computes for ever.
const restlessCode = `
import threading, time
def work():
    while True:
        pass
def handler(event, context):
    if event == "work":
        threading.Thread(target=work, daemon=True).start()
    if event == "exit":
        raise SystemExit(3)
    return len(threading.enumerate())
`

// TestFreeze: while an environment is idle, nothing in it computes; the clock is the processor time of this process.
func TestFreeze(t *testing.T) {
	b, python := newLinuxBench(t, func(o *execenv.Options) { o.Freeze, o.FreezeAfter = true, time.Millisecond })
	if !b.freezes {
		t.Skip("NOT RUN: this user has no cgroup to freeze with")
	}
	rev := b.revision("app.handler")
	rev.Config.Runtime = python
	rev.Code = b.tree(map[string]string{"app.py": restlessCode})
	rev.Layers = nil
	first := b.invoke(rev, "a", `"work"`, true)
	check(t, "payload", string(first.Payload), "2")
	pid := bootstrapPID(t)
	for i := range 3 {
		eventually(t, "it is frozen", func() bool { return b.pool.Frozen() == 1 })
		eventually(t, "it rests", func() bool {
			before := ticks(pid)
			burn(10 * time.Millisecond)
			return ticks(pid) == before
		})
		before := ticks(pid)
		burn(100 * time.Millisecond)
		check(t, "processor time while it was frozen", ticks(pid)-before, int64(0))
		got := b.invoke(rev, fmt.Sprint(i), `""`, true)
		check(t, "payload after it was thawed", string(got.Payload), "2")
		if !strings.Contains(string(got.LogTail), "REPORT RequestId: ") || strings.Contains(string(got.LogTail), "Init Duration") {
			t.Errorf("got log tail %q", got.LogTail)
		}
	}
	// What was frozen can be reset, retired and closed.
	b.invoke(rev, "exit", `"exit"`, true)
	check(t, "payload after a reset", string(b.invoke(rev, "b", `"work"`, true).Payload), "2")
	eventually(t, "it is frozen", func() bool { return b.pool.Frozen() == 1 })
	b.pool.Retire(rev.FunctionID, rev.Number+1)
	eventually(t, "it is gone", func() bool { return ticks(bootstrapOrZero()) == 0 })
	next := b.revision("app.handler")
	next.Config.Runtime, next.Code = python, rev.Code
	b.invoke(next, "c", `"work"`, true)
	eventually(t, "it is frozen", func() bool { return b.pool.Frozen() == 1 })
}

// TestFreezeNeedsAFreezer: a driver that cannot freeze is asked once.
func TestFreezeNeedsAFreezer(t *testing.T) {
	b := newBench(t, func(o *execenv.Options) { o.Freeze, o.FreezeAfter = true, time.Nanosecond })
	rev := b.revision("state")
	for i := range 3 {
		check(t, "payload", string(b.invoke(rev, fmt.Sprint(i), "1", true).Payload), fmt.Sprintf(`{"calls":%d,"marker":%v}`, i+1, i > 0))
	}
}

// burn uses processor time of this process.
func burn(d time.Duration) {
	for end := used() + d; used() < end; {
	}
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// eventually waits for something that has no event of its own.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it did not happen: %s", what)
		}
	}
}

func bootstrapPID(t *testing.T) int {
	t.Helper()
	pid := bootstrapOrZero()
	if pid == 0 {
		t.Fatal("the runtime's process cannot be found")
	}
	return pid
}

// bootstrapOrZero finds the python runtime below this process.
func bootstrapOrZero() int {
	if all := runtimesBelow(os.Getpid()); len(all) > 0 {
		return all[0]
	}
	return 0
}

// runtimesBelow finds the python runtimes in sandboxes of a process.
func runtimesBelow(pid int) []int {
	var list []int
	for _, helper := range children(pid) {
		for _, pid := range children(helper) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if strings.Contains(string(line), "/var/runtime/bootstrap.py") {
				list = append(list, pid)
			}
		}
	}
	return list
}

func children(pid int) []int {
	var list []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		data, _ := os.ReadFile(f)
		for _, field := range strings.Fields(string(data)) {
			var n int
			if _, err := fmt.Sscan(field, &n); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// ticks is the processor time that a process has used, in the kernel's units; 0 when there is no such process.
func ticks(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	var user, system int64
	fields := strings.Fields(rest)
	if _, err := fmt.Sscan(fields[11], &user); err != nil {
		return 0
	}
	if _, err := fmt.Sscan(fields[12], &system); err != nil {
		return 0
	}
	return user + system
}
