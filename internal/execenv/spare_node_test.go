package execenv_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
)

// What a function can see of the process that it is in, but for what differs from one process to the next.
const lookNodeCode = `
const fs = require('fs'), os = require('os'), v8 = require('v8'), Module = require('module');
const stat = fs.statfsSync ? (({ bsize, blocks }) => bsize * blocks)(fs.statfsSync('/tmp')) : null;
const own = (o) => Object.getOwnPropertyNames(o).sort();
const store = globalThis.awslambda?.InvokeStore;
const rehearsed = [store?.hasContext(), store?.getRequestId(), process.env._X_AMZN_TRACE_ID, process._getActiveHandles().map((h) => h.constructor.name).filter((n) => n !== 'Socket'), process.execArgv, Error.prepareStackTrace];
console.log('began');
const early = new Promise((resolve) => { const from = Date.now(); setTimeout(() => resolve(Date.now() - from >= 25), 30); });
exports.handler = async (event, context) => {
  const env = { ...process.env };
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_LAMBDA_METADATA_TOKEN', 'AWS_LAMBDA_LOG_STREAM_NAME', '_X_AMZN_TRACE_ID']) delete env[name];
  console.log('said');
  return {
    env, names: own(env), argv: process.argv, execArgv: process.execArgv, title: process.title, cwd: process.cwd(), paths: Module.globalPaths, more: module.paths,
    files: fs.readdirSync('/proc/self/fd').length, zone: [Intl.DateTimeFormat().resolvedOptions().timeZone, new Date(0).getHours()], locale: Intl.DateTimeFormat().resolvedOptions().locale,
    umask: process.umask(), user: [process.getuid(), process.getgid(), process.getgroups(), process.pid > 1, os.homedir(), os.tmpdir()], heap: v8.getHeapStatistics().heap_size_limit,
    status: fs.readFileSync('/proc/self/status', 'utf8').split('\n').filter((l) => /^(NoNewPrivs|CapEff|CapBnd|Seccomp|Threads)/.test(l)), limits: fs.readFileSync('/proc/self/limits', 'utf8'),
    mounts: fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((l) => l.split(' ')[4]).sort(), root: fs.readdirSync('/'),
    tmp: [stat, fs.readdirSync('/tmp')], opt: fs.readdirSync('/opt'), task: fs.readdirSync('/var/task'), child: String(require('child_process').execSync('env | grep -c .')),
    globals: own(globalThis), listeners: process.eventNames().map(String), handles: process._getActiveHandles().length, requests: process._getActiveRequests().length,
    cached: Object.keys(require.cache), module: [module.id, require.main === undefined, module.parent?.filename], gc: typeof gc, trace: new Error('x').stack.split('\n')[0], early: await early, rehearsed,
  };
};
`

// nodes gives the nodejs runtimes of this machine, with those that make setup got, and says which are not there.
func nodes(t *testing.T, b *bench) []lambda.Runtime {
	t.Helper()
	dirs, err := filepath.Glob("../../.tools/node/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	for _, dir := range dirs {
		abs, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		path += ":" + abs
	}
	t.Setenv("PATH", path)
	infos, err := b.set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []lambda.Runtime
	for _, name := range []lambda.Runtime{"nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"} {
		if slices.ContainsFunc(infos, func(i runtimes.Info) bool { return i.Runtime == name }) {
			found = append(found, name)
		} else {
			t.Logf("NOT RUN: %s is not on this machine (make setup gets it)", name)
		}
	}
	if len(found) == 0 {
		t.Fatal("there is no node on this machine: run make setup")
	}
	return found
}

// nodeRevision is a function of 512 MB in index.js.
func (b *bench) nodeRevision(r lambda.Runtime, files map[string]string) *lambda.Revision {
	rev := b.revision("index.handler")
	rev.Config.Runtime = r
	rev.Config.MemorySize = 512
	rev.Code = b.tree(files)
	return rev
}

func (b *bench) awaitSpare() {
	eventually(b.t, "a spare has booted", func() bool { return b.pool.Spares() == 1 })
}

