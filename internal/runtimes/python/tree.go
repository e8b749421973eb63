package python

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/runtimes/interpreter"
	"github.com/laminadev/lamina/internal/sandbox"
)

// A Tree is the folder made once for an interpreter:
//
//	lang/bin/python3.12     a copy of the executable, with the links python3 and python
//	lang/lib/               empty, or holds libpython and an empty python3.12/: the host's files are mounted here
//	stdlib/site-packages/   empty: lies over a standard library that has no such folder to mount on; and a link to it
//	runtime/                the bootstrap, compiled by this interpreter
//
// It is complete when it has its final name, and is never changed after that.
type Tree struct {
	dir         string
	interpreter Interpreter
	siteMasked  bool // the host's standard library has a site-packages folder, so a mount can hide it
}

// treeVersion changes when trees are made in another way.
const treeVersion = 1

// Tree gives the tree of an interpreter, making it when this is its first use.
func (h *Host) Tree(ctx context.Context, in Interpreter) (*Tree, error) {
	key, err := treeKey(in)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	dir := filepath.Join(h.dir, "trees", in.Name()+"-"+key)
	_, err = os.Stat(dir)
	if t, ok := h.trees[key]; ok && err == nil {
		return t, nil
	}
	if err != nil {
		if err := interpreter.Make(dir, func(dir string) error { return fillTree(ctx, in, dir) }); err != nil {
			return nil, fmt.Errorf("cannot make the tree of %s: %w", in.Path, err)
		}
	}
	t := &Tree{dir: dir, interpreter: in, siteMasked: interpreter.IsDir(filepath.Join(in.Stdlib, "site-packages"))}
	h.trees[key] = t
	return t, nil
}

func treeKey(in Interpreter) (string, error) {
	st, err := interpreter.StampOf(in.Path)
	if err != nil {
		return "", err
	}
	boot, err := bootstrapDigest()
	if err != nil {
		return "", err
	}
	d := digest.Of(fmt.Appendf(nil, "%d %q %v %+v %s", treeVersion, in.Path, st, in, boot))
	return d.Hex()[:16], nil
}

func fillTree(ctx context.Context, in Interpreter, dir string) error {
	for _, d := range []string{"lang/bin", "lang/lib", "stdlib/site-packages", "runtime"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	bin := filepath.Join(dir, "lang/bin")
	if err := copyFile(in.Path, filepath.Join(bin, in.Name()), 0o755); err != nil {
		return err
	}
	for _, link := range []string{"python3", "python"} {
		if err := os.Symlink(in.Name(), filepath.Join(bin, link)); err != nil {
			return err
		}
	}
	// Some systems call it lib64, and Debian calls it dist-packages; interpreters built so look there.
	for link, to := range map[string]string{"lang/lib64": "lib", "stdlib/dist-packages": "site-packages"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			return err
		}
	}
	if !in.private() {
		if err := fillLib(in, filepath.Join(dir, "lang/lib")); err != nil {
			return err
		}
	}
	if err := bootstrap.Write(filepath.Join(dir, "runtime")); err != nil {
		return err
	}
	if err := compile(ctx, in, filepath.Join(dir, "runtime"), "/var/runtime"); err != nil {
		return err
	}
	return interpreter.WorldReadable(dir)
}

// private reports whether the interpreter's prefix holds nothing but python, so that its whole lib folder can be shown.
// That of /usr or /usr/local is everybody's.
func (in Interpreter) private() bool {
	if slices.Contains([]string{"/", "/usr", "/usr/local", "/opt"}, in.Prefix) || in.Stdlib != filepath.Join(in.Prefix, "lib", in.Name()) {
		return false
	}
	return !slices.ContainsFunc(in.Libraries, func(lib string) bool {
		return !interpreter.Within(lib, interpreter.SystemLibraries...) && filepath.Dir(lib) != filepath.Join(in.Prefix, "lib")
	})
}

// fillLib copies the libraries that no sandbox shows otherwise (a libpython in /usr/local/lib) and makes the mount point.
func fillLib(in Interpreter, lib string) error {
	if err := os.MkdirAll(filepath.Join(lib, in.Name()), 0o755); err != nil {
		return err
	}
	for _, file := range in.Libraries {
		if interpreter.Within(file, interpreter.SystemLibraries...) {
			continue
		}
		if err := copyFile(file, filepath.Join(lib, filepath.Base(file)), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Mounts show the tree at AWS's places, with the SDK in the folder sdk, if any.
func (t *Tree) Mounts(sdk string) []sandbox.Mount {
	in := t.interpreter
	stdlib := "/var/lang/lib/" + in.Name()
	mounts := []sandbox.Mount{{Target: "/var/lang", Bind: filepath.Join(t.dir, "lang")}}
	if in.private() && t.siteMasked {
		mounts = append(mounts, sandbox.Mount{Target: "/var/lang/lib", Bind: filepath.Join(in.Prefix, "lib")})
	} else {
		if in.private() {
			mounts = append(mounts, sandbox.Mount{Target: "/var/lang/lib", Bind: filepath.Join(in.Prefix, "lib")})
		}
		lowers := []string{filepath.Join(t.dir, "stdlib"), in.Stdlib}
		if in.Platlib != in.Stdlib {
			lowers = append(lowers, in.Platlib)
		}
		mounts = append(mounts, sandbox.Mount{Target: stdlib, Overlay: lowers})
	}
	mounts = append(mounts, t.hideCustomize(stdlib)...)
	site := sandbox.Mount{Target: stdlib + "/site-packages", Empty: true}
	run := sandbox.Mount{Target: "/var/runtime", Bind: filepath.Join(t.dir, "runtime")}
	switch {
	case sdk == "":
	case in.Minor >= sitePackagesMinor:
		site = sandbox.Mount{Target: site.Target, Bind: sdk}
	default:
		run = sandbox.Mount{Target: run.Target, Overlay: []string{filepath.Join(t.dir, "runtime"), sdk}}
	}
	return append(mounts, site, run)
}

// sitePackagesMinor is the first python whose SDK is in site-packages and not in /var/runtime.
const sitePackagesMinor = 11

// hideCustomize covers a sitecustomize.py that the system put into its standard library. (Debian's is a link into /etc, and
// a sandbox has an /etc of its own.)
func (t *Tree) hideCustomize(stdlib string) []sandbox.Mount {
	var mounts []sandbox.Mount
	for _, name := range []string{"sitecustomize.py", "usercustomize.py"} {
		st, err := os.Lstat(filepath.Join(t.interpreter.Stdlib, name))
		if err == nil && st.Mode().IsRegular() {
			mounts = append(mounts, sandbox.Mount{Target: stdlib + "/" + name, File: []byte("# not shown\n")})
		}
	}
	return mounts
}

//go:embed compile.py
var compileScript string

// compile makes the .pyc files of a folder, which a sandbox sees at target. They are of the kind that is never compared
// with the source, because times in trees are fixed.
func compile(ctx context.Context, in Interpreter, dir, target string) error {
	cmd := exec.CommandContext(ctx, in.Path, "-s", "-S", "-c", compileScript, dir, target)
	cmd.Dir = "/"
	// The hash seed decides the order of sets, and so the bytes.
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot compile %s with %s: %w: %s", dir, in.Path, err, interpreter.FirstLine(string(out)))
	}
	return nil
}

func copyFile(from, to string, mode fs.FileMode) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return err
}
