package runtimeapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/runtimeapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	base = "/2018-06-01"
	next = base + "/runtime/invocation/next"
	okay = `{"status":"OK"}`
)

func serve(t *testing.T) (*runtimeapi.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := runtimeapi.Serve(l)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, l.Addr().String()
}

// client is a runtime: one connection, used by hand.
type client struct {
	t  *testing.T
	nc net.Conn
	br *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{t, nc, bufio.NewReader(nc)}
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

func post(path, body string, headers ...string) string {
	h := ""
	for _, line := range headers {
		h += line + "\r\n"
	}
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", path, h, len(body), body)
}

func respond(id, body string, headers ...string) string {
	return post(base+"/runtime/invocation/"+id+"/response", body, headers...)
}

func (c *client) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.nc, s); err != nil {
		c.t.Fatal(err)
	}
}

type reply struct {
	Status int
	Type   string
	Body   string
}

func (c *client) read() (reply, http.Header) {
	c.t.Helper()
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header.Get("Content-Type"), string(body)}, res.Header
}

func (c *client) exchange(s string) reply {
	c.t.Helper()
	c.write(s)
	r, _ := c.read()
	return r
}

// await waits until the server's status satisfies ok.
func await(t *testing.T, s *runtimeapi.Server, ok func(runtimeapi.Status) bool) runtimeapi.Status {
	t.Helper()
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	for {
		if st := s.Status(); ok(st) {
			return st
		}
		select {
		case <-s.Changed():
		case <-timer.C:
			t.Fatalf("the status stayed %+v", s.Status())
		}
	}
}

func ready(st runtimeapi.Status) bool    { return st.State == runtimeapi.Ready }
func answered(st runtimeapi.Status) bool { return st.Answer != nil }

// running gives a client that has an invocation "id-1" and has not answered it.
func running(t *testing.T) (*runtimeapi.Server, *client, string) {
	t.Helper()
	s, addr := serve(t)
	c := dial(t, addr)
	c.write(get(next))
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte(`{}`), Deadline: time.Now().Add(time.Minute)})
	if r, _ := c.read(); r.Status != 200 {
		t.Fatalf("next answered %+v", r)
	}
	return s, c, addr
}

