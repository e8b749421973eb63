package sandboxtest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// inventory is what this process holds that a sandbox might leave behind.
type inventory struct {
	children    []string // child processes, zombies too
	mounts      []string
	descriptors []string
	goroutines  int
}

func takeInventory() inventory {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	return inventory{
		children:    children(os.Getpid()),
		mounts:      strings.Split(string(mounts), "\n"),
		descriptors: descriptors(),
		goroutines:  runtime.NumGoroutine(),
	}
}

// sameAs fails the case when something is left. Goroutines and descriptors may take a moment to go, because their ends
// are not all waited for by Close of the case's own pipes and contexts.
func (e *env) sameAs(before inventory) {
	e.Helper()
	if left := e.suite.Leftovers(e.prefix()); len(left) > 0 {
		e.Errorf("left behind: %q", left)
	}
	now := takeInventory()
	if !slices.Equal(now.children, before.children) {
		e.Errorf("processes left: %q, before %q", now.children, before.children)
	}
	for _, line := range now.mounts {
		if !slices.Contains(before.mounts, line) && e.isOurs(line) {
			e.Errorf("mount left: %s", line)
		}
	}
	if e.Failed() {
		return
	}
	e.eventually("as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before.goroutines })
	e.eventually("the same descriptors as before", func() bool { return len(descriptors()) <= len(before.descriptors) })
}

// isOurs tells a mount that comes from the case from those that somebody else on the machine made meanwhile.
func (e *env) isOurs(line string) bool {
	if strings.Contains(line, filepath.Dir(e.state)) {
		return true
	}
	_, kind, _ := strings.Cut(line, " - ")
	for _, made := range []string{"overlay layers ", "tmpfs none ", "proc none "} {
		if strings.HasPrefix(kind, made) {
			return true
		}
	}
	return false
}

// children lists the processes whose parent is pid, as "pid name".
func children(pid int) []string {
	var list []string
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if parent, name := status(child); parent == pid {
			list = append(list, fmt.Sprint(child, " ", name))
		}
	}
	return list
}

// descendants lists the processes below pid.
func descendants(pid int) []int {
	var list []int
	for _, child := range children(pid) {
		number, _, _ := strings.Cut(child, " ")
		if n, err := strconv.Atoi(number); err == nil {
			list = append(append(list, n), descendants(n)...)
		}
	}
	return list
}

func status(pid int) (parent int, name string) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return -1, ""
	}
	parent = -1
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			name = value
		case "PPid":
			parent, _ = strconv.Atoi(value)
		}
	}
	return parent, name
}

// descriptors lists the open descriptors of this process, as what they show.
func descriptors() []string {
	var list []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		// The one that ReadDir used is gone again.
		if to, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			list = append(list, entry.Name()+" "+to)
		}
	}
	return list
}
