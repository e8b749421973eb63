package runtimeapi_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimeapi"
)

const (
	notFoundText  = "404 page not found\n"
	truncatedBody = `{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}`
	tooLargeBody  = `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`
	requestIDBody = `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
)

func refusal(from, to string) reply {
	return reply{403, "application/json", `{"errorMessage":"State transition from ` + from + ` to ` + to +
		` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`}
}

func jsonReply(status int, body string) reply { return reply{status, "application/json", body} }

func fault(id, body string, headers ...string) string {
	return post(base+"/runtime/invocation/"+id+"/error", body, headers...)
}

func initError(body string, headers ...string) string {
	return post(base+"/runtime/init/error", body, headers...)
}

// TestOrder sends what a runtime may send in every order, right and wrong, on one connection.
func TestOrder(t *testing.T) {
	accepted := jsonReply(202, okay)
	type step struct {
		request string
		want    reply
	}
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"init error is final", []step{
			{initError("1"), accepted},
			{initError("2"), refusal("InitError", "InitError")},
			{get(next), refusal("InitError", "Ready")},
			{respond("id-1", "1"), jsonReply(400, requestIDBody)},
			{get(base + "/ping"), reply{200, "text/plain; charset=utf-8", "pong"}},
		}},
		{"an answer before anybody asked", []step{
			{respond("id-1", "1"), jsonReply(400, requestIDBody)},
			{fault("id-1", "1"), jsonReply(400, requestIDBody)},
			{initError("1"), accepted},
		}},
		{"an empty init error", []step{{initError(""), accepted}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, addr := serve(t)
			c := dial(t, addr)
			for _, s := range tc.steps {
				if diff := cmp.Diff(c.exchange(s.request), s.want); diff != "" {
					t.Errorf("%.60q: got -, want +:\n%s", s.request, diff)
				}
			}
		})
	}
}

// TestErrorTypesOfInit: events and REPORT name the type of an Init phase that failed, also when the runtime does not.
func TestErrorTypesOfInit(t *testing.T) {
	for _, tc := range []struct{ header, want string }{
		{"X: y", "Runtime.Unknown"},
		{"Lambda-Runtime-Function-Error-Type: ", "Runtime.Unknown"},
		{"Lambda-Runtime-Function-Error-Type: Error", "Runtime.Unknown"},
		{"Lambda-Runtime-Function-Error-Type: Function.1", "Function.Unknown"},
		{"Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError", "Runtime.ImportModuleError"},
	} {
		s, addr := serve(t)
		if got := dial(t, addr).exchange(initError("{}", tc.header)); got.Status != 202 {
			t.Errorf("%s: got %+v", tc.header, got)
		}
		if got := s.Status().InitError.ErrorType; got != tc.want {
			t.Errorf("%s: got type %q, want %q", tc.header, got, tc.want)
		}
	}
}

// TestOrderOfAnswers sends answers of a delivered invocation in every order.
func TestOrderOfAnswers(t *testing.T) {
	accepted := jsonReply(202, okay)
	for _, tc := range []struct {
		name          string
		first, second string
		want          [2]reply
		body          string
	}{
		{"error, response", fault("id-1", "e"), respond("id-1", "r"),
			[2]reply{accepted, refusal("RuntimeResponseSentState", "InvocationResponse")}, "e"},
		{"error, error", fault("id-1", "e"), fault("id-1", "f"),
			[2]reply{accepted, refusal("RuntimeResponseSentState", "InvocationErrorResponse")}, "e"},
		{"response, init error", respond("id-1", "r"), initError("i"),
			[2]reply{accepted, refusal("RuntimeResponseSentState", "InitError")}, "r"},
		{"another's, then the right one", respond("id-2", "x"), respond("id-1", "r"),
			[2]reply{jsonReply(400, requestIDBody), accepted}, "r"},
		{"another's error, then the right one", fault("ID-1", "x"), fault("id-1", "e"),
			[2]reply{jsonReply(400, requestIDBody), accepted}, "e"},
		{"init error, then the answer", initError("x"), respond("id-1", "r"),
			[2]reply{refusal("Running", "InitError"), accepted}, "r"},
		{"response that was too large, then a smaller one", respond("id-1", strings.Repeat("x", 6291557)), respond("id-1", "r"),
			[2]reply{jsonReply(413, tooLargeBody), refusal("RuntimeResponseSentState", "InvocationResponse")}, ""},
		{"response in no mode, then in one", respond("id-1", "x", "lambda-runtime-function-response-mode: buffered"), respond("id-1", "r"),
			[2]reply{jsonReply(400, `{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`),
				refusal("RuntimeResponseSentState", "InvocationResponse")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, _ := running(t)
			got := [2]reply{c.exchange(tc.first), c.exchange(tc.second)}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if got := string(await(t, s, answered).Answer.Body); got != tc.body {
				t.Errorf("the answer is %q, want %q", got, tc.body)
			}
			c.write(get(next))
			await(t, s, ready)
			if got, want := dial(t, c.nc.RemoteAddr().String()).exchange(respond("id-1", "late")), refusal("Ready", "InvocationResponse"); got != want {
				t.Errorf("an answer after the next question: got %+v, want %+v", got, want)
			}
		})
	}
}

