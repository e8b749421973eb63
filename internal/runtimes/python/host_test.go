package python_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/python"
)

// machine is a made-up machine: folders with interpreters that are scripts, which count how often they are asked.
type machine struct {
	t     *testing.T
	dir   string
	calls string // a line for each question
}

// newMachine makes a machine whose PATH and pyenv have nothing.
func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{t: t, dir: t.TempDir()}
	m.calls = filepath.Join(m.dir, "calls")
	t.Setenv("HOME", filepath.Join(m.dir, "home"))
	t.Setenv("PYENV_ROOT", "")
	t.Setenv("PATH", filepath.Join(m.dir, "path"))
	return m
}

// host makes a Host that keeps its files in dir and looks at the machine only.
func (m machine) host(dir string) *python.Host {
	h := python.NewHost(dir, slog.New(slog.DiscardHandler))
	h.SearchOnly(filepath.Join(m.dir, "usr/bin"))
	return h
}

// install puts a script at a place that answers like an interpreter; change may change the answer.
func (m machine) install(place, version string, change func(*python.Interpreter)) python.Interpreter {
	m.t.Helper()
	var minor, micro int
	if _, err := fmt.Sscanf(version, "3.%d.%d", &minor, &micro); err != nil {
		m.t.Fatal(err)
	}
	prefix := filepath.Join(m.dir, "prefix", place)
	in := python.Interpreter{Path: filepath.Join(prefix, "bin", fmt.Sprintf("python3.%d", minor)), Version: version, Minor: minor, Micro: micro,
		Final: true, Prefix: prefix, Stdlib: filepath.Join(prefix, "lib", fmt.Sprintf("python3.%d", minor))}
	in.Platlib = in.Stdlib
	// A program of the host stands for the interpreter: its loader and its libraries are the system's.
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(in.Path, string(program), 0o755)
	m.write(filepath.Join(in.Stdlib, "os.py"), "", 0o644)
	if change != nil {
		change(&in)
	}
	answer, err := json.Marshal(in)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(filepath.Join(m.dir, place), fmt.Sprintf("#!/bin/sh\necho %s >>'%s'\n/bin/cat <<'END'\n%s\nEND\n", place, m.calls, answer), 0o755)
	return in
}

func (m machine) write(file, text string, mode os.FileMode) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
}

// asked gives which interpreters were asked since the last call.
func (m machine) asked() []string {
	m.t.Helper()
	b, err := os.ReadFile(m.calls)
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatal(err)
	}
	if err := os.RemoveAll(m.calls); err != nil {
		m.t.Fatal(err)
	}
	return strings.Fields(string(b))
}

