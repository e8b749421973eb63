package python_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const app = `
import collections, datetime, decimal, enum, os, sys

Point = collections.namedtuple("Point", "x y")

class Number(enum.IntEnum):
    ONE = 1

class MyError(Exception):
    pass

values = {
    "date": lambda: datetime.datetime(2020, 1, 1),
    "decimals": lambda: {"a": decimal.Decimal("1.10"), "b": decimal.Decimal("1E+2"), "c": decimal.Decimal("NaN"), "d": decimal.Decimal("-Infinity")},
    "named": lambda: Point(1, [Point("é", None)]),
    "bytes": lambda: b"raw\xff",
    "inner bytes": lambda: {"k": b"abc", b"l": 1},
    "broken bytes": lambda: [b"\xff"],
    "tuple key": lambda: {(1, 2): 1},
    "decimal key": lambda: {decimal.Decimal("1"): 1},
    "keys": lambda: {1: 1, 1.5: 2, None: 3, "s": 4, Number.ONE + 1: Number.ONE},
    "set": lambda: {1},
    "floats": lambda: [float("nan"), float("inf"), -float("inf"), 1e100, 0.1],
    "text": lambda: "é\u2028\U0001f600\x00\"\\/",
    "none": lambda: None,
    "tuple": lambda: (1, True, "a"),
    "big": lambda: 10 ** 30,
    "odd names": lambda: type("Odd", (), {"_asdict": lambda self: [1]})(),
    "named class": lambda: [type("Odd", (), {"_asdict": lambda self: {}})],
}

def value(event, context):
    return values[event]()

def circle(event, context):
    a = {}
    a["a"] = [a]
    return a

def echo(event, context):
    return event

def inner():
    raise MyError("nope é\nline 2")

def boom(event, context):
    inner()

def chained(event, context):
    try:
        raise ValueError("first")
    except ValueError as error:
        raise KeyError("k") from error

def bare(event, context):
    raise ValueError

def leave(event, context):
    print("partial", end="")
    sys.exit(event)

def leave_at_once(event, context):
    print("partial", end="")
    os._exit(3)
`

// errorCase is a row of the matrix of what goes wrong. TASK and RUNTIME stand for the folders, STDLIB for the interpreter's.
type errorCase struct {
	name    string
	handler string
	event   event
	env     []string
	want    []post
	output  string
	exit    int
	since   int // first minor that behaves so
	until   int // last minor, 0: the newest
}

const warning = "[WARNING]\tTIME\t\tLAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare cases, a Lambda " +
	"runtime update can cause unexpected function behavior. For functions using managed runtimes, runtime updates can be triggered by a " +
	"function change, or can be applied automatically. To determine if the runtime has been updated, check the runtime version in the " +
	"INIT_START log entry. If this error correlates with a change in the runtime version, you may be able to mitigate this error by " +
	"temporarily rolling back to the previous runtime version. For more information, see " +
	"https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r\n"

func initError(kind, message, trace string) []post {
	return []post{{Path: "init/error", ErrorType: kind, Body: `{"errorMessage": "` + message + `", "errorType": "` + kind + `", "requestId": "", "stackTrace": [` + trace + `]}`}}
}

func invokeError(kind, message, trace string) []post {
	return []post{{Path: "invocation/0000-1/error", ContentType: "application/json",
		Body: `{"errorMessage": "` + message + `", "errorType": "` + kind + `", "requestId": "0000-1", "stackTrace": [` + trace + `]}`}}
}

func response(body string) []post {
	return []post{{Path: "invocation/0000-1/response", ContentType: "application/json", Body: body}}
}

func marshalError(message string) ([]post, string) {
	message = "Unable to marshal response: " + message
	return invokeError("Runtime.MarshalError", message, ""), "[ERROR] Runtime.MarshalError: " + message + "\rTraceback (most recent call last):\n"
}

// row makes a case of a value that cannot be written as JSON.
func unmarshalable(event, message string) errorCase {
	want, output := marshalError(message)
	return errorCase{name: event, handler: "app.value", event: quoted(event), want: want, output: output, exit: -1}
}

func quoted(s string) event { return event{Body: `"` + s + `"`} }

func initCase(handler, kind, message string) errorCase {
	return errorCase{name: "init " + handler, handler: handler, want: initError(kind, message, ""), exit: 1,
		output: warning + "[ERROR] " + kind + ": " + message + "\rTraceback (most recent call last):\n"}
}

