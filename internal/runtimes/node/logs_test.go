package node_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const logging = `
console.log('while', 'loading');
exports.h = async () => {
  console.trace('t');
  console.debug('d %d', 5);
  console.info('i', { a: [1] });
  console.log('two\nlines', 'é');
  console.warn('w');
  console.error(Object.assign(new RangeError('r'), { stack: 'RangeError: r\n    at x' }));
  console.error('e', Object.assign(new RangeError('r'), { stack: 'RangeError: r\n    at x' }));
  console.fatal({ b: 1n });
  console.fatal('f');
  process.stdout.write('raw\n');
};
`

// logCase is what the same calls come out as.
type logCase struct {
	name string
	env  []string
	want []string // lines on stdout; frames have them without what marks an end
}

var logCases = []logCase{
	{"text", nil, []string{
		"TIME\tNONE\tINFO\twhile loading", "TIME\t0000-1\tTRACE\tt", "TIME\t0000-1\tDEBUG\td 5", "TIME\t0000-1\tINFO\ti { a: [ 1 ] }",
		"TIME\t0000-1\tINFO\ttwo\nlines é", "TIME\t0000-1\tWARN\tw", "TIME\t0000-1\tERROR\tRangeError: r\n    at x",
		"TIME\t0000-1\tERROR\te RangeError: r\n    at x", "TIME\t0000-1\tFATAL\t{ b: 1n }", "TIME\t0000-1\tFATAL\tf",
	}},
	{"text, from WARN", []string{"AWS_LAMBDA_LOG_LEVEL=WARN"}, []string{
		"TIME\t0000-1\tWARN\tw", "TIME\t0000-1\tERROR\tRangeError: r\n    at x",
		"TIME\t0000-1\tERROR\te RangeError: r\n    at x", "TIME\t0000-1\tFATAL\t{ b: 1n }", "TIME\t0000-1\tFATAL\tf",
	}},
	{"JSON", []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}, []string{
		`{"timestamp":"TIME","level":"INFO",NONE"message":"while loading"}`, `{"timestamp":"TIME","level":"TRACE","requestId":"0000-1","message":"t"}`,
		`{"timestamp":"TIME","level":"DEBUG","requestId":"0000-1","message":"d 5"}`, `{"timestamp":"TIME","level":"INFO","requestId":"0000-1","message":"i { a: [ 1 ] }"}`,
		`{"timestamp":"TIME","level":"INFO","requestId":"0000-1","message":"two\nlines é"}`, `{"timestamp":"TIME","level":"WARN","requestId":"0000-1","message":"w"}`,
		`{"timestamp":"TIME","level":"ERROR","requestId":"0000-1","message":{"errorType":"RangeError","errorMessage":"r","stackTrace":["RangeError: r","    at x"]}}`,
		`{"timestamp":"TIME","level":"ERROR","requestId":"0000-1","message":"e RangeError: r\n    at x","errorType":"RangeError","errorMessage":"r","stackTrace":["RangeError: r","    at x"]}`,
		`{"timestamp":"TIME","level":"FATAL","requestId":"0000-1","message":"{ b: 1n }"}`, `{"timestamp":"TIME","level":"FATAL","requestId":"0000-1","message":"f"}`,
	}},
	{"JSON, from FATAL", []string{"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=fatal"}, []string{
		`{"timestamp":"TIME","level":"FATAL","requestId":"0000-1","message":"{ b: 1n }"}`, `{"timestamp":"TIME","level":"FATAL","requestId":"0000-1","message":"f"}`,
	}},
}

// expected gives a case's lines for a node: before the first invocation there is no id, or on node 24 a mark.
func (c logCase) expected(major int) []string {
	none, member := "undefined", ""
	if major >= 24 {
		none, member = "-", `"requestId":"-",`
	}
	var lines []string
	for _, line := range c.want {
		line = strings.ReplaceAll(line, "\tNONE\t", "\t"+none+"\t")
		lines = append(lines, strings.ReplaceAll(line, `,NONE"`, `,`+member+`"`))
	}
	return lines
}

func TestLogs(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		for _, c := range logCases {
			p.Handler, p.Task, p.Env = "index.h", map[string]string{"index.js": logging}, c.env
			p.Framed = false
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			var want string
			for _, line := range c.expected(p.interpreter.Major) {
				want += strings.ReplaceAll(line, "\n", "\r") + "\n"
			}
			if diff := cmp.Diff(timestamp.ReplaceAllString(got.Output, "TIME"), want+"raw\n"); diff != "" {
				t.Errorf("%s (-got +want):\n%s", c.name, diff)
			}
		}
	})
}

var levelBits = map[string]uint32{"TRACE": 1, "DEBUG": 2, "INFO": 3, "WARN": 4, "ERROR": 5, "FATAL": 6}

var levelIn = regexp.MustCompile(`(?:\t|"level":")(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)[\t"]`)

