package runtimes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/runtimes/node"
	"github.com/laminadev/lamina/internal/sandbox"
)

// everyNode runs a test with every node of this machine, those that make setup got included, and says which are not there.
func everyNode(t *testing.T, f func(t *testing.T, set *runtimes.Set, in node.Interpreter)) {
	t.Helper()
	tools, _ := filepath.Glob("../../.tools/node/*/bin")
	path := os.Getenv("PATH")
	for _, dir := range tools {
		abs, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		path += ":" + abs
	}
	t.Setenv("PATH", path)
	found, err := node.NewHost(t.TempDir(), slog.New(slog.DiscardHandler)).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("there is no node on this machine: run make setup")
	}
	here := map[int]node.Interpreter{}
	for _, in := range found {
		here[in.Major] = in
	}
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	for _, major := range node.Majors {
		in, ok := here[major]
		if !ok {
			t.Logf("NOT RUN: node %d is not on this machine (make setup gets it)", major)
			continue
		}
		t.Run(in.Name(), func(t *testing.T) { f(t, set, in) })
	}
}

// nodeFunction is a function that a test runs once in a sandbox.
type nodeFunction struct {
	task, opt, sdk map[string]string // files; sdk: of AWS's SDK, in /var/runtime
	handler        string
	env            []string
	memory         int
}

// answer is what came out: the body that was posted, or what was printed when the process ended without posting.
type answer struct{ path, body, printed string }

// run starts the runtime as an execution environment does, against a Runtime API that the sandbox opened.
func (f nodeFunction) run(t *testing.T, set *runtimes.Set, in node.Interpreter) answer {
	t.Helper()
	r, err := set.Resolve(t.Context(), lambda.Runtime(in.Name()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	b := openAs(t, r, func(spec *sandbox.Spec) {
		spec.Root = append(spec.Root, sandbox.Mount{Target: "/var/task", Bind: tree(t, f.task)}, sandbox.Mount{Target: "/opt", Bind: tree(t, f.opt)})
		if f.sdk != nil {
			spec.Root = append(spec.Root, node.Mounts(in, mountedAt(r, "/var/runtime"), tree(t, f.sdk))...)
		}
		spec.LocalAddrs = []string{"169.254.100.1"}
	})
	defer b.Close()
	l, err := b.Listen(t.Context(), "169.254.100.1:9001")
	if err != nil {
		t.Fatal(err)
	}
	posted := make(chan answer, 1)
	go http.Serve(l, oneEvent(posted))
	defer l.Close()
	env := append(append(append([]string{}, awsEnv...), r.Env...), "AWS_LAMBDA_RUNTIME_API=169.254.100.1:9001", "_HANDLER="+f.handler,
		fmt.Sprint("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=", max(f.memory, 128)))
	env = override(env, f.env)
	printed := make(chan string, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := r.Command(env)
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p, err := b.Spawn(ctx, sandbox.Command{Path: args[0], Args: args, Env: env, Dir: "/var/task", Stdout: w, Stderr: w})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		text, _ := io.ReadAll(out)
		printed <- string(text)
	}()
	select {
	case a := <-posted:
		b.KillAll(ctx)
		a.printed = <-printed
		return a
	case text := <-printed:
		exit, err := p.Wait(ctx)
		return answer{printed: fmt.Sprintf("%s%v exit %d", text, err, exit.Code)}
	case <-ctx.Done():
		t.Fatal("the function hangs")
	}
	return answer{}
}

// oneEvent is a Runtime API that has one event and gives what is posted.
func oneEvent(posted chan<- answer) http.Handler {
	mux := http.NewServeMux()
	given := false
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if given {
			<-r.Context().Done()
			return
		}
		given = true
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "id")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", "1")
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn")
		io.WriteString(w, "{}")
	})
	mux.HandleFunc("POST /2018-06-01/runtime/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		select {
		case posted <- answer{path: strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"), body: string(body)}:
		default:
		}
	})
	return mux
}

