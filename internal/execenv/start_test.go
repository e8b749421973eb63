package execenv_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

func TestBootstrapOfProvided(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const missing = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	script := "#!/bin/sh\nexec " + self + "\n"
	file := func(mode os.FileMode, text string) func(dir string) {
		return func(dir string) { _ = os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(text), mode) }
	}
	folder := func(dir string) { _ = os.MkdirAll(filepath.Join(dir, "bootstrap", "x"), 0o755) }
	link := func(to string) func(dir string) {
		return func(dir string) {
			_ = os.WriteFile(filepath.Join(dir, "main"), []byte(script), 0o755)
			_ = os.Mkdir(filepath.Join(dir, "folder"), 0o755)
			_ = os.WriteFile(filepath.Join(dir, "folder", "file"), []byte("\x7fELF nonsense"), 0o755)
			_ = os.Symlink("folder/file", filepath.Join(dir, "again"))
			_ = os.Symlink(to, filepath.Join(dir, "bootstrap"))
		}
	}
	none := func(dir string) { _ = os.WriteFile(filepath.Join(dir, "other"), nil, 0o644) }
	for _, tc := range []struct {
		name   string
		code   func(dir string)
		layers []func(dir string)
		want   string // the error message, "" when the function runs
	}{
		{"in the function", file(0o755, script), []func(string){file(0o755, "#!/bin/sh\nexit 9\n")}, ""},
		{"in a layer", none, []func(string){file(0o755, script)}, ""},
		{"in two layers, the last wins", none, []func(string){file(0o755, "#!/bin/sh\nexit 9\n"), file(0o755, script)}, ""},
		{"a folder in the function is passed over", folder, []func(string){file(0o755, script)}, ""},
		{"nowhere", none, []func(string){none}, missing},
		{"no layers", none, nil, missing},
		{"folders only", folder, []func(string){folder}, missing},
		{"a layer's folder hides an earlier layer's file", none, []func(string){file(0o755, script), folder}, missing},
		{"not executable", file(0o644, script), nil, "fork/exec /var/task/bootstrap: permission denied"},
		{"not a program", file(0o755, "\x7fELF nonsense"), nil, "fork/exec /var/task/bootstrap: exec format error"},
		{"interpreter that is not there", file(0o755, "#!/nowhere/sh\n"), nil, "fork/exec /var/task/bootstrap: no such file or directory"},
		{"link", link("main"), nil, ""},
		{"link that leads nowhere is passed over", link("/nowhere"), []func(string){file(0o755, script)}, ""},
		{"link to a folder is passed over", link("folder"), []func(string){file(0o755, script)}, ""},
		{"link below a file is passed over", link("main/x"), []func(string){file(0o755, script)}, ""},
		{"link that leads nowhere, in a layer", none, []func(string){link("/nowhere")}, missing},
		{"link to nothing in the function, from a layer", none, []func(string){link("/var/task/nothing")}, missing},
		{"link to nothing of the system", link("/usr/bin/nothing-there"), nil, missing},
		{"link to a folder of the system", link("/usr/bin"), nil, missing},
		{"link out of everything", link("../../../nowhere"), nil, missing},
		{"link to a link to what is no program", link("again"), nil, "fork/exec /var/task/bootstrap: exec format error"},
		{"loop", link("bootstrap"), nil, "fork/exec /var/task/bootstrap: too many levels of symbolic links"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			rev := b.revision("echo")
			make := func(fill func(string)) lambda.Content {
				dir := t.TempDir()
				fill(dir)
				return b.folder(dir)
			}
			rev.Code = make(tc.code)
			for _, l := range tc.layers {
				rev.Layers = append(rev.Layers, lambda.LayerRef{Content: make(l)})
			}
			got := b.invoke(rev, "a", "1", true)
			if tc.want == "" {
				check(t, "payload", string(got.Payload), "1")
				return
			}
			check(t, "payload", string(got.Payload), platformBody("Runtime.InvalidEntrypoint", "RequestId: a Error: "+tc.want))
			report := func(phase string) string {
				return "INIT_REPORT Init Duration: N ms\tPhase: " + phase + "\tStatus: error\tError Type: Runtime.InvalidEntrypoint\n"
			}
			check(t, "log", b.log.text(), initStart+report("init")+
				invocation("a", report("invoke")+"RequestId: a Error: "+tc.want+"\nRuntime.InvalidEntrypoint\n",
					warmReport+"Status: error\tError Type: Runtime.InvalidEntrypoint"))
		})
	}
}

