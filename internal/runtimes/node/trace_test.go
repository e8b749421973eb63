package node_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

// TestTraces: the frames of a function's error, and the one that called the handler, have the names that they have with AWS's
// own client.
func TestTraces(t *testing.T) { everyNode(t, checkTraces) }

// TestTracesOfAWS runs the same with AWS's client.
func TestTracesOfAWS(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		if p.Runtime, p.Args = theirs(t, p.interpreter.Major); p.Args != nil {
			checkTraces(t, p)
		}
	})
}

func checkTraces(t *testing.T, p process) {
	caller := "Runtime.handleOnceNonStreaming"
	if p.interpreter.Major >= 24 {
		caller = "BufferedInvokeProcessor.processInvoke"
	}
	class, _, _ := strings.Cut(caller, ".")
	for _, tc := range []struct {
		handler string
		want    []string
	}{
		{"index.handler", []string{"exports.handler (TASK/index.js:2:39)", caller}},
		{"index.other", []string{"exports.boom [as handler] (TASK/index.js:1:30)", caller}},
		{"index.named", []string{class + ".boom [as handler] (TASK/index.js:4:47)", caller}},
		{"esm.handler", []string{class + ".handler (file://TASK/esm.mjs:1:44)", caller}},
	} {
		t.Run(tc.handler, func(t *testing.T) {
			p := p
			p.Handler = tc.handler
			p.Task = map[string]string{
				"index.js": "exports.boom = () => { throw new Error('x'); };\nexports.handler = async () => { throw new Error('x'); };\n" +
					"exports.other = exports.boom;\nexports.named = async function boom() { throw new Error('x'); };\n",
				"esm.mjs": "export const handler = async () => { throw new Error('x'); };\n",
			}
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			var body struct{ Trace []string }
			if len(got.Posts) != 1 {
				t.Fatalf("got %+v", got)
			}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(got.Posts[0].Body, p.TaskDir, "TASK")), &body); err != nil {
				t.Fatal(err)
			}
			if len(body.Trace) < 3 {
				t.Fatalf("got %q", body.Trace)
			}
			second, _, _ := strings.Cut(body.Trace[2], " (")
			if diff := cmp.Diff([]string{strings.TrimPrefix(body.Trace[1], "    at "), strings.TrimPrefix(second, "    at ")}, tc.want); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
		})
	}
}