// TestPaths asks for what there is not, and goes on on the same connection.
func TestPaths(t *testing.T) {
	missing := reply{404, "text/plain; charset=utf-8", notFoundText}
	method := reply{405, "", ""}
	for _, tc := range []struct {
		name, request string
		want          reply
	}{
		{"root", get("/"), missing},
		{"version only", get(base), missing},
		{"slash behind", get(next + "/"), missing},
		{"slash in front", get("/" + next), missing},
		{"without version", get("/runtime/invocation/next"), missing},
		{"case", get(base + "/runtime/invocation/Next"), missing},
		{"id of two segments", respond("a/b", "1"), missing},
		{"nothing behind the id", get(base + "/runtime/invocation/id-1"), missing},
		{"credentials", get("/2021-04-23/credentials"), missing},
		{"restore error", post(base+"/runtime/restore/error", "{}"), missing},
		{"GET of a response", get(base + "/runtime/invocation/id-1/response"), method},
		{"GET of an error", get(base + "/runtime/invocation/id-1/error"), method},
		{"GET of an init error", get(base + "/runtime/init/error"), method},
		{"PUT", strings.Replace(respond("id-1", "1"), "POST", "PUT", 1), method},
		{"POST of a ping", post(base+"/ping", ""), method},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c, _ := running(t)
			if diff := cmp.Diff(c.exchange(tc.request), tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if got := c.exchange(get(base + "/ping?x=1")); got.Body != "pong" {
				t.Errorf("the connection goes on with %+v", got)
			}
		})
	}
}

// TestHeadHasNoBody: a body behind the answer of HEAD would be read as the next answer.
func TestHeadHasNoBody(t *testing.T) {
	_, addr := serve(t)
	for _, path := range []string{"/nothing", base + "/ping", next} {
		c := dial(t, addr)
		c.write("HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" + get(base+"/ping"))
		got := ""
		for !strings.HasSuffix(got, "pong") {
			b, err := c.br.ReadByte()
			if err != nil {
				t.Fatal(err)
			}
			got += string(b)
		}
		head, rest, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.HasPrefix(rest, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%s: %q is followed by %q", path, head, rest)
		}
	}
}

// TestHeadersAreFoundInAnyCase sends names of headers as various clients write them.
func TestHeadersAreFoundInAnyCase(t *testing.T) {
	for _, name := range []string{"lambda-runtime-function-error-type", "LAMBDA-RUNTIME-FUNCTION-ERROR-TYPE", "Lambda-Runtime-Function-Error-Type"} {
		s, c, _ := running(t)
		if got := c.exchange(fault("id-1", "1", name+": Function.Foo")); got.Status != 202 {
			t.Errorf("%s: got %+v", name, got)
		}
		if got := await(t, s, answered).Answer.ErrorType; got != "Function.Foo" {
			t.Errorf("%s: got type %q", name, got)
		}
	}
}

// TestTruncatedBodies cuts requests off at various places. The state stays: whoever connects again may answer.
func TestTruncatedBodies(t *testing.T) {
	const chunked = "POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	cut := func(request string, n int) string { return request[:len(request)-n] }
	for _, tc := range []struct{ name, request string }{
		{"response", cut(respond("id-1", "abcdef"), 3)},
		{"response of nothing", cut(respond("id-1", "abcdef"), 6)},
		{"large response", cut(respond("id-1", strings.Repeat("x", 1<<20)), 1)},
		{"error", cut(fault("id-1", "abcdef"), 3)},
		{"in a chunk", chunked + "5\r\nab"},
		{"between chunks", chunked + "2\r\nab\r\n"},
		{"before the last line", chunked + "2\r\nab\r\n0\r\n"},
		{"in the trailers", chunked + "2\r\nab\r\n0\r\nLambda-Runtime-Function-Error-Type: Run"},
		{"a chunk of no size", chunked + "zz\r\nab\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, addr := running(t)
			c.write(tc.request)
			if err := c.nc.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, _ := c.read()
			if diff := cmp.Diff(got, jsonReply(400, truncatedBody)); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if st := s.Status(); st.Answer != nil || st.State != runtimeapi.Running {
				t.Errorf("got %+v", st)
			}
			again := dial(t, addr)
			again.write(get(next))
			if got, _ := again.read(); got.Status != 200 || got.Body != "{}" {
				t.Errorf("next gives %+v, want the same event", got)
			}
			if got := again.exchange(respond("id-1", "whole")); got.Status != 202 {
				t.Errorf("got %+v", got)
			}
			if got := string(await(t, s, answered).Answer.Body); got != "whole" {
				t.Errorf("the answer is %q", got)
			}
		})
	}
}

