package linuxsandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox"
)

func TestReadMounts(t *testing.T) {
	for name, test := range map[string]struct {
		lines string
		want  hierarchies
	}{
		"version 2": {
			"29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
			hierarchies{v2: "/sys/fs/cgroup", v1: map[string]string{}},
		},
		"two of version 2": {
			"29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n30 22 0:26 /.. /host rw - cgroup2 cgroup2 rw",
			hierarchies{v2: "/sys/fs/cgroup", v1: map[string]string{}},
		},
		"hybrid": {
			"30 29 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
				"31 29 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
				"32 29 0:29 /x /sys/fs/cgroup/cpu,cpuacct rw shared:5 master:1 - cgroup none rw,cpu,cpuacct",
			hierarchies{v2: "/sys/fs/cgroup/unified", v1: map[string]string{
				"rw": "/sys/fs/cgroup/cpu,cpuacct", "memory": "/sys/fs/cgroup/memory",
				"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
			}},
		},
		"none": {"22 1 8:1 / / rw - ext4 /dev/sda1 rw\nnonsense\n - cgroup2", hierarchies{v1: map[string]string{}}},
	} {
		h := hierarchies{v1: map[string]string{}}
		for line := range strings.Lines(test.lines) {
			h.addMount(line)
		}
		if diff := cmp.Diff(h, test.want, cmp.AllowUnexported(hierarchies{})); diff != "" {
			t.Errorf("%s: -got +want\n%s", name, diff)
		}
	}
}

// TestBases takes the own cgroup first where it was delegated, as systemd says it, else the machine's.
func TestBases(t *testing.T) {
	root := t.TempDir()
	own := filepath.Join(root, "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff((&hierarchies{v2: root, own: root}).bases(), []string{root}); diff != "" {
		t.Errorf("at the root: -got +want\n%s", diff)
	}
	h := &hierarchies{v2: root, own: own}
	if diff := cmp.Diff(h.bases(), []string{root, own}); diff != "" {
		t.Errorf("not delegated: -got +want\n%s", diff)
	}
	if err := unix.Setxattr(own, "user.delegate", []byte("1"), 0); err != nil {
		t.Skipf("NOT RUN: the file system of %s has no attributes: %v", root, err)
	}
	if diff := cmp.Diff(h.bases(), []string{own, root}); diff != "" {
		t.Errorf("delegated: -got +want\n%s", diff)
	}
}

