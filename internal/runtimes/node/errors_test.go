package node_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const app = `
class MyError extends Error {}
MyError.prototype.name = 'MyError';

exports.echo = async (event) => event;
exports.boom = async () => {
  throw Object.assign(new RangeError('nope é\nline 2'), { extra: 5 });
};
exports.boomSync = () => {
  throw new MyError('sync');
};
exports.values = (event, context) => new Promise((resolve, reject) => {
  const values = {
    undefined: undefined, function: () => 1, date: new Date(0), nan: [NaN, Infinity], text: 'é\u2028\u{1f600}\0"\\/', bigint: 1n, none: null,
    string: 'plain', symbol: Symbol('x'),
  };
  values.circle = { values };
  resolve(values[event]);
});
exports.throws = async (event) => {
  throw { string: 'str', number: 5, object: { a: 1 }, duck: { name: 'Duck', message: 'quack', stack: 'Duck: quack\n    at pond' },
    undefined: undefined, unreadable: Object.assign(new Error('x'), { name: 5 }), del: new Error('a\x7fb'), bare: Object.create(null),
    getter: Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('getter'); } }) }[event];
};
exports.throwsSymbol = () => { throw Symbol('x'); };
exports.bg = async () => {
  setTimeout(() => Promise.reject(new Error('bg')), 1);
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.uncaught = async () => {
  setTimeout(() => { throw new TypeError('later'); }, 1);
  await new Promise((resolve) => setTimeout(resolve, 10000));
};
exports.never = async () => new Promise(() => {});
exports.neverSync = () => new Promise(() => {});
exports.nothing = () => {};
exports.value = () => 'ignored before node 24';
exports.leave = async (event) => { process.stdout.write('partial'); process.exit(event); };
exports.callback = (event, context, callback) => {
  switch (event) {
    case 'value': return callback(null, { ok: 1 });
    case 'error': return callback(new MyError('by callback'));
    case 'text': return callback('only text');
    case 'twice': callback(null, 1); return callback(null, 2);
    case 'later': setTimeout(() => console.log('still there'), 20); return callback(null, 'waited');
    case 'at once': context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 100000); return callback(null, 'at once');
    case 'bigint': return callback(null, 1n);
  }
};
exports.context = (event, context) => {
  switch (event) {
    case 'succeed': return context.succeed('s');
    case 'fail': return context.fail(new MyError('f'));
    case 'fail, empty': return context.fail();
    case 'done': return context.done(null, 'd');
    case 'done, error': return context.done('e');
  }
};
exports.thenable = () => ({ then: (resolve) => resolve('thenable') });
exports.a = { b: { handler: async () => 'nested' } };
exports.notfn = 5;
exports.three = async (event, context, callback) => 'async with three';
exports.badStream = async () => {};
exports.badStream[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request';
`

// errorCase is a row of the matrix of what a function can do. TASK and RUNTIME stand for the folders, NAME for the runtime's
// name. Traces are compared up to their first line, or as far as the function's own frames go, by trace.
type errorCase struct {
	name    string
	handler string
	event   event
	env     []string
	path    string // invocation/0000-1/response, invocation/0000-1/error, init/error; empty: nothing is posted
	kind    string // errorType, when an error is expected
	message string // errorMessage, when an error is expected; the body of a response
	first   string // first line of the trace; empty: KIND: MESSAGE, "none": there is no trace
	output  string // a pattern
	exit    int
	since   int // first major that behaves so
	until   int // last major, 0: the newest
}

const (
	responded = "invocation/0000-1/response"
	failed    = "invocation/0000-1/error"
	never     = "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. " +
		"For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes"
	unreadable = "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack"
)