// TestInitErrorsThatDoNotArrive leave the runtime where it was.
func TestInitErrorsThatDoNotArrive(t *testing.T) {
	whole := initError("abcdef")
	for _, tc := range []struct {
		name, request string
		want          reply
	}{
		{"truncated", whole[:len(whole)-2], jsonReply(400, truncatedBody)},
		{"too large", initError(strings.Repeat("x", 6291557)), jsonReply(413, tooLargeBody)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, addr := serve(t)
			c := dial(t, addr)
			c.write(tc.request)
			if err := c.nc.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, _ := c.read()
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if st := s.Status(); st.State != runtimeapi.Started || st.InitError != nil {
				t.Errorf("got %+v", st)
			}
			largest := strings.Repeat("x", 6291556)
			if got := dial(t, addr).exchange(initError(largest)); got.Status != 202 {
				t.Errorf("got %+v", got)
			}
			if st := s.Status(); st.InitError == nil || len(st.InitError.Body) != len(largest) {
				t.Errorf("got %+v", st.State)
			}
		})
	}
}

// TestBlankLinesBetweenRequests: what shell clients write behind a body is not a request.
func TestBlankLinesBetweenRequests(t *testing.T) {
	for _, blank := range []string{"\n", "\r\n", "\r\n\r\n"} {
		s, c, _ := running(t)
		if got := c.exchange(respond("id-1", "1") + blank); got.Status != 202 {
			t.Errorf("%q: got %+v", blank, got)
		}
		if got := c.exchange(get(base + "/ping")); got.Body != "pong" {
			t.Errorf("%q: got %+v", blank, got)
		}
		await(t, s, answered)
	}
}

// TestAnswerBeforeTheNextRequestIsWhole: a client may begin a request and want the answer of the one before first.
func TestAnswerBeforeTheNextRequestIsWhole(t *testing.T) {
	_, c, _ := running(t)
	if got := c.exchange(respond("id-1", "1") + "GET " + base + "/pi"); got.Status != 202 {
		t.Errorf("got %+v", got)
	}
	if got := c.exchange("ng HTTP/1.1\r\nHost: x\r\n\r\n"); got.Body != "pong" {
		t.Errorf("got %+v", got)
	}
}

// TestExpectationWithoutABody: there is nothing to go on with.
func TestExpectationWithoutABody(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	c.write("GET " + next + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n")
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte("1"), Deadline: time.Now().Add(time.Minute)})
	if got, _ := c.read(); got.Status != 200 || got.Body != "1" {
		t.Fatalf("got %+v", got)
	}
	if got := c.exchange(respond("id-1", "", "Expect: 100-continue")); got.Status != 202 {
		t.Errorf("got %+v", got)
	}
	if got := c.exchange(get(base + "/ping")); got.Body != "pong" {
		t.Errorf("got %+v", got)
	}
}

// TestAnswersOfHTTP10 are read to their length, and the connection ends.
func TestAnswersOfHTTP10(t *testing.T) {
	s, c, _ := running(t)
	c.write("POST " + base + "/runtime/invocation/id-1/response HTTP/1.0\r\nContent-Length: 2\r\n\r\nok")
	if got, _ := c.read(); got != jsonReply(202, okay) {
		t.Errorf("got %+v", got)
	}
	if _, err := c.br.ReadByte(); err != io.EOF {
		t.Errorf("got %v, want the end", err)
	}
	if got := string(await(t, s, answered).Answer.Body); got != "ok" {
		t.Errorf("got %q", got)
	}
}

