package python_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const logger = `
import logging, sys

def h(event, context):
    logging.warning("a %s", 1)
    logging.info("hidden")
    logging.getLogger("x.y").error("two\nlines")
    logging.getLogger().setLevel("DEBUG")
    logging.debug("d", extra={"key": "é", "none": None})
    logging.log(25, {"a": 1})
    print("plain", "text")
    print("err", file=sys.stderr)
    context.log("raw")
    root = logging.getLogger()
    return [len(root.handlers), type(root.handlers[0]).__name__, root.level]

def fail(event, context):
    try:
        raise KeyError("k")
    except KeyError:
        logging.exception("exc")

def level(event, context):
    return logging.getLogger().level
`

var loggerTask = map[string]string{"app.py": logger}

func logsOf(t *testing.T, p process, handler string, framed bool, env ...string) runtimetest.Outcome {
	t.Helper()
	p.Handler, p.Task, p.Framed, p.Env = handler, loggerTask, framed, env
	got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
	got.Output = timestamp.ReplaceAllString(got.Output, "TIME")
	if len(got.Posts) != 1 {
		t.Errorf("got %+v, output %s", got.Posts, got.Output)
	}
	return got
}

func TestTextLogs(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		got := logsOf(t, p, "app.h", false)
		want := "[WARNING]\tTIME\t0000-1\ta 1\n[ERROR]\tTIME\t0000-1\ttwo\nlines\n[DEBUG]\tTIME\t0000-1\td\n[Level 25]\tTIME\t0000-1\t{'a': 1}\nplain text\nerr\nraw"
		if diff := cmp.Diff(got.Output, want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if diff := cmp.Diff(got.Posts, response(`[1, "LambdaLoggerHandler", 10]`)); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		got = logsOf(t, p, "app.fail", false)
		if !strings.HasPrefix(got.Output, "[ERROR]\tTIME\t0000-1\texc\nTraceback (most recent call last):\n") || !strings.HasSuffix(got.Output, "\nKeyError: 'k'\n") {
			t.Errorf("got %q", got.Output)
		}
	})
}

func TestFramedLogs(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		got := logsOf(t, p, "app.h", true)
		if got.Output != "plain text\nerr\n" {
			t.Errorf("got %q", got.Output)
		}
		want := []runtimetest.Frame{
			{Type: 0xa55a0003, Text: "[WARNING]\tTIME\t0000-1\ta 1\n"},
			{Type: 0xa55a0003, Text: "[ERROR]\tTIME\t0000-1\ttwo\nlines\n"},
			{Type: 0xa55a0003, Text: "[DEBUG]\tTIME\t0000-1\td\n"},
			{Type: 0xa55a0003, Text: "[Level 25]\tTIME\t0000-1\t{'a': 1}\n"}, {Type: 0xa55a0003, Text: "raw"},
		}
		if diff := cmp.Diff(framesOf(t, got), want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		p.Handler, p.Task, p.Framed = "app.h", map[string]string{"app.py": "def h(event, context):\n    raise ValueError('no')\n"}, true
		got = p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		want = []runtimetest.Frame{{Type: 0xa55a0017, Text: "[ERROR] ValueError: no\nTraceback (most recent call last):\n\u00a0\u00a0File \"" + p.TaskDir +
			"/app.py\", line 2, in h\n\u00a0\u00a0\u00a0\u00a0raise ValueError('no')"}}
		if diff := cmp.Diff(framesOf(t, got), want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
	})
}

func framesOf(t *testing.T, o runtimetest.Outcome) []runtimetest.Frame {
	t.Helper()
	all := runtimetest.Frames(t, o.Frames)
	for i := range all {
		all[i].Text = timestamp.ReplaceAllString(all[i].Text, "TIME")
	}
	return all
}