func TestChoice(t *testing.T) {
	missing := func(parts ...string) func(*python.Interpreter) {
		return func(in *python.Interpreter) { in.Missing = parts }
	}
	for _, c := range []struct {
		name    string
		install func(m machine)
		want    string // the version, "" for none
	}{
		{"newest patch", func(m machine) {
			m.install("usr/bin/python3.12", "3.12.3", nil)
			m.install("path/python3.12", "3.12.10", nil)
			m.install("home/.pyenv/versions/3.12.9/bin/python3.12", "3.12.9", nil)
		}, "3.12.10"},
		{"complete before new", func(m machine) {
			m.install("usr/bin/python3.12", "3.12.3", nil)
			m.install("path/python3.12", "3.12.10", missing("ssl"))
		}, "3.12.3"},
		{"incomplete before none", func(m machine) { m.install("path/python3.12", "3.12.10", missing("ssl")) }, "3.12.10"},
		{"released before candidate", func(m machine) {
			m.install("path/python3.12", "3.12.1", func(in *python.Interpreter) { in.Final = false })
			m.install("usr/bin/python3.12", "3.12.0", nil)
		}, "3.12.0"},
		{"called python3", func(m machine) { m.install("path/python3", "3.12.4", nil) }, "3.12.4"},
		{"of another minor", func(m machine) { m.install("path/python3.13", "3.13.0", nil) }, ""},
		{"libraries elsewhere", func(m machine) {
			m.install("path/python3.12", "3.12.4", func(in *python.Interpreter) { in.Libraries = []string{"/nix/store/x/libc.so.6"} })
		}, ""},
		{"no standard library", func(m machine) {
			m.install("path/python3.12", "3.12.4", func(in *python.Interpreter) { in.Stdlib = "/nowhere" })
		}, ""},
		{"fails", func(m machine) { m.write(filepath.Join(m.dir, "path/python3.12"), "#!/bin/sh\nexit 1\n", 0o755) }, ""},
		{"says nonsense", func(m machine) { m.write(filepath.Join(m.dir, "path/python3.12"), "#!/bin/sh\necho hello\n", 0o755) }, ""},
		{"not executable", func(m machine) { m.write(filepath.Join(m.dir, "path/python3.12"), "#!/bin/sh\n", 0o644) }, ""},
		{"nothing", func(machine) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			c.install(m)
			in, ok, err := m.host(t.TempDir()).Best(t.Context(), 12)
			if err != nil || in.Version != c.want || ok != (c.want != "") {
				t.Errorf("got %+v, %v, %v; want version %q", in, ok, err, c.want)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	m := newMachine(t)
	in := m.install("path/python3.12", "3.12.1", nil)
	if err := os.Chmod(in.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, ok, err := m.host(t.TempDir()).Best(t.Context(), 12)
	if root := os.Geteuid() == 0; err != nil || ok == root {
		t.Errorf("found %v, %v, as root %v: a sandbox of root's has another user", ok, err, root)
	}
}

func TestMemory(t *testing.T) {
	m := newMachine(t)
	dir := t.TempDir()
	m.install("path/python3.12", "3.12.1", nil)
	m.install("path/python3.13", "3.13.0", nil)
	m.install("usr/bin/python3.9", "3.9.1", nil)
	h := m.host(dir)
	steps := []struct {
		name  string
		do    func() error
		asked []string
	}{
		{"one minor", func() error { _, _, err := h.Best(t.Context(), 12); return err }, []string{"path/python3.12"}},
		{"again", func() error { _, _, err := h.Best(t.Context(), 12); return err }, nil},
		{"a later process", func() error { _, _, err := m.host(dir).Best(t.Context(), 12); return err }, nil},
		{"a minor that is not here", func() error { _, _, err := h.Best(t.Context(), 14); return err }, nil},
		{"another user's answers", func() error {
			file := filepath.Join(dir, "interpreters.json")
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			m.write(file, strings.Replace(string(b), fmt.Sprintf(`"User":%d`, os.Geteuid()), `"User":77`, 1), 0o644)
			_, _, err = m.host(dir).Best(t.Context(), 12)
			return err
		}, []string{"path/python3.12"}},
		{"after an upgrade", func() error {
			m.install("path/python3.12", "3.12.22", nil)
			in, _, err := h.Best(t.Context(), 12)
			if in.Version != "3.12.22" {
				t.Errorf("got %s", in.Version)
			}
			return err
		}, []string{"path/python3.12"}},
		{"a broken memory", func() error {
			m.write(filepath.Join(dir, "interpreters.json"), "{", 0o644)
			_, _, err := m.host(dir).Best(t.Context(), 13)
			return err
		}, []string{"path/python3.13"}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if diff := cmp.Diff(m.asked(), s.asked, cmp.Transformer("nil", func(a []string) string { return strings.Join(a, " ") })); diff != "" {
			t.Errorf("%s: asked (-got +want):\n%s", s.name, diff)
		}
	}
}

func TestShimsAreNotAsked(t *testing.T) {
	m := newMachine(t)
	root := filepath.Join(m.dir, "home/.pyenv")
	t.Setenv("PYENV_ROOT", root)
	t.Setenv("PATH", filepath.Join(root, "shims"))
	m.install("home/.pyenv/shims/python3.12", "3.12.1", nil)
	m.install("home/.pyenv/versions/3.12.2/bin/python3.12", "3.12.2", nil)
	in, ok, err := m.host(t.TempDir()).Best(t.Context(), 12)
	if err != nil || !ok || in.Version != "3.12.2" {
		t.Errorf("got %+v, %v, %v", in, ok, err)
	}
	if diff := cmp.Diff(m.asked(), []string{"home/.pyenv/versions/3.12.2/bin/python3.12"}); diff != "" {
		t.Errorf("asked (-got +want):\n%s", diff)
	}
}

func TestAll(t *testing.T) {
	m := newMachine(t)
	m.install("usr/bin/python3.12", "3.12.3", nil)
	m.install("path/python3.12", "3.12.10", nil)
	m.install("path/python3.8", "3.8.1", nil)
	m.install("path/python3.13", "3.13.0", nil)
	all, err := m.host(t.TempDir()).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range all {
		got = append(got, in.Version)
	}
	if diff := cmp.Diff(got, []string{"3.8.1", "3.12.10", "3.13.0"}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestMinor(t *testing.T) {
	for name, want := range map[string]int{"python3.8": 8, "python3.14": 14, "python3.7": 0, "python3.15": 0, "python3.08": 0, "python3": 0, "python3.+9": 0, "nodejs20.x": 0} {
		if got, err := python.Minor(name); got != want || (err == nil) != (want != 0) {
			t.Errorf("%s: got %d, %v; want %d", name, got, err, want)
		}
	}
}
