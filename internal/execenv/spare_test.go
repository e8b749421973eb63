package execenv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

// What a function can see of the process that it is in, but for what differs from one process to the next.
const lookCode = `
import ctypes, gc, locale, os, site, sys, time
lazy = sys.modules["lamina_runtime.lazy"]
rehearsed = [[lazy.request, lazy.tenant], sorted(n for n in sys.modules if "sample" in n or "warm" in n or "awslambdaric" in n), sorted(n for n in sys.path_importer_cache if n.startswith("/var/runtime"))]
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
def handler(event, context):
    environ = dict(os.environ)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_METADATA_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"):
        environ.pop(name, None)
    out = {
        "environ": list(environ.items()), "path": sys.path, "argv": sys.argv, "flags": str(sys.flags), "cwd": os.getcwd(),
        "files": sorted(os.listdir("/proc/self/fd")), "tz": time.tzname, "hour": time.strftime("%H %z", time.localtime(0)),
        "locale": [locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding(), sys.stdout.encoding], "umask": os.umask(0o22),
        "user": [os.getuid(), os.getgid(), os.getgroups(), os.getpid() > 1], "limits": open("/proc/self/limits").read(),
        "status": [line for line in open("/proc/self/status") if line.split(":")[0] in ("NoNewPrivs", "CapEff", "CapBnd", "Seccomp")],
        "mounts": sorted(line.split()[4] for line in open("/proc/self/mountinfo")), "root": sorted(os.listdir("/")),
        "tmp": [os.statvfs("/tmp").f_frsize * os.statvfs("/tmp").f_blocks, os.listdir("/tmp")], "opt": sorted(os.listdir("/opt")), "task": sorted(os.listdir("/var/task")),
        "in C": [(libc.getenv(name) or b"").decode() for name in (b"TZ", b"GREETING", b"AWS_LAMBDA_FUNCTION_NAME", b"_LAMINA_IDENTITY_FD", b"PYTHONPATH")],
        "site": [site.getuserbase(), site.getusersitepackages(), site.ENABLE_USER_SITE], "main": sorted(vars(sys.modules["__main__"])), "gc": gc.isenabled(),
        "rehearsed": rehearsed,
    }
    print("said")
    return out
`

// newSpareBench has spares; wait makes sure that one has booted.
func newSpareBench(t *testing.T, opts ...option) (b *bench, rev func(files map[string]string) *lambda.Revision, wait func()) {
	t.Helper()
	b, python := newLinuxBench(t, append(opts, func(o *execenv.Options) { o.Spares = 1 })...)
	rev = func(files map[string]string) *lambda.Revision {
		r := b.revision("app.handler")
		r.Config.Runtime = python
		r.Code = b.tree(files)
		return r
	}
	wait = func() { eventually(t, "a spare has booted", func() bool { return b.pool.Spares() == 1 }) }
	return b, rev, wait
}

// TestSpareLooksTheSame: a function cannot tell whether its process was booted ahead.
func TestSpareLooksTheSame(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	for name, vars := range map[string]map[string]string{
		"nothing":   nil,
		"variables": {"GREETING": "Grüße, 世界", "PATH": "/opt/bin", "HOME": "/tmp/x"},
		"time zone": {"TZ": "Asia/Tokyo"},
	} {
		t.Run(name, func(t *testing.T) {
			rev := revision(map[string]string{"app.py": lookCode, "data": "", "x.pth": "import sys; sys.from_pth = True\n"})
			rev.Config.MemorySize = 256
			rev.Config.StorageSize = 600
			rev.Layers = []lambda.LayerRef{{Content: b.tree(map[string]string{"python/m.py": "", "lib/x": "", "bin/y": ""})}}
			if vars != nil {
				rev.Config.Environment = &lambda.Variables{Map: vars}
			}
			eventually(t, "there is no spare", b.pool.EndSpares)
			before := b.pool.Starts()
			look := func(r *lambda.Revision) map[string]any {
				b.revisions++
				r.Number = b.revisions
				got := b.invoke(r, "a", `{}`, true)
				if !strings.Contains(string(got.LogTail), "said\n") || !strings.Contains(string(got.LogTail), "Init Duration: ") {
					t.Errorf("got log tail %q", got.LogTail)
				}
				var out map[string]any
				if err := json.Unmarshal(got.Payload, &out); err != nil {
					t.Fatalf("%v in %s", err, got.Payload)
				}
				return out
			}
			plain := look(rev)
			wait()
			again := *rev
			spare := look(&again)
			after := b.pool.Starts()
			check(t, "starts", execenv.Starts{Plain: after.Plain - before.Plain, Spare: after.Spare - before.Spare}, execenv.Starts{Plain: 1, Spare: 1})
			if diff := cmp.Diff(plain, spare); diff != "" {
				t.Errorf("-plain +spare\n%s", diff)
			}
		})
	}
}

