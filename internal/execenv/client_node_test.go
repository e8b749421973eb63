package execenv_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

const nodeClientCode = `
exports.handler = async (event, context) => {
  switch (event) {
    case 'context':
      return [context.awsRequestId, context.invokedFunctionArn, context.clientContext.custom, context.getRemainingTimeInMillis() > 0,
        process.env._X_AMZN_TRACE_ID, context.memoryLimitInMB];
    case 'error': throw new RangeError('nope');
    case 'exit': process.exit(7);
    case 'limit': return 'x'.repeat(6291556 - 2);
    case 'cycle': { const a = {}; a.a = a; return a; }
    case 'rejection': Promise.reject(new Error('bg')); await new Promise((done) => setTimeout(done, 30000));
  }
  console.log('handled');
  return event;
};
exports.stream = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); stream.write('b'); stream.end(); });
exports.broken = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); throw new RangeError('half'); });
exports.number = 1;
`

// TestAWSClientForNode runs AWS's client in both of its versions. Its native part, which would have to be compiled, is replaced
// by a few lines that post in its place; what it posts, asks for and streams is its own.
func TestAWSClientForNode(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const id = `"00000000-0000-0000-0000-000000000001"`
	for _, v := range []struct {
		major, client string
		cases         []clientCase
	}{
		{"20", "3.3.0/dist", []clientCase{
			{event: `"cycle"`, failed: true, want: `{"errorType":"Error","errorMessage":"Unable to stringify response body","trace":[<.*>]}`},
			{event: `"rejection"`, failed: true, log: "exit status 128\nRuntime.ExitError\nEND ", reset: true,
				want: `{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: bg","trace":[<.*>]}`},
		}},
		{"24", "4.0.2", []clientCase{
			{event: `"cycle"`, failed: true, want: `{"errorType":"Runtime.JSONStringifyError","errorMessage":"Unable to stringify response body","trace":[<.*>]}`},
			{event: `"rejection"`, failed: true, want: exitBody(" error: exit status 1"), reset: true},
		}},
	} {
		t.Run(v.major, func(t *testing.T) {
			start := filepath.Join(root, ".tools/aws-lambda-ric", v.client, "index.mjs")
			if _, err := os.Stat(start); err != nil {
				t.Skipf("NOT RUN: %s is not here (make setup gets it)", start)
			}
			node := nodeOf(root, v.major)
			if node == "" {
				t.Skipf("NOT RUN: node %s is not on this machine (make setup gets it)", v.major)
			}
			code := func(b *bench) lambda.Content {
				app := t.TempDir()
				if v.major == "20" { // version 3 is a module without a program
					module := start
					start = filepath.Join(app, "start.mjs")
					write(t, start, "import { run } from '"+module+"';\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n")
				}
				write(t, filepath.Join(app, "index.js"), nodeClientCode)
				write(t, filepath.Join(app, "missing.js"), "require('nowhere');\n")
				return b.tree(map[string]string{"bootstrap": "#!/bin/sh\nexport LAMBDA_TASK_ROOT=" + app + "\ncd " + app + " && exec " + node +
					" --require " + root + "/internal/runtimes/node/testdata/ric.cjs --expose-gc " + start + "\n"})
			}
			runClient(t, code, "index.handler", `"fine"`, append([]clientCase{
				{event: `"fine"`, want: `"fine"`, log: "\tINFO\thandled\nEND "},
				{event: `"context"`, want: `[` + id + `,"` + arn + `",{"k":"v"},true,"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1","128"]`},
				{event: `"error"`, failed: true, log: "\tERROR\tInvoke Error \t", want: `{"errorType":"RangeError","errorMessage":"nope","trace":["RangeError: nope",<.*>]}`},
				{event: `"limit"`, want: `"` + strings.Repeat("x", 6291556-2) + `"`},
				{event: `"exit"`, want: exitBody(" error: exit status 7"), failed: true, log: "Runtime.ExitError\nEND ", reset: true},
				{handler: "index.stream", event: "1", want: "ab"},
				{handler: "index.broken", event: "1", failed: true, want: `{"errorType":"RangeError","errorMessage":"half","trace":[<.*>]}`},
				{handler: "index.none", event: "1", failed: true, log: "Error Type: Runtime.HandlerNotFound",
					want: `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.none is undefined or not exported","trace":[<.*>]}`},
				{handler: "index.number", event: "1", failed: true,
					want: `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.number is not a function","trace":[<.*>]}`},
				{handler: "missing.handler", event: "1", failed: true, log: "Error Type: Runtime.ImportModuleError",
					want: `{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'nowhere'<.*>`},
			}, v.cases...))
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// nodeOf finds a node of a major: make setup's, else the host's.
func nodeOf(root, major string) string {
	for _, path := range []string{filepath.Join(root, ".tools/node", major, "bin/node"), "node"} {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(context.Background(), path, "--version").Output()
		if err == nil && strings.HasPrefix(string(out), "v"+major+".") {
			return path
		}
	}
	return ""
}