const (
	boomTrace = `"  File \"TASK/app.py\", line 47, in boom\n    inner()\n", "  File \"TASK/app.py\", line 44, in inner\n    raise MyError(\"nope `
	boomLog   = "[ERROR] MyError: nope é\nline 2\rTraceback (most recent call last):\r" +
		"\u00a0\u00a0File \"TASK/app.py\", line 47, in boom\r\u00a0\u00a0\u00a0\u00a0inner()\r" +
		"\u00a0\u00a0File \"TASK/app.py\", line 44, in inner\r\u00a0\u00a0\u00a0\u00a0raise MyError(\"nope é\\nline 2\")\n"
)

var errorCases = []errorCase{
	// What cannot be started.
	initCase("nodot", "Runtime.MalformedHandlerName", "Bad handler 'nodot': not enough values to unpack (expected 2, got 1)"),
	initCase("", "Runtime.MalformedHandlerName", "Bad handler '': not enough values to unpack (expected 2, got 1)"),
	initCase("sys.h", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
	initCase("time.x.h", "Runtime.BuiltInModuleConflict", "Cannot use built-in module time.x as a handler module"),
	initCase("app.none", "Runtime.HandlerNotFound", "Handler 'none' missing on module 'app'"),
	initCase("app.", "Runtime.HandlerNotFound", "Handler '' missing on module 'app'"),
	initCase("json.h", "Runtime.HandlerNotFound", "Handler 'h' missing on module 'json'"),
	initCase("nomodule.h", "Runtime.ImportModuleError", "Unable to import module 'nomodule': No module named 'nomodule'"),
	initCase("folder/none.h", "Runtime.ImportModuleError", "Unable to import module 'folder/none': No module named 'folder.none'"),
	initCase("app.values.h", "Runtime.ImportModuleError", "Unable to import module 'app.values': No module named 'app.values'; 'app' is not a package"),
	initCase("missing.h", "Runtime.ImportModuleError", "Unable to import module 'missing': No module named 'nothere'"),
	initCase("refusing.h", "Runtime.ImportModuleError", "Unable to import module 'refusing': own text"),
	{name: "no SDK", handler: "sdk.h", want: initError("Runtime.ImportModuleError", "Unable to import module 'sdk': No module named 'boto3'", ""), exit: 1,
		output: "LAMINA_HINT boto3 is part of AWS's SDK, which AWS's NAME has and this one does not have yet: `lamina runtime add NAME` adds it.\n" +
			warning + "[ERROR] Runtime.ImportModuleError: Unable to import module 'sdk': No module named 'boto3'\rTraceback (most recent call last):\n"},
	{name: "syntax", handler: "syntax.h", exit: 1,
		want: initError("Runtime.UserCodeSyntaxError", "Syntax error in module 'syntax': invalid syntax (syntax.py, line 1)", `"  File \"TASK/syntax.py\" Line 1\n    def f(:\n"`),
		output: warning + "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'syntax': invalid syntax (syntax.py, line 1)\r" +
			"Traceback (most recent call last):\r\u00a0\u00a0File \"TASK/syntax.py\" Line 1\r\u00a0\u00a0\u00a0\u00a0def f(:\n"},
	{name: "exits while imported", handler: "exiting.h", exit: 5},

	// What the handler does wrong.
	{name: "exception", handler: "app.boom", exit: -1, since: 12, output: boomLog,
		want: invokeError("MyError", `nope é\nline 2`, boomTrace+`é\\nline 2\")\n"`)},
	{name: "exception, escaped", handler: "app.boom", exit: -1, until: 11, output: boomLog,
		want: invokeError("MyError", `nope \u00e9\nline 2`, boomTrace+`\u00e9\\nline 2\")\n"`)},
	{name: "chained", handler: "app.chained", exit: -1,
		want: invokeError("KeyError", "'k'", `"  File \"TASK/app.py\", line 53, in chained\n    raise KeyError(\"k\") from error\n"`),
		output: "[ERROR] KeyError: 'k'\rTraceback (most recent call last):\r\u00a0\u00a0File \"TASK/app.py\", line 53, in chained\r" +
			"\u00a0\u00a0\u00a0\u00a0raise KeyError(\"k\") from error\n"},
	{name: "no message", handler: "app.bare", exit: -1,
		want:   invokeError("ValueError", "", `"  File \"TASK/app.py\", line 56, in bare\n    raise ValueError\n"`),
		output: "[ERROR] ValueError\rTraceback (most recent call last):\r\u00a0\u00a0File \"TASK/app.py\", line 56, in bare\r\u00a0\u00a0\u00a0\u00a0raise ValueError\n"},
	{name: "sys.exit", handler: "app.leave", event: event{Body: "7"}, exit: 7, output: "partial"},
	{name: "sys.exit(0)", handler: "app.leave", event: event{Body: "0"}, exit: 0, output: "partial"},
	{name: "os._exit", handler: "app.leave_at_once", exit: 3, output: "partial"},

	// What cannot be read or written.
	{name: "not UTF-8", handler: "app.echo", event: event{Body: "\xff"}, exit: -1,
		want:   invokeError("Runtime.UnmarshalError", "Unable to unmarshal input: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", ""),
		output: "[ERROR] Runtime.UnmarshalError: Unable to unmarshal input: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte\rTraceback (most recent call last):\n"},
	{name: "NaN in", handler: "app.echo", event: event{Body: "[1, NaN]"}, exit: -1,
		want:   invokeError("Runtime.UnmarshalError", "Unable to unmarshal input: Expecting value: line 1 column 5 (char 4)", ""),
		output: "[ERROR] Runtime.UnmarshalError: Unable to unmarshal input: Expecting value: line 1 column 5 (char 4)\rTraceback (most recent call last):\n"},
	{name: "client context, which is read before the event", handler: "app.echo", exit: -1,
		event:  event{Body: "{", Headers: map[string]string{"Lambda-Runtime-Client-Context": "{bad"}},
		want:   invokeError("Runtime.LambdaContextUnmarshalError", "Unable to parse Client Context JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", ""),
		output: "[ERROR] Runtime.LambdaContextUnmarshalError: Unable to parse Client Context JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\rTraceback (most recent call last):\n"},
	unmarshalable("date", "Object of type datetime is not JSON serializable"),
	unmarshalable("set", "Object of type set is not JSON serializable"),
	unmarshalable("broken bytes", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
	unmarshalable("tuple key", "keys must be str, int, float, bool or None, not tuple"),
	unmarshalable("odd names", "_asdict() must return a dict, not list"),
	unmarshalable("named class", "Object of type type is not JSON serializable"),
	unmarshalable("decimal key", "keys must be str, int, float, bool or None, not Decimal"),

	{name: "not JSON, first of all", handler: "app.echo", event: event{Body: `{"a" 1}`}, exit: -1,
		want:   invokeError("Runtime.UnmarshalError", "Unable to unmarshal input: Expecting ':' delimiter: line 1 column 6 (char 5)", ""),
		output: "[ERROR] Runtime.UnmarshalError: Unable to unmarshal input: Expecting ':' delimiter: line 1 column 6 (char 5)\rTraceback (most recent call last):\n"},

	// What comes through.
	{name: "byte order mark", handler: "app.echo", event: event{Body: "\ufeff{\"a\": \"\ufeff\"}"}, want: response("{\"a\": \"\ufeff\"}"), exit: -1, since: 12},
	{name: "byte order mark, escaped", handler: "app.echo", event: event{Body: "\ufeff{\"a\": 1}"}, want: response(`{"a": 1}`), exit: -1, until: 11},
	{name: "empty object", handler: "app.echo", event: event{Body: " {}\n"}, want: response("{}"), exit: -1},
	{name: "everything", handler: "app.echo", event: event{Body: `{"a":[1,2.50,-0,1e3,true,false,null,"x"],"a2":{"b":[]}}`}, exit: -1,
		want: response(`{"a": [1, 2.5, 0, 1000.0, true, false, null, "x"], "a2": {"b": []}}`)},
	{name: "folder", handler: "folder/in.h", event: event{Body: "1"}, want: response(`"in a folder"`), exit: -1},
	{name: "decimals", handler: "app.value", event: quoted("decimals"), want: response(`{"a": 1.10, "b": 1E+2, "c": NaN, "d": -Infinity}`), exit: -1},
	{name: "named", handler: "app.value", event: quoted("named"), want: response(`{"x": 1, "y": [{"x": "é", "y": null}]}`), exit: -1, since: 12},
	{name: "named, escaped", handler: "app.value", event: quoted("named"), want: response(`{"x": 1, "y": [{"x": "\u00e9", "y": null}]}`), exit: -1, until: 11},
	{name: "bytes", handler: "app.value", event: quoted("bytes"), want: []post{{Path: "invocation/0000-1/response", ContentType: "application/unknown", Body: "raw\xff"}}, exit: -1},
	{name: "inner bytes", handler: "app.value", event: quoted("inner bytes"), want: response(`{"k": "abc", "l": 1}`), exit: -1},
	{name: "keys", handler: "app.value", event: quoted("keys"), want: response(`{"1": 1, "1.5": 2, "null": 3, "s": 4, "2": 1}`), exit: -1},
	{name: "floats", handler: "app.value", event: quoted("floats"), want: response(`[NaN, Infinity, -Infinity, 1e+100, 0.1]`), exit: -1},
	{name: "text", handler: "app.value", event: quoted("text"), want: response("\"é\u2028\U0001f600\\u0000\\\"\\\\/\""), exit: -1, since: 12},
	{name: "text, escaped", handler: "app.value", event: quoted("text"), want: response(`"\u00e9\u2028\ud83d\ude00\u0000\"\\/"`), exit: -1, until: 11},
	{name: "none", handler: "app.value", event: quoted("none"), want: response("null"), exit: -1},
	{name: "tuple", handler: "app.value", event: quoted("tuple"), want: response(`[1, true, "a"]`), exit: -1},
	{name: "big", handler: "app.value", event: quoted("big"), want: response("1000000000000000000000000000000"), exit: -1},
	{name: "circle", handler: "app.circle", want: invokeError("Runtime.MarshalError", "Unable to marshal response: Circular reference detected", ""), exit: -1,
		output: "[ERROR] Runtime.MarshalError: Unable to marshal response: Circular reference detected\rTraceback (most recent call last):\n"},
	{name: "not JSON", handler: "app.echo", event: event{Body: "hi", Headers: map[string]string{"Content-Type": "text/plain"}}, exit: -1,
		want: []post{{Path: "invocation/0000-1/response", ContentType: "application/unknown", Body: "hi"}}},

	// JSON logs.
	{name: "exception, JSON", handler: "app.bare", env: []string{"AWS_LAMBDA_LOG_FORMAT=JSON"}, exit: -1,
		want:   invokeError("ValueError", "", `"  File \"TASK/app.py\", line 56, in bare\n    raise ValueError\n"`),
		output: `{"timestamp": "TIME", "log_level": "ERROR", "errorMessage": "", "errorType": "ValueError", "requestId": "0000-1", "stackTrace": ["  File \"TASK/app.py\", line 56, in bare\n    raise ValueError\n"]}` + "\n"},
}

var sources = map[string]string{
	"app.py": app, "folder/in.py": "def h(event, context):\n    return 'in a folder'\n", "missing.py": "import nothere\n",
	"refusing.py": "raise ImportError('own text')\n", "syntax.py": "def f(:\n", "exiting.py": "import sys\nsys.exit(5)\n", "sdk.py": "raise ModuleNotFoundError(\"No module named 'boto3'\", name='boto3')\n",
}

var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z`)

func TestErrorMatrix(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		for _, c := range errorCases {
			minor := p.interpreter.Minor
			if minor < c.since || c.until != 0 && minor > c.until {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := p
				p.Task, p.Handler, p.Env = sources, c.handler, c.env
				if c.event.Body == "" {
					c.event.Body = "1"
				}
				got := p.Run(t, runtimetest.NewAPI(t, c.event))
				causeless(t, got.Posts)
				names := strings.NewReplacer(p.TaskDir, "TASK")
				for i := range got.Posts {
					got.Posts[i].Body = names.Replace(got.Posts[i].Body)
				}
				if diff := cmp.Diff(got.Posts, c.want); diff != "" {
					t.Errorf("posts (-got +want):\n%s", diff)
				}
				output := timestamp.ReplaceAllString(names.Replace(got.Output), "TIME")
				want := strings.ReplaceAll(c.output, "NAME", p.interpreter.Name())
				if diff := cmp.Diff(output, want); diff != "" {
					t.Errorf("output (-got +want):\n%s", diff)
				}
				if got.Exit != c.exit {
					t.Errorf("exit %d, want %d", got.Exit, c.exit)
				}
			})
		}
	})
}

// causeless takes the causes for X-Ray away. Every error of an invocation has one, and nothing else.
func causeless(t *testing.T, posts []post) {
	t.Helper()
	for i, p := range posts {
		if failed := strings.HasPrefix(p.Path, "invocation/") && strings.HasSuffix(p.Path, "/error"); failed != (p.Cause != "") {
			t.Errorf("%s has the cause %q", p.Path, p.Cause)
		}
		posts[i].Cause = ""
	}
}

const causes = `
def inner(text):
    raise KeyError(text)

def h(event, context):
    if event == "set":
        return {1}
    if event == "control":
        raise ValueError("\x7f")
    inner("é\n\x7f" if event == "text" else "x" * event)
`

// TestCause: an invocation's error tells X-Ray whose frames are on the stack, as AWS's client does, unless that is more than X-Ray keeps.
func TestCause(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": causes}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: `"text"`}, event{Body: `"set"`}, event{Body: `"control"`}, event{Body: "70000"}))
		frame := func(label string, line int) string {
			return fmt.Sprintf(`{"label": "%s", "path": "%s/app.py", "line": %d}`, label, p.TaskDir, line)
		}
		text := `\u00e9`
		if p.interpreter.Minor >= 12 {
			text = "é"
		}
		want := []string{
			`{"working_directory": "` + p.TaskDir + `", "exceptions": [{"message": "'` + text + `\\n\\x7f'", "type": "KeyError", "stack": [` + frame("h", 10) + ", " + frame("inner", 3) +
				`]}], "paths": ["` + p.TaskDir + `/app.py"]}`,
			`{"working_directory": "` + p.TaskDir + `", "exceptions": [{"message": "Unable to marshal response: Object of type set is not JSON serializable", "type": "LambdaValidationError", "stack": []}], "paths": []}`,
			`{"working_directory": "` + p.TaskDir + `", "exceptions": [{"message": "\u007f", "type": "ValueError", "stack": [` + frame("h", 9) + `]}], "paths": ["` + p.TaskDir + `/app.py"]}`,
			"",
		}
		var causes []string
		for _, p := range got.Posts {
			causes = append(causes, p.Cause)
		}
		if diff := cmp.Diff(causes, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// TestImportTrace: an exception while the module is imported keeps importlib's frames, as on AWS, and drops ours.
func TestImportTrace(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "raising.h", map[string]string{"raising.py": "def f():\n    1 / 0\nf()\n"}
		got := p.Run(t, runtimetest.NewAPI(t))
		if len(got.Posts) != 1 || got.Posts[0].ErrorType != "ZeroDivisionError" || got.Exit != 1 {
			t.Fatalf("got %+v, exit %d", got.Posts, got.Exit)
		}
		body := got.Posts[0].Body
		first := `{"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "requestId": "", "stackTrace": ["  File \"` +
			p.interpreter.Stdlib + `/importlib/__init__.py\", line `
		last := `, "  File \"` + p.TaskDir + `/raising.py\", line 3, in <module>\n    f()\n", "  File \"` + p.TaskDir + `/raising.py\", line 2, in f\n    1 / 0\n"]}`
		if !strings.HasPrefix(body, first) || !strings.HasSuffix(body, last) || strings.Contains(body, "lamina_runtime") {
			t.Errorf("got %s", body)
		}
	})
}