func TestJSONLogs(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		got := logsOf(t, p, "app.h", true, "AWS_LAMBDA_LOG_FORMAT=JSON")
		want := []runtimetest.Frame{
			{Type: 0xa55a0012, Text: `{"timestamp": "TIME", "level": "WARNING", "message": "a 1", "logger": "root", "requestId": "0000-1"}` + "\n"},
			{Type: 0xa55a0016, Text: `{"timestamp": "TIME", "level": "ERROR", "message": "two\nlines", "logger": "x.y", "requestId": "0000-1"}` + "\n"},
			{Type: 0xa55a000a, Text: `{"timestamp": "TIME", "level": "DEBUG", "message": "d", "logger": "root", "requestId": "0000-1", "key": "é"}` + "\n"},
			{Type: 0xa55a000e, Text: `{"timestamp": "TIME", "level": "INFO", "message": "{'a': 1}", "logger": "root", "requestId": "0000-1"}` + "\n"},
			{Type: 0xa55a0003, Text: "raw"},
		}
		if diff := cmp.Diff(framesOf(t, got), want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		got = logsOf(t, p, "app.fail", false, "AWS_LAMBDA_LOG_FORMAT=JSON")
		var record map[string]any
		if err := json.Unmarshal([]byte(got.Output), &record); err != nil {
			t.Fatalf("%v in %q", err, got.Output)
		}
		trace, _ := record["stackTrace"].([]any)
		location, _ := record["location"].(string)
		if record["errorType"] != "KeyError" || record["errorMessage"] != "'k'" || len(trace) != 1 || !strings.HasSuffix(location, "/app.py:fail:21") {
			t.Errorf("got %v", record)
		}
	})
}

const oddLogger = `
import asyncio, logging, os, sys

def level(event, context):
    logging.error("e")
    logging.log(5, "below")
    return type(logging.getLogger().handlers[0]).__name__

def zone(event, context):
    import time
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    return logging.Formatter("%(asctime)s", "%H").format(logging.makeLogRecord({"created": 0}))

def odd(event, context):
    logging.error("fails", extra={"odd": object})

def task(event, context):
    async def say():
        logging.error("in a task")
    async def main():
        await asyncio.create_task(say(), name="mine")
    asyncio.run(main())

def streams(event, context):
    with sys.stdout as out:
        return [out.write("a"), sys.stderr.write(""), out.stream is not out]

def no_exception(event, context):
    logging.exception("no exception here")

def surrogate(event, context):
    logging.error("lone \ud800")

def log_surrogate(event, context):
    context.log("lone \ud800")

def taken(event, context):
    taken = "errorType errorMessage stackTrace location requestId timestamp level logger _frame_type".split()
    logging.error("taken", extra=dict(dict.fromkeys(taken, "mine"), tenantId="t", log_level="l"))

def other_handler(event, context):
    class Other(logging.Handler):
        def emit(self, record):
            sys.stdout.write("%d %s\n" % (record.levelno, record.levelname))
    logging.getLogger().addHandler(Other())
    logging.log(35, "x")

def own_format(event, context):
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("own %(aws_request_id)s %(message)s"))
    logging.error("x")

def borrowed_format(event, context):
    other = logging.StreamHandler(sys.stdout)
    other.terminator = ""
    other.setFormatter(logging.getLogger().handlers[0].formatter)
    logger = logging.getLogger("other")
    logger.propagate = False
    logger.addHandler(other)
    logger.error("x")

def no_handler(event, context):
    logging.getLogger().handlers.clear()
    context.log("on stdout\n")
`

// TestAsAWSClientLogs has what AWS's client does in corners: text frames bear levels when one is set, formatters of functions
// write UTC, extras that are not JSON fail in the caller, and streams give no lengths. What it does of records is in TestRecords.
func TestAsAWSClientLogs(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Task, p.Framed = map[string]string{"app.py": oddLogger}, true
		run := func(handler string, env ...string) runtimetest.Outcome {
			p.Handler, p.Env = handler, env
			return p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		}
		got := run("app.level", "AWS_LAMBDA_LOG_LEVEL=ERROR")
		if diff := cmp.Diff(got.Posts, response(`"LambdaLoggerHandlerWithFrameType"`)); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		want := []runtimetest.Frame{{Type: 0xa55a0017, Text: "[ERROR]\tTIME\t0000-1\te\n"}}
		if diff := cmp.Diff(framesOf(t, got), want); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if diff := cmp.Diff(run("app.zone").Posts, response(`"00"`)); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		if diff := cmp.Diff(run("app.streams").Posts, response(`[null, null, true]`)); diff != "" {
			t.Errorf("-got +want:\n%s", diff)
		}
		got = run("app.odd", "AWS_LAMBDA_LOG_FORMAT=json")
		if len(got.Posts) != 1 || !strings.Contains(got.Posts[0].Body, `"errorMessage": "Object of type type is not JSON serializable", "errorType": "TypeError"`) {
			t.Errorf("got %+v", got.Posts)
		}
		frames := framesOf(t, run("app.task", "AWS_LAMBDA_LOG_FORMAT=JSON"))
		if len(frames) != 1 || !strings.Contains(frames[0].Text, `"in a task"`) {
			t.Fatalf("got %v", frames)
		}
		if shown := strings.Contains(frames[0].Text, `"taskName": "mine"`); shown != (p.interpreter.Minor >= 12) {
			t.Errorf("got %v", frames)
		}
	})
}