// override lets later variables replace earlier ones of the same name.
func override(env, own []string) []string {
	var kept []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		replaced := false
		for _, o := range own {
			replaced = replaced || strings.HasPrefix(o, name+"=")
		}
		if !replaced {
			kept = append(kept, kv)
		}
	}
	return append(kept, own...)
}

// tree writes files into a folder that every user may read.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mountedAt gives the top folder that a runtime shows at a place.
func mountedAt(r *runtimes.Runtime, target string) string {
	for _, m := range r.Mounts {
		if m.Target == target && len(m.Overlay) > 0 {
			return m.Overlay[0]
		}
	}
	return ""
}

// pkg makes a package for require and import that says where it is.
func pkg(folder, says string) map[string]string {
	return map[string]string{
		folder + "/package.json": `{"version": "1.0.0", "exports": {".": {"import": "./i.mjs", "require": "./r.cjs"}, "./sub": "./sub.mjs"}}`,
		folder + "/i.mjs":        "export default 'import " + says + "';",
		folder + "/r.cjs":        "module.exports = 'require " + says + "';",
		folder + "/sub.mjs":      "export default 'sub " + says + "';",
	}
}

func join(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, files := range all {
		for name, text := range files {
			out[name] = text
		}
	}
	return out
}

const lookCJS = `
const found = (name) => { try { return require(name); } catch (e) { return e.code; } };
exports.handler = async () => ({
  layer: found('layered'), versioned: found('versioned'), both: found('both'), scoped: found('@scope/x'), atRoot: found('atroot'),
  overSDK: found('@aws-sdk/both'), sdk: found('@aws-sdk/only'), task: found('lib/util.js'), none: found('nothere'),
  imported: (await import('layered')).default, esmOnly: (await import('esmonly')).default, sub: (await import('@scope/x/sub')).default,
});
`

const lookESM = `
import layered from 'layered';
import versioned from 'versioned';
import both from 'both';
import sub from '@scope/x/sub';
import sdk from '@aws-sdk/only';
import overSDK from '@aws-sdk/both';
import esmOnly, { where } from 'esmonly';
const found = async (name) => { try { return (await import(name)).default; } catch (e) { return e.code; } };
export const handler = async () => ({
  layered, versioned, both, sub, sdk, overSDK, esmOnly, where, atRoot: await found('atroot'), none: await found('nothere'),
});
`

// TestNodeSearchPath: which copy of a package a function gets, by require and by import.
func TestNodeSearchPath(t *testing.T) {
	everyNode(t, func(t *testing.T, set *runtimes.Set, in node.Interpreter) {
		own := fmt.Sprintf("nodejs/node%d/node_modules/", in.Major)
		f := nodeFunction{
			task: join(map[string]string{"index.js": lookCJS, "esm.mjs": lookESM, "lib/util.js": "module.exports = 'util';"}, pkg("node_modules/both", "task")),
			opt: join(pkg("nodejs/node_modules/layered", "layer"), pkg(own+"versioned", "own version"), pkg("nodejs/node_modules/versioned", "any version"),
				pkg("nodejs/node_modules/both", "layer"), pkg("nodejs/node_modules/@scope/x", "scoped"), pkg("node_modules/atroot", "root"),
				pkg("nodejs/node_modules/@aws-sdk/both", "layer"), pkg("nodejs/node1/node_modules/layered", "another version"),
				map[string]string{
					"nodejs/node_modules/esmonly/package.json": `{"type": "module", "main": "m.js"}`,
					"nodejs/node_modules/esmonly/m.js":         "import v from 'versioned';\nexport default 'esm with ' + v;\nexport const where = import.meta.url;",
				}),
			sdk: join(pkg("node_modules/@aws-sdk/both", "bundled"), pkg("node_modules/@aws-sdk/only", "bundled")),
		}
		for handler, want := range map[string]map[string]string{
			"index.handler": {"layer": "require layer", "versioned": "require own version", "both": "require task", "scoped": "require scoped", "atRoot": "MODULE_NOT_FOUND",
				"overSDK": "require layer", "sdk": "require bundled", "task": "util", "none": "MODULE_NOT_FOUND", "imported": "import layer",
				"esmOnly": "esm with import any version", "sub": "sub scoped"},
			"esm.handler": {"layered": "import layer", "versioned": "import own version", "both": "import task", "sub": "sub scoped", "sdk": "import bundled",
				"overSDK": "import layer", "esmOnly": "esm with import any version", "where": "file:///opt/nodejs/node_modules/esmonly/m.js",
				"atRoot": "ERR_MODULE_NOT_FOUND", "none": "ERR_MODULE_NOT_FOUND"},
		} {
			f.handler = handler
			a := f.run(t, set, in)
			var got map[string]string
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				t.Fatalf("%v: %+v", err, a)
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", handler, diff)
			}
		}
	})
}

