package execenv_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
)

// What AWS's own runtime clients do against our Runtime API. They run as custom runtimes.

const arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"

const tooLarge = `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`

// clientCase is one invocation of a function of one of the clients. Where "want" has <…> it is a pattern.
type clientCase struct {
	handler string // "": the function's own
	event   string // JSON
	want    string
	failed  bool
	log     string // in the log tail
	reset   bool   // the next invocation initialises again
}

func runClient(t *testing.T, code func(b *bench) lambda.Content, handler, healthy string, cases []clientCase) {
	b := newBench(t)
	content := code(b)
	for _, tc := range cases {
		t.Run(tc.handler+tc.event, func(t *testing.T) {
			rev := b.revision(handler)
			if tc.handler != "" {
				rev.Config.Handler = tc.handler
			}
			rev.Code = content
			got := b.invokeFully(t, rev, "00000000-0000-0000-0000-000000000001", tc.event)
			if !matches(string(got.Payload), tc.want) {
				t.Errorf("got payload %.300q, want %.300q", got.Payload, tc.want)
			}
			check(t, "failed", got.FunctionError, map[bool]string{true: "Unhandled"}[tc.failed])
			if !strings.Contains(string(got.LogTail), tc.log) {
				t.Errorf("got log tail %q, want %q in it", got.LogTail, tc.log)
			}
			if tc.handler != "" {
				return // it never gets further
			}
			// The environment serves on, with the same process or with a new one.
			before := len(b.log.all())
			again := b.invokeFully(t, rev, "00000000-0000-0000-0000-000000000002", healthy)
			check(t, "payload afterwards", string(again.Payload), healthy)
			inits := 0
			for _, e := range b.log.all()[before:] {
				if e.Type == "platform.initStart" {
					inits++
				}
			}
			check(t, "it initialised again", inits == 1, tc.reset)
		})
	}
}

