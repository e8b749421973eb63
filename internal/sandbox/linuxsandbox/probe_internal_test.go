package linuxsandbox

import "testing"

// TestCgroupFix: a line that is printed to be run must be one that can work.
func TestCgroupFix(t *testing.T) {
	for _, c := range []struct {
		systemd, root bool
		want          string
	}{
		{true, false, "systemd-run --user --scope -p Delegate=yes lamina serve"},
		{true, true, "systemd-run --scope -p Delegate=yes lamina serve"},
		{false, false, "run lamina as root"},
		{false, true, "mount -o remount,rw /sys/fs/cgroup"},
	} {
		if got := cgroupFixWhere(c.systemd, c.root); got != c.want {
			t.Errorf("systemd %v, root %v: got %q, want %q", c.systemd, c.root, got, c.want)
		}
	}
}