func TestVariables(t *testing.T) {
	b := newBench(t)
	rev := b.revision("env")
	rev.Config.MemorySize = 256
	rev.Config.Environment = &lambda.Variables{Map: map[string]string{
		"MY_VAR": "x=y", "PATH": "/opt/bin", "TZ": "Europe/Paris", // a function's own, and overridable ones
		"AWS_REGION": "mars-1", "LAMBDA_TASK_ROOT": "/x", "_HANDLER": "x.y", "AWS_SESSION_TOKEN": "x", "_X": "1", "AWS_EXECUTION_ENV": "x",
	}}
	var list []string
	if err := json.Unmarshal(b.invoke(rev, "a", "1", true).Payload, &list); err != nil {
		t.Fatal(err)
	}
	stream := b.log.all()[0].Source.LogStream
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(stream) {
		t.Errorf("got log stream %q", stream)
	}
	var got []string
	secret := regexp.MustCompile(`^(AWS_ACCESS_KEY_ID=ASIA)[A-Z2-7]{16}$|^(AWS_SECRET_ACCESS_KEY=)[A-Za-z0-9+/]{40}$|^(AWS_SESSION_TOKEN=)[A-Za-z0-9+/]{400}$|^(AWS_LAMBDA_METADATA_TOKEN=)[0-9a-f-]{36}$`)
	for _, kv := range list {
		switch {
		case strings.HasPrefix(kv, "TMPDIR="), strings.HasPrefix(kv, "AWS_LAMBDA_RUNTIME_API="), strings.HasPrefix(kv, "AWS_LAMBDA_METADATA_API="), strings.HasPrefix(kv, "PWD="), strings.HasPrefix(kv, "OLDPWD="):
			continue // of the driver and its shell
		}
		got = append(got, secret.ReplaceAllString(kv, "$1$2$3${4}*"))
	}
	slices.Sort(got)
	want := []string{
		"AWS_ACCESS_KEY_ID=ASIA*",
		"AWS_DEFAULT_REGION=eu-west-1",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_FUNCTION_NAME=f",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f",
		"AWS_LAMBDA_LOG_STREAM_NAME=" + stream,
		"AWS_LAMBDA_METADATA_TOKEN=*",
		"AWS_REGION=eu-west-1",
		"AWS_SECRET_ACCESS_KEY=*",
		"AWS_SESSION_TOKEN=*",
		"AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS=169.254.100.1:2000",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=/var/task",
		"LANG=en_US.UTF-8",
		"LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"MY_VAR=x=y",
		"PATH=/opt/bin",
		"TZ=Europe/Paris",
		"_AWS_XRAY_DAEMON_ADDRESS=169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT=2000",
		"_HANDLER=env",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestSandboxSpec(t *testing.T) {
	b := newBench(t)
	rev := b.revision("echo")
	rev.Config.MemorySize, rev.Config.StorageSize = 256, 1024
	for _, name := range []string{"one", "two", "three"} {
		rev.Layers = append(rev.Layers, lambda.LayerRef{Content: b.tree(map[string]string{name: name})})
	}
	b.invoke(rev, "a", "1", true)
	spec := <-b.driver.specs
	check(t, "account", spec.Account, "123456789012")
	check(t, "sizes", []int64{spec.Memory, spec.TmpSize, int64(spec.Processes)}, []int64{256 << 20, 1 << 30, 1024})
	check(t, "addresses", spec.LocalAddrs, []string{"169.254.100.1"})
	mounts := map[string]sandbox.Mount{}
	for _, m := range spec.Root {
		mounts[m.Target] = m
	}
	var first []string
	for _, dir := range mounts["/opt"].Overlay {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, entries[0].Name())
	}
	check(t, "/opt, top first", first, []string{"three", "two", "one"})
	check(t, "number of folders of /var/task", len(mounts["/var/task"].Overlay), 1)
	if _, ok := mounts["/etc/passwd"]; !ok {
		t.Errorf("the default root is missing in %+v", spec.Root)
	}
}

// TestLayersWithTheSameContent: overlayfs refuses a folder that it has already.
func TestLayersWithTheSameContent(t *testing.T) {
	b := newBench(t)
	rev := b.revision("echo")
	same, other := b.tree(map[string]string{"same": "x"}), b.tree(map[string]string{"other": "x"})
	for _, c := range []lambda.Content{same, other, same} {
		rev.Layers = append(rev.Layers, lambda.LayerRef{Content: c})
	}
	b.invoke(rev, "a", "1", true)
	spec := <-b.driver.specs
	i := slices.IndexFunc(spec.Root, func(m sandbox.Mount) bool { return m.Target == "/opt" })
	var names []string
	for _, dir := range spec.Root[i].Overlay {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, entries[0].Name())
	}
	check(t, "/opt, top first", names, []string{"same", "other"})
}