func TestPing(t *testing.T) {
	_, addr := serve(t)
	got := dial(t, addr).exchange(get(base + "/ping"))
	if diff := cmp.Diff(got, reply{200, "text/plain; charset=utf-8", "pong"}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestNextHasHeadersThatAreNotEmpty(t *testing.T) {
	deadline := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		inv  runtimeapi.Invocation
		want http.Header
	}{
		{"all", runtimeapi.Invocation{RequestID: "8476a536", Deadline: deadline, FunctionARN: "arn:f", TraceID: "Root=1-5",
			ClientContext: "{\"a\":\r\n1}", CognitoIdentity: `{"cognitoIdentityId":"i"}`, Payload: []byte(`{"key":"value"}`)},
			http.Header{
				"Content-Type":                        {"application/json"},
				"Content-Length":                      {"15"},
				"Lambda-Runtime-Aws-Request-Id":       {"8476a536"},
				"Lambda-Runtime-Deadline-Ms":          {"4070908800000"},
				"Lambda-Runtime-Invoked-Function-Arn": {"arn:f"},
				"Lambda-Runtime-Trace-Id":             {"Root=1-5"},
				"Lambda-Runtime-Client-Context":       {"{\"a\":  1}"},
				"Lambda-Runtime-Cognito-Identity":     {`{"cognitoIdentityId":"i"}`},
			}},
		{"few", runtimeapi.Invocation{RequestID: "8476a536", Deadline: deadline, Payload: []byte("1")},
			http.Header{
				"Content-Type":                  {"application/json"},
				"Content-Length":                {"1"},
				"Lambda-Runtime-Aws-Request-Id": {"8476a536"},
				"Lambda-Runtime-Deadline-Ms":    {"4070908800000"},
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, addr := serve(t)
			c := dial(t, addr)
			c.write(get(next))
			await(t, s, ready)
			s.Invoke(&tc.inv)
			got, header := c.read()
			if diff := cmp.Diff(header, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if got.Body != string(tc.inv.Payload) {
				t.Errorf("got body %q, want %q", got.Body, tc.inv.Payload)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	const fault = base + "/runtime/invocation/id-1/error"
	for _, tc := range []struct {
		name    string
		request string
		want    runtimeapi.Answer
	}{
		{"response", respond("id-1", `"hi"`, "Content-Type: application/json"), runtimeapi.Answer{Body: []byte(`"hi"`), ContentType: "application/json"}},
		{"response that is not JSON, without content type", respond("id-1", "\x00\xff"), runtimeapi.Answer{Body: []byte("\x00\xff")}},
		{"empty response", respond("id-1", ""), runtimeapi.Answer{Body: []byte{}}},
		{"chunked", "POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
			runtimeapi.Answer{Body: []byte("abc")}},
		{"streaming, buffered for a caller that does not stream", "POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
			runtimeapi.Answer{Body: []byte("a")}},
		{"streaming that fails, in undeclared trailers", "POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" +
			"Lambda-Runtime-Function-Error-Type: Runtime.Foo\r\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n",
			runtimeapi.Answer{Body: []byte(`{"a":1}`), ContentType: "application/json", Failed: true, ErrorType: "Runtime.Foo"}},
		{"error without a type", post(fault, `{"errorMessage":"nope"}`), runtimeapi.Answer{Body: []byte(`{"errorMessage":"nope"}`), Failed: true}},
		{"error with a type of AWS's", post(fault, `{}`, "Lambda-Runtime-Function-Error-Type: Runtime.MarshalError"),
			runtimeapi.Answer{Body: []byte(`{}`), Failed: true, ErrorType: "Runtime.MarshalError"}},
		{"error with an unknown type of a function", post(fault, `{}`, "Lambda-Runtime-Function-Error-Type: Function.9"),
			runtimeapi.Answer{Body: []byte(`{}`), Failed: true, ErrorType: "Function.Unknown"}},
		{"error with any other type", post(fault, `{}`, "Lambda-Runtime-Function-Error-Type: ValueError"),
			runtimeapi.Answer{Body: []byte(`{}`), Failed: true, ErrorType: "Runtime.Unknown"}},
		{"error type that would break a log line", post(fault, `{}`, "Lambda-Runtime-Function-Error-Type: Runtime.Foo\tStatus: x"),
			runtimeapi.Answer{Body: []byte(`{}`), Failed: true, ErrorType: "Runtime.Unknown"}},
		{"error with its X-Ray cause", post(fault, `{"workingDirectory":"/","errorType":"E","errorMessage":"m","stackTrace":["a"],"paths":[]}`,
			"Content-Type: application/vnd.aws.lambda.error.cause+json"),
			runtimeapi.Answer{Body: []byte(`{"errorMessage":"m","errorType":"E","stackTrace":["a"]}`), Failed: true,
				ContentType: "application/vnd.aws.lambda.error.cause+json"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, _ := running(t)
			if diff := cmp.Diff(c.exchange(tc.request), reply{202, "application/json", okay}); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if diff := cmp.Diff(await(t, s, answered).Answer, &tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			c.write(get(next))
			await(t, s, ready)
		})
	}
}

func TestFailures(t *testing.T) {
	transition := func(from, to string) reply {
		return reply{403, "application/json", `{"errorMessage":"State transition from ` + from + ` to ` + to +
			` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`}
	}
	requestID := reply{400, "application/json", `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`}
	const initError = base + "/runtime/init/error"
	for _, tc := range []struct {
		name    string
		before  []string // requests that are answered, after the invocation was delivered
		request string
		want    reply
	}{
		{"unknown request", nil, respond("other", "1"), requestID},
		{"no request at all", nil, respond("", "1"), requestID},
		{"second response", []string{respond("id-1", "1")}, respond("id-1", "2"), transition("RuntimeResponseSentState", "InvocationResponse")},
		{"error after response", []string{respond("id-1", "1")}, post(base+"/runtime/invocation/id-1/error", "2"), transition("RuntimeResponseSentState", "InvocationErrorResponse")},
		{"init error while running", nil, post(initError, "1"), transition("Running", "InitError")},
		{"response mode", nil, respond("id-1", "1", "Lambda-Runtime-Function-Response-Mode: Streaming"),
			reply{400, "application/json", `{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`}},
		{"a response mode that AWS does not know", nil, respond("id-1", "1", "Lambda-Runtime-Function-Response-Mode: buffered"),
			reply{400, "application/json", `{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`}},
		{"unknown path", nil, get(base + "/runtime"), reply{404, "text/plain; charset=utf-8", "404 page not found\n"}},
		{"other version", nil, get("/2015-03-31/runtime/invocation/next"), reply{404, "text/plain; charset=utf-8", "404 page not found\n"}},
		{"restore is for snap-start only", nil, get(base + "/runtime/restore/next"), reply{404, "text/plain; charset=utf-8", "404 page not found\n"}},
		{"method", nil, post(next, ""), reply{405, "", ""}},
		{"not HTTP", nil, "hello\r\n\r\n", reply{400, "text/plain; charset=utf-8", "Bad Request"}},
		{"header without end", nil, "GET " + next + " HTTP/1.1\r\nX: " + strings.Repeat("x", 2<<20), reply{431, "text/plain; charset=utf-8", "Request Header Fields Too Large"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c, _ := running(t)
			for _, r := range tc.before {
				c.exchange(r)
			}
			if strings.HasPrefix(tc.want.Body, "Request Header") {
				go io.WriteString(c.nc, tc.request) // nobody reads it to its end
			} else {
				c.write(tc.request)
			}
			got, _ := c.read()
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

func TestInitError(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	got := c.exchange(post(base+"/runtime/init/error", `{"errorType":"E"}`, "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError"))
	if diff := cmp.Diff(got, reply{202, "application/json", okay}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	st := await(t, s, func(st runtimeapi.Status) bool { return st.InitError != nil })
	want := &runtimeapi.Answer{Body: []byte(`{"errorType":"E"}`), Failed: true, ErrorType: "Runtime.ImportModuleError"}
	if diff := cmp.Diff(st.InitError, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	got = c.exchange(get(next))
	want2 := reply{403, "application/json", `{"errorMessage":"State transition from InitError to Ready failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`}
	if diff := cmp.Diff(got, want2); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestNextWhileRunningDeliversAgain(t *testing.T) {
	s, c, addr := running(t)
	for _, again := range []*client{c, dial(t, addr)} {
		again.write(get(next))
		if got, h := again.read(); got.Body != "{}" || h.Get("Lambda-Runtime-Aws-Request-Id") != "id-1" {
			t.Errorf("got %+v with %v", got, h)
		}
	}
	c.exchange(respond("id-1", "1"))
	await(t, s, answered)
}

func TestSizeLimit(t *testing.T) {
	const limit = 6291556
	body := strings.Repeat("x", limit+1)
	tooLarge := reply{413, "application/json", `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`}
	chunked := func(n int) string {
		return fmt.Sprintf("POST %s/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", base, n, body[:n])
	}
	for _, tc := range []struct {
		name    string
		request string
		want    reply
		fault   string
		length  int
	}{
		{"at the limit", respond("id-1", body[:limit]), reply{202, "application/json", okay}, "", limit},
		{"one more", respond("id-1", body), tooLarge, runtimeapi.FaultTooLarge, 0},
		{"chunked, at the limit", chunked(limit), reply{202, "application/json", okay}, "", limit},
		{"chunked, one more", chunked(limit + 1), tooLarge, runtimeapi.FaultTooLarge, 0},
		{"error, one more", post(base+"/runtime/invocation/id-1/error", body), tooLarge, runtimeapi.FaultTooLarge, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, _ := running(t)
			if diff := cmp.Diff(c.exchange(tc.request), tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			a := await(t, s, answered).Answer
			if a.Fault != tc.fault || len(a.Body) != tc.length {
				t.Errorf("got fault %q and %d bytes, want %q and %d", a.Fault, len(a.Body), tc.fault, tc.length)
			}
			// The runtime lives on.
			c.write(get(next))
			await(t, s, ready)
		})
	}
}

func TestExpectContinue(t *testing.T) {
	s, c, _ := running(t)
	c.write("POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if r, _ := c.read(); r.Status != 100 {
		t.Fatalf("got %+v, want 100", r)
	}
	c.write("ok")
	if r, _ := c.read(); r.Status != 202 {
		t.Errorf("got %+v, want 202", r)
	}
	if got := await(t, s, answered).Answer.Body; string(got) != "ok" {
		t.Errorf("got %q", got)
	}
}

func TestExpectContinueOfARefusedBodyIsNotAskedFor(t *testing.T) {
	_, c, _ := running(t)
	c.write("POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n")
	if r, _ := c.read(); r.Status != 413 {
		t.Errorf("got %+v, want 413", r)
	}
	if _, err := c.br.ReadByte(); err != io.EOF {
		t.Errorf("got %v, want the end", err)
	}
}

func TestTruncatedBodyMayBeSentAgain(t *testing.T) {
	s, c, addr := running(t)
	c.write("POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
	if err := c.nc.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, _ := c.read()
	want := reply{400, "application/json", `{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}`}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	if st := s.Status(); st.Answer != nil || st.State != runtimeapi.Running {
		t.Errorf("got %+v", st)
	}
	if got := dial(t, addr).exchange(respond("id-1", "whole")); got.Status != 202 {
		t.Errorf("got %+v", got)
	}
}

// A client that goes away while it waits does not take the event with it.
func TestDisconnectWhileParkedKeepsTheEvent(t *testing.T) {
	s, addr := serve(t)
	gone := dial(t, addr)
	gone.write(get(next))
	await(t, s, ready)
	gone.nc.Close()
	s.Drain(20 * time.Second)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte(`"event"`), Deadline: time.Now().Add(time.Minute)})
	c := dial(t, addr)
	c.write(get(next))
	if got, _ := c.read(); got.Body != `"event"` {
		t.Errorf("got %+v", got)
	}
}

// Our clients send the answer and the question for the next event in one write.
func TestPipelinedAnswerAndNext(t *testing.T) {
	s, c, _ := running(t)
	for i := 2; i < 20; i++ {
		id, nextID := fmt.Sprint("id-", i-1), fmt.Sprint("id-", i)
		c.write(respond(id, id) + get(next))
		st := await(t, s, ready)
		if st.Answer == nil || string(st.Answer.Body) != id {
			t.Fatalf("got %+v", st.Answer)
		}
		s.Invoke(&runtimeapi.Invocation{RequestID: nextID, Payload: []byte(nextID), Deadline: time.Now().Add(time.Minute)})
		if got, _ := c.read(); got.Status != 202 {
			t.Fatalf("got %+v, want the 202", got)
		}
		if got, _ := c.read(); got.Body != nextID {
			t.Fatalf("got %+v, want the event", got)
		}
	}
}

// What follows a GET next on one connection waits until that has its answer.
func TestRequestBehindNextWaits(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	c.write(get(next) + get(base+"/ping"))
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte("1"), Deadline: time.Now().Add(time.Minute)})
	if got, _ := c.read(); got.Body != "1" {
		t.Errorf("got %+v, want the event first", got)
	}
	if got, _ := c.read(); got.Body != "pong" {
		t.Errorf("got %+v, want pong", got)
	}
}

func TestConnectionCloseAndHTTP10(t *testing.T) {
	for name, request := range map[string]string{
		"close": "GET " + base + "/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"1.0":   "GET " + base + "/ping HTTP/1.0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := serve(t)
			c := dial(t, addr)
			if got := c.exchange(request); got.Body != "pong" {
				t.Errorf("got %+v", got)
			}
			if _, err := c.br.ReadByte(); err != io.EOF {
				t.Errorf("got %v, want the end", err)
			}
		})
	}
}

// TestNextOnAConnectionThatCloses asks for an event that is not there yet on a connection that is closed after the answer.
func TestNextOnAConnectionThatCloses(t *testing.T) {
	for name, request := range map[string]string{
		"close": "GET " + next + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"1.0":   "GET " + next + " HTTP/1.0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, addr := serve(t)
			c := dial(t, addr)
			c.write(request)
			await(t, s, ready)
			s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte(`"event"`), Deadline: time.Now().Add(time.Minute)})
			if got, _ := c.read(); got.Status != 200 || got.Body != `"event"` {
				t.Errorf("got %+v", got)
			}
			if _, err := c.br.ReadByte(); err != io.EOF {
				t.Errorf("got %v, want the end", err)
			}
			if got := dial(t, addr).exchange(respond("id-1", "1")); got.Status != 202 {
				t.Errorf("the answer on another connection: %+v", got)
			}
		})
	}
}

func TestLargeEvent(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	c.write(get(next))
	await(t, s, ready)
	payload := bytes.Repeat([]byte("0123456789"), 600_000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: payload, Deadline: time.Now().Add(time.Minute)})
	}()
	if got, _ := c.read(); got.Body != string(payload) {
		t.Errorf("got %d bytes", len(got.Body))
	}
	<-done
}

// A runtime that does not read its event must not hold the caller beyond the deadline.
func TestEventThatNobodyReads(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	c.write(get(next))
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: make([]byte, 64<<20), Deadline: time.Now().Add(50 * time.Millisecond)})
}

func TestResetForgetsTheRuntime(t *testing.T) {
	s, c, addr := running(t)
	s.Reset()
	if _, err := c.br.ReadByte(); err == nil {
		t.Error("the connection of the old runtime lives")
	}
	if diff := cmp.Diff(s.Status(), runtimeapi.Status{State: runtimeapi.Started}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	fresh := dial(t, addr)
	if got := fresh.exchange(respond("id-1", "late")); got.Status != 400 {
		t.Errorf("a late answer got %+v, want 400", got)
	}
	fresh.write(get(next))
	await(t, s, ready)
}

func TestTooManyConnections(t *testing.T) {
	_, addr := serve(t)
	for range 128 {
		if got := dial(t, addr).exchange(get(base + "/ping")); got.Body != "pong" {
			t.Fatalf("got %+v", got)
		}
	}
	c := dial(t, addr)
	io.WriteString(c.nc, get(base+"/ping"))
	if b, err := c.br.ReadByte(); err == nil {
		t.Errorf("connection 129 got %q", b)
	}
}
