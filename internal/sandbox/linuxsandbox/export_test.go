package linuxsandbox

import "github.com/laminadev/lamina/internal/sandbox/initproto"

// RestAtOnce makes a driver's sandboxes rest whenever they are asked nothing, and reports whether they can.
func RestAtOnce(d *Driver) bool {
	d.program.flags = append(d.program.flags, initproto.RestsAtOnce)
	return d.program.small
}

// UseFreezerV1 makes a driver freeze by cgroup version 1, and reports whether this machine lets it.
func UseFreezerV1(d *Driver) bool {
	h, err := readHierarchies()
	if err != nil {
		return false
	}
	folder, err := useV1(h, "freezer", stateName(d.state))
	if err != nil {
		return false
	}
	d.cgroups.freezer = tryFreezer(freezer{parent: folder})
	return d.Freezes()
}
