package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Recover implements sandbox.Driver. What a killed server left is cgroups: its sandboxes end when its control sockets
// close. One that is frozen cannot notice that, so it is thawed and killed.
func (d *Driver) Recover(ctx context.Context) error {
	var all error
	// First everything is thawed, in every hierarchy: SIGKILL waits for that.
	d.eachLeftover(func(folder string) { thaw(folder) })
	d.eachLeftover(func(folder string) {
		all = errors.Join(all, clear(ctx, folder))
	})
	if all != nil {
		return fmt.Errorf("cannot remove the sandboxes of a killed server: %w", all)
	}
	// Not before: the cgroups of prepared sandboxes would look like leftovers.
	d.pool.fill(d.ids.first())
	d.disks.fill(defaultDisk)
	return nil
}

func (d *Driver) eachLeftover(f func(folder string)) {
	for _, parent := range d.cgroups.traces {
		for _, name := range names(parent) {
			f(filepath.Join(parent, name))
		}
	}
}

func thaw(folder string) {
	setFrozen(folder, false)
	setFrozen(filepath.Join(folder, running), false)
}

// clear kills a cgroup's processes until none is left, and removes it.
func clear(ctx context.Context, folder string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for kill(folder) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C: // there is no event to wait for that all versions have
		}
	}
	return removeFolder(folder)
}

// kill kills the processes of a cgroup, and says how many there were.
func kill(folder string) int {
	writeControl(filepath.Join(folder, "cgroup.kill"), "1")
	data, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return 0
	}
	pids := strings.Fields(string(data))
	for _, p := range pids {
		if pid, err := strconv.Atoi(p); err == nil && pid > 1 {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	return len(pids)
}