// TestTrailers sends errors behind streamed bodies as various clients do.
func TestTrailers(t *testing.T) {
	const streaming = "POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" +
		"lambda-runtime-function-response-mode: streaming\r\nContent-Type: text/plain\r\n"
	for _, tc := range []struct {
		name, request string
		want          runtimeapi.Answer
	}{
		{"one of two announced", streaming + "Trailer: Lambda-Runtime-Function-Error-Body\r\n\r\n1\r\na\r\n0\r\n" +
			"lambda-runtime-function-error-type: Error\r\nlambda-runtime-function-error-body: e30=\r\n\r\n",
			runtimeapi.Answer{Body: []byte("{}"), ContentType: "application/json", Failed: true, ErrorType: "Runtime.Unknown"}},
		{"both announced, nothing before", streaming + "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n0\r\n" +
			"Lambda-Runtime-Function-Error-Type: Function.Foo\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n",
			runtimeapi.Answer{Body: []byte("{}"), ContentType: "application/json", Failed: true, ErrorType: "Function.Foo"}},
		{"announced, and not sent", streaming + "Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n1\r\na\r\n0\r\n\r\n",
			runtimeapi.Answer{Body: []byte("a"), ContentType: "text/plain"}},
		{"others", streaming + "\r\n1\r\na\r\n0\r\nX-Checksum: 1\r\n\r\n",
			runtimeapi.Answer{Body: []byte("a"), ContentType: "text/plain"}},
		{"extensions of chunks", streaming + "\r\n1;x=y\r\na\r\n0;z\r\n\r\n",
			runtimeapi.Answer{Body: []byte("a"), ContentType: "text/plain"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, _ := running(t)
			if diff := cmp.Diff(c.exchange(tc.request), jsonReply(202, okay)); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if diff := cmp.Diff(await(t, s, answered).Answer, &tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if got := c.exchange(get(base + "/ping")); got.Body != "pong" {
				t.Errorf("the connection goes on with %+v", got)
			}
		})
	}
}

// begin writes the beginning of a request that asks whether to go on, and returns when the server has said so.
func (c *client) begin(request string) {
	c.t.Helper()
	c.write(request)
	if got, _ := c.read(); got.Status != 100 {
		c.t.Fatalf("got %+v, want 100", got)
	}
}

// TestWhileAnAnswerArrives has another connection ask and answer while a body is still on its way.
func TestWhileAnAnswerArrives(t *testing.T) {
	for _, tc := range []struct{ name, request, state string }{
		{"response", respond("id-1", "whole", "Expect: 100-continue"), "InvocationResponse"},
		{"error", fault("id-1", "whole", "Expect: 100-continue"), "InvocationErrorResponse"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c, addr := running(t)
			begun := len(tc.request) - 2
			c.begin(tc.request[:begun])
			other := dial(t, addr)
			for _, step := range []struct {
				request string
				want    reply
			}{
				{respond("id-1", "2"), refusal(tc.state, "InvocationResponse")},
				{fault("id-1", "2"), refusal(tc.state, "InvocationErrorResponse")},
				{initError("2"), refusal(tc.state, "InitError")},
				{get(next), refusal(tc.state, "Ready")},
				{respond("id-0", "2"), jsonReply(400, requestIDBody)},
			} {
				if diff := cmp.Diff(other.exchange(step.request), step.want); diff != "" {
					t.Errorf("%.60q: got -, want +:\n%s", step.request, diff)
				}
			}
			if st := s.Status(); st.Answer != nil {
				t.Errorf("there is an answer already: %+v", st.Answer)
			}
			if got := c.exchange(tc.request[begun:]); got != jsonReply(202, okay) {
				t.Errorf("got %+v", got)
			}
			if got := string(await(t, s, answered).Answer.Body); got != "whole" {
				t.Errorf("the answer is %q", got)
			}
		})
	}
}

// TestResetWhileAnAnswerArrives: what a runtime was still sending when its time was over is no answer to the next invocation.
func TestResetWhileAnAnswerArrives(t *testing.T) {
	s, c, addr := running(t)
	c.begin("POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nla")
	s.Reset()
	if _, err := c.br.ReadByte(); err == nil {
		t.Error("the connection of the old runtime lives")
	}
	fresh := dial(t, addr)
	fresh.write(get(next))
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-2", Payload: []byte("2"), Deadline: time.Now().Add(time.Minute)})
	if got, _ := fresh.read(); got.Body != "2" {
		t.Fatalf("got %+v", got)
	}
	for _, late := range []string{respond("id-1", "late"), fault("id-1", "late")} {
		if got := fresh.exchange(late); got != jsonReply(400, requestIDBody) {
			t.Errorf("a late answer got %+v", got)
		}
	}
	if st := s.Status(); st.Answer != nil || st.State != runtimeapi.Running {
		t.Errorf("got %+v", st)
	}
	if got := fresh.exchange(respond("id-2", "right")); got != jsonReply(202, okay) {
		t.Errorf("got %+v", got)
	}
}
