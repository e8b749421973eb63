package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPlanted plants one thing of each kind and sees that each is found, and is gone when it is taken away. What this
// user or this machine cannot plant is printed.
func TestPlanted(t *testing.T) {
	t.Setenv("LAMINA_TEST_RUN", "planted")
	for _, tt := range []struct {
		kind  string
		plant func(t *testing.T) (shown string, remove func())
	}{
		{"process", plantProcess},
		{"mount", plantMount},
		{"network namespace", plantNetwork},
		{"cgroup", plantCgroup},
		{"loop device", plantLoop},
		{"file", plantFile},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			before := only(Take(), tt.kind)
			shown, remove := tt.plant(t)
			for tries := 0; before[tt.kind][shown] != "" && tries < 5; tries++ {
				// A namespace of a test that runs beside this one has ended, and the kernel gave its number away again.
				remove()
				before = only(Take(), tt.kind)
				shown, remove = tt.plant(t)
			}
			if left := before.Left(only(Take(), tt.kind)); !mentions(left, tt.kind, shown) {
				t.Errorf("planted %s, found %q", shown, left)
			}
			remove()
			eventually(t, func() bool { return !mentions(before.Left(only(Take(), tt.kind)), tt.kind, shown) })
		})
	}
}

// TestCheckFails runs the command on a state that lacks something of now.
func TestCheckFails(t *testing.T) {
	before := Take()
	before["file"] = map[string]string{}
	var out strings.Builder
	if err := check(before, 0, &out); err == nil || !strings.Contains(out.String(), "left behind: file ") {
		t.Errorf("every file is new, and the check said %v and printed %q", err, out.String())
	}
	if err := run("list", filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("a list that could not be written is no error")
	}
}

func only(s State, kind string) State { return State{kind: s[kind]} }

func mentions(left []string, kind, shown string) bool {
	for _, l := range left {
		if strings.HasPrefix(l, kind+" ") && strings.Contains(l, shown) {
			return true
		}
	}
	return false
}

func eventually(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is still found after it was taken away")
		}
	}
}

func start(t *testing.T, c *exec.Cmd) (remove func()) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return func() { c.Process.Kill(); c.Wait() }
}

func plantProcess(t *testing.T) (string, func()) {
	return "sleep 61", start(t, exec.Command("sleep", "61"))
}

func plantMount(t *testing.T) (string, func()) {
	needRoot(t)
	dir := t.TempDir()
	if err := syscall.Mount("planted", dir, "tmpfs", 0, "size=4k"); err != nil {
		t.Skipf("not planted: this machine lets nobody mount: %v", err)
	}
	return dir, func() { syscall.Unmount(dir, 0) }
}

func plantNetwork(t *testing.T) (string, func()) {
	c := exec.Command("sleep", "62")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET}
	if err := c.Start(); err != nil {
		t.Skipf("not planted: this machine gives no network namespace: %v", err)
	}
	remove := func() { c.Process.Kill(); c.Wait() }
	shown, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", c.Process.Pid))
	if err != nil {
		remove()
		t.Fatal(err)
	}
	return shown, remove
}

func plantCgroup(t *testing.T) (string, func()) {
	needRoot(t)
	for _, m := range mountTable() {
		if m.kind != "cgroup" && m.kind != "cgroup2" {
			continue
		}
		dir := filepath.Join(m.point, "lamina-planted-by-a-test")
		if err := os.Mkdir(dir, 0o755); err == nil {
			return dir, func() { os.Remove(dir) }
		}
	}
	t.Skip("not planted: no cgroup can be made here")
	return "", nil
}

func plantLoop(t *testing.T) (string, func()) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", file).CombinedOutput()
	if err != nil {
		t.Skipf("not planted: this machine gives no loop device: %s", out)
	}
	return file, func() { exec.Command("losetup", "--detach", strings.TrimSpace(string(out))).Run() }
}

func plantFile(t *testing.T) (string, func()) {
	f, err := os.CreateTemp("", "planted-")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return f.Name(), func() { os.Remove(f.Name()) }
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not planted: only root can")
	}
}
