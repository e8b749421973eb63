package execenv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// newLinuxBench is a bench with real sandboxes and the newest python of this machine.
func newLinuxBench(t testing.TB, opts ...option) (*bench, lambda.Runtime) {
	t.Helper()
	return newPreparedBench(t, 0, opts...)
}

func newPreparedBench(t testing.TB, prepared int, opts ...option) (*bench, lambda.Runtime) {
	t.Helper()
	driver, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir(), Prepared: prepared})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() }) // after the pool's
	// The sandbox's users have to reach the trees.
	for dir := filepath.Dir(t.TempDir()); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t, append(opts, func(o *execenv.Options) { o.Sandboxes = driver })...)
	b.freezes = driver.Freezes()
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	infos, err := set.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var python lambda.Runtime
	for _, i := range infos {
		if i.Runtime.Family() == "python" {
			python = i.Runtime // the newest comes last
		}
	}
	if python == "" {
		t.Fatal("there is no python on this machine: install python3")
	}
	return b, python
}

const pythonCode = `
import os, sys, time, ctypes, signal
calls = 0
def handler(event, context):
    global calls
    calls += 1
    seen = os.path.exists("/tmp/marker")
    open("/tmp/marker", "w").close()
    what = event.get("do")
    if what == "raise":
        raise ValueError("nope")
    if what == "exit":
        os._exit(event["code"])
    if what == "sys-exit":
        sys.exit(event["code"])
    if what == "kill":
        os.kill(os.getpid(), event["signal"])
        time.sleep(60)
    if what == "sleep":
        time.sleep(60)
    if what == "big":
        return "x" * (7 << 20)
    if what == "hog":
        held = []
        while True:
            held.append(bytearray(b"x" * (8 << 20)))
    if what == "print":
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.write("three")
    if what == "who":
        import layered
        return [layered.name, os.getuid(), os.getcwd(), sorted(os.listdir("/opt"))]
    return {"calls": calls, "marker": seen, "id": context.aws_request_id, "arn": context.invoked_function_arn}
`

func TestPythonInRealSandboxes(t *testing.T) {
	b, python := newLinuxBench(t)
	rev := b.revision("app.handler")
	rev.Config.Runtime = python
	rev.Config.Timeout = 10
	rev.Code = b.tree(map[string]string{"app.py": pythonCode})
	for _, name := range []string{"first", "second"} {
		rev.Layers = append(rev.Layers, lambda.LayerRef{Content: b.tree(map[string]string{
			"python/layered.py": fmt.Sprintf("name = %q\n", name), "of-" + name: ""})})
	}
	exited := func(id, how string) string {
		return platformBody("Runtime.ExitError", "RequestId: "+id+" Error: Runtime exited with error: "+how)
	}
	const arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
	state := func(calls int, marker bool) func(string) string {
		return func(id string) string {
			return fmt.Sprintf(`{"calls": %d, "marker": %v, "id": "%s", "arn": "%s"}`, calls, marker, id, arn)
		}
	}
	// One environment after the other: each case finds what the one before left.
	for i, tc := range []struct {
		event  string
		want   func(id string) string
		failed bool
		log    string // in the tail
	}{
		{`{}`, state(1, false), false, "Init Duration: "},
		{`{}`, state(2, true), false, "\tMax Memory Used: "},
		{`{"do": "who"}`, func(string) string { return `["second", 993, "/var/task", ["of-first", "of-second", "python"]]` }, false, ""},
		{`{"do": "print"}`, state(4, true), false, "\none\ntwo\nthree\nEND "},
		{`{"do": "raise"}`, func(id string) string {
			return `{"errorMessage": "nope", "errorType": "ValueError", "requestId": "` + id + `", "stackTrace": ["  File \"/var/task/app.py\", line 11, in handler\n    raise ValueError(\"nope\")\n"]}`
		}, true, "[ERROR] ValueError: nope\nTraceback (most recent call last):\n"},
		{`{"do": "exit", "code": 7}`, func(id string) string { return exited(id, "exit status 7") }, true, "Runtime.ExitError\nEND "},
		{`{}`, state(1, true), false, "\t\n"},
		{`{"do": "exit", "code": 0}`, func(id string) string {
			return platformBody("Runtime.ExitError", "RequestId: "+id+" Error: Runtime exited without providing a reason")
		}, true, "Status: error\tError Type: Runtime.ExitError\n"},
		{`{"do": "sys-exit", "code": 3}`, func(id string) string { return exited(id, "exit status 3") }, true, ""},
		{`{"do": "kill", "signal": 9}`, func(id string) string { return exited(id, "signal: killed") }, true, ""},
		{`{"do": "kill", "signal": 11}`, func(id string) string { return exited(id, "signal: segmentation fault") }, true, ""},
		{`{"do": "big"}`, func(string) string {
			return platformBody("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).")
		}, true, "Error Type: Function.ResponseSizeTooLarge\n"},
		{`{"do": "hog"}`, func(id string) string { return exited(id, "signal: killed") }, true,
			"\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n"},
		{`{}`, state(1, true), false, ""},
	} {
		id := fmt.Sprintf("00000000-0000-0000-0000-%012d", i)
		got := b.invoke(rev, id, tc.event, true)
		check(t, "payload of "+tc.event, string(got.Payload), tc.want(id))
		check(t, "failure of "+tc.event, got.FunctionError != "", tc.failed)
		if !strings.Contains(string(got.LogTail), tc.log) || !strings.HasPrefix(string(got.LogTail), "START RequestId: "+id) {
			t.Errorf("%s: got log tail %q, want %q in it", tc.event, got.LogTail, tc.log)
		}
	}
	if n := len(b.starts()); n != 14 {
		t.Errorf("%d invocations", n)
	}
	for id, stream := range b.starts() {
		check(t, "environment of "+id, stream, b.log.all()[0].Source.LogStream)
	}
}

