package python_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const showContext = `
import os

def h(event, context):
    client = context.client_context
    return {
        "id": context.aws_request_id, "group": context.log_group_name, "stream": context.log_stream_name,
        "name": context.function_name, "memory": context.memory_limit_in_mb, "version": context.function_version,
        "arn": context.invoked_function_arn, "tenant": context.tenant_id,
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "client": client and [client.client.app_title, client.client.app_package_name, client.custom, client.env],
        "left": 0 < context.get_remaining_time_in_millis() <= 60000,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"), "pythonpath": os.environ["PYTHONPATH"] == os.environ["LAMBDA_RUNTIME_DIR"],
        "fd": "_LAMBDA_TELEMETRY_LOG_FD" in os.environ,
        "late": type(context)("", None, None, 1).get_remaining_time_in_millis(),
    }
`

func TestContext(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task, p.Framed = "app.h", map[string]string{"app.py": showContext}, true
		got := p.Run(t, runtimetest.NewAPI(t,
			event{Body: "1", Headers: map[string]string{
				"Lambda-Runtime-Trace-Id":         "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
				"Lambda-Runtime-Client-Context":   `{"client":{"app_title":"Ä","other":1},"custom":{"a":1},"env":{"b":2}}`,
				"Lambda-Runtime-Cognito-Identity": `{"cognitoIdentityId":"me","cognitoIdentityPoolId":"pool"}`,
				"Lambda-Runtime-Aws-Tenant-Id":    "tenant"}},
			event{Body: "1"}))
		if len(got.Posts) != 2 {
			t.Fatalf("got %+v, output %s", got.Posts, got.Output)
		}
		want := map[string]any{"id": "0000-1", "group": "/aws/lambda/fn", "stream": "stream", "name": "fn", "memory": "128", "version": "$LATEST",
			"arn": "arn:aws:lambda:us-east-1:000000000000:function:fn", "tenant": "tenant", "identity": []any{"me", "pool"},
			"client": []any{"Ä", nil, map[string]any{"a": 1.0}, map[string]any{"b": 2.0}}, "left": true, "late": 0.0,
			"trace": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "pythonpath": true, "fd": false}
		for i, post := range got.Posts {
			if i == 1 {
				want["id"], want["tenant"], want["identity"], want["client"], want["trace"] = "0000-2", nil, []any{nil, nil}, nil, nil
			}
			var result map[string]any
			if err := json.Unmarshal([]byte(post.Body), &result); err != nil {
				t.Fatalf("%v in %s", err, post.Body)
			}
			if diff := cmp.Diff(result, want); diff != "" {
				t.Errorf("invocation %d (-got +want):\n%s", i+1, diff)
			}
		}
	})
}

var milliseconds = regexp.MustCompile(`\[\d{13}\]`)

// TestRefusedAnswer: an answer that the server refuses ends the runtime, and no event was asked for with one that is too large.
func TestRefusedAnswer(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": "def h(event, context):\n    return 'x' * event\n"}
		for _, c := range []struct {
			size   string
			status int
			given  int
		}{{"7000000", http.StatusRequestEntityTooLarge, 1}, {"5", http.StatusBadRequest, 2}} {
			api := runtimetest.NewAPI(t, event{Body: c.size}, event{Body: "1"})
			api.Status = c.status
			got := p.Run(t, api)
			want := fmt.Sprintf("[ERROR] [MS] LAMBDA_RUNTIME Failed to post handler success response. Http response code: %d.\n", c.status)
			got.Output = milliseconds.ReplaceAllString(got.Output, "[MS]")
			if got.Exit != 1 || got.Output != want || len(got.Posts) != 1 {
				t.Errorf("%d: exit %d, %d posts, output %q", c.status, got.Exit, len(got.Posts), got.Output)
			}
			if api.Given() > c.given {
				t.Errorf("%d: %d events were taken", c.status, api.Given())
			}
		}
	})
}

// TestConversations holds those that are the same in every language.
func TestConversations(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": "def h(event, context):\n    return [event]\n"}
		t.Run("one send", func(t *testing.T) { runtimetest.OneSend(t, &p.Process) })
		t.Run("connections", func(t *testing.T) { runtimetest.Connections(t, &p.Process) })
		t.Run("bytewise", func(t *testing.T) { runtimetest.Bytewise(t, &p.Process) })
		t.Run("large", func(t *testing.T) { runtimetest.Large(t, &p.Process) })
	})
}

// TestServerGone: without a server the runtime ends and says why.
func TestServerGone(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		s := runtimetest.NewScript(t)
		s.Close()
		api := s.API()
		p.Handler, p.Task = "app.h", map[string]string{"app.py": "def h(event, context):\n    return 1\n"}
		if got := p.Run(t, api); got.Exit != 1 || !strings.HasPrefix(milliseconds.ReplaceAllString(got.Output, "[MS]"), "[ERROR] [MS] LAMBDA_RUNTIME No Response from endpoint: ") {
			t.Errorf("exit %d, output %q", got.Exit, got.Output)
		}
	})
}