func TestWithoutLayersOptIsEmpty(t *testing.T) {
	b := newBench(t)
	b.invoke(b.revision("echo"), "a", "1", true)
	spec := <-b.driver.specs
	i := slices.IndexFunc(spec.Root, func(m sandbox.Mount) bool { return m.Target == "/opt" })
	if i < 0 || len(spec.Root[i].Overlay) != 0 || spec.Root[i].Bind != "" {
		t.Errorf("got mounts %+v", spec.Root)
	}
}

func TestExtensionsAreNamedInTheLog(t *testing.T) {
	one := map[string]string{"extensions/logger": "x", "extensions/folder/x": "x", "extensions/changes/x": "x"}
	two := map[string]string{"extensions/agent": "x", "extensions/logger": "another", "extensions/changes": "x"}
	for name, tc := range map[string]struct {
		layers []map[string]string
		want   string
	}{
		"two layers":               {[]map[string]string{one, two}, "/opt/extensions/agent /opt/extensions/changes /opt/extensions/logger"},
		"a file becomes a folder":  {[]map[string]string{two, one}, "/opt/extensions/agent /opt/extensions/logger"},
		"a file hides the folder":  {[]map[string]string{one, {"extensions": "x"}}, ""},
		"no layer":                 {nil, ""},
		"a layer without any":      {[]map[string]string{{"bin/x": "x"}}, ""},
		"a layer forbids them all": {[]map[string]string{{"disable-extensions-jwigqn8j": ""}, one}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			rev := b.revision("echo")
			for _, files := range tc.layers {
				rev.Layers = append(rev.Layers, lambda.LayerRef{Content: b.tree(files)})
			}
			b.invoke(rev, "a", "1", true)
			b.invoke(rev, "b", "1", true)
			want := initStart
			if tc.want != "" {
				want += "lamina: extensions are not built yet, so these were not started: " + tc.want + "\n"
			}
			check(t, "log", b.log.text(), want+invocation("a", "", coldReport)+invocation("b", "", warmReport))
		})
	}
}

func TestSharedLogGroupNamesTheFunctionInTheStream(t *testing.T) {
	b := newBench(t)
	rev := b.revision("echo")
	rev.Config.Logging.LogGroup = "/shared"
	b.invoke(rev, "a", "1", true)
	src := b.log.all()[0].Source
	check(t, "group", src.LogGroup, "/shared")
	if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/f\[\$LATEST\][0-9a-f]{32}$`).MatchString(src.LogStream) {
		t.Errorf("got log stream %q", src.LogStream)
	}
}

// The records of one cold invocation, in AWS's order and with AWS's members.
func TestEvents(t *testing.T) {
	b := newBench(t)
	b.invoke(b.revision("raise"), "a", "1", true)
	var got []string
	for _, e := range b.log.all() {
		if s, ok := e.Record.(*telemetry.InitStart); ok {
			s.RuntimeVersionARN, s.InstanceID = "", ""
		}
		record, err := json.Marshal(e.Record)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(e.Type)+" "+regexp.MustCompile(`(Ms":)[0-9.]+`).ReplaceAllString(string(record), "${1}0"))
	}
	want := []string{
		`platform.initStart {"initializationType":"on-demand","phase":"init","functionName":"f","functionVersion":"$LATEST","instanceMaxMemory":134217728,"runtimeVersion":"provided:al2023.v1"}`,
		`platform.initRuntimeDone {"initializationType":"on-demand","phase":"init","status":"success"}`,
		`platform.initReport {"initializationType":"on-demand","phase":"init","status":"success","metrics":{"durationMs":0}}`,
		`platform.start {"requestId":"a","version":"$LATEST"}`,
		`platform.runtimeDone {"requestId":"a","status":"error","metrics":{"durationMs":0,"producedBytes":51}}`,
		`platform.end {"requestId":"a"}`,
		`platform.report {"requestId":"a","status":"error","metrics":{"durationMs":0,"billedDurationMs":0,"memorySizeMB":128,"maxMemoryUsedMB":45,"initDurationMs":0}}`,
	}
	check(t, "events", got, want)
}

func TestBilledDurationIncludesInit(t *testing.T) {
	b := newBench(t)
	b.invoke(b.revision("echo"), "a", "1", true)
	for _, e := range b.log.all() {
		if r, ok := e.Record.(*telemetry.Report); ok {
			m := r.Metrics
			sum := m.DurationMs + *m.InitDurationMs
			if billed := float64(m.BilledDurationMs); billed < sum || billed >= sum+1 {
				t.Errorf("billed %v ms of %v ms", billed, sum)
			}
		}
	}
}
