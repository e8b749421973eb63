package linuxsandbox

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// The processor is shared out in periods as short as those that functions on AWS were observed to have.
const (
	cpuPeriod = 20 * time.Millisecond
	leastCPU  = time.Millisecond // of a period: the kernel gives no less
)

// LimitsCPU reports whether sandboxes can be given a share of the processor.
func (d *Driver) LimitsCPU() bool { return d.cgroups.cpu.folder != "" }

// processors gives a sandbox its turn of the processors, so that not all sandboxes have the same ones.
func (d *Driver) processors(count int) initproto.Processors {
	if count <= 0 {
		return initproto.Processors{}
	}
	end := d.turn.Add(uint64(count))
	return initproto.Processors{Count: uint64(count), First: end - uint64(count)}
}

// LimitCPU implements sandbox.Sandbox.
func (b *box) LimitCPU(cores float64) error {
	s, err := b.helper()
	if err != nil {
		return err
	}
	return s.group.limitCPU(cores)
}

func (g *group) limitCPU(cores float64) error {
	at := g.cgroups.cpu
	if at.folder == "" {
		return errors.ErrUnsupported
	}
	if err := set(filepath.Join(at.folder, g.name), cpuSettings(at.v2, cores)); err != nil {
		return fmt.Errorf("cannot limit a cgroup: %w", err)
	}
	return nil
}

func cpuSettings(v2 bool, cores float64) []setting {
	period := strconv.FormatInt(cpuPeriod.Microseconds(), 10)
	quota := map[bool]string{true: "max", false: "-1"}[v2]
	if cores > 0 {
		us := math.Round(cores * float64(cpuPeriod.Microseconds()))
		quota = strconv.FormatInt(max(int64(us), leastCPU.Microseconds()), 10)
	}
	if v2 {
		return []setting{{"cpu.max", quota + " " + period, false}}
	}
	return []setting{{"cpu.cfs_period_us", period, false}, {"cpu.cfs_quota_us", quota, false}}
}

// probeCPU limits a cgroup of its own. The driver's own cgroups are not asked: it may not have been told to have any.
func (d *Driver) probeCPU() sandbox.Finding {
	f := sandbox.Finding{Name: "processor share"}
	c := &cgroups{}
	h, err := readHierarchies()
	if err == nil {
		c.find(h, stateName(d.state), true)
		err = c.why
	}
	at := c.cpu
	if at.folder != "" {
		if err = c.tryCPU(); err == nil {
			f.OK, f.Detail = true, at.describe()
			return f
		}
	}
	f.Detail = c.reason()
	if err != nil {
		f.Detail = err.Error()
	}
	f.Degrade = "functions use as much of the processor as there is, also with --cpu share"
	f.Fix = cgroupFix()
	return f
}

// tryCPU makes a cgroup, limits it, and removes it.
func (c *cgroups) tryCPU() error {
	only := &cgroups{cpu: c.cpu}
	g, err := only.create(probeName())
	if err != nil {
		return err
	}
	defer g.remove()
	return g.limitCPU(0.5)
}
