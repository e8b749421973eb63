package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const trivialNode = "exports.handler = async (event) => event;\n"

// spares measures the first invocation of trivial functions where interpreters have booted ahead, with the time that a spare
// needs to boot again between them, against the bare interpreter. Both are interleaved.
func (b *bench) spares() error {
	runtime, err := b.bootstrapFolder()
	if err != nil {
		return err
	}
	handler, zipped, err := b.handler("spare", trivial)
	if err != nil {
		return err
	}
	bare := func() (time.Duration, error) { return b.bare(runtime, handler) }
	if err := b.sparesOf(b.python.runtime, zipped, bare, "cold start, "+b.python.runtime+" booted ahead | bare interpreter"); err != nil {
		return err
	}
	node, path := newestNode()
	if path == "" {
		b.table.note("cold start, nodejs booted ahead", "no node here", "", "")
		return nil
	}
	dir := filepath.Join(b.work, "spare-node")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "app.js"), []byte(trivialNode), 0o644); err != nil {
		return err
	}
	if zipped, err = zipFolder(dir); err != nil {
		return err
	}
	bareNode := func() (time.Duration, error) {
		return ranFor(exec.Command(path, "-e", "require(process.argv[1]).handler({})", filepath.Join(dir, "app.js")))
	}
	return b.sparesOf(node, zipped, bareNode, "cold start, "+node+" booted ahead | bare interpreter")
}

func (b *bench) sparesOf(runtime string, zipped []byte, bare func() (time.Duration, error), row string) error {
	s, err := b.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	var ours, floor []time.Duration
	for i := range b.rounds(15) + 2 {
		name := fmt.Sprintf("spare-%d", i)
		if err := s.create(name, runtime, zipped); err != nil {
			return err
		}
		s.settle()
		took, err := s.invoke(name, []byte(`{"n":1}`))
		if err != nil {
			return err
		}
		least, err := bare()
		if err != nil {
			return err
		}
		if i > 1 { // the first has no spare, and the second fills the page cache
			ours, floor = append(ours, took), append(floor, least)
		}
	}
	b.table.compare(row, median(ours), median(floor), 0.2, 0)
	return nil
}

// settle waits until the server's sandboxes have had nothing to do for a moment: what boots there has booted. It gives up after
// a second, and what is measured then is worse.
func (s *server) settle() {
	quiet, last := 0, int64(-1)
	for began := time.Now(); quiet < 3 && time.Since(began) < time.Second; time.Sleep(20 * time.Millisecond) {
		now := busyTime(s.cmd.Process.Pid)
		if now-last < int64(200*time.Microsecond) {
			quiet++
		} else {
			quiet = 0
		}
		last = now
	}
}

// busyTime is how long the descendants of a process have run, in nanoseconds.
func busyTime(root int) int64 {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])); len(fields) > 1 {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	total := int64(0)
	for pid := range parents {
		at := pid
		for at > 1 && at != root {
			at = parents[at]
		}
		if at != root || pid == root {
			continue
		}
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if fields := strings.Fields(string(b)); len(fields) > 0 {
			n, _ := strconv.ParseInt(fields[0], 10, 64)
			total += n
		}
	}
	return total
}

// newestNode is the newest Node.js that lamina finds here, or that make setup got.
func newestNode() (runtime, path string) {
	tools, _ := filepath.Glob(".tools/node/*/bin")
	for _, dir := range tools {
		if abs, err := filepath.Abs(dir); err == nil {
			os.Setenv("PATH", os.Getenv("PATH")+":"+abs)
		}
	}
	data, err := os.MkdirTemp("", "lamina-bench-")
	if err != nil {
		return "", ""
	}
	defer os.RemoveAll(data)
	out, err := exec.Command("bin/lamina", "runtime", "list", "--data", data).Output()
	if err != nil {
		return "", ""
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "nodejs") {
			runtime, path = f[0], f[len(f)-1]
		}
	}
	return runtime, path
}

// ranFor runs a command and gives the time from its start to its end.
func ranFor(cmd *exec.Cmd) (time.Duration, error) {
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd.Path, err, out)
	}
	return took, nil
}