// TestCrashes: what is not an Exception ends the process, and nothing is posted.
func TestCrashes(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		for name, code := range map[string]string{"handler": "def h(event, context):\n    raise BaseException('b')\n", "module": "raise BaseException('b')\n"} {
			p.Handler, p.Task = "app.h", map[string]string{"app.py": code}
			got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
			if len(got.Posts) != 0 || got.Exit != 1 || !strings.HasSuffix(got.Output, "BaseException: b\n") {
				t.Errorf("%s: got %+v, exit %d, output %q", name, got.Posts, got.Exit, got.Output)
			}
		}
		p.Task, p.Framed = map[string]string{"app.py": "def h(event, context):\n    raise ValueError('\\ud800')\n"}, true
		if got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"})); len(got.Posts) != 0 || got.Exit != 1 || !strings.Contains(got.Output, "UnicodeEncodeError") {
			t.Errorf("an error with a lone surrogate: got %+v, exit %d, output %q", got.Posts, got.Exit, got.Output)
		}
		p.Task = map[string]string{"app.py": "def h(event, context):\n    return '\\ud800'\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		if p.interpreter.Minor >= 12 && (len(got.Posts) != 0 || got.Exit != 1) {
			t.Errorf("a lone surrogate: got %+v, exit %d", got.Posts, got.Exit)
		}
		if want := response(`"\ud800"`); p.interpreter.Minor < 12 && !cmp.Equal(got.Posts, want) {
			t.Errorf("a lone surrogate: got %+v, want %+v", got.Posts, want)
		}
	})
}
