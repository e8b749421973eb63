package python_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/python"
	"github.com/laminadev/lamina/internal/sandbox"
)

// realPython gives an interpreter of this machine, to compile with.
func realPython(t *testing.T) python.Interpreter {
	t.Helper()
	all, err := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler)).All(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatalf("no python on this machine: %v", err)
	}
	return all[len(all)-1]
}

// TestMounts: a prefix of its own is shown as it is; in a common one every part is named. DIR stands for the tree's folder.
func TestMounts(t *testing.T) {
	real := realPython(t)
	own := t.TempDir()
	stdlib := filepath.Join(own, "lib", real.Name())
	for _, d := range []string{filepath.Join(stdlib, "site-packages"), filepath.Join(own, "bare/lib", real.Name())} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lang, lib := sandbox.Mount{Target: "/var/lang", Bind: "DIR/lang"}, "/var/lang/lib/"+real.Name()
	run := sandbox.Mount{Target: "/var/runtime", Bind: "DIR/runtime"}
	hidden := sandbox.Mount{Target: lib + "/site-packages", Empty: true}
	for _, c := range []struct {
		name   string
		change func(in *python.Interpreter)
		sdk    string
		want   []sandbox.Mount
	}{
		{"prefix of its own", func(in *python.Interpreter) { in.Prefix, in.Stdlib, in.Platlib = own, stdlib, stdlib }, "",
			[]sandbox.Mount{lang, {Target: "/var/lang/lib", Bind: own + "/lib"}, hidden, run}},
		{"no site-packages to hide", func(in *python.Interpreter) {
			in.Prefix = own + "/bare"
			in.Stdlib = own + "/bare/lib/" + in.Name()
			in.Platlib = in.Stdlib
		}, "", []sandbox.Mount{lang, {Target: "/var/lang/lib", Bind: own + "/bare/lib"},
			{Target: lib, Overlay: []string{"DIR/stdlib", own + "/bare/lib/" + real.Name()}}, hidden, run}},
		{"the system's", func(in *python.Interpreter) {
			in.Prefix, in.Stdlib, in.Platlib, in.Libraries = "/usr", "/usr/lib/x", "/usr/lib64/x", []string{"/usr/lib/libpython.so"}
		}, "", []sandbox.Mount{lang, {Target: lib, Overlay: []string{"DIR/stdlib", "/usr/lib/x", "/usr/lib64/x"}}, hidden, run}},
		{"SDK", func(in *python.Interpreter) {
			in.Prefix, in.Stdlib, in.Platlib = own, stdlib, stdlib
		}, "/sdk", []sandbox.Mount{lang, {Target: "/var/lang/lib", Bind: own + "/lib"}, {Target: lib + "/site-packages", Bind: "/sdk"}, run}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := real
			in.Libraries = nil
			c.change(&in)
			dir := t.TempDir()
			tree, err := python.NewHost(dir, slog.New(slog.DiscardHandler)).Tree(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			got := tree.Mounts(c.sdk)
			made, err := filepath.Glob(filepath.Join(dir, "trees", "*"))
			if err != nil || len(made) != 1 {
				t.Fatalf("made %q, %v", made, err)
			}
			for i := range got {
				got[i].Bind = strings.Replace(got[i].Bind, made[0], "DIR", 1)
				for j := range got[i].Overlay {
					got[i].Overlay[j] = strings.Replace(got[i].Overlay[j], made[0], "DIR", 1)
				}
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

// TestOldSDK: until python 3.10 the SDK is beside the bootstrap.
func TestOldSDK(t *testing.T) {
	real := realPython(t)
	real.Minor = 10
	tree, err := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler)).Tree(t.Context(), real)
	if err != nil {
		t.Fatal(err)
	}
	mounts := tree.Mounts("/sdk")
	last := mounts[len(mounts)-1]
	if last.Target != "/var/runtime" || len(last.Overlay) != 2 || last.Overlay[1] != "/sdk" {
		t.Errorf("got %+v", last)
	}
	if site := mounts[len(mounts)-2]; !site.Empty {
		t.Errorf("got %+v", site)
	}
}

// TestTree: what is made is open to every user, whatever the umask is, and is made once.
func TestTree(t *testing.T) {
	real := realPython(t)
	dir := t.TempDir()
	h := python.NewHost(dir, slog.New(slog.DiscardHandler))
	tree, err := h.Tree(t.Context(), real)
	if err != nil {
		t.Fatal(err)
	}
	runtime := mounted(tree, "/var/runtime")
	for _, file := range []string{"bootstrap.py", "lamina_runtime/__pycache__/loop.*.pyc"} {
		found, err := filepath.Glob(filepath.Join(runtime, file))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", file, found, err)
		}
		if st, err := os.Stat(found[0]); err != nil || st.Mode().Perm()&0o444 != 0o444 {
			t.Errorf("%s: %v, %v", file, st.Mode(), err)
		}
	}
	if st, err := os.Stat(filepath.Join(runtime, "bootstrap")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("bootstrap: %v, %v", st.Mode(), err)
	}
	if to, err := os.Readlink(filepath.Join(mounted(tree, "/var/lang"), "bin/python3")); err != nil || to != real.Name() {
		t.Errorf("python3 leads to %q, %v", to, err)
	}
	before, err := os.Stat(runtime)
	if err != nil {
		t.Fatal(err)
	}
	again, err := python.NewHost(dir, slog.New(slog.DiscardHandler)).Tree(t.Context(), real)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(mounted(again, "/var/runtime"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the tree was made again: %v", err)
	}
	if err := os.RemoveAll(filepath.Dir(runtime)); err != nil {
		t.Fatal(err)
	}
	if again, err = h.Tree(t.Context(), real); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mounted(again, "/var/runtime")); err != nil {
		t.Errorf("a tree that was removed is not made anew: %v", err)
	}
}
