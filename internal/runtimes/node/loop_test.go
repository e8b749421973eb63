package node_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
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

// TestLargePayloads sends and answers megabytes, in both directions through partial reads.
func TestLargePayloads(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "index.h", map[string]string{"index.js": "exports.h = async (event) => event;"}
		body := `"` + strings.Repeat("0123456789", 600_000) + `"`
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: body}, event{Body: "2"}))
		if len(got.Posts) != 2 || got.Posts[0].Body != body || got.Posts[1].Body != "2" {
			t.Errorf("got %d posts, output %s", len(got.Posts), got.Output)
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

func nextEvent(id, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: %s\r\nLambda-Runtime-Deadline-Ms: 1\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", id, len(body), body)
}

var echoArray = map[string]string{"index.js": "exports.h = async (event) => [event];"}

// TestOneSend: the answer and the question for the next event arrive before either is answered.
func TestOneSend(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		s := runtimetest.NewScript(t)
		p.Handler, p.Task = "index.h", echoArray
		s.Play(&p.Process, func(accept func() (net.Conn, *bufio.Reader)) {
			c, r := accept()
			s.Expect(r, "GET invocation/next")
			io.WriteString(c, nextEvent("a", `"ä"`))
			for range 3 {
				if got := s.Expect(r, "POST invocation/a/response"); got != `["ä"]` {
					t.Errorf("got %q", got)
				}
				s.Expect(r, "GET invocation/next")
				io.WriteString(c, runtimetest.Accepted+nextEvent("a", `"ä"`))
			}
		})
	})
}

// TestConnections: a connection that the server or something between closes is made anew, and chunks are understood.
func TestConnections(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		s := runtimetest.NewScript(t)
		p.Handler, p.Task = "index.h", echoArray
		s.Play(&p.Process, func(accept func() (net.Conn, *bufio.Reader)) {
			c, r := accept()
			s.Expect(r, "GET invocation/next")
			c.Close() // without an answer
			c, r = accept()
			s.Expect(r, "GET invocation/next")
			io.WriteString(c, "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a\r\nLambda-Runtime-Deadline-Ms: 1\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\n"+
				"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n\"1\r\n3\r\n234\r\n1\r\n\"\r\n0\r\nTrailer: x\r\n\r\n")
			if got := s.Expect(r, "POST invocation/a/response"); got != `["1234"]` {
				t.Errorf("got %q", got)
			}
			io.WriteString(c, "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			c.Close()
			c, r = accept()
			s.Expect(r, "GET invocation/next")
			io.WriteString(c, nextEvent("b", "5"))
			s.Expect(r, "POST invocation/b/response")
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"+runtimetest.Accepted)
			c.Close() // after the answer, without saying so
			_, r = accept()
			s.Expect(r, "GET invocation/next")
		})
	})
}

// TestBytewise: an answer may come in pieces of any size.
func TestBytewise(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		s := runtimetest.NewScript(t)
		p.Handler, p.Task = "index.h", echoArray
		s.Play(&p.Process, func(accept func() (net.Conn, *bufio.Reader)) {
			c, r := accept()
			s.Expect(r, "GET invocation/next")
			for _, b := range []byte(nextEvent("a", `"é"`)) {
				c.Write([]byte{b})
			}
			if got := s.Expect(r, "POST invocation/a/response"); got != `["é"]` {
				t.Errorf("got %q", got)
			}
		})
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