// initCases gives the rows of a failure of the start: node 24 ends otherwise.
func initCases(handler, kind, message string) []errorCase {
	c := errorCase{name: "init " + handler, handler: handler, path: "init/error", kind: kind, message: message, exit: 129, until: 22,
		output: `^TIME\tundefined\tERROR\tUncaught Exception \t{"errorType":"` + kind + `","errorMessage":`}
	m := c
	m.until, m.since, m.exit = 0, 24, 1
	m.output = `^TIME\t-\tERROR\tInit Error \t{"errorType":"` + kind + `","errorMessage":`
	if strings.HasPrefix(kind, "Runtime.") {
		m.output += `".*","name":"` + kind + `","stack":\[`
	}
	if kind == "Runtime.UserCodeSyntaxError" {
		m.first = "TASK/"
	}
	return []errorCase{c, m}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func ok(name, handler, event, body string) errorCase {
	return errorCase{name: name, handler: handler, event: quoted(event), path: responded, message: body, exit: -1}
}

func (c errorCase) from(major int) errorCase { c.since = major; return c }
func (c errorCase) to(major int) errorCase   { c.until = major; return c }

func quoted(s string) event { return event{Body: `"` + s + `"`} }

// fails is an error of the handler; what is logged begins with the same two members.
func fails(name, handler, event, kind, message string) errorCase {
	return errorCase{name: name, handler: handler, event: quoted(event), path: failed, kind: kind, message: message, exit: -1,
		output: `^TIME\t0000-1\tERROR\tInvoke Error \t{"errorType":`}
}

func (c errorCase) traced(first string) errorCase { c.first = first; return c }

func errorCases() []errorCase {
	var cases []errorCase
	for _, rows := range [][]errorCase{
		initCases("nodot", "Runtime.MalformedHandlerName", "Bad handler"),
		initCases("../x.h", "Runtime.MalformedHandlerName", "'../x.h' is not a valid handler name. Use absolute paths when specifying root directories in handler names."),
		initCases("index.none", "Runtime.HandlerNotFound", "index.none is undefined or not exported"),
		initCases("index.a.x.y", "Runtime.HandlerNotFound", "index.a.x.y is undefined or not exported"),
		initCases("index.notfn", "Runtime.HandlerNotFound", "index.notfn is not a function"),
		initCases("nomodule.h", "Runtime.ImportModuleError", "Error: Cannot find module 'nomodule'\nRequire stack:\n- RUNTIME/index.mjs"),
		initCases("folder/none.h", "Runtime.ImportModuleError", "Error: Cannot find module 'none'\nRequire stack:\n- RUNTIME/index.mjs"),
		initCases("syntax.h", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token '}'"),
		initCases("throwing.h", "RangeError", "at the top"),
		initCases("throwingNull.h", "TypeError", "Cannot read properties of null (reading 'code')")[:1],
		initCases("esmMissing.h", "Error", "Cannot find package 'nothere' imported from TASK/esmMissing.mjs"),
		initCases("index.badStream", "Runtime.MalformedStreamingHandler", "Only response streaming is supported."),
	} {
		cases = append(cases, rows...)
	}
	cases = append(cases, errorCase{name: "missing dependency", handler: "missing.h", path: "init/error", kind: "Runtime.ImportModuleError", exit: 129, until: 22,
		message: "Error: Cannot find module 'nothere'\nRequire stack:\n- TASK/missing.js\n- RUNTIME/index.mjs", output: `^TIME\tundefined\tERROR`},
		errorCase{name: "missing dependency", handler: "missing.h", path: "init/error", kind: "Runtime.ImportModuleError", exit: 1, since: 24,
			message: "Error: Cannot find module 'nothere'\nRequire stack:\n- TASK/missing.js", output: `^TIME\t-\tERROR`},
		errorCase{name: "no SDK", handler: "sdk.h", path: "init/error", kind: "Runtime.ImportModuleError", exit: 129, until: 22,
			message: "Error: Cannot find module '@aws-sdk/client-s3'\nRequire stack:\n- TASK/sdk.js\n- RUNTIME/index.mjs",
			output:  "^LAMINA_HINT @aws-sdk/client-s3 is part of AWS's SDK, which AWS's NAME has and this one does not have yet: `lamina runtime add NAME` adds it.\nTIME\tundefined\tERROR"},
		errorCase{name: "callbacks are gone", handler: "index.callback", path: "init/error", kind: "Runtime.CallbackHandlerDeprecated", exit: 1, since: 24,
			message: "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
			output:  `^TIME\t-\tERROR\tInit Error`},
		errorCase{name: "throws a symbol while loaded", handler: "throwingSymbol.h", exit: 7, until: 22, output: `\nTypeError: Cannot convert a Symbol value to a string\n`},
		errorCase{name: "names a folder", handler: "folder.h", path: "init/error", kind: "Error", exit: 1, since: 24,
			message: "Directory import 'TASK/folder' is not supported resolving ES modules imported from RUNTIME/index.mjs",
			first:   "Error [ERR_UNSUPPORTED_DIR_IMPORT]: Directory", output: `^TIME\t-\tERROR`},
		errorCase{name: "exits while loaded", handler: "exiting.h", exit: 5, output: "^$"},

		// What the handler does wrong.
		fails("exception", "index.boom", "", "RangeError", "nope é\nline 2").traced("RangeError: nope é"),
		fails("sync exception", "index.boomSync", "", "MyError", "sync"),
		fails("throws a string", "index.throws", "string", "string", "str").traced("none"),
		fails("throws a number", "index.throws", "number", "number", "5").traced("none"),
		fails("throws an object", "index.throws", "object", "object", "[object Object]").traced("none"),
		fails("throws what looks like an error", "index.throws", "duck", "Duck", "quack").to(22),
		fails("throws what looks like an error", "index.throws", "duck", "object", "[object Object]").traced("none").from(24),
		fails("throws nothing", "index.throws", "undefined", "string", "handled").traced("none").to(22),
		fails("throws nothing", "index.throws", "undefined", "undefined", "undefined").traced("none").from(24),
		fails("throws what has no text", "index.throws", "bare", "TypeError", "Cannot convert object to primitive value").to(22),
		fails("throws what cannot be read", "index.throws", "unreadable", "handled", unreadable).traced("missing").to(22),
		fails("throws what cannot be read", "index.throws", "unreadable", "handled", unreadable).traced("none").from(24),
		fails("throws what has a getter that throws", "index.throws", "getter", "handled", unreadable).traced("missing").to(22),
		fails("throws what has a getter that throws", "index.throws", "getter", "handled", unreadable).traced("none").from(24),
		errorCase{name: "throws a symbol", handler: "index.throwsSymbol", path: failed, kind: "TypeError", message: "Cannot convert a Symbol value to a string", exit: 129, until: 22,
			output: `^TIME\t0000-1\tINFO\tUnexpected Top Level Error: TypeError: Cannot convert a Symbol value to a string\n$`},
		fails("throws a symbol", "index.throwsSymbol", "", "symbol", "Symbol(x)").traced("none").from(24),
		fails("DEL", "index.throws", "del", "Error", "a%7Fb"),
		fails("bigint", "index.values", "bigint", "Error", "Unable to stringify response body").to(22),
		fails("bigint", "index.values", "bigint", "Runtime.JSONStringifyError", "Unable to stringify response body").from(24),
		fails("circle", "index.values", "circle", "Error", "Unable to stringify response body").to(22),
		fails("never settles", "index.never", "", "Runtime.NodeJsExit", never).to(22),
		errorCase{name: "never settles", handler: "index.never", exit: 0, since: 24, output: "^$"},
		ok("never settles, not async", "index.neverSync", "", "null").to(22),
		errorCase{name: "rejection in the background", handler: "index.bg", path: failed, kind: "Runtime.UnhandledPromiseRejection", message: "Error: bg", exit: 128, until: 22,
			output: `^TIME\t0000-1\tERROR\tUnhandled Promise Rejection \t{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: bg","reason":{"errorType":"Error","errorMessage":"bg","stack":\[.*\]},"promise":{},"stack":\["Runtime.UnhandledPromiseRejection: Error: bg",`},
		errorCase{name: "rejection in the background", handler: "index.bg", exit: 1, since: 24, output: `Error: bg\n`},
		errorCase{name: "exception in the background", handler: "index.uncaught", path: failed, kind: "TypeError", message: "later", exit: 129, until: 22,
			output: `^TIME\t0000-1\tERROR\tUncaught Exception \t{"errorType":"TypeError","errorMessage":"later","stack":\["TypeError: later",`},
		errorCase{name: "exception in the background", handler: "index.uncaught", exit: 1, since: 24, output: `TypeError: later\n`},
		errorCase{name: "process.exit", handler: "index.leave", event: event{Body: "7"}, exit: 7, output: "^partial$"},
		errorCase{name: "process.exit(0)", handler: "index.leave", event: event{Body: "0"}, exit: 0, output: "^partial$"},
		fails("not JSON", "index.echo", "", "SyntaxError", "Unexpected end of JSON input").to(22).sent("[1,"),
		fails("client context", "index.echo", "", "Error", "Cannot parse ClientContext as json: SyntaxError: ").to(22).with("Lambda-Runtime-Client-Context", "{bad"),

		// What comes through.
		ok("nested", "index.a.b.handler", "", `"nested"`),
		ok("echo", "index.echo", "ä", `"ä"`),
		ok("object", "index.echo", "", `{"a":[1,2.5,0,1000,true,null,"x"],"b":{}}`).sent(` {"a":[1,2.50,-0,1e3,true,null,"x"],"b":{}}`),
		ok("undefined", "index.values", "undefined", "null"),
		ok("function", "index.values", "function", "null"),
		ok("date", "index.values", "date", `"1970-01-01T00:00:00.000Z"`),
		ok("NaN", "index.values", "nan", "[null,null]"),
		ok("text", "index.values", "text", "\"é\u2028\U0001f600\\u0000\\\"\\\\/\""),
		ok("thenable", "index.thenable", "", `"thenable"`),
		ok("no answer", "index.nothing", "", "null"),
		ok("a value of an ordinary function", "index.value", "", "null").to(22),
		ok("a value of an ordinary function", "index.value", "", `"ignored before node 24"`).from(24),
		ok("folder", "folder/in.h", "", `"in a folder"`),
		ok("module", "esm.h", "", `"module"`),
		ok("module by package.json", "typed/index.h", "", `"typed"`),
		ok("characters of URLs in a module", "a#b?c%20d e.h", "", `"URL"`),
		ok("characters of URLs in a file", "a#b?c%20d f.h", "", `"file"`),
		ok("characters of URLs in a folder", "g#h?i%20j k/in.h", "", `"folder"`),
		ok("cjs", "common.h", "", `"cjs"`),
		ok("extensionless", "bare.h", "", `"bare"`).to(20),
		ok("a package in node_modules", "pkg.h", "", `"package"`),
		ok("callback", "index.callback", "value", `{"ok":1}`).to(22),
		ok("callback, twice", "index.callback", "twice", "1").to(22),
		ok("callback waits", "index.callback", "later", `"waited"`).to(22).prints(`still there\n$`),
		ok("callback does not wait", "index.callback", "at once", `"at once"`).to(22),
		fails("callback, error", "index.callback", "error", "MyError", "by callback").to(22).prints("Invoke Error"),
		fails("callback, text", "index.callback", "text", "string", "only text").traced("none").to(22).prints("Invoke Error"),
		ok("succeed", "index.context", "succeed", `"s"`).to(22),
		ok("done", "index.context", "done", `"d"`).to(22),
		fails("fail", "index.context", "fail", "MyError", "f").to(22),
		fails("fail, empty", "index.context", "fail, empty", "string", "handled").traced("none").to(22),
		fails("done, error", "index.context", "done, error", "string", "e").traced("none").to(22),
		errorCase{name: "callback, bigint", handler: "index.callback", event: quoted("bigint"), path: failed, kind: "Error", message: "Unable to stringify response body", exit: 129, until: 22, output: "Uncaught Exception"},
	)
	return cases
}

func (c errorCase) sent(body string) errorCase { c.event.Body = body; return c }
func (c errorCase) with(k, v string) errorCase {
	c.event.Headers = map[string]string{k: v}
	return c
}
func (c errorCase) prints(pattern string) errorCase { c.output = pattern; return c }

var sources = map[string]string{
	"index.js": app, "folder/in.js": "exports.h = async () => 'in a folder';", "missing.js": "require('nothere');", "syntax.js": "exports.h = () => { }}",
	"throwing.js": "throw new RangeError('at the top');", "exiting.js": "process.exit(5);", "sdk.js": "require('@aws-sdk/client-s3');",
	"throwingNull.js": "throw null;", "throwingSymbol.js": "throw Symbol('x');",
	"a#b?c%20d e.mjs": "export const h = async () => 'URL';", "a#b?c%20d f.js": "exports.h = async () => 'file';",
	"g#h?i%20j k/in.mjs": "export const h = async () => 'folder';",
	"esm.mjs":            "export const h = async () => 'module';", "esmMissing.mjs": "import 'nothere';\nexport const h = 1;", "common.cjs": "exports.h = async () => 'cjs';",
	"typed/package.json": `{"type": "module"}`, "typed/index.js": "export const h = async () => 'typed';", "bare": "exports.h = async () => 'bare';",
	"node_modules/pkg/package.json": `{"main": "lib.js"}`, "node_modules/pkg/lib.js": "exports.h = async () => 'package';",
}

var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

func TestErrorMatrix(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		for _, c := range errorCases() {
			if major := p.interpreter.Major; major < c.since || c.until != 0 && major > c.until {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := p
				p.Task, p.Handler, p.Env = sources, c.handler, append(c.env, "AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING=1")
				if c.event.Body == "" {
					c.event.Body = "1"
				}
				c.check(t, p)
			})
		}
	})
}

