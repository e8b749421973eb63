package linuxsandbox

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