// TestNodeSpareLooksTheSame: a function cannot tell whether its node was booted ahead.
func TestNodeSpareLooksTheSame(t *testing.T) {
	b, _ := newLinuxBench(t, func(o *execenv.Options) { o.Spares = 1 })
	for _, node := range nodes(t, b) {
		t.Run(string(node), func(t *testing.T) {
			eventually(t, "there is no spare", b.pool.EndSpares)
			before := b.pool.Starts()
			rev := b.nodeRevision(node, map[string]string{"index.js": lookNodeCode, "data": ""})
			rev.Config.StorageSize = 600
			rev.Layers = []lambda.LayerRef{{Content: b.tree(map[string]string{"nodejs/node_modules/m/index.js": "", "lib/x": ""})}}
			rev.Config.Environment = &lambda.Variables{Map: map[string]string{"GREETING": "Grüße, 世界", "TZ": "Asia/Tokyo", "NODE_ENV": "production"}}
			look := func(r lambda.Revision) map[string]any {
				b.revisions++
				r.Number = b.revisions
				got := b.invoke(&r, "a", `{}`, true)
				if !strings.Contains(string(got.LogTail), "\ta\tINFO\tsaid\n") || !strings.Contains(string(got.LogTail), "Init Duration: ") {
					t.Errorf("got log tail %q", got.LogTail)
				}
				var out map[string]any
				if err := json.Unmarshal(got.Payload, &out); err != nil {
					t.Fatalf("%v in %s", err, got.Payload)
				}
				return out
			}
			plain := look(*rev)
			b.awaitSpare()
			spare := look(*rev)
			after := b.pool.Starts()
			check(t, "starts", execenv.Starts{Plain: after.Plain - before.Plain, Spare: after.Spare - before.Spare}, execenv.Starts{Plain: 1, Spare: 1})
			if diff := cmp.Diff(plain, spare); diff != "" {
				t.Errorf("-plain +spare\n%s", diff)
			}
			check(t, "a timer waits for its time", spare["early"], any(true))
		})
	}
}

