package execenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// command gives the arguments that start the runtime. A provided runtime starts the first bootstrap that exists and is not
// a folder, so the function's own wins over a layer's; a managed one knows its interpreter.
func (e *environment) command() ([]string, *fault) {
	if !e.runtime.Name.Provided() {
		return e.runtime.Command(e.env), nil
	}
	var looked []string
	for _, candidate := range e.runtime.Bootstrap {
		if e.lowersOf(path.Dir(candidate)) == nil {
			continue // a folder of the runtime's own, which for provided ones is empty
		}
		looked = append(looked, candidate)
		if e.isFile(candidate, maxLinks) {
			return []string{candidate}, nil
		}
	}
	return nil, entrypointFault(fmt.Sprintf("Couldn't find valid bootstrap(s): [%s]", strings.Join(looked, " ")))
}

// maxLinks is how many links of a path are followed, as the kernel does it.
const maxLinks = 40

// isFile reports whether what a path leads to in the sandbox is there and no folder. Links are followed as the sandbox would,
// which is not there yet. A loop of them counts as a file, and fails when it is started.
func (e *environment) isFile(name string, links int) bool {
	root, rest := splitRoot(name)
	lowers := e.lowersOf(root)
	if lowers == nil {
		info, err := os.Stat(name) // of the system: the host's own
		return isSystem(name) && err == nil && !info.IsDir()
	}
	parts := strings.Split(rest, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		info, target, err := lookUp(lowers, at)
		switch last := i == len(parts)-1; {
		case err != nil:
			return false
		case target != "" && links == 0:
			return true
		case target != "":
			if !path.IsAbs(target) {
				target = path.Join(root, path.Dir(at), target)
			}
			return e.isFile(path.Join(target, path.Join(parts[i+1:]...)), links-1)
		case last || !info.IsDir():
			return last && !info.IsDir()
		}
	}
	return false
}

// splitRoot divides a path into the root of users' files that it is below, if any, and the rest.
func splitRoot(name string) (root, rest string) {
	for _, root := range []string{taskRoot, optRoot} {
		if rest, ok := strings.CutPrefix(path.Clean(name), root+"/"); ok {
			return root, rest
		}
	}
	return "", name
}

// isSystem reports whether a path is below what sandboxes show of the host.
func isSystem(name string) bool {
	top, _, _ := strings.Cut(strings.TrimPrefix(path.Clean(name), "/"), "/")
	return slices.Contains([]string{"usr", "bin", "sbin", "lib", "lib64"}, top)
}

// lookUp finds what is called name in the merged lowers, the top one first, and where it leads to if it is a link.
func lookUp(lowers []string, name string) (info fs.FileInfo, target string, err error) {
	for _, dir := range lowers {
		at := filepath.Join(dir, name)
		info, err = os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			target, err = os.Readlink(at)
		}
		return info, target, err
	}
	return nil, "", fs.ErrNotExist
}

// lowersOf gives the folders that are merged at a place where users' files are, nil for any other place.
func (e *environment) lowersOf(dir string) []string {
	switch dir {
	case taskRoot:
		return []string{e.code.Path}
	case optRoot:
		return append([]string{}, e.optLowers()...)
	}
	return nil
}
