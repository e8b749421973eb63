package sandboxtest

import (
	"os"
	"slices"
	"strings"
)

// withMountsBelow adds to a list of mount points those that the host has below a folder: a folder is shown with all that
// is mounted in it, since an ordinary user may not uncover what lies beneath.
func withMountsBelow(e *env, folder string, points ...string) string {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		e.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if at := strings.Fields(line)[1]; strings.HasPrefix(at, folder+"/") && !slices.Contains(points, at) {
			points = append(points, at)
		}
	}
	slices.Sort(points)
	return strings.Join(points, " ")
}