// check runs a case and compares what came out.
func (c errorCase) check(t *testing.T, p process) {
	t.Helper()
	got := p.Run(t, runtimetest.NewAPI(t, c.event))
	names := strings.NewReplacer(p.TaskDir, "TASK", p.Runtime, "RUNTIME", p.interpreter.Name(), "NAME")
	output := timestamp.ReplaceAllString(names.Replace(got.Output), "TIME")
	if got.Exit != c.exit {
		t.Errorf("exit %d, want %d", got.Exit, c.exit)
	}
	if !regexp.MustCompile(c.output).MatchString(output) {
		t.Errorf("output %q does not match %q", output, c.output)
	}
	if c.path == "" {
		if len(got.Posts) != 0 {
			t.Errorf("posted %+v", got.Posts)
		}
		return
	}
	if len(got.Posts) != 1 {
		t.Fatalf("got %+v, want one post; output %s", got.Posts, output)
	}
	post := got.Posts[0]
	if post.Path != c.path || post.ContentType != "application/json" {
		t.Errorf("got %+v", post)
	}
	if c.kind == "" {
		if post.Body != c.message {
			t.Errorf("got %s, want %s", post.Body, c.message)
		}
		return
	}
	if wantType := map[bool]string{true: c.kind}[c.path == "init/error"]; post.ErrorType != wantType {
		t.Errorf("header says %q, want %q", post.ErrorType, wantType)
	}
	c.checkError(t, names.Replace(post.Body))
}

