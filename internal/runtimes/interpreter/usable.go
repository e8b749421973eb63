package interpreter

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// SystemLibraries are the folders of shared libraries that every sandbox shows.
var SystemLibraries = []string{"/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64"}

// Within reports whether a path is one of the folders, or below one.
func Within(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
}

// Usable says why a sandbox could not run a program with these libraries, of which those in the shown folders are shown beside
// the system's; nil when it can.
func Usable(program string, libraries []string, shown ...string) error {
	loader, err := loaderOf(program)
	if err != nil {
		return err
	}
	if loader != "" && !Within(loader, SystemLibraries...) {
		return fmt.Errorf("%s needs the loader %s, which a sandbox does not show", program, loader)
	}
	for _, lib := range libraries {
		if !Within(lib, SystemLibraries...) && !Within(lib, shown...) {
			return fmt.Errorf("%s needs %s, which a sandbox does not show", program, lib)
		}
	}
	return Readable(append([]string{program}, libraries...)...)
}

// Readable says why the user of a sandbox could not read files. Started by root, a sandbox is another user, so what only root
// may read does not help; started by an ordinary user, it reads what that user can. (Folders above do not matter: the sandbox
// sees a mount.)
func Readable(paths ...string) error {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		st, err := f.Stat()
		f.Close()
		if err != nil {
			return err
		}
		if os.Geteuid() == 0 && st.Mode().Perm()&0o004 == 0 {
			return fmt.Errorf("%s cannot be read by ordinary users", path)
		}
	}
	return nil
}

// loaderOf gives the dynamic loader that a program names, "" for a static one.
func loaderOf(path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s is not a program: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		b, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		return strings.TrimRight(string(b), "\x00"), err
	}
	return "", nil
}
