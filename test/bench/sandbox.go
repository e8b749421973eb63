package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// sandboxGoal is from nothing to the exec of the runtime, as root.
const sandboxGoal = 5 * time.Millisecond

// sandboxes measures making a sandbox, with the root and limits of a function, up to the exec of its first program, beside
// starting that program in as many new namespaces and with nothing else.
func (b *bench) sandboxes() error {
	layer := filepath.Join(b.work, "layer")
	if err := os.MkdirAll(layer, 0o755); err != nil {
		return err
	}
	for _, v := range []struct {
		what     string
		prepared int
	}{{"sandbox to exec, from nothing | bare namespaces", 0}, {"sandbox to exec, prepared | bare namespaces", 2}} {
		d, err := linuxsandbox.New(linuxsandbox.Options{
			StateDir: filepath.Join(b.work, "sandboxes"), Prepared: v.prepared, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		ours, floor, err := b.sandboxStarts(d, layer)
		d.Close()
		if err != nil {
			return err
		}
		b.table.rows = append(b.table.rows, row{v.what, ms(median(ours)), ms(median(floor)), ratio(median(ours), median(floor)),
			"≤ " + ms(sandboxGoal), yes(median(ours) <= sandboxGoal)})
	}
	return nil
}

func (b *bench) sandboxStarts(d *linuxsandbox.Driver, layer string) (ours, floor []time.Duration, err error) {
	ctx := context.Background()
	if err := d.Recover(ctx); err != nil {
		return nil, nil, err
	}
	for i := range b.rounds(30) + 1 {
		time.Sleep(200 * time.Millisecond) // what is prepared is prepared while nobody waits
		mine, err := sandboxStart(ctx, d, layer)
		if err != nil {
			return nil, nil, err
		}
		bare, err := bareNamespaces()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			ours, floor = append(ours, mine), append(floor, bare)
		}
	}
	return ours, floor, nil
}

func sandboxStart(ctx context.Context, d *linuxsandbox.Driver, layer string) (time.Duration, error) {
	spec := sandbox.Spec{
		ID: "bench", Account: "000000000000", TmpSize: 512 << 20, Memory: 128 << 20, Processes: 1024, LocalAddrs: []string{"169.254.100.1"},
		Root: append(runtimes.DefaultRoot(), sandbox.Mount{Target: "/opt", Overlay: []string{layer}}, sandbox.Mount{Target: "/var/task", Overlay: []string{layer}}),
	}
	began := time.Now()
	s, err := d.Create(ctx, spec)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	p, err := s.Spawn(ctx, sandbox.Command{Path: "/usr/bin/true", Args: []string{"true"}, Dir: "/var/task"})
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	_, err = p.Wait(ctx)
	return took, err
}

// bareNamespaces starts the same program with what clone alone does.
func bareNamespaces() (time.Duration, error) {
	cmd := exec.Command("/usr/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC |
			syscall.CLONE_NEWUTS | 0x02000000, // CLONE_NEWCGROUP
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, cmd.Wait()
}

// idleGoal is what an idle environment may take beyond its interpreter.
const idleGoal = 512 << 10

// idle measures what environments take that wait for their next invocation: the sandbox's own process, and the server.
func (b *bench) idle() error {
	const functions = 10
	_, zipped, err := b.handler("idle", trivial)
	if err != nil {
		return err
	}
	s, err := b.serve("--prepared", "0", "--spares", "0")
	if err != nil {
		return err
	}
	defer s.stop()
	for i := range functions {
		name := fmt.Sprintf("idle-%d", i)
		if err := s.create(name, b.python.runtime, zipped); err != nil {
			return err
		}
		if _, err := s.invoke(name, []byte(`{}`)); err != nil {
			return err
		}
	}
	time.Sleep(time.Second) // they come to rest
	var helpers []int64
	for _, pid := range childrenOf(s.cmd.Process.Pid) {
		private, err := privateMemory(pid)
		if err != nil {
			return err
		}
		helpers = append(helpers, private)
	}
	if len(helpers) != functions {
		return fmt.Errorf("%d environments have %d sandboxes", functions, len(helpers))
	}
	slices.Sort(helpers)
	typical := helpers[len(helpers)/2]
	b.table.rows = append(b.table.rows, row{"memory per idle environment, beyond its interpreter", fmt.Sprintf("%d kB", typical>>10), "", "",
		fmt.Sprintf("≤ %d kB", idleGoal>>10), yes(typical <= idleGoal)})
	return nil
}

func childrenOf(parent int) []int {
	var list []int
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			list = append(list, pid)
		}
	}
	return list
}

// privateMemory is what a process does not share with others: of its program, they have one copy together.
func privateMemory(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 && (f[0] == "Private_Dirty:" || f[0] == "Private_Clean:") {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += kb << 10
		}
	}
	return sum, nil
}