// checkError compares an error's body: exactly its members, in their order.
func (c errorCase) checkError(t *testing.T, body string) {
	t.Helper()
	var e struct {
		ErrorType    string   `json:"errorType"`
		ErrorMessage string   `json:"errorMessage"`
		Trace        []string `json:"trace"`
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if c.first == "missing" {
		if want := `{"errorType":"handled","errorMessage":"` + unreadable + `"}`; body != want {
			t.Errorf("got %s, want %s", body, want)
		}
		return
	}
	again := new(strings.Builder)
	enc := json.NewEncoder(again)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(body, strings.TrimSuffix(again.String(), "\n")); diff != "" {
		t.Errorf("members, and their order (-got +want):\n%s", diff)
	}
	message := e.ErrorMessage
	if strings.HasSuffix(c.message, ": ") { // the rest is node's
		message = message[:min(len(c.message), len(message))]
	}
	if e.ErrorType != c.kind || message != c.message {
		t.Errorf("got %q %q, want %q %q", e.ErrorType, e.ErrorMessage, c.kind, c.message)
	}
	switch first := c.first; {
	case first == "none":
		if len(e.Trace) != 0 {
			t.Errorf("trace %q", e.Trace)
		}
	case len(e.Trace) == 0:
		t.Errorf("no trace")
	case first == "":
		if want := firstLine(c.kind + ": " + c.message); !strings.HasPrefix(e.Trace[0], want) && !strings.Contains(body, "TASK/") {
			t.Errorf("trace begins with %q, want %q", e.Trace[0], want)
		}
	case !strings.HasPrefix(e.Trace[0], first):
		t.Errorf("trace begins with %q, want %q", e.Trace[0], first)
	}
}