func TestPythonTimeoutInARealSandbox(t *testing.T) {
	b, python := newLinuxBench(t)
	rev := b.revision("app.handler")
	rev.Config.Runtime = python
	rev.Config.Timeout = 2
	rev.Code = b.tree(map[string]string{"app.py": pythonCode})
	got := b.invoke(rev, "a", `{"do": "sleep"}`, true)
	check(t, "payload", string(got.Payload), platformBody("Sandbox.Timedout", "RequestId: a Error: Task timed out after 2.00 seconds"))
	got = b.invoke(rev, "b", `{}`, true)
	check(t, "next payload", string(got.Payload), `{"calls": 1, "marker": true, "id": "b", "arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}`)
	if strings.Contains(string(got.LogTail), "Init Duration") {
		t.Errorf("got log tail %q", got.LogTail)
	}
}

// A custom runtime whose bootstrap comes from a layer, and what its exec says when it cannot be one.
func TestProvidedInRealSandboxes(t *testing.T) {
	b, _ := newLinuxBench(t)
	rev := b.revision("x")
	rev.Code = b.tree(map[string]string{"readme": ""})
	for _, tc := range []struct{ bootstrap, want string }{
		{"#!/bin/sh\nexit 4\n", platformBody("Runtime.ExitError", "RequestId: a Error: Runtime exited with error: exit status 4")},
		{"#!/nowhere\n", platformBody("Runtime.InvalidEntrypoint", "RequestId: a Error: fork/exec /opt/bootstrap: no such file or directory")},
		{"nonsense", platformBody("Runtime.InvalidEntrypoint", "RequestId: a Error: fork/exec /opt/bootstrap: exec format error")},
	} {
		rev := *rev
		b.revisions++
		rev.Number = b.revisions
		rev.Layers = []lambda.LayerRef{{Content: b.tree(map[string]string{"bootstrap": tc.bootstrap})}}
		check(t, tc.bootstrap, string(b.invoke(&rev, "a", "1", true).Payload), tc.want)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	rev.Layers = []lambda.LayerRef{{Content: b.tree(map[string]string{"bootstrap": string(program)})}}
	rev.Config.Handler = "env"
	rev.Config.MemorySize = 512
	var env []string
	if err := json.Unmarshal(b.invoke(rev, "a", "1", true).Payload, &env); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(env, "\n"), "AWS_LAMBDA_RUNTIME_API=169.254.100.1:9001") {
		t.Errorf("got %q", env)
	}
}

const printer = `
import logging, os

def handler(event, context):
    for i in range(100):
        print("printed", i)
        logging.warning("logged %d", i)
        os.write(2, b"written %d\n" % i)
    raise ValueError("raised")
`

var outputLine = regexp.MustCompile(`(printed|logged|written) \d+|ValueError: raised`)

// TestOrderOfOutput: what a function prints, logs and raises is in its log in that order, however fast it comes.
func TestOrderOfOutput(t *testing.T) {
	b, python := newLinuxBench(t)
	rev := b.revision("app.handler")
	rev.Config.Runtime = python
	rev.Code = b.tree(map[string]string{"app.py": printer})
	b.invoke(rev, "a", "1", true) // with a tail, the answer comes behind the log
	var got, want []string
	for _, e := range b.log.all() {
		if text, ok := e.Record.(string); ok {
			got = append(got, outputLine.FindString(text))
		}
	}
	for i := range 100 {
		want = append(want, fmt.Sprintf("printed %d", i), fmt.Sprintf("logged %d", i), fmt.Sprintf("written %d", i))
	}
	want = append(want, "ValueError: raised")
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// TestNoSharedSemaphores: there is no /dev/shm, and a function is told so as on AWS, by frames that are not ours.
func TestNoSharedSemaphores(t *testing.T) {
	b, python := newLinuxBench(t)
	rev := b.revision("app.handler")
	rev.Config.Runtime = python
	rev.Code = b.tree(map[string]string{"app.py": "import multiprocessing\n\ndef handler(event, context):\n    multiprocessing.Lock()\n"})
	got := string(b.invoke(rev, "a", "1", true).Payload)
	if !strings.HasPrefix(got, `{"errorMessage": "[Errno 38] Function not implemented", "errorType": "OSError", "requestId": "a"`) || strings.Contains(got, "lamina_runtime") {
		t.Errorf("got %s", got)
	}
}