func TestOwnFolder(t *testing.T) {
	for folder, want := range map[string]string{
		"/sys/fs/cgroup":                                 "/sys/fs/cgroup",
		"/sys/fs/cgroup/app.slice/a.scope":               "/sys/fs/cgroup/app.slice/a.scope",
		"/sys/fs/cgroup/app.slice/a.scope/lamina-server": "/sys/fs/cgroup/app.slice/a.scope", // a driver of this process was there before
	} {
		if got := ownFolder(folder); got != want {
			t.Errorf("%s: got %s, want %s", folder, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		got  []setting
		want []setting
	}{
		"v1 memory": {memorySettings(false, 100), []setting{
			{"memory.limit_in_bytes", "100", false}, {"memory.memsw.limit_in_bytes", "100", true}, {"memory.swappiness", "0", true}}},
		"v1 processes":    {pidsSettings(false, 10), []setting{{"pids.max", "11", false}}},
		"v1 processor":    {cpuSettings(false, 0.5), []setting{{"cpu.cfs_period_us", "20000", false}, {"cpu.cfs_quota_us", "10000", false}}},
		"v1 no processor": {cpuSettings(false, 0), []setting{{"cpu.cfs_period_us", "20000", false}, {"cpu.cfs_quota_us", "-1", false}}},
		"v2 memory":       {memorySettings(true, 100), []setting{{"memory.max", "4194404", false}, {"memory.swap.max", "0", true}}},
		"v2 processes":    {pidsSettings(true, 10), []setting{{"pids.max", "22", false}}},
		"v2 processor":    {cpuSettings(true, 128.0/1769), []setting{{"cpu.max", "1447 20000", false}}},
		"v2 two":          {cpuSettings(true, 2), []setting{{"cpu.max", "40000 20000", false}}},
		"v2 little":       {cpuSettings(true, 0.001), []setting{{"cpu.max", "1000 20000", false}}},
		"v2 no processor": {cpuSettings(true, 0), []setting{{"cpu.max", "max 20000", false}}},
		"no memory":       {memorySettings(true, 0), nil},
		"no processes":    {pidsSettings(false, 0), nil},
	} {
		if diff := cmp.Diff(test.got, test.want, cmp.AllowUnexported(setting{})); diff != "" {
			t.Errorf("%s: -got +want\n%s", name, diff)
		}
	}
}

// TestIntoVersion2 clones a helper into a cgroup of version 2, on machines where that has no controllers for us, too.
func TestIntoVersion2(t *testing.T) {
	h, err := readHierarchies()
	if err != nil {
		t.Fatal(err)
	}
	if h.v2 == "" || os.Geteuid() != 0 {
		t.Skipf("this needs root (user %d) and a cgroup version 2 (%q)", os.Geteuid(), h.v2)
	}
	d := open(t)
	parent := filepath.Join(h.v2, fmt.Sprintf("lamina-test-%d", os.Getpid()))
	if err := os.Mkdir(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(parent) })
	d.cgroups.leave()
	d.cgroups = &cgroups{pids: place{parent, true}}
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "two", TmpSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	procs, err := os.ReadFile(filepath.Join(parent, "two", "cgroup.procs"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(procs)), fmt.Sprint(s.(*box).started.process.Pid); got != want {
		t.Errorf("processes in the cgroup: %q, want %q", got, want)
	}
	s.Close()
	if left := names(parent); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestDelegate takes a real cgroup of version 2 with this process in it, and whatever controller there is.
func TestDelegate(t *testing.T) {
	h, err := readHierarchies()
	if err != nil {
		t.Fatal(err)
	}
	controllers, _ := os.ReadFile(filepath.Join(h.v2, "cgroup.controllers"))
	if h.v2 == "" || os.Geteuid() != 0 || h.own != h.v2 || len(controllers) == 0 {
		t.Skipf("this needs root (user %d) at the root (%q) of a cgroup version 2 (%q) with controllers (%q)",
			os.Geteuid(), h.own, h.v2, controllers)
	}
	controller := strings.Fields(string(controllers))[0]
	enabled := filepath.Join(h.v2, "cgroup.subtree_control")
	before, _ := os.ReadFile(enabled)
	if err := enable(h.v2, []string{controller}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(before), controller) {
		t.Cleanup(func() { writeControl(enabled, "-"+controller) })
	}
	base := filepath.Join(h.v2, fmt.Sprintf("lamina-test-%d", os.Getpid()))
	if err := os.Mkdir(base, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		writeControl(filepath.Join(h.v2, "cgroup.procs"), "0")
		for _, f := range []string{"lamina/state", "lamina", "lamina-server", ""} {
			if err := os.Remove(filepath.Join(base, f)); err != nil {
				t.Error(err)
			}
		}
	})
	if err := writeControl(filepath.Join(base, "cgroup.procs"), "0"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time all of it is there
		folder, got, err := delegate(base, "state", "none", controller)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append(got, folder), []string{controller, base + "/lamina/state"}); diff != "" {
			t.Errorf("-got +want\n%s", diff)
		}
		if on, _ := os.ReadFile(filepath.Join(folder, "cgroup.subtree_control")); strings.TrimSpace(string(on)) != controller {
			t.Errorf("controllers of sandboxes: %q", on)
		}
	}
	if _, _, err := delegate(base, "state", "none"); err == nil {
		t.Error("without a controller: no error")
	}
}

// TestRecoverFrozen plants what a killed server can leave at worst: a process that is frozen, and so cannot die.
func TestRecoverFrozen(t *testing.T) {
	d := open(t)
	if len(d.cgroups.traces) == 0 || os.Geteuid() != 0 {
		t.Skipf("this needs root (user %d) and cgroups", os.Geteuid())
	}
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer sleep.Process.Kill()
	frozen := 0
	for _, parent := range d.cgroups.traces {
		folder := filepath.Join(parent, "left")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := writeControl(filepath.Join(folder, "cgroup.procs"), fmt.Sprint(sleep.Process.Pid)); err != nil {
			continue // a hierarchy that takes no processes without being set up first
		}
		if writeControl(filepath.Join(folder, "freezer.state"), "FROZEN") == nil ||
			writeControl(filepath.Join(folder, "cgroup.freeze"), "1") == nil {
			frozen++
		}
	}
	if frozen == 0 {
		t.Error("nothing could be frozen")
	}
	if err := d.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	sleep.Wait()
	if status := sleep.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("the frozen process: %v", sleep.ProcessState)
	}
	for _, parent := range d.cgroups.traces {
		if left := names(parent); len(left) > 0 {
			t.Errorf("left behind in %s: %q", parent, left)
		}
	}
}

func open(t *testing.T) *Driver {
	t.Helper()
	d, err := New(Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