// TestSpareHazards: what a process can only see when it starts gives a function a process of its own; everything else works
// in one that was booted ahead.
func TestSpareHazards(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	library := hostLibrary(t)
	load := map[string]string{"app.py": "import ctypes\ndef handler(event, context):\n    return bool(ctypes.CDLL('libhazard.so'))\n"}
	env := func(name string) map[string]string {
		return map[string]string{"app.py": "import os\ndef handler(event, context):\n    return os.environ[" + fmt.Sprintf("%q", name) + "]\n"}
	}
	with := func(files map[string]string, name, text string) map[string]string {
		all := map[string]string{name: text}
		for k, v := range files {
			all[k] = v
		}
		return all
	}
	for _, tc := range []struct {
		name  string
		code  map[string]string
		layer map[string]string
		vars  map[string]string
		spare bool
		want  string
	}{
		{name: "dlopen from a layer", code: load, layer: map[string]string{"lib/libhazard.so": library}, spare: true, want: "true"},
		{name: "dlopen from the code", code: with(load, "libhazard.so", library), spare: true, want: "true"},
		{name: "dlopen from the code's lib", code: with(load, "lib/libhazard.so", library), spare: true, want: "true"},
		{name: "dlopen of a variant", code: load, layer: map[string]string{"lib/glibc-hwcaps/x86-64-v2/libhazard.so": library, "lib/x": ""}, want: "true"},
		{name: "own variable", code: env("MINE"), vars: map[string]string{"MINE": "1"}, spare: true, want: `"1"`},
		{name: "TZ", code: map[string]string{"app.py": "import time\ndef handler(event, context):\n    return time.strftime('%H', time.localtime(0))\n"},
			vars: map[string]string{"TZ": "Asia/Tokyo"}, spare: true, want: `"09"`},
		{name: "PYTHONHASHSEED", code: map[string]string{"app.py": "import sys\ndef handler(event, context):\n    return sys.flags.hash_randomization\n"},
			vars: map[string]string{"PYTHONHASHSEED": "0"}, want: "0"},
		{name: "PYTHONDONTWRITEBYTECODE", code: map[string]string{"app.py": "import sys\ndef handler(event, context):\n    return sys.dont_write_bytecode\n"},
			vars: map[string]string{"PYTHONDONTWRITEBYTECODE": "1"}, want: "true"},
		{name: "PYTHONPATH", code: map[string]string{"app.py": "import m\ndef handler(event, context):\n    return m.name\n"}, layer: map[string]string{"mine/m.py": "name = 'mine'\n"},
			vars: map[string]string{"PYTHONPATH": "/opt/mine"}, want: `"mine"`},
		{name: "LD_LIBRARY_PATH", code: load, layer: map[string]string{"elsewhere/libhazard.so": library}, vars: map[string]string{"LD_LIBRARY_PATH": "/opt/elsewhere"}, want: "true"},
		{name: "MALLOC_ARENA_MAX", code: env("MALLOC_ARENA_MAX"), vars: map[string]string{"MALLOC_ARENA_MAX": "1"}, want: `"1"`},
		{name: "GLIBC_TUNABLES", code: env("GLIBC_TUNABLES"), vars: map[string]string{"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}, want: `"glibc.malloc.arena_max=1"`},
		{name: "LANG", code: env("LANG"), vars: map[string]string{"LANG": "C"}, want: `"C"`},
		{name: "LC_ALL", code: map[string]string{"app.py": "import locale\ndef handler(event, context):\n    return locale.setlocale(locale.LC_CTYPE)\n"},
			vars: map[string]string{"LC_ALL": "C.UTF-8"}, want: `"C.UTF-8"`},
		{name: "HOME with packages", code: map[string]string{"app.py": "import site\ndef handler(event, context):\n    return site.getuserbase()\n"},
			vars: map[string]string{"HOME": "/opt/home"}, want: `"/opt/home/.local"`},
		{name: "wrapper", code: env("WRAPPED"), layer: map[string]string{"wrap": "#!/bin/sh\nWRAPPED=yes exec \"$@\"\n"},
			vars: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, want: `"yes"`},
		{name: "a module like one of the library", code: map[string]string{"app.py": "import queue\ndef handler(event, context):\n    return queue.__file__[:9]\n", "queue.py": ""},
			spare: true, want: `"/var/lang"`},
		{name: "memory", code: map[string]string{"app.py": "def handler(event, context):\n    held = []\n    while True:\n        held.append(bytearray(b'x' * (8 << 20)))\n"},
			spare: true, want: platformBody("Runtime.ExitError", "RequestId: a Error: Runtime exited with error: signal: killed")},
		{name: "a full tmp", code: map[string]string{"app.py": "import errno\ndef handler(event, context):\n    try:\n        with open('/tmp/x', 'wb') as f:\n            while True:\n" +
			"                f.write(bytes(1 << 20))\n    except OSError as error:\n        return errno.errorcode[error.errno]\n"}, spare: true, want: `"ENOSPC"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if b.pool.Spares() == 0 { // every plain function leaves one, this makes the first
				b.invoke(revision(map[string]string{"app.py": "def handler(event, context):\n    pass\n"}), "first", "1", true)
			}
			wait()
			rev := revision(tc.code)
			rev.Config.StorageSize = 32
			if tc.layer != nil {
				rev.Layers = []lambda.LayerRef{{Content: b.tree(tc.layer)}}
			}
			if tc.vars != nil {
				rev.Config.Environment = &lambda.Variables{Map: tc.vars}
			}
			before := b.pool.Starts()
			check(t, "payload", string(b.invoke(rev, "a", "1", true).Payload), tc.want)
			check(t, "a spare was used", b.pool.Starts().Spare-before.Spare == 1, tc.spare)
			check(t, "starts", b.pool.Starts().Spare+b.pool.Starts().Plain-before.Spare-before.Plain, int64(1))
		})
	}
}

// hostLibrary gives the bytes of some shared library.
func hostLibrary(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/*/libz.so.1", "/usr/lib64/libz.so.1", "/lib/*/libz.so.1"} {
		found, _ := filepath.Glob(pattern)
		for _, f := range found {
			if b, err := os.ReadFile(f); err == nil {
				return string(b)
			}
		}
	}
	t.Fatal("this machine has no libz.so.1")
	return ""
}

func TestSpares(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	const code = "import os\nstate = open('/proc/self/stat').read().split()[21]\ndef handler(event, context):\n    if event == 'exit':\n        os._exit(5)\n    return [os.getpid(), state]\n"
	rev := revision(map[string]string{"app.py": code})
	b.invoke(rev, "a", "1", true)
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 1})
	wait()

	// Another account gets none of this one's.
	other := *revision(map[string]string{"app.py": code})
	other.Key.Account, other.FunctionID = "210987654321", "other"
	b.invoke(&other, "b", "1", true)
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2})
	eventually(t, "both accounts have one", func() bool { return b.pool.Spares() == 2 })

	// The next of the first account does, and it is replaced; when it exits, the environment starts a process of its own.
	next := revision(map[string]string{"app.py": code})
	first := string(b.invoke(next, "c", "1", true).Payload)
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2, Spare: 1})
	check(t, "warm", string(b.invoke(next, "d", "1", true).Payload), first)
	check(t, "exit", string(b.invoke(next, "e", `"exit"`, true).Payload), platformBody("Runtime.ExitError", "RequestId: e Error: Runtime exited with error: exit status 5"))
	if again := string(b.invoke(next, "f", "1", true).Payload); again == first {
		t.Errorf("the process that exited goes on: %s", again)
	}
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2, Spare: 1})
	eventually(t, "it was replaced", func() bool { return b.pool.Spares() == 2 })

	// One that was killed is noticed.
	for _, pid := range runtimesBelow(os.Getpid()) {
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
	}
	eventually(t, "they are dead", func() bool { return len(runtimesBelow(os.Getpid())) == 0 })
	last := revision(map[string]string{"app.py": code})
	if got := b.invoke(last, "g", "1", true); got.FunctionError != "" {
		t.Errorf("got %s", got.Payload)
	}
}

// TestInitOfASpareFails: a module that fails is reported as AWS does, after a second attempt in a process of its own.
func TestInitOfASpareFails(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	b.invoke(revision(map[string]string{"app.py": "def handler(event, context):\n    pass\n"}), "first", "1", true)
	wait()
	got := b.invoke(revision(map[string]string{"app.py": "print('top')\nimport missing\n"}), "a", "1", true)
	check(t, "payload", string(got.Payload),
		`{"errorMessage": "Unable to import module 'app': No module named 'missing'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`)
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 1, Spare: 1})
	if n := strings.Count(b.log.text(), "\ntop\n"); n != 2 {
		t.Errorf("the module ran %d times:\n%s", n, b.log.text())
	}
	if !strings.Contains(b.log.text(), "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n") {
		t.Error(b.log.text())
	}
}

// TestInitOfASpareIsSlow: the limit of the Init phase holds for what was booted ahead as well, and the second attempt, in the
// invocation, may last as long as that.
func TestInitOfASpareIsSlow(t *testing.T) {
	b, revision, wait := newSpareBench(t, func(o *execenv.Options) { o.InitTimeout = 2 * time.Second })
	b.invoke(revision(map[string]string{"app.py": "def handler(event, context):\n    pass\n"}), "first", "1", true)
	wait()
	before := b.pool.Starts()
	got := b.invoke(revision(map[string]string{"app.py": "import os, time\nif not os.path.exists('/tmp/once'):\n    open('/tmp/once', 'w').close()\n    time.sleep(60)\n" +
		"def handler(event, context):\n    return event\n"}), "a", "1", true)
	check(t, "payload", string(got.Payload), "1")
	check(t, "log tail", strings.Contains(string(got.LogTail), "Init Duration"), false)
	check(t, "a spare was used", b.pool.Starts().Spare-before.Spare, int64(1))
	if !strings.Contains(b.log.text(), "INIT_REPORT Init Duration: N ms\tPhase: init\tStatus: timeout\n") {
		t.Error(b.log.text())
	}
}

// changing are runtimes that can come to look different, as they do when an SDK is added.
type changing struct {
	execenv.Runtimes
	changed atomic.Bool
}

func (c *changing) Resolve(ctx context.Context, r lambda.Runtime) (*runtimes.Runtime, error) {
	got, err := c.Runtimes.Resolve(ctx, r)
	if err == nil && c.changed.Load() {
		got.Mounts = append(got.Mounts, sandbox.Mount{Target: "/var/added", Empty: true})
	}
	return got, err
}

// TestSpareOfAnOldRuntime: a runtime that has changed is not met in a spare that had booted before.
func TestSpareOfAnOldRuntime(t *testing.T) {
	set := &changing{}
	b, revision, wait := newSpareBench(t, func(o *execenv.Options) {
		set.Runtimes = o.Runtimes
		o.Runtimes = set
	})
	code := map[string]string{"app.py": "import os\ndef handler(event, context):\n    return os.path.isdir('/var/added')\n"}
	check(t, "before", string(b.invoke(revision(code), "a", "1", true).Payload), "false")
	wait()
	set.changed.Store(true)
	check(t, "after", string(b.invoke(revision(code), "b", "1", true).Payload), "true")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2})
	wait()
	check(t, "with a new spare", string(b.invoke(revision(code), "c", "1", true).Payload), "true")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2, Spare: 1})
}

