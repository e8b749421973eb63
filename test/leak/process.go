package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes lists those that are ours, without this one and its ancestors. The start time is part of the identity, since
// numbers are used again.
func processes() map[string]string {
	family := map[int]bool{}
	for pid := os.Getpid(); pid > 0; pid = parent(pid) {
		family[pid] = true
	}
	mark := []byte("LAMINA_TEST_RUN=" + os.Getenv("LAMINA_TEST_RUN"))
	if os.Getenv("LAMINA_TEST_RUN") == "" {
		mark = nil
	}
	found := map[string]string{}
	for _, pid := range pids() {
		if family[pid] {
			continue
		}
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		cmd, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if len(cmd) == 0 {
			continue // the kernel's, or a zombie: whoever waits for it will be found
		}
		if ours(dir, cmd, mark) {
			found[fmt.Sprint(pid, " ", stat(pid, 22))] = fmt.Sprintf("%d: %s", pid, bytes.ReplaceAll(cmd, []byte{0}, []byte{' '}))
		}
	}
	return found
}

func ours(dir string, cmd, mark []byte) bool {
	exe, _ := os.Readlink(filepath.Join(dir, "exe"))
	if strings.Contains(filepath.Base(exe), "lamina") || bytes.Contains(cmd, []byte("lamina-init")) {
		return true
	}
	if mark != nil {
		env, _ := os.ReadFile(filepath.Join(dir, "environ"))
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(v, mark) {
				return true
			}
		}
	}
	for _, ns := range []string{"pid", "net"} {
		own, _ := os.Readlink("/proc/self/ns/" + ns)
		if its, err := os.Readlink(filepath.Join(dir, "ns", ns)); err == nil && its != own {
			return true
		}
	}
	return false
}

func pids() []int {
	names, _ := filepath.Glob("/proc/[0-9]*")
	var all []int
	for _, n := range names {
		if pid, err := strconv.Atoi(filepath.Base(n)); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

func parent(pid int) int {
	n, _ := strconv.Atoi(stat(pid, 4))
	return n
}

// stat gives a field of /proc/PID/stat, numbered from 1 as in proc(5).
func stat(pid, field int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(b[max(0, bytes.LastIndexByte(b, ')')):]), " ")
	if fields := strings.Fields(rest); ok && len(fields) > field-3 {
		return fields[field-3]
	}
	return ""
}