// TestNodeSpareHazards: what node can only see when it starts gives a function a process of its own; everything else works in
// one that was booted ahead.
func TestNodeSpareHazards(t *testing.T) {
	b, _ := newLinuxBench(t, func(o *execenv.Options) { o.Spares = 1 })
	all := nodes(t, b)
	node := all[len(all)-1]
	library := hostLibrary(t)
	code := func(body string) map[string]string {
		return map[string]string{"index.js": "exports.handler = async (event, context) => " + body + ";\n"}
	}
	load := code("{ try { process.dlopen({ exports: {} }, 'libhazard.so'); } catch (e) { return /self-register/.test(e.message) || e.message; } }")
	for _, tc := range []struct {
		name   string
		code   map[string]string
		layer  map[string]string
		vars   map[string]string
		memory int
		json   bool
		spare  bool
		want   string
		log    string
	}{
		{name: "dlopen from a layer", code: load, layer: map[string]string{"lib/libhazard.so": library}, spare: true, want: "true"},
		{name: "dlopen of a variant", code: load, layer: map[string]string{"lib/glibc-hwcaps/x86-64-v2/libhazard.so": library, "lib/x": ""}, want: "true"},
		{name: "LD_LIBRARY_PATH", code: load, layer: map[string]string{"elsewhere/libhazard.so": library}, vars: map[string]string{"LD_LIBRARY_PATH": "/opt/elsewhere"}, want: "true"},
		{name: "own variable", code: code("process.env.MINE"), vars: map[string]string{"MINE": "1"}, spare: true, want: `"1"`},
		{name: "NODE_ENV", code: code("process.env.NODE_ENV"), vars: map[string]string{"NODE_ENV": "test"}, spare: true, want: `"test"`},
		{name: "NODE_OPTIONS", code: code("process.title"), vars: map[string]string{"NODE_OPTIONS": "--title=hazard"}, want: `"hazard"`},
		{name: "NODE_PATH", code: code("require('own')"), layer: map[string]string{"mine/own.js": "module.exports = 'mine';\n"}, vars: map[string]string{"NODE_PATH": "/opt/mine"}, want: `"mine"`},
		{name: "NODE_EXTRA_CA_CERTS", code: code("process.env.NODE_EXTRA_CA_CERTS"), vars: map[string]string{"NODE_EXTRA_CA_CERTS": "/var/runtime/ca-cert.pem"}, want: `"/var/runtime/ca-cert.pem"`},
		{name: "UV_THREADPOOL_SIZE", code: code("process.env.UV_THREADPOOL_SIZE"), vars: map[string]string{"UV_THREADPOOL_SIZE": "1"}, want: `"1"`},
		{name: "TZ", code: code("new Date(0).getHours()"), vars: map[string]string{"TZ": "Asia/Tokyo"}, spare: true, want: "9"},
		{name: "LC_ALL", code: code("process.env.LC_ALL"), vars: map[string]string{"LC_ALL": "de_DE.UTF-8"}, want: `"de_DE.UTF-8"`},
		{name: "wrapper", code: code("process.env.WRAPPED"), layer: map[string]string{"wrap": "#!/bin/sh\nWRAPPED=yes exec \"$@\"\n"},
			vars: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, want: `"yes"`},
		{name: "a package of a layer, imported", code: map[string]string{"index.mjs": "import layered from 'layered';\nexport const handler = async () => layered;\n"},
			layer: map[string]string{"nodejs/node_modules/layered/index.js": "module.exports = 'layered';\n"}, spare: true, want: `"layered"`},
		{name: "log format", code: code("console.log('said')"), json: true, spare: true, want: "null", log: `"level":"INFO","requestId":"a","message":"said"}`},
		{name: "memory", code: code("{ for (const held = []; ; ) held.push(Buffer.alloc(8 << 20, 1)); }"), spare: true,
			want: platformBody("Runtime.ExitError", "RequestId: a Error: Runtime exited with error: signal: killed")},
		{name: "the same heap", code: code("require('v8').getHeapStatistics().heap_size_limit >> 20 > 400"), spare: true, want: "true"},
		{name: "another heap", code: code("require('v8').getHeapStatistics().heap_size_limit >> 20 > 1400"), memory: 1769, want: "true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			eventually(t, "there is no spare", b.pool.EndSpares)
			b.invoke(b.nodeRevision(node, code("1")), "first", "1", true) // it leaves a spare
			b.awaitSpare()
			rev := b.nodeRevision(node, tc.code)
			if tc.memory != 0 {
				rev.Config.MemorySize = tc.memory
			}
			if tc.json {
				rev.Config.Logging.LogFormat = "JSON"
			}
			if tc.layer != nil {
				rev.Layers = []lambda.LayerRef{{Content: b.tree(tc.layer)}}
			}
			if tc.vars != nil {
				rev.Config.Environment = &lambda.Variables{Map: tc.vars}
			}
			before := b.pool.Starts()
			got := b.invoke(rev, "a", "1", true)
			check(t, "payload", string(got.Payload), tc.want)
			check(t, "log", strings.Contains(string(got.LogTail), tc.log), true)
			check(t, "starts", execenv.Starts{Plain: b.pool.Starts().Plain - before.Plain, Spare: b.pool.Starts().Spare - before.Spare}, startOf(tc.spare))
		})
	}
	t.Run("another account", func(t *testing.T) {
		eventually(t, "there is no spare", b.pool.EndSpares)
		b.invoke(b.nodeRevision(node, code("1")), "first", "1", true)
		b.awaitSpare()
		before := b.pool.Starts()
		other := b.nodeRevision(node, code("1"))
		other.Key.Account, other.FunctionID = "210987654321", "other"
		check(t, "payload", string(b.invoke(other, "a", "1", true).Payload), "1")
		check(t, "plain starts", b.pool.Starts().Plain-before.Plain, int64(1))
	})
}

func startOf(spare bool) execenv.Starts {
	if spare {
		return execenv.Starts{Spare: 1}
	}
	return execenv.Starts{Plain: 1}
}

// TestExpect: a function that is expected finds an interpreter that has booted, and one of a provided runtime none.
func TestExpect(t *testing.T) {
	b, revision, wait := newSpareBench(t)
	custom := b.revision("echo")
	if err := b.pool.Expect(t.Context(), custom); err != nil {
		t.Error(err)
	}
	check(t, "booting for a custom runtime", b.pool.Booting(), 0)
	rev := revision(map[string]string{"app.py": "def handler(event, context):\n    return event\n"})
	for range 2 { // one is enough
		if err := b.pool.Expect(t.Context(), rev); err != nil {
			t.Fatal(err)
		}
	}
	wait()
	check(t, "payload", string(b.invoke(rev, "a", "1", true).Payload), "1")
	check(t, "starts", b.pool.Starts(), execenv.Starts{Spare: 1})
	unknown := b.revision("x")
	unknown.Config.Runtime = "java21"
	if err := b.pool.Expect(t.Context(), unknown); !lambda.IsKind(err, lambda.BadRuntime) {
		t.Errorf("got %v", err)
	}
}
