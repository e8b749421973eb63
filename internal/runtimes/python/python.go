// Package python finds the host's python interpreters and shows them to a sandbox as AWS shows its own.
//
// A Host looks for python3.8 to python3.14 on PATH, under pyenv, and in /usr/bin and /usr/local/bin, and asks each real
// interpreter once where its parts are. For the one that a function uses it makes a small folder, the Tree: a copy of the
// executable with its usual links, our bootstrap with its compiled modules, and empty folders on which the host's standard
// library and the SDK are mounted. Nothing else of the host's installation is shown; site-packages above all is hidden.
package python

import (
	"fmt"
	"strconv"
	"strings"
)

// The minors that AWS has, or had while layers for them are still around.
const (
	OldestMinor = 8
	NewestMinor = 14
)

// Minor gives 12 for "python3.12". It fails for what is not a supported python runtime.
func Minor(name string) (int, error) {
	digits, ok := strings.CutPrefix(name, "python3.")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < OldestMinor || n > NewestMinor || strconv.Itoa(n) != digits {
		return 0, fmt.Errorf("%q is not one of python3.%d to python3.%d", name, OldestMinor, NewestMinor)
	}
	return n, nil
}

// Interpreter is what one interpreter of the host says of itself.
type Interpreter struct {
	Path      string   // the real file
	Version   string   // "3.12.1"
	Minor     int      // 12
	Micro     int      // 1
	Final     bool     // not an alpha, beta or release candidate
	Prefix    string   // base prefix: "/usr", "/home/x/.pyenv/versions/3.12.1"
	Stdlib    string   // folder of os.py
	Platlib   string   // folder that holds lib-dynload; usually Stdlib
	Libraries []string // real files of the shared libraries that the interpreter itself needs
	Missing   []string // parts of the standard library that were not built in, such as "sqlite3"
	Pip       bool     // it can run pip
}

// Name is the runtime's name, "python3.12".
func (in Interpreter) Name() string { return "python3." + strconv.Itoa(in.Minor) }

// better reports whether in should be chosen before other, of the same minor.
func (in Interpreter) better(other Interpreter) bool {
	switch {
	case len(in.Missing) != len(other.Missing):
		return len(in.Missing) < len(other.Missing)
	case in.Final != other.Final:
		return in.Final
	}
	return in.Micro > other.Micro
}
