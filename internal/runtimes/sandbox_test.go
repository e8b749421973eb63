package runtimes_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

func TestMain(m *testing.M) {
	if os.Args[0] == helper.Name {
		helper.Main()
	}
	failpointtest.BeVictim(func(args []string) error { return installIn(context.Background(), args[0]) })
	os.Exit(m.Run())
}

// awsEnv is what AWS sets for managed python runtimes, as far as the search paths go.
var awsEnv = []string{
	"PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	"LANG=en_US.UTF-8", "TZ=:UTC", "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime",
}

// box is a sandbox with a runtime in it.
type box struct {
	sandbox.Sandbox
	t *testing.T
}

// open makes a sandbox that shows a runtime, or only the default root when r is nil, with nothing in /var/task and /opt.
func open(t *testing.T, r *runtimes.Runtime) box {
	t.Helper()
	task := t.TempDir()
	if err := os.Chmod(task, 0o755); err != nil {
		t.Fatal(err)
	}
	return openAs(t, r, func(spec *sandbox.Spec) {
		spec.Root = append(spec.Root, sandbox.Mount{Target: "/var/task", Bind: task}, sandbox.Mount{Target: "/opt", Empty: true})
	})
}

// openAs makes a sandbox that fill completes.
func openAs(t *testing.T, r *runtimes.Runtime, fill func(*sandbox.Spec)) box {
	t.Helper()
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	spec := sandbox.Spec{ID: "runtimes-" + strings.ToLower(rand.Text()[:12]), Account: "000000000000", Root: runtimes.DefaultRoot(), TmpSize: 1 << 20, Processes: 100}
	if r != nil {
		spec.Root = append(spec.Root, r.Mounts...)
	}
	fill(&spec)
	s, err := d.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return box{s, t}
}

// run gives what a command prints; it fails the test when the command fails.
func (b box) run(env []string, args ...string) string {
	b.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	p, err := b.Spawn(b.t.Context(), sandbox.Command{Path: args[0], Args: args, Env: env, Dir: "/var/task", Stdout: w, Stderr: w})
	w.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if exit, err := p.Wait(b.t.Context()); err != nil || exit.Code != 0 || exit.Signal != 0 {
		b.t.Fatalf("%q: %v, %v, and printed:\n%s", args, exit, err, out)
	}
	return string(out)
}

// hostPythons gives the python runtimes of this machine, and says which are not there.
func hostPythons(t *testing.T, s *runtimes.Set) []lambda.Runtime {
	t.Helper()
	infos, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	here := map[lambda.Runtime]bool{}
	for _, i := range infos {
		here[i.Runtime] = true
	}
	var found []lambda.Runtime
	for minor := 8; minor <= 14; minor++ {
		r := lambda.Runtime(fmt.Sprintf("python3.%d", minor))
		if here[r] {
			found = append(found, r)
		} else {
			t.Logf("NOT RUN: %s is not on this machine", r)
		}
	}
	if len(found) == 0 {
		t.Fatal("there is no python on this machine: install python3")
	}
	return found
}