// TestNodeOwnPath: a function's own NODE_PATH replaces the layers, and an empty one does not.
func TestNodeOwnPath(t *testing.T) {
	everyNode(t, func(t *testing.T, set *runtimes.Set, in node.Interpreter) {
		f := nodeFunction{
			task: join(map[string]string{"index.js": "exports.handler = async () => { const all = [process.env.NODE_PATH];" +
				"for (const name of ['layered', 'own']) { try { all.push(require(name), (await import(name)).default) } catch (e) { all.push(e.code) } } return all; };"},
				pkg("mine/node_modules/own", "own")),
			opt: pkg("nodejs/node_modules/layered", "layer"), handler: "index.handler",
		}
		usual := fmt.Sprintf("/opt/nodejs/node%d/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task", in.Major)
		for _, c := range []struct {
			env  []string
			want string
		}{
			{[]string{"NODE_PATH=/var/task/mine/node_modules"}, `["/var/task/mine/node_modules","MODULE_NOT_FOUND","require own","import own"]`},
			{[]string{"NODE_PATH="}, `["` + usual + `","require layer","import layer","MODULE_NOT_FOUND"]`},
		} {
			f.env = c.env
			if a := f.run(t, set, in); a.body != c.want {
				t.Errorf("%q: got %+v, want %s", c.env, a, c.want)
			}
		}
	})
}

