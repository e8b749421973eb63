package python

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// candidates lists the files that may be interpreters of a minor (0: of any), each real file once, without running any.
func (h *Host) candidates(minor int) []string {
	var files []string
	for _, dir := range h.folders() {
		for _, name := range names(minor) {
			file, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err != nil || slices.Contains(files, file) || otherMinor(file, minor) || !interpreter.Executable(file) {
				continue
			}
			files = append(files, file)
		}
	}
	return files
}

// names are what interpreters are called; "python3" is how some installations call their only one.
func names(minor int) []string {
	if minor != 0 {
		return []string{"python3." + strconv.Itoa(minor), "python3"}
	}
	var all []string
	for m := OldestMinor; m <= NewestMinor; m++ {
		all = append(all, "python3."+strconv.Itoa(m))
	}
	return append(all, "python3")
}

// otherMinor reports whether a real file's name already says that it is of another minor.
func otherMinor(file string, minor int) bool {
	named, err := Minor(filepath.Base(file))
	return err == nil && minor != 0 && named != minor
}

// folders are where interpreters live: PATH's without pyenv's shims, every version of pyenv's, and the system's.
func (h *Host) folders() []string {
	var dirs []string
	add := func(dir string) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, filepath.Clean(dir)) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	roots := pyenvRoots()
	for _, dir := range filepath.SplitList(cmp.Or(h.Path, os.Getenv("PATH"))) {
		// A shim is a script that looks for a version first; the versions themselves are found below.
		if !slices.Contains(roots, strings.TrimSuffix(filepath.Clean(dir), "/shims")) {
			add(dir)
		}
	}
	for _, root := range roots {
		versions, _ := filepath.Glob(filepath.Join(root, "versions", "*", "bin"))
		for _, dir := range versions {
			add(dir)
		}
	}
	for _, dir := range h.system {
		add(dir)
	}
	return dirs
}

func pyenvRoots() []string {
	var roots []string
	if root := os.Getenv("PYENV_ROOT"); root != "" {
		roots = append(roots, filepath.Clean(root))
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".pyenv"))
	}
	return slices.Compact(roots)
}