// TestSparesEnd: a spare that nobody wants ends, and one that still boots ends with the pool.
func TestSparesEnd(t *testing.T) {
	b, revision, _ := newSpareBench(t, func(o *execenv.Options) { o.IdleTimeout = 50 * time.Millisecond })
	b.invoke(revision(map[string]string{"app.py": "def handler(event, context):\n    pass\n"}), "a", "1", true)
	eventually(t, "nothing is left", func() bool { return b.pool.Booting() == 0 && b.pool.Spares() == 0 && len(children(os.Getpid())) == 0 })
	b.invoke(revision(map[string]string{"app.py": "def handler(event, context):\n    pass\n"}), "b", "1", true)
	if err := b.pool.Close(context.Background()); err != nil {
		t.Error(err)
	}
	check(t, "processes", len(children(os.Getpid())), 0)
}

// TestNoSpares: the setting switches them off.
func TestNoSpares(t *testing.T) {
	b, python := newLinuxBench(t)
	for i := range 2 {
		rev := b.revision("app.handler")
		rev.Config.Runtime = python
		rev.Code = b.tree(map[string]string{"app.py": "def handler(event, context):\n    return event\n"})
		check(t, "payload", string(b.invoke(rev, fmt.Sprint(i), "1", true).Payload), "1")
	}
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 2})
	check(t, "spares", b.pool.Booting()+b.pool.Spares(), 0)
}

// TestAheadReplacesItsSpare: what is initialised ahead takes a spare, and another one is booted in its place.
func TestAheadReplacesItsSpare(t *testing.T) {
	b, revision, wait := newSpareBench(t, withAhead(1))
	const code = "def handler(event, context):\n    return 'AWS_LAMBDA_FUNCTION_NAME' in open('/proc/self/environ').read()\n"
	b.invoke(revision(map[string]string{"app.py": code}), "first", "1", true)
	wait()
	rev := revision(map[string]string{"app.py": code})
	b.pool.BeginAhead(rev)
	eventually(t, "one is ahead", func() bool { return b.pool.Ahead() == 1 })
	wait()
	check(t, "it had the function's variables when it began", string(b.invoke(rev, "second", "1", true).Payload), "false")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Plain: 1, Ahead: 1})
}
