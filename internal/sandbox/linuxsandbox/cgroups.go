package linuxsandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What the helper needs stands beside the sandbox's own limits. In version 2 all of it is in the cgroup, in version 1
// only the thread that starts processes.
const (
	helperMemory   = 4 << 20
	helperThreads  = 12
	spawnerThreads = 1
)

// cgroups are the folders below which this server makes one cgroup for each sandbox:
//
//	version 2: …/lamina/<state>/<sandbox>, one folder with all limits
//	version 1: …/memory/lamina/<state>/<sandbox>, …/pids/lamina/<state>/<sandbox>, …/cpu/lamina/<state>/<sandbox>
//
// Moving a running process into a cgroup may take the kernel milliseconds. So in version 2 the helper is cloned into it;
// in version 1 that thread of the helper which starts processes goes in by itself.
//
// On a host with both, the controllers decide: each belongs to one of the two.
type cgroups struct {
	memory  place
	pids    place
	cpu     place // only where the driver was asked for it
	freezer freezer
	why     error    // why a limit cannot be had, for Probe
	traces  []string // folders of this state in all hierarchies, where a killed server may have left something
}

// place is where the sandboxes' cgroups of one controller are; the zero value: it cannot be had.
type place struct {
	folder string
	v2     bool
}

// group is the cgroup of one sandbox.
type group struct {
	cgroups *cgroups
	name    string
	folders []place
	frozen  string // folder of what can be frozen; "" when nothing can
	thawer  thawer
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

// create makes as much of a cgroup as a helper needs that is cloned into it. Where there are none to be had it makes nothing.
func (c *cgroups) create(name string) (*group, error) {
	g := &group{cgroups: c, name: name}
	if err := g.make(func(p place) bool { return p.v2 }); err != nil {
		g.remove()
		return nil, err
	}
	return g, nil
}

// finish makes the rest of it, without limits yet. A helper can start meanwhile.
func (g *group) finish() error {
	if err := g.make(func(p place) bool { return !p.v2 }); err != nil {
		return err
	}
	f := g.cgroups.freezer
	if f.parent == "" {
		return nil
	}
	var err error
	if g.frozen, err = f.make(filepath.Join(f.parent, g.name)); err != nil {
		return fmt.Errorf("cannot make a cgroup: %w", err)
	}
	return nil
}

func (g *group) make(wanted func(place) bool) error {
	for _, parent := range g.cgroups.parents() {
		if !wanted(parent) {
			continue
		}
		folder := filepath.Join(parent.folder, g.name)
		if err := unix.Mkdir(folder, 0o755); err != nil {
			return fmt.Errorf("cannot make a cgroup: %w", &fs.PathError{Op: "mkdir", Path: folder, Err: err})
		}
		g.folders = append(g.folders, place{folder, parent.v2})
	}
	return nil
}

// limit sets the limits; 0 is no limit. Those that cannot be had are left out.
func (g *group) limit(memory int64, processes int) error {
	for _, l := range []struct {
		at       place
		settings []setting
	}{
		{g.cgroups.memory, memorySettings(g.cgroups.memory.v2, memory)},
		{g.cgroups.pids, pidsSettings(g.cgroups.pids.v2, processes)},
	} {
		if l.at.folder == "" {
			continue
		}
		if err := set(filepath.Join(l.at.folder, g.name), l.settings); err != nil {
			return fmt.Errorf("cannot limit a cgroup: %w", err)
		}
	}
	return nil
}

// parents are the different folders in which a sandbox has one.
func (c *cgroups) parents() []place {
	var list []place
	for _, p := range []place{c.memory, c.pids, c.cpu, {c.freezer.parent, c.freezer.v2}} {
		if p.folder != "" && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// setting is one line for one file of a cgroup.
type setting struct {
	file, value string
	optional    bool // the kernel may lack it
}

func memorySettings(v2 bool, memory int64) []setting {
	switch {
	case memory <= 0:
		return nil
	case v2:
		bytes := strconv.FormatInt(memory+helperMemory, 10)
		return []setting{{"memory.max", bytes, false}, {"memory.swap.max", "0", true}}
	}
	bytes := strconv.FormatInt(memory, 10)
	return []setting{{"memory.limit_in_bytes", bytes, false}, {"memory.memsw.limit_in_bytes", bytes, true}, {"memory.swappiness", "0", true}}
}

func pidsSettings(v2 bool, processes int) []setting {
	if processes <= 0 {
		return nil
	}
	beside := spawnerThreads
	if v2 {
		beside = helperThreads
	}
	return []setting{{"pids.max", strconv.Itoa(processes + beside), false}}
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

// writeControl writes to a file that must exist. It goes around os.File, which would ask the poller about it first.
func writeControl(path, value string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if _, err = unix.Write(fd, []byte(value)); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// home opens the folder that a helper is cloned into; -1 when there is none, or in version 1, which knows no such thing.
func (g *group) home() (int, error) {
	i := slices.IndexFunc(g.folders, func(p place) bool { return p.v2 })
	if i < 0 {
		return -1, nil
	}
	return unix.Open(g.folders[i].folder, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// entries opens the files by which a thread goes in: in version 1, and where it is frozen.
func (g *group) entries() ([]int, error) {
	var files []string
	for _, f := range g.folders {
		if !f.v2 && f.folder != g.frozen {
			files = append(files, filepath.Join(f.folder, "tasks"))
		}
	}
	if g.frozen != "" {
		files = append(files, g.cgroups.freezer.entry(g.frozen))
	}
	var list []int
	for _, f := range files {
		fd, err := unix.Open(f, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			closeAll(list)
			return nil, fmt.Errorf("cannot enter a cgroup: %w", err)
		}
		list = append(list, fd)
	}
	return list, nil
}

// meter reads the cgroup's memory; nil when it has none.
func (g *group) meter() meter {
	at := g.cgroups.memory
	switch folder := filepath.Join(at.folder, g.name); {
	case at.folder == "":
		return nil
	case at.v2:
		return newCgroupMeter(folder, "memory.current", "memory.events", "anon", "shmem")
	default:
		return newCgroupMeter(folder, "memory.usage_in_bytes", "memory.oom_control", "total_rss", "total_shmem")
	}
}

// remove removes the cgroup, whose processes are dead. The kernel may need a moment to see that.
func (g *group) remove() error {
	g.thawer.mu.Lock()
	g.thawer.close()
	g.thawer.mu.Unlock()
	var all error
	for _, f := range g.folders {
		all = errors.Join(all, removeFolder(f.folder))
	}
	return all
}

func removeFolder(folder string) error {
	return removeBefore(time.Now().Add(5*time.Second), folder)
}

func removeBefore(deadline time.Time, folder string) error {
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 50*time.Millisecond) {
		unix.Rmdir(filepath.Join(folder, running))
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
