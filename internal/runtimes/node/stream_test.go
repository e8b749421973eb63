package node_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const streamers = `
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const stream = awslambda.streamifyResponse;
exports.parts = stream(async (event, response, context) => {
  response.setContentType('text/x');
  for (const part of event) response.write(part);
  response.end();
}, { highWaterMark: 8 });
exports.plain = stream(async (event, response) => { response.write({ a: event }); response.end('end'); });
exports.http = stream(async (event, response) => {
  response = awslambda.HttpResponseStream.from(response, { statusCode: 201, headers: { 'X-A': 'b' }, cookies: ['c=d'] });
  await pipeline(Readable.from(['body', '!']), response);
});
exports.empty = stream(async (event, response) => { response.end(); });
exports.later = stream(async (event, response) => { setTimeout(() => response.end('late'), 10); });
exports.fails = stream(async (event, response) => { if (event) response.write('a'); throw new RangeError('nope'); });
exports.unfinished = stream(async (event, response) => { response.write('a'); });
exports.never = stream(async (event, response) => { response.write('a'); await new Promise(() => {}); });
exports.sync = stream((event, response) => { response.write('a'); });
exports.syncEnded = stream((event, response) => { response.write('a'); response.end(); });
exports.tooLate = stream(async (event, response) => { response.write('a'); response.setContentType('x'); });
exports.returns = stream(async (event, response) => { response.end('r'); return 5; });
exports.keys = stream(async (event, response, context) => { response.end(JSON.stringify(Object.keys(context).slice(0, 2))); });
`

// streamed is what came for one invocation.
type streamed struct {
	Body, Type    string
	ErrorType     string
	ErrorBody     string // with the trace left out
	Mode, Trailer string
}

var traceMember = regexp.MustCompile(`"trace":\[.*\]`)

func TestStreaming(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) { testStreaming(t, p, nil) })
}

// TestStreamingOfAWS runs the same against AWS's own runtime client.
func TestStreamingOfAWS(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		if p.Runtime, p.Args = theirs(t, p.interpreter.Major); p.Args != nil {
			testStreaming(t, p, map[string]string{
				"unfinished": "it waits for the answer to a response that never ends", "never": "as before",
			})
		}
	})
}

// testStreaming runs the streaming handlers, but those in unlike.
func testStreaming(t *testing.T, p process, unlike map[string]string) {
	const octets = "application/octet-stream"
	failure := func(kind, message string) (string, string) {
		return kind, fmt.Sprintf(`{"errorType":%q,"errorMessage":%q,TRACE}`, kind, message)
	}
	rangeType, rangeBody := failure("RangeError", "nope")
	lateType, lateBody := failure("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.")
	text := "string" // the older client throws texts
	if p.interpreter.Major >= 24 {
		text = "Error"
	}
	unfinishedType, unfinishedBody := failure(text, "Response stream is not finished.")
	syncType, syncBody := failure(text, "Streaming does not support non-async handlers.")
	contextKeys := `["callbackWaitsForEmptyEventLoop","functionVersion"]`
	if p.interpreter.Major >= 24 {
		contextKeys = `["clientContext","identity"]`
	}
	for _, c := range []struct {
		handler, event string
		want           streamed
		output         string
	}{
		{handler: "parts", event: `["one ","two ","","three ","four"]`, want: streamed{Body: "one two three four", Type: "text/x"}},
		{handler: "plain", event: "5", want: streamed{Body: `{"a":5}end`, Type: octets}},
		{handler: "http", event: "5", want: streamed{Body: `{"statusCode":201,"headers":{"X-A":"b"},"cookies":["c=d"]}` + "\x00\x00\x00\x00\x00\x00\x00\x00body!",
			Type: "application/vnd.awslambda.http-integration-response"}},
		{handler: "empty", event: "5", want: streamed{Type: octets}},
		{handler: "later", event: "5", want: streamed{Body: "late", Type: octets}},
		{handler: "fails", event: "false", want: streamed{Type: octets, ErrorType: rangeType, ErrorBody: rangeBody}, output: "RangeError"},
		{handler: "fails", event: "true", want: streamed{Body: "a", Type: octets, ErrorType: rangeType, ErrorBody: rangeBody}, output: "RangeError"},
		{handler: "unfinished", event: "5", want: streamed{Body: "a", Type: octets, ErrorType: unfinishedType, ErrorBody: unfinishedBody}, output: "not finished"},
		{handler: "never", event: "5", want: streamed{Body: "a", Type: octets, ErrorType: unfinishedType, ErrorBody: unfinishedBody}, output: "not finished"},
		{handler: "sync", event: "5", want: streamed{Body: "a", Type: octets, ErrorType: syncType, ErrorBody: syncBody}, output: "non-async"},
		{handler: "syncEnded", event: "5", want: streamed{Body: "a", Type: octets}, output: "non-async"}, // too late to say so
		{handler: "tooLate", event: "5", want: streamed{Body: "a", Type: octets, ErrorType: lateType, ErrorBody: lateBody}, output: "too late"},
		{handler: "returns", event: "5", want: streamed{Body: "r", Type: octets}, output: "Streaming handlers ignore return values."},
		{handler: "keys", event: "5", want: streamed{Body: contextKeys, Type: octets}},
	} {
		if reason, ok := unlike[c.handler]; ok {
			t.Logf("not compared: %s: %s", c.handler, reason)
			continue
		}
		t.Run(c.handler+" "+c.event, func(t *testing.T) {
			t.Parallel()
			p := p
			c.want.Mode, c.want.Trailer = "streaming", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
			got, output := p.stream(t, c.handler, c.event)
			// Twice, since a stream must leave the connection as it was.
			if diff := cmp.Diff(got, []streamed{c.want, c.want}); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
			if c.output == "" && output != "" || !strings.Contains(output, c.output) {
				t.Errorf("output %q", output)
			}
		})
	}
}

// stream lets a handler answer an event twice.
func (p process) stream(t *testing.T, handler, body string) (all []streamed, output string) {
	t.Helper()
	s := runtimetest.NewScript(t)
	api := s.API()
	p.Handler, p.Task = "index."+handler, map[string]string{"index.js": streamers}
	go func() {
		defer close(api.Idle)
		c, err := s.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { c.Close() }) // not before the runtime has ended: it would complain
		r := bufio.NewReader(c)
		for range 2 {
			s.Expect(r, "GET invocation/next")
			io.WriteString(c, runtimetest.Next("a", body))
			all = append(all, readStream(s, c, r))
		}
		s.Expect(r, "GET invocation/next")
	}()
	output = p.Run(t, api).Output
	return all, output
}

// readStream reads one streamed response and accepts it.
func readStream(s runtimetest.Script, c net.Conn, r *bufio.Reader) streamed {
	body, req := s.Request(r, "POST invocation/a/response")
	io.WriteString(c, runtimetest.Accepted)
	trailer := req.Trailer
	if trailer == nil {
		trailer = http.Header{}
	}
	text, err := base64.StdEncoding.DecodeString(trailer.Get("Lambda-Runtime-Function-Error-Body"))
	if err != nil {
		s.Error(err)
	}
	return streamed{Body: body, Type: req.Header.Get("Content-Type"), ErrorType: trailer.Get("Lambda-Runtime-Function-Error-Type"),
		ErrorBody: traceMember.ReplaceAllString(string(text), "TRACE"), Mode: req.Header.Get("Lambda-Runtime-Function-Response-Mode"),
		Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"}
}
