package node_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const showContext = `
exports.h = async (event, context) => ({
  keys: Object.keys(context), context, trace: process.env._X_AMZN_TRACE_ID, fd: '_LAMBDA_TELEMETRY_LOG_FD' in process.env,
  left: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 60000,
  late: context.getRemainingTimeInMillis() < 0, store: globalThis.awslambda?.InvokeStore?.getRequestId(),
  globals: Object.keys(globalThis.awslambda ?? {}).sort().join(), main: typeof require.main, gc: typeof gc,
});
`

func TestContext(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task, p.Framed = "index.h", map[string]string{"index.js": showContext}, true
		got := p.Run(t, runtimetest.NewAPI(t,
			event{Body: "1", Headers: map[string]string{
				"Lambda-Runtime-Trace-Id":         "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
				"Lambda-Runtime-Client-Context":   `{"client":{"app_title":"Ä"},"custom":{"a":1}}`,
				"Lambda-Runtime-Cognito-Identity": `{"cognitoIdentityId":"me"}`,
				"Lambda-Runtime-Aws-Tenant-Id":    "tenant"}},
			event{Body: "1", Headers: map[string]string{"Lambda-Runtime-Deadline-Ms": "1"}}))
		if len(got.Posts) != 2 {
			t.Fatalf("got %+v, output %s", got.Posts, got.Output)
		}
		keys := "callbackWaitsForEmptyEventLoop succeed fail done functionVersion functionName memoryLimitInMB logGroupName logStreamName " +
			"clientContext identity invokedFunctionArn awsRequestId tenantId getRemainingTimeInMillis"
		common := `"functionVersion":"$LATEST","functionName":"fn","memoryLimitInMB":"128","logGroupName":"/aws/lambda/fn","logStreamName":"stream"`
		client := `"clientContext":{"client":{"app_title":"Ä"},"custom":{"a":1}},"identity":{"cognitoIdentityId":"me"},`
		ids := func(n int) string {
			return fmt.Sprintf(`"invokedFunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:fn","awsRequestId":"0000-%d"`, n)
		}
		first := `{"callbackWaitsForEmptyEventLoop":true,` + common + "," + client + ids(1) + `,"tenantId":"tenant"}`
		second := `{"callbackWaitsForEmptyEventLoop":true,` + common + "," + ids(2) + `}`
		globals, stored := "HttpResponseStream,streamifyResponse", []any{nil, nil}
		if p.interpreter.Major >= 24 {
			keys = "clientContext identity invokedFunctionArn awsRequestId tenantId xRayTraceId getRemainingTimeInMillis " +
				"functionName functionVersion memoryLimitInMB logGroupName logStreamName"
			common = `"functionName":"fn","functionVersion":"$LATEST","memoryLimitInMB":"128","logGroupName":"/aws/lambda/fn","logStreamName":"stream"`
			first = "{" + client + ids(1) + `,"tenantId":"tenant","xRayTraceId":"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",` + common + "}"
			second = "{" + ids(2) + "," + common + "}"
			globals, stored = "HttpResponseStream,InvokeStore,streamifyResponse", []any{"0000-1", "0000-2"}
		}
		for i, post := range got.Posts {
			var result map[string]any
			var raw struct {
				Context json.RawMessage `json:"context"`
			}
			if json.Unmarshal([]byte(post.Body), &result) != nil || json.Unmarshal([]byte(post.Body), &raw) != nil {
				t.Fatalf("cannot read %s", post.Body)
			}
			if diff := cmp.Diff(string(raw.Context), []string{first, second}[i]); diff != "" {
				t.Errorf("context %d (-got +want):\n%s", i+1, diff)
			}
			delete(result, "context")
			want := map[string]any{"fd": false, "left": i == 0, "late": i == 1, "main": "undefined", "gc": "function", "globals": globals}
			all := []any{}
			for _, k := range strings.Fields(keys) {
				all = append(all, k)
			}
			want["keys"] = all
			if i == 0 {
				want["trace"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"
			}
			if stored[i] != nil {
				want["store"] = stored[i]
			}
			if diff := cmp.Diff(result, want); diff != "" {
				t.Errorf("invocation %d (-got +want):\n%s", i+1, diff)
			}
		}
	})
}

// TestNoGlobal: functions can do without the global.
func TestNoGlobal(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		for _, value := range []string{"1", "true"} {
			p.Handler, p.Task = "index.h", map[string]string{"index.js": "exports.h = async () => typeof awslambda;"}
			p.Env = []string{"AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA=" + value}
			if got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"})); len(got.Posts) != 1 || got.Posts[0].Body != `"undefined"` {
				t.Errorf("%s: got %+v, output %s", value, got.Posts, got.Output)
			}
		}
	})
}

// TestRefusedAnswer: a runtime whose answer the server refuses goes on, as AWS's does.
func TestRefusedAnswer(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "index.h", map[string]string{"index.js": "exports.h = async (event) => 'x'.repeat(event);"}
		api := runtimetest.NewAPI(t, event{Body: "7000000"}, event{Body: "1"})
		api.Status = http.StatusRequestEntityTooLarge
		if got := p.Run(t, api); len(got.Posts) != 2 || got.Posts[1].Body != `"x"` || got.Output != "" {
			t.Errorf("%d posts, output %q", len(got.Posts), got.Output)
		}
	})
}

var echoArray = map[string]string{"index.js": "exports.h = async (event) => [event];"}

// TestConversations holds those that are the same in every language.
func TestConversations(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "index.h", echoArray
		t.Run("one send", func(t *testing.T) { runtimetest.OneSend(t, &p.Process) })
		t.Run("connections", func(t *testing.T) { runtimetest.Connections(t, &p.Process) })
		t.Run("bytewise", func(t *testing.T) { runtimetest.Bytewise(t, &p.Process) })
		t.Run("large", func(t *testing.T) { runtimetest.Large(t, &p.Process) })
	})
}

// TestNoServer: a runtime that cannot reach its server says so and ends.
func TestNoServer(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		api := runtimetest.At(l.Addr().String())
		p.Handler, p.Task = "index.h", echoArray
		if got := p.Run(t, api); got.Exit != 1 || !strings.Contains(got.Output, "LAMBDA_RUNTIME No Response from endpoint: ") {
			t.Errorf("exit %d, output %q", got.Exit, got.Output)
		}
	})
}
