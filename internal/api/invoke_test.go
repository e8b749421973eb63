package api_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambda"
)

func TestInvoke(t *testing.T) {
	s := newServer(t)
	s.invoker.Out = invoke.Output{Payload: []byte(`{"a": "<ü>"}`), LogTail: []byte("START…\n"), ExecutedVersion: "$LATEST", StatusCode: 200}
	a := s.ok(200, request{method: "POST", path: functions + "/f:$LATEST/invocations?Qualifier=%24LATEST", body: ` {"x":1} `, header: map[string]string{
		"X-Amz-Log-Type": "Tail", "X-Amz-Invocation-Type": "RequestResponse", "X-Amzn-Trace-Id": "Root=1-2-3",
		"X-Amz-Client-Context": base64.StdEncoding.EncodeToString([]byte(` {"custom": {"k": "v"}}`)),
	}})
	want := invoke.Input{
		Ref: lambda.FunctionRef{FunctionKey: lambda.FunctionKey{Scope: lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}, Name: "f"},
			Qualifier: "$LATEST"},
		RequestID: a.header.Get("x-amzn-RequestId"), Type: "RequestResponse", LogTail: true, Payload: []byte(` {"x":1} `),
		ClientContext: ` {"custom": {"k": "v"}}`, TraceID: "Root=1-2-3",
	}
	if diff := cmp.Diff(want, s.invoker.In); diff != "" {
		t.Errorf("input: -want +got\n%s", diff)
	}
	headers := map[string]string{"X-Amz-Executed-Version": "$LATEST", "X-Amz-Function-Error": "", "Content-Type": "application/json", "X-Amzn-Trace-Id": "Root=1-2-3",
		"X-Amz-Log-Result": base64.StdEncoding.EncodeToString([]byte("START…\n"))}
	for k, v := range headers {
		if got := a.header.Get(k); got != v {
			t.Errorf("%s is %q, want %q", k, got, v)
		}
	}
	if a.text != `{"a": "<ü>"}` {
		t.Errorf("the payload is %s", a.text)
	}
}

// TestInvokeHasATrace: as on AWS every invocation has one, and the caller learns it.
func TestInvokeHasATrace(t *testing.T) {
	s := newServer(t)
	seen := map[string]bool{}
	for range 2 {
		a := s.ok(200, request{method: "POST", path: functions + "/f/invocations"})
		id := a.header.Get("X-Amzn-Trace-Id")
		if id != s.invoker.In.TraceID || !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(id) {
			t.Errorf("answered %q, the function gets %q", id, s.invoker.In.TraceID)
		}
		seen[id] = true
	}
	if len(seen) != 2 {
		t.Error("two invocations have one trace")
	}
}

func TestInvokeAnswersFunctionErrors(t *testing.T) {
	s := newServer(t)
	s.invoker.Out = invoke.Output{Payload: []byte(`{"errorMessage":"x"}`), FunctionError: "Unhandled", LogTail: []byte("log"), ExecutedVersion: "$LATEST"}
	a := s.ok(200, request{method: "POST", path: functions + "/f/invocations"})
	if a.header.Get("X-Amz-Function-Error") != "Unhandled" || a.text != `{"errorMessage":"x"}` {
		t.Errorf("%v %s", a.header, a.text)
	}
	if _, there := a.header["X-Amz-Log-Result"]; there {
		t.Error("a log nobody asked for")
	}
	if got := string(s.invoker.In.Payload); got != "{}" {
		t.Errorf("no event became %q", got)
	}
	if s.invoker.In.Ref.Qualifier != "" {
		t.Errorf("no qualifier became %q", s.invoker.In.Ref.Qualifier)
	}
}

func TestInvokeDryRun(t *testing.T) {
	s := newServer(t)
	s.invoker.Out = invoke.Output{StatusCode: 204}
	a := s.ok(204, request{method: "POST", path: functions + "/f/invocations", body: "{}", header: map[string]string{"X-Amz-Invocation-Type": "DryRun"}})
	if a.text != "" || a.header.Get("X-Amz-Executed-Version") != "" {
		t.Errorf("%v %s", a.header, a.text)
	}
}

// TestInvokeAnswersBeforeItReturns: the caller has the whole answer while the environment still settles.
func TestInvokeAnswersBeforeItReturns(t *testing.T) {
	settled := make(chan struct{})
	handler := api.New(api.Options{Invoke: settling(settled)})
	server := httptest.NewServer(handler)
	defer server.Close()
	defer close(settled)
	res, err := http.Post(server.URL+functions+"/f/invocations", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != `{"early":true}` || res.ContentLength != int64(len(body)) || res.Header.Get("X-Amz-Executed-Version") != "7" {
		t.Errorf("got %q of %d bytes, %v, %v", body, res.ContentLength, res.Header, err)
	}
}

// settling is an invoker that returns when the channel is closed.
type settling chan struct{}

func (s settling) Invoke(_ context.Context, in invoke.Input) (invoke.Output, error) {
	out := invoke.Output{Payload: []byte(`{"early":true}`), ExecutedVersion: "7", StatusCode: 200}
	in.Answer(out)
	<-s
	return out, nil
}