// searchPaths are rows of sys.path as functions see it: what the interpreter had, and what comes of it.
var searchPaths = []struct {
	name    string
	minor   int
	ownPath bool
	found   []string
	want    []string
}{
	{"3.8", 8, false,
		[]string{"/var/runtime", "/var/lang/lib/python38.zip", "/var/lang/lib/python3.8", "/var/lang/lib/python3.8/lib-dynload", "/var/lang/lib/python3.8/site-packages"},
		[]string{"/var/task", "/opt/python/lib/python3.8/site-packages", "/opt/python", "/var/runtime", "/var/lang/lib/python38.zip",
			"/var/lang/lib/python3.8", "/var/lang/lib/python3.8/lib-dynload", "/var/lang/lib/python3.8/site-packages"}},
	{"3.10", 10, false, []string{"/var/runtime", "/var/lang/lib/python3.10/site-packages"},
		[]string{"/var/task", "/opt/python/lib/python3.10/site-packages", "/opt/python", "/var/runtime", "/var/lang/lib/python3.10/site-packages"}},
	{"3.12", 12, false, []string{"/var/runtime", "/var/lang/lib/python312.zip", "/var/lang/lib/python3.12", "/var/lang/lib/python3.12/lib-dynload", "/var/lang/lib/python3.12/site-packages"},
		[]string{"/var/task", "/opt/python/lib/python3.12/site-packages", "/opt/python", "/var/lang/lib/python3.12/site-packages", "/var/runtime",
			"/var/lang/lib/python312.zip", "/var/lang/lib/python3.12", "/var/lang/lib/python3.12/lib-dynload", "/var/lang/lib/python3.12/site-packages"}},
	{"the user's PYTHONPATH", 12, true, []string{"/var/runtime", "/opt/mine", "/var/lang/lib/python3.12", "/var/lang/lib/python3.12/site-packages"},
		[]string{"/var/task", "/var/runtime", "/opt/mine", "/var/lang/lib/python3.12", "/var/lang/lib/python3.12/site-packages"}},
	{"lib64", 13, true,
		[]string{"/var/runtime", "/var/lang/lib64/python313.zip", "/var/lang/lib64/python3.13", "/var/lang/lib64/python3.13/site-packages", "/var/lang/lib/python3.13/site-packages"},
		[]string{"/var/task", "/var/runtime", "/var/lang/lib/python313.zip", "/var/lang/lib/python3.13", "/var/lang/lib/python3.13/site-packages"}},
	{"Debian", 11, true, []string{"/var/runtime", "/var/lang/lib/python3.11", "/var/lang/lib/python3.11/dist-packages"},
		[]string{"/var/task", "/var/runtime", "/var/lang/lib/python3.11", "/var/lang/lib/python3.11/site-packages"}},
}

func TestSearchPath(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		const script = "import json, sys; sys.path.insert(0, sys.argv[1]); from lamina_runtime import paths\n" +
			"print(json.dumps([paths.search(found, '/var/task', minor, own) for found, minor, own in json.loads(sys.argv[2])]))"
		var rows [][]any
		for _, c := range searchPaths {
			rows = append(rows, []any{c.found, c.minor, c.ownPath})
		}
		b, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), p.Path, "-c", script, p.Runtime, string(b)).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got [][]string
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		for i, c := range searchPaths {
			if diff := cmp.Diff(got[i], c.want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", c.name, diff)
			}
		}
	})
}

// TestShadowing: a module of the function that is called like one of AWS's early imports loses, others win; .pth files count.
func TestShadowing(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		extra := t.TempDir()
		p.Handler = "app.h"
		p.Task = map[string]string{
			"app.py":   "import colorsys, queue, logging, sys\ndef h(event, context):\n    return [colorsys.__file__, queue.__file__, logging.__spec__.loader is logging.__loader__, sys.path[-1]]\n",
			"queue.py": "raise RuntimeError\n", "traceback.py": "raise RuntimeError\n", "logging.py": "raise RuntimeError\n", "colorsys.py": "", "more.pth": extra + "\n",
		}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		want := response(fmt.Sprintf(`["%s", "%s", true, "%s"]`, filepath.Join(p.TaskDir, "colorsys.py"), filepath.Join(p.interpreter.Stdlib, "queue.py"), extra))
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// TestOwnPythonPath: with the user's PYTHONPATH the layers' folders are not searched, and the variable stays his.
func TestOwnPythonPath(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		own := t.TempDir()
		p.Handler, p.Env = "app.h", []string{"PYTHONPATH=" + own}
		p.Task = map[string]string{"app.py": "import os, sys\ndef h(event, context):\n    return [sys.path[:3], os.environ['PYTHONPATH']]\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		want := response(fmt.Sprintf(`[["%s", "%s", "%s"], "%s"]`, p.TaskDir, p.Runtime, own, own))
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// TestEmptyPythonPath: an empty PYTHONPATH of the user's is his, too.
func TestEmptyPythonPath(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Env = "app.h", []string{"PYTHONPATH="}
		p.Task = map[string]string{"app.py": "import os, sys\ndef h(event, context):\n    return [sys.path[:2], '/opt/python' in sys.path, os.environ['PYTHONPATH']]\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		want := response(fmt.Sprintf(`[["%s", "%s"], false, ""]`, p.TaskDir, p.Runtime))
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// TestLeanStart: a trivial function does not pay for what AWS's runtime imports.
func TestLeanStart(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": "import sys\ndef h(event, context):\n    return [m for m in ('json', 're', 'logging', 'socket', 'traceback', 'http') if m in sys.modules]\n"}
		p.Env = []string{"PYTHONNOUSERSITE=1", "PYTHONPATH="}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: `{"a": [1]}`}))
		// What the host's .pth files import is not ours.
		out, err := exec.CommandContext(t.Context(), p.Path, "-c", "import sys; print(*sorted(sys.modules))").Output()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		if len(got.Posts) != 1 || json.Unmarshal([]byte(got.Posts[0].Body), &names) != nil {
			t.Fatalf("got %+v, output %s", got.Posts, got.Output)
		}
		for _, name := range names {
			if !strings.Contains(" "+string(out)+" ", " "+name+" ") {
				t.Errorf("%s is imported", name)
			}
		}
	})
}