func TestFrames(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		for _, c := range logCases {
			p.Handler, p.Task, p.Env, p.Framed = "index.h", map[string]string{"index.js": logging}, c.env, true
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			var want []runtimetest.Frame
			for _, line := range c.expected(p.interpreter.Major) {
				kind, end := uint32(0xa55a0003), "\n"
				if strings.HasPrefix(line, "{") {
					kind, end = 0xa55a0002, ""
				}
				want = append(want, runtimetest.Frame{Type: kind | levelBits[levelIn.FindStringSubmatch(line)[1]]<<2, Text: line + end})
			}
			if diff := cmp.Diff(untimed(runtimetest.Frames(t, got.Frames)), want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", c.name, diff)
			}
			if got.Output != "raw\n" {
				t.Errorf("%s: stdout %q", c.name, got.Output)
			}
		}
	})
}

// untimed gives frames without the times in their texts.
func untimed(frames []runtimetest.Frame) []runtimetest.Frame {
	for i := range frames {
		frames[i].Text = timestamp.ReplaceAllString(frames[i].Text, "TIME")
	}
	return frames
}

// TestLongLine: a message larger than a pipe takes at once comes whole.
func TestLongLine(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Handler, p.Task, p.Framed = "index.h", map[string]string{"index.js": "exports.h = async () => console.log('x'.repeat(1000000));"}, true
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		frames := runtimetest.Frames(t, got.Frames)
		if len(frames) != 1 || len(frames[0].Text) != len("2026-01-01T00:00:00.000Z\t0000-1\tINFO\t\n")+1000000 {
			t.Errorf("got %d frames", len(frames))
		}
	})
}

// TestErrorLog: an error of the handler in the log, with what the function put on it.
func TestErrorLog(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		code := "exports.h = async () => { throw Object.assign(new RangeError('nope'), { code: 'E', extra: 5, stack: 'RangeError: nope\\n    at x' }); };"
		p.Handler, p.Task = "index.h", map[string]string{"index.js": code}
		for _, c := range []struct {
			env  []string
			want string
		}{
			{nil, "TIME\t0000-1\tERROR\tInvoke Error \t" + `{"errorType":"RangeError","errorMessage":"nope","code":"E","extra":5,"stack":["RangeError: nope","    at x"]}` + "\n"},
			{[]string{"AWS_LAMBDA_LOG_FORMAT=JSON"}, `{"timestamp":"TIME","level":"ERROR","requestId":"0000-1","message":{"errorType":"RangeError","errorMessage":"nope",` +
				`"stackTrace":["RangeError: nope","    at x"],"code":"E","extra":5}}` + "\n"},
		} {
			p.Env = c.env
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			if diff := cmp.Diff(timestamp.ReplaceAllString(got.Output, "TIME"), c.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		}
	})
}

// TestFaultLog: an error of the runtime's own in JSON is named by its class, as with AWS's clients.
func TestFaultLog(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		p.Env = []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}
		for _, c := range []struct{ handler, older, newer string }{
			{"index.none", "HandlerNotFound", "HandlerNotFoundError"},
			{"index", "MalformedHandlerName", "MalformedHandlerNameError"},
			{"nope.h", "ImportModuleError", "ImportModuleError"},
			{"broken.h", "UserCodeSyntaxError", "UserCodeSyntaxError"},
		} {
			p.Handler, p.Task = c.handler, map[string]string{"index.js": "", "broken.js": "("}
			want := c.older
			if p.interpreter.Major >= 24 {
				want = c.newer
			}
			got := p.Run(t, runtimetest.NewAPI(t))
			if !strings.Contains(got.Output, `"level":"ERROR"`) || !strings.Contains(got.Output, `"message":{"errorType":"`+want+`","errorMessage":"`) {
				t.Errorf("%s: got %q, want %s", c.handler, got.Output, want)
			}
		}
	})
}

// TestUncaughtTwice: of two errors that nobody caught the first is posted, and gives the exit code. Both are logged.
func TestUncaughtTwice(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		if p.interpreter.Major >= 24 {
			return // node ends with the first
		}
		p.Handler, p.Task = "index.h", map[string]string{"index.js": "Promise.reject(new Error('second')); throw new TypeError('first');"}
		got := p.Run(t, runtimetest.NewAPI(t))
		if len(got.Posts) != 1 || got.Posts[0].ErrorType != "TypeError" || got.Exit != 129 {
			t.Errorf("got %v, exit code %d", got.Posts, got.Exit)
		}
		for _, want := range []string{"Uncaught Exception", "Unhandled Promise Rejection"} {
			if !strings.Contains(got.Output, want) {
				t.Errorf("no %q in %q", want, got.Output)
			}
		}
	})
}

const callbackWarning = "AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. " +
	"You will need to update this function to use an async handler to use Node.js 24 or later. For more information and to provide feedback on this change, " +
	"see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this warning, set the " +
	"AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable."

// TestCallbackWarning: handlers with a callback are told what node 24 does with them, unless they do not want to hear it.
func TestCallbackWarning(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		if p.interpreter.Major >= 24 {
			return // it refuses them
		}
		p.Handler, p.Task = "index.h", map[string]string{"index.js": "exports.h = (event, context, callback) => callback(null, 1);"}
		if got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"})); !strings.HasSuffix(got.Output, "\tundefined\tWARN\t"+callbackWarning+"\n") {
			t.Errorf("got %q", got.Output)
		}
		p.Env = []string{"AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING="}
		if got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"})); got.Output != "" {
			t.Errorf("muted: got %q", got.Output)
		}
	})
}