// TestNodeProcess: what node is started with, directly and by a wrapper script, and what a function sees of the host.
func TestNodeProcess(t *testing.T) {
	everyNode(t, func(t *testing.T, set *runtimes.Set, in node.Interpreter) {
		show := "const fs = require('fs');\nexports.handler = async () => [process.version, process.execPath, process.argv[1], process.execArgv, process.env.AWS_EXECUTION_ENV, process.env.WRAPPED ?? null," +
			"fs.existsSync('/usr/share/nodejs') ? fs.readdirSync('/usr/share/nodejs') : [], fs.readdirSync('/var/lang'), fs.readdirSync('/var/runtime').sort()];"
		f := nodeFunction{handler: "index.handler", memory: 1024, task: map[string]string{"index.js": show},
			opt: map[string]string{"wrapper": "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n", "plain": "x"}}
		semi, old := "51", "922"
		if in.Major >= 24 {
			semi, old = "25", "973"
		}
		flags := func(wrapped, extra string) string {
			return fmt.Sprintf(`["v%s","/var/lang/bin/node","/var/runtime/index.mjs",["--expose-gc","--max-http-header-size","81920"%s],"AWS_Lambda_%s",%s,[],["bin"],["bootstrap","ca-cert.pem","index.mjs","lamina"]]`,
				in.Version, extra, in.Name(), wrapped)
		}
		both := `,"--max-semi-space-size=` + semi + `","--max-old-space-size=` + old + `"`
		for _, c := range []struct {
			name, want, printed string
			env                 []string
		}{
			{name: "direct", want: flags("null", both)},
			{name: "wrapper", env: []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"}, want: flags(`"yes"`, both)},
			{name: "own heap", env: []string{"NODE_OPTIONS=--max-old-space-size=200"}, want: flags("null", `,"--max-semi-space-size=`+semi+`"`)},
			{name: "own heap, wrapper", env: []string{"NODE_OPTIONS=--max_old_space_size=200", "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"}, want: flags(`"yes"`, `,"--max-semi-space-size=`+semi+`"`)},
			{name: "no wrapper", env: []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/none"}, printed: "/opt/none: does not exist\n<nil> exit 127"},
			{name: "plain wrapper", env: []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/plain"}, printed: "/opt/plain: is not an executable\n<nil> exit 126"},
			{name: "without libraries", env: []string{"LD_LIBRARY_PATH=/nowhere"}, want: flags("null", both)},
		} {
			f.env = c.env
			a := f.run(t, set, in)
			if a.body != c.want || a.body == "" && a.printed != c.printed {
				t.Errorf("%s: got %+v,\nwant %s", c.name, a, c.want+c.printed)
			}
		}
	})
}

// TestNodeAdd gets a node that is not on PATH, with AWS's SDK, and uses both.
func TestNodeAdd(t *testing.T) {
	t.Parallel() // the tests that install take long, and wait for others most of the time
	path := pathWithoutNodes()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("NOT RUN: npm is not on PATH")
	}
	dir, store := t.TempDir(), newStore(t)
	set := runtimes.New(runtimes.Options{Dir: dir, Store: store, Path: path})
	name := absentNode(t, set)
	if _, err := set.Resolve(t.Context(), name); !lambda.IsKind(err, lambda.BadRuntime) || !strings.Contains(err.Error(), "lamina runtime add "+string(name)) {
		t.Errorf("before: %v", err)
	}
	// Another process adds; this one shows it at the next Resolve.
	var progress bytes.Buffer
	info, err := runtimes.New(runtimes.Options{Dir: dir, Store: store, Path: path}).Add(t.Context(), name, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if info.Source != "added" || !strings.HasPrefix(info.SDK, "@aws-sdk 3.") || info.Version == "" {
		t.Errorf("got %+v", info)
	}
	progress.Reset()
	if _, err := set.Add(t.Context(), name, &progress); err != nil || progress.String() != fmt.Sprintf("%s has %s already\n", name, info.SDK) {
		t.Errorf("again: %v, and was told %q", err, progress.String())
	}
	infos, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(infos, func(i runtimes.Info) bool { return i.Runtime == name }); i < 0 || !cmp.Equal(infos[i], info) {
		t.Errorf("%+v is not listed as %+v", name, info)
	}
	major, err := node.Major(string(name))
	if err != nil {
		t.Fatal(err)
	}
	f := nodeFunction{handler: "index.handler", memory: 512, task: map[string]string{"index.js": "const { S3Client } = require('@aws-sdk/client-s3');\n" +
		"exports.handler = async () => [process.version, require.resolve('@aws-sdk/client-s3'), typeof S3Client, typeof (await import('@aws-sdk/lib-dynamodb')).DynamoDBDocumentClient];"}}
	want := `["v` + info.Version + `","/var/runtime/node_modules/@aws-sdk/client-s3/dist-cjs/index.js","function","function"]`
	if a := f.run(t, set, node.Interpreter{Major: major}); a.body != want {
		t.Errorf("got %+v, want %s", a, want)
	}
}

// pathWithoutNodes gives PATH without folders that hold a node but the system's, so that some version is missing.
func pathWithoutNodes() string {
	var kept []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !strings.Contains(dir, "/.tools/node/") {
			kept = append(kept, dir)
		}
	}
	return strings.Join(kept, ":")
}

// absentNode gives the newest nodejs runtime that is not on this machine.
func absentNode(t *testing.T, set *runtimes.Set) lambda.Runtime {
	t.Helper()
	infos, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range slices.Backward(node.Majors) {
		name := lambda.Runtime(fmt.Sprintf("nodejs%d.x", major))
		if !slices.ContainsFunc(infos, func(i runtimes.Info) bool { return i.Runtime == name }) {
			return name
		}
	}
	t.Skip("NOT RUN: every node is on this machine")
	return ""
}