// recordCases are what AWS's client makes of odd records: much of it fails in the caller.
var recordCases = []struct {
	handler, format string
	failure         string // type and message
	frames          []runtimetest.Frame
	output          string
}{
	{handler: "app.no_exception", frames: []runtimetest.Frame{{Type: 0xa55a0003, Text: "[ERROR]\tTIME\t0000-1\tno exception here\nNoneType: None"}}},
	{handler: "app.no_exception", format: "JSON", failure: `"'NoneType' object has no attribute '__name__'", "errorType": "AttributeError"`},
	{handler: "app.surrogate", failure: `"errorType": "UnicodeEncodeError"`},
	{handler: "app.surrogate", format: "JSON", failure: `"errorType": "UnicodeEncodeError"`},
	{handler: "app.log_surrogate", failure: `"errorType": "UnicodeEncodeError"`},
	{handler: "app.taken", format: "JSON", frames: []runtimetest.Frame{{Type: 0xa55a0016,
		Text: `{"timestamp": "TIME", "level": "ERROR", "message": "taken", "logger": "root", "requestId": "0000-1", "tenantId": "t", "log_level": "l"}` + "\n"}}},
	{handler: "app.other_handler", format: "JSON", output: "30 WARNING\n", frames: []runtimetest.Frame{{Type: 0xa55a0012,
		Text: `{"timestamp": "TIME", "level": "WARNING", "message": "x", "logger": "root", "requestId": "0000-1"}` + "\n"}}},
	{handler: "app.other_handler", output: "35 Level 35\n", frames: []runtimetest.Frame{{Type: 0xa55a0003, Text: "[Level 35]\tTIME\t0000-1\tx\n"}}},
	{handler: "app.own_format", format: "JSON", frames: []runtimetest.Frame{{Type: 0xa55a0017, Text: "own 0000-1 x"}}},
	{handler: "app.borrowed_format", format: "JSON", output: `{"timestamp": "TIME", "level": "ERROR", "message": "x", "logger": "other"}` + "\n"},
	{handler: "app.no_handler", output: "on stdout\n"},
}

func TestRecords(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		for _, c := range recordCases {
			p := p
			p.Handler, p.Task, p.Framed = c.handler, map[string]string{"app.py": oddLogger}, true
			p.Env = []string{"AWS_LAMBDA_LOG_FORMAT=" + c.format}
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			if len(got.Posts) != 1 || !strings.Contains(got.Posts[0].Body, c.failure) || (c.failure == "") != (got.Posts[0].Body == "null") {
				t.Errorf("%s %s: got %+v", c.handler, c.format, got.Posts)
			}
			if diff := cmp.Diff(framesOf(t, got), c.frames); c.failure == "" && diff != "" {
				t.Errorf("%s %s (-got +want):\n%s", c.handler, c.format, diff)
			}
			if output := timestamp.ReplaceAllString(got.Output, "TIME"); output != c.output {
				t.Errorf("%s %s: printed %q, want %q", c.handler, c.format, output, c.output)
			}
		}
	})
}

func TestLogLevels(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		for level, want := range map[string]string{"": "30", "TRACE": "10", "trace": "30", "NOTSET": "0", "DEBUG": "10", "info": "20", "WARN": "30", "ERROR": "40", "FATAL": "50", "OTHER": "30"} {
			got := logsOf(t, p, "app.level", false, "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL="+level)
			if diff := cmp.Diff(got.Posts, response(want)); diff != "" {
				t.Errorf("%q (-got +want):\n%s", level, diff)
			}
		}
	})
}
