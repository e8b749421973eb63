package node

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// probeScript is asked of every interpreter that is found: where are you, what are you made of?
const probeScript = `
const fs = require('fs');
const files = fs.readFileSync('/proc/self/maps', 'utf8').split('\n').map((line) => line.slice(line.indexOf('/')));
const libraries = [...new Set(files)].filter((file) => /\/[^/]*\.so[^/]*$/.test(file)).sort();
const [Major, Minor, Patch] = process.versions.node.split('.').map((part) => parseInt(part, 10));
console.log(JSON.stringify({
  Path: fs.realpathSync(process.execPath), Version: process.versions.node, Major, Minor, Patch, Libraries: libraries,
}));
`

// probeTime bounds one question to an interpreter: a shim may hang or wait for input.
const probeTime = 10 * time.Second

// ask runs an interpreter, or a shim that starts one, and lets it describe itself.
func ask(ctx context.Context, path string) (Interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "-e", probeScript)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = &out, &diag
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return Interpreter{}, fmt.Errorf("cannot run %s: %w: %s", path, err, firstLine(diag.String()))
	}
	var in Interpreter
	if err := json.Unmarshal(out.Bytes(), &in); err != nil {
		return Interpreter{}, fmt.Errorf("%s does not answer as node: %w", path, err)
	}
	return in, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// systemLibraries are the folders of shared libraries that every sandbox shows.
var systemLibraries = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64"}

func within(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
}

// usable says why a sandbox could not run the interpreter, nil when it can.
func usable(in Interpreter) error {
	if !slices.Contains(Majors, in.Major) {
		return fmt.Errorf("node %s is not a supported version", in.Version)
	}
	loader, err := loaderOf(in.Path)
	if err != nil {
		return err
	}
	if loader != "" && !within(loader, systemLibraries...) {
		return fmt.Errorf("%s needs the loader %s, which a sandbox does not show", in.Path, loader)
	}
	for _, lib := range in.Libraries {
		if !within(lib, systemLibraries...) {
			return fmt.Errorf("%s needs %s, which a sandbox does not show", in.Path, lib)
		}
	}
	for _, f := range append([]string{in.Path}, in.Libraries...) {
		if err := readable(f); err != nil {
			return err
		}
	}
	return nil
}

// readable says why the user of a sandbox could not read a file. Started by root, a sandbox is another user, so what only
// root may read does not help; started by an ordinary user, it reads what that user can.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 && st.Mode().Perm()&0o004 == 0 {
		return fmt.Errorf("%s cannot be read by ordinary users", path)
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