// TestPythonInSandbox starts every python of this machine in a sandbox, as AWS starts its own.
func TestPythonInSandbox(t *testing.T) {
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	for _, name := range hostPythons(t, set) {
		t.Run(string(name), func(t *testing.T) {
			r, err := set.Resolve(context.Background(), name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			testPython(t, open(t, r), string(name))
		})
	}
}

// TestSystemPythonInSandbox does the same with the interpreter of the system's packages, whose parts are all over /usr.
func TestSystemPythonInSandbox(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PYENV_ROOT", "")
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	infos, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, i := range infos {
		if i.Runtime.Family() != "python" || !strings.HasPrefix(i.Interpreter, "/usr/bin/") {
			continue
		}
		ran++
		r, err := set.Resolve(t.Context(), i.Runtime)
		if err != nil {
			t.Fatal(err)
		}
		testPython(t, open(t, r), string(i.Runtime))
		r.Release()
	}
	if ran == 0 {
		t.Skip("NOT RUN: there is no python in /usr/bin")
	}
}

const describe = `
import importlib, json, os, sys
sys.path.insert(0, "/var/runtime")
from lamina_runtime import lazy, paths
lazy.install(list(sys.path), None)
import multiprocessing, multiprocessing.shared_memory
shared = []
for make in (multiprocessing.Lock, multiprocessing.Queue, lambda: multiprocessing.shared_memory.SharedMemory(create=True, size=1)):
    try:
        shared.append(repr(make()))
    except OSError as error:
        shared.append(str(error))
missing = []
for name in "ssl sqlite3 ctypes zlib lzma bz2 hashlib uuid decimal multiprocessing".split():
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append(str(error))
packages = os.listdir(paths.site_packages(sys.version_info[1]))
script = ["/var/runtime"] + sys.path[2:]
print(json.dumps({
    "path": paths.search(script, "/var/task", sys.version_info[1], False),
    "executable": sys.executable, "prefix": sys.prefix, "packages": packages, "missing": missing,
    "customized": [m for m in ("sitecustomize", "usercustomize") if m in sys.modules and sys.modules[m].__file__],
    "cached": os.path.isfile(paths.__spec__.cached), "shared": shared,
}))
`

func testPython(t *testing.T, b box, name string) {
	var got struct {
		Path, Packages, Missing, Customized, Shared []string
		Executable, Prefix                          string
		Cached                                      bool
	}
	out := b.run(awsEnv, "/var/lang/bin/"+name, "-c", describe)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	zip := strings.ReplaceAll(name, ".", "") + ".zip"
	want := []string{"/var/task", "/opt/python/lib/" + name + "/site-packages", "/opt/python"}
	if minor := strings.TrimPrefix(name, "python3."); len(minor) == 2 && minor != "10" {
		want = append(want, "/var/lang/lib/"+name+"/site-packages")
	}
	want = append(want, "/var/runtime", "/var/lang/lib/"+zip, "/var/lang/lib/"+name, "/var/lang/lib/"+name+"/lib-dynload", "/var/lang/lib/"+name+"/site-packages")
	if diff := cmp.Diff(got.Path, want); diff != "" {
		t.Errorf("sys.path (-got +want):\n%s", diff)
	}
	if got.Executable != "/var/lang/bin/"+name || got.Prefix != "/var/lang" {
		t.Errorf("executable %q, prefix %q", got.Executable, got.Prefix)
	}
	if len(got.Packages)+len(got.Customized) > 0 {
		t.Errorf("of the host's packages these are shown: %q %q", got.Packages, got.Customized)
	}
	if len(got.Missing) > 0 {
		t.Errorf("parts of the standard library do not load: %q", got.Missing)
	}
	const absent = "[Errno 38] Function not implemented" // there is no /dev/shm
	if diff := cmp.Diff(got.Shared, []string{absent, absent, absent}); diff != "" {
		t.Errorf("shared semaphores and memory (-got +want):\n%s", diff)
	}
	if !got.Cached {
		t.Error("the bootstrap is not compiled")
	}
	// The loader's cache finds the interpreter's own libpython without LD_LIBRARY_PATH, not that of another release which the
	// host may have; python3 and python are the same interpreter.
	const version = "import _ssl, sys; print('python3.%d' % sys.version_info[1], sys.version)"
	own := b.run(nil, "/var/lang/bin/"+name, "-c", version)
	for _, python := range []string{"python3", "python"} {
		out = b.run([]string{"LD_LIBRARY_PATH=/nowhere"}, "/var/lang/bin/"+python, "-c", version)
		if out != own || !strings.HasPrefix(out, name+" ") {
			t.Errorf("%s is %q, want %q", python, out, own)
		}
	}
}

// TestDefaultRootInSandbox runs programs of the host on the default root alone, as provided runtimes do.
func TestDefaultRootInSandbox(t *testing.T) {
	b := open(t, nil)
	for _, c := range []struct{ script, want string }{
		{"id -un; id -gn", "sbx_user1051\nsbx_user1051\n"},
		{"ls -d /home /root /var/lib /opt/* /usr/local 2>/dev/null; true", ""},
		{"echo a b | awk '{print $2}'", "b\n"},
		{"date +%Z", "UTC\n"},
		{"ls /usr/lib64/libc.so.6 /lib64/libc.so.6", "/lib64/libc.so.6\n/usr/lib64/libc.so.6\n"},
		{"ls -A /usr/lib/python3/dist-packages 2>/dev/null; true", ""},
	} {
		if got := b.run(awsEnv, "/bin/sh", "-c", c.script); got != c.want {
			t.Errorf("%s: got %q, want %q", c.script, got, c.want)
		}
	}
}
