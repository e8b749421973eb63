package linuxsandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// helperMemory and helperProcesses stand beside the sandbox's own in its cgroup, where the helper is too.
const (
	helperMemory    = 4 << 20
	helperProcesses = 32
)

// cgroups are the folders below which this server makes one cgroup for each sandbox:
//
//	version 2: …/lamina/<state>/<sandbox>, one folder with all limits
//	version 1: …/memory/lamina/<state>/<sandbox> and …/pids/lamina/<state>/<sandbox>
//
// On a host with both, the controllers decide: they belong to one of the two.
type cgroups struct {
	memory string // folder of this limit; "": it cannot be had
	pids   string
	v2     bool
	why    error    // why a limit cannot be had, for Probe
	traces []string // folders of this state in all hierarchies, where a killed server may have left something
}

// group is the cgroup of one sandbox.
type group struct {
	folders []string
	v2      bool
	memory  string // folder; "" without this limit
}

// stateName names the cgroups of a state folder.
func stateName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

// create makes a cgroup with limits; 0 is no limit. Limits that cannot be had are left out.
func (c *cgroups) create(id string, memory int64, processes int) (*group, error) {
	g := &group{v2: c.v2}
	for _, parent := range c.parents() {
		folder := filepath.Join(parent, id)
		if err := os.Mkdir(folder, 0o755); err != nil {
			g.remove()
			return nil, fmt.Errorf("cannot make a cgroup: %w", err)
		}
		g.folders = append(g.folders, folder)
		if parent == c.memory {
			g.memory = folder
		}
		if err := set(folder, c.limits(parent, memory, processes)); err != nil {
			g.remove()
			return nil, fmt.Errorf("cannot limit a cgroup: %w", err)
		}
	}
	return g, nil
}

func (c *cgroups) parents() []string {
	var list []string
	if c.memory != "" {
		list = append(list, c.memory)
	}
	if c.pids != "" && c.pids != c.memory {
		list = append(list, c.pids)
	}
	return list
}

// setting is one line for one file of a cgroup.
type setting struct {
	file, value string
	optional    bool // the kernel may lack it
}

func (c *cgroups) limits(parent string, memory int64, processes int) []setting {
	var list []setting
	bytes := strconv.FormatInt(memory+helperMemory, 10)
	if parent == c.memory && memory > 0 && c.v2 {
		list = append(list, setting{"memory.max", bytes, false}, setting{"memory.swap.max", "0", true})
	}
	if parent == c.memory && memory > 0 && !c.v2 {
		list = append(list, setting{"memory.limit_in_bytes", bytes, false},
			setting{"memory.memsw.limit_in_bytes", bytes, true}, setting{"memory.swappiness", "0", true})
	}
	if parent == c.pids && processes > 0 {
		list = append(list, setting{"pids.max", strconv.Itoa(processes + helperProcesses), false})
	}
	return list
}

func set(folder string, list []setting) error {
	for _, s := range list {
		err := writeControl(filepath.Join(folder, s.file), s.value)
		if err != nil && !s.optional {
			return err
		}
	}
	return nil
}

// writeControl writes to a file that must exist.
func writeControl(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}

// add puts a process and what it will start into the cgroup.
func (g *group) add(pid int) error {
	for _, f := range g.folders {
		if err := writeControl(filepath.Join(f, "cgroup.procs"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("cannot put the helper into its cgroup: %w", err)
		}
	}
	return nil
}

// meter reads the cgroup's memory; nil when it has none.
func (g *group) meter() meter {
	if g.memory == "" {
		return nil
	}
	if g.v2 {
		return newCgroupMeter(g.memory, "memory.current", "memory.events", "anon", "shmem")
	}
	return newCgroupMeter(g.memory, "memory.usage_in_bytes", "memory.oom_control", "total_rss", "total_shmem")
}

// remove removes the cgroup, whose processes are dead. The kernel may need a moment to see that.
func (g *group) remove() error {
	if g == nil {
		return nil
	}
	var all error
	for _, f := range g.folders {
		all = errors.Join(all, removeFolder(f))
	}
	return all
}

func removeFolder(folder string) error {
	deadline := time.Now().Add(5 * time.Second)
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := unix.Rmdir(folder)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		if err != unix.EBUSY && err != unix.EINTR || time.Now().After(deadline) {
			return &fs.PathError{Op: "rmdir", Path: folder, Err: err}
		}
		time.Sleep(pause) // there is no event to wait for
	}
}

// names lists the cgroups below a folder.
func names(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var list []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			list = append(list, e.Name())
		}
	}
	return list
}