// invokeFully invokes with everything that a caller can send.
func (b *bench) invokeFully(t *testing.T, rev *lambda.Revision, id, event string) execenv.Response {
	t.Helper()
	resp, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: id, Payload: []byte(event), InvokedARN: arn, Version: "$LATEST",
		ClientContext: `{"custom":{"k":"v"}}`, TraceID: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1", LogTail: true})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// matches compares, with <…> standing for a regular expression.
func matches(got, want string) bool {
	if got == want {
		return true // a pattern of megabytes, or of what is not text, cannot be made
	}
	if len(got) > 1<<20 {
		return false
	}
	var pattern strings.Builder
	for {
		text, rest, ok := strings.Cut(want, "<")
		pattern.WriteString(regexp.QuoteMeta(text))
		if !ok {
			break
		}
		expression, after, _ := strings.Cut(rest, ">")
		pattern.WriteString("(?s:" + expression + ")")
		want = after
	}
	return regexp.MustCompile("^" + pattern.String() + "$").MatchString(got)
}

func exitBody(how string) string {
	return platformBody("Runtime.ExitError", "RequestId: 00000000-0000-0000-0000-000000000001 Error: Runtime exited with"+how)
}

const clientCode = `
import json, os, sys
def handler(event, context):
    if event == "context":
        return [context.aws_request_id, context.invoked_function_arn, context.client_context.custom, context.get_remaining_time_in_millis() > 0,
                os.environ["_X_AMZN_TRACE_ID"], context.memory_limit_in_mb]
    if event == "error":
        raise ValueError("nope")
    if event == "exit":
        os._exit(7)
    if event == "sys-exit":
        sys.exit(4)
    if event == "big":
        return "x" * (7 << 20)
    if event == "limit":
        return "x" * (6291556 - 2)
    if event == "bytes":
        return b"\x00\x7f"
    if event == "unserializable":
        return object()
    print("handled")
    return event
`

func TestAWSClientForPython(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	client, python := filepath.Join(root, ".tools/awslambdaric"), filepath.Join(root, ".tools/venv/bin/python")
	if _, err := os.Stat(filepath.Join(client, "awslambdaric")); err != nil {
		t.Skipf("NOT RUN: %s is not here (make setup gets it)", client)
	}
	code := func(b *bench) lambda.Content {
		app := t.TempDir()
		for name, text := range map[string]string{"app.py": clientCode, "missing.py": "import nowhere\n"} {
			if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return b.tree(map[string]string{"bootstrap": "#!/bin/sh\ncd " + app + " && PYTHONPATH=" + client + " exec " + python + " -m awslambdaric \"$_HANDLER\"\n"})
	}
	const id = `"00000000-0000-0000-0000-000000000001"`
	runClient(t, code, "app.handler", `"fine"`, []clientCase{
		{event: `"fine"`, want: `"fine"`, log: "handled\nEND "},
		{event: `"context"`, want: `[` + id + `, "` + arn + `", {"k": "v"}, true, "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1", "128"]`},
		{event: `"error"`, failed: true, log: "[ERROR] ValueError: nope",
			want: `{"errorMessage": "nope", "errorType": "ValueError", "requestId": ` + id + `, "stackTrace": ["  File \"<[^"]*>/app.py\", line 8, in handler\n    raise ValueError(\"nope\")\n"]}`},
		{event: `"unserializable"`, failed: true,
			want: `{"errorMessage": "Unable to marshal response: Object of type object is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": ` + id + `, "stackTrace": []}`},
		{event: `"bytes"`, want: "\x00\x7f"},
		{event: `"limit"`, want: `"` + strings.Repeat("x", 6291556-2) + `"`},
		{event: `"big"`, want: tooLarge, failed: true, log: "Error Type: Function.ResponseSizeTooLarge", reset: true},
		{event: `"exit"`, want: exitBody(" error: exit status 7"), failed: true, log: "Runtime.ExitError\nEND ", reset: true},
		{event: `"sys-exit"`, want: exitBody(" error: exit status 4"), failed: true, reset: true},
		{handler: "missing.handler", event: "1", failed: true, log: "Status: error\tError Type: Runtime.ImportModuleError",
			want: `{"errorMessage": "Unable to import module 'missing': No module named 'nowhere'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`},
		{handler: "app.none", event: "1", failed: true, log: "Error Type: Runtime.HandlerNotFound",
			want: `{"errorMessage": "Handler 'none' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`},
	})
}

func TestAWSClientForGo(t *testing.T) {
	if _, err := os.Stat("../../go.mod"); err != nil {
		t.Skip("NOT RUN: the sources are not here to build a Go function from")
	}
	program := filepath.Join(t.TempDir(), "goclient")
	build := exec.Command("go", "build", "-tags=lambda.norpc", "-o", program, ".")
	build.Dir = "testdata/goclient"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build %s: %v\n%s", build.Dir, err, out)
	}
	code := func(b *bench) lambda.Content {
		return b.tree(map[string]string{"bootstrap": "#!/bin/sh\nexec " + program + "\n"})
	}
	runClient(t, code, "any", `"fine"`, []clientCase{
		{event: `"fine"`, want: `"fine"`},
		{event: `"context"`, want: `["00000000-0000-0000-0000-000000000001","` + arn + `",{"k":"v"},true,"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"]`},
		{event: `"error"`, want: `{"errorMessage":"nope","errorType":"errorString"}`, failed: true},
		{event: `"panic"`, want: `{"errorMessage":"boom","errorType":"string","stackTrace":[<.*>"label":"<.*>"}]}`, failed: true, log: "Runtime.ExitError\nEND ", reset: true},
		{event: `{}`, want: `{"errorMessage":"json: cannot unmarshal object into Go value of type string","errorType":"UnmarshalTypeError"}`, failed: true},
		{event: `"limit"`, want: `"` + strings.Repeat("x", 6291556-2) + `"`},
		{event: `"big"`, want: tooLarge, failed: true, log: "Error Type: Function.ResponseSizeTooLarge", reset: true},
		{event: `"exit"`, want: exitBody(" error: exit status 7"), failed: true, log: "Runtime.ExitError\nEND ", reset: true},
		{handler: "init-exit", event: "1", want: exitBody(" error: exit status 3"), failed: true, log: "cannot begin"},
	})
}
