package linuxsandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchies are the cgroup file systems of this machine.
type hierarchies struct {
	v2  string            // mount point; "" without
	own string            // folder of this process in v2
	v1  map[string]string // mount point by controller
}

// findCgroups finds out by doing which limits cgroups can give here; of the processor only when asked.
func findCgroups(state string, cpu bool) *cgroups {
	h, err := readHierarchies()
	if err != nil {
		return &cgroups{why: err}
	}
	c := &cgroups{traces: h.traces(state)}
	c.find(h, state, cpu)
	c.freezer = findFreezer(h, c, state)
	return c
}

// find takes each controller where it is: in version 2, which has them below one folder, or in a hierarchy of its own.
func (c *cgroups) find(h *hierarchies, state string, cpu bool) {
	wanted := map[string]*place{"memory": &c.memory, "pids": &c.pids}
	if cpu {
		wanted["cpu"] = &c.cpu
	}
	folder, controllers, err := h.useV2(state, slices.Sorted(maps.Keys(wanted)))
	for _, name := range controllers {
		*wanted[name] = place{folder, true}
	}
	if len(h.v1) == 0 {
		c.why = err
		return
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if at := wanted[name]; at.folder == "" {
			at.folder, err = useV1(h, name, state)
			c.why = errors.Join(c.why, err)
		}
	}
}

func readHierarchies() (*hierarchies, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := &hierarchies{v1: map[string]string{}}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		h.addMount(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			h.own = ownFolder(filepath.Join(h.v2, path))
		}
	}
	return h, nil
}

// serverLeaf is the cgroup that this process moves itself to, where its own has to be divided.
const serverLeaf = "lamina-server"

// ownFolder is the cgroup that this process was given, wherever in it the process is by now.
func ownFolder(folder string) string {
	if filepath.Base(folder) == serverLeaf {
		return filepath.Dir(folder)
	}
	return folder
}

// addMount reads a line of mountinfo: "36 35 98:0 /root /mount/point options … - type source super,options".
func (h *hierarchies) addMount(line string) {
	left, right, ok := strings.Cut(line, " - ")
	l, r := strings.Fields(left), strings.Fields(right)
	if !ok || len(l) < 5 || len(r) < 3 {
		return
	}
	switch r[0] {
	case "cgroup2": // the usual place before others, which may show somebody else's cgroups
		if h.v2 == "" || strings.HasPrefix(l[4], "/sys/fs/cgroup") {
			h.v2 = l[4]
		}
	case "cgroup":
		for option := range strings.SplitSeq(r[2], ",") {
			h.v1[option] = l[4]
		}
	}
}

// traces are the folders where this state may have cgroups, in every hierarchy.
func (h *hierarchies) traces(state string) []string {
	var list []string
	for _, mount := range h.v1 {
		list = append(list, filepath.Join(mount, "lamina", state))
	}
	if h.v2 != "" {
		list = append(list, filepath.Join(h.v2, "lamina", state), filepath.Join(h.own, "lamina", state))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// bases are where a folder of version 2 may be made: below the cgroup of this process, if that was delegated to it, and below
// the root, which root may use. Whoever delegates says so in an attribute; where that cannot be read, it is tried at the end.
func (h *hierarchies) bases() []string {
	if isDelegated(h.own) {
		return slices.Compact([]string{h.own, h.v2})
	}
	return slices.Compact([]string{h.v2, h.own})
}

func isDelegated(folder string) bool {
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		var value [1]byte
		if n, err := unix.Getxattr(folder, name, value[:]); err == nil && n == 1 && value[0] == '1' {
			return true
		}
	}
	return false
}

// useV2 takes what version 2 has for us of the wanted controllers.
func (h *hierarchies) useV2(state string, wanted []string) (folder string, controllers []string, err error) {
	if h.v2 == "" {
		return "", nil, errors.New("no cgroup version 2 is mounted")
	}
	var all error
	for _, base := range h.bases() {
		folder, controllers, err := delegate(base, state, wanted...)
		if err == nil {
			return folder, controllers, nil
		}
		all = errors.Join(all, err)
	}
	return "", nil, all
}

// delegate makes base/lamina/<state> with those of the wanted controllers that there are, and tells which.
func delegate(base, state string, wanted ...string) (folder string, controllers []string, err error) {
	data, err := os.ReadFile(filepath.Join(base, "cgroup.controllers"))
	if err != nil {
		return "", nil, err
	}
	there := strings.Fields(string(data))
	for _, name := range wanted {
		if slices.Contains(there, name) {
			controllers = append(controllers, name)
		}
	}
	if len(controllers) == 0 {
		return "", nil, fmt.Errorf("no controllers in %s", base)
	}
	// A cgroup that has processes cannot have limited children, unless it is the machine's root, which has no type. The
	// kernel would enable some controllers all the same, and then no process could go into the children.
	if !isRoot(base) && !enabled(base, controllers) {
		if err := stepAside(base); err != nil {
			return "", nil, err
		}
	}
	if err := enable(base, controllers); err != nil {
		return "", nil, err
	}
	parent := filepath.Join(base, "lamina")
	folder = filepath.Join(parent, state)
	if err := makeFolders(parent, folder); err != nil {
		return "", nil, err
	}
	if err := enable(parent, controllers); err != nil {
		return "", nil, err
	}
	return folder, controllers, enable(folder, controllers)
}

// isRoot reports whether a folder is the root of the machine's cgroups.
func isRoot(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "cgroup.type"))
	return errors.Is(err, fs.ErrNotExist)
}

// enable gives a folder's children these controllers, all at once: one alone may change what the folder can have.
func enable(folder string, controllers []string) error {
	missing, err := lacking(folder, controllers)
	if err != nil || len(missing) == 0 {
		return err
	}
	return writeControl(filepath.Join(folder, "cgroup.subtree_control"), "+"+strings.Join(missing, " +"))
}

// enabled reports whether a folder's children have these controllers.
func enabled(folder string, controllers []string) bool {
	missing, err := lacking(folder, controllers)
	return err == nil && len(missing) == 0
}

func lacking(folder string, controllers []string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(folder, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	on := strings.Fields(string(data))
	return slices.DeleteFunc(slices.Clone(controllers), func(name string) bool { return slices.Contains(on, name) }), nil
}

// stepAside moves this process into a leaf. Others that live in the same cgroup stay, and keep limits from being had.
func stepAside(base string) error {
	leaf := filepath.Join(base, serverLeaf)
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return writeControl(filepath.Join(leaf, "cgroup.procs"), "0")
}

func useV1(h *hierarchies, controller, state string) (string, error) {
	mount, ok := h.v1[controller]
	if !ok {
		return "", fmt.Errorf("no cgroup controller %s", controller)
	}
	parent := filepath.Join(mount, "lamina")
	folder := filepath.Join(parent, state)
	if err := makeFolders(parent, folder); err != nil {
		return "", err
	}
	return folder, nil
}

// makeFolders makes a folder and one in it. Another server that ends may remove the first one at the same moment.
func makeFolders(parent, folder string) (err error) {
	for range 10 {
		if err = os.Mkdir(parent, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		err = os.Mkdir(folder, 0o755)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// leave removes the folders of this state, if nothing is in them. A sandbox that ended by itself may be on its way out still.
func (c *cgroups) leave() {
	deadline := time.Now().Add(time.Second)
	for _, folder := range c.traces {
		removeBefore(deadline, folder)
		unix.Rmdir(filepath.Dir(folder))
	}
}
