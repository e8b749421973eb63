package python_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

const ricTypes = `
import sys
before = [m for m in sys.modules if m.startswith("awslambdaric")]
import awslambdaric
from awslambdaric.lambda_context import Client, ClientContext, CognitoIdentity, LambdaContext

def h(event, context):
    import copy, pickle
    made = LambdaContext("id", {"client": {"app_title": "t"}, "custom": {"a": 1}}, {"cognitoIdentityId": "me"}, 1, "arn", "tenant")
    again = pickle.loads(pickle.dumps(context))
    return {
        "before": before,
        "version": awslambdaric.__version__.count("."),
        "ours": [type(context) is LambdaContext, isinstance(context.identity, CognitoIdentity), isinstance(context.client_context, ClientContext),
            isinstance(context.client_context.client, Client)],
        "module": [type(context).__module__, type(context).__qualname__, type(context.identity).__module__],
        "made": [made.aws_request_id, made.function_name, made.client_context.client.app_title, made.client_context.custom, made.client_context.env,
            made.identity.cognito_identity_id, made.invoked_function_arn, made.tenant_id, made.get_remaining_time_in_millis()],
        "least": repr(LambdaContext("id", None, None, 1)),
        "names": [sorted(n for n in vars(context)), [n for n in dir(context) if "shown" in n], hasattr(context.identity, "__dict__")],
        "copies": [copy.deepcopy(context).aws_request_id, again.aws_request_id, type(again) is LambdaContext],
    }
`

// TestRuntimeClientTypes: what functions import of AWS's client are the classes of what they are given, and nothing of it is
// imported before they ask.
func TestRuntimeClientTypes(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": ricTypes}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1", Headers: map[string]string{"Lambda-Runtime-Client-Context": `{"client":{}}`}}))
		want := response(`{"before": [], "version": 2, "ours": [true, true, true, true], ` +
			`"module": ["awslambdaric.lambda_context", "LambdaContext", "awslambdaric.lambda_context"], ` +
			`"made": ["id", "fn", "t", {"a": 1}, null, "me", "arn", "tenant", 0], ` +
			`"least": "LambdaContext([aws_request_id=id,log_group_name=/aws/lambda/fn,log_stream_name=stream,function_name=fn,memory_limit_in_mb=128,` +
			`function_version=$LATEST,invoked_function_arn=None,client_context=None,` +
			`identity=CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None]),tenant_id=None])", ` +
			`"names": [["_epoch_deadline_time_in_ms", "aws_request_id", "client_context", "function_name", "function_version", "identity", ` +
			`"invoked_function_arn", "log_group_name", "log_stream_name", "memory_limit_in_mb", "tenant_id"], [], false], ` +
			`"copies": ["0000-1", "0000-1", true]}`)
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

const ricOwn = `
import awslambdaric
from awslambdaric.lambda_context import LambdaContext

def h(event, context):
    return [isinstance(context, LambdaContext), awslambdaric.__version__ != "own"]
`

// TestOwnRuntimeClient: a copy of AWS's client that a function brings along loses, as on AWS, where it is imported already.
func TestOwnRuntimeClient(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": ricOwn, "awslambdaric/__init__.py": "__version__ = 'own'\n",
			"awslambdaric/lambda_context.py": "class LambdaContext:\n    pass\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		if diff := cmp.Diff(got.Posts, response(`[true, true]`)); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

const ricMissing = `
def text(name):
    try:
        __import__(name)
    except ImportError as error:
        return [str(error), error.name]

def h(event, context):
    return [text("awslambdaric.__main__"), text("awslambdaric.lambda_runtime_client"), text("awslambdaric.nothing.at_all")]
`

// TestRuntimeClientMissing: what is not offered of AWS's client says so, and in words that no hint follows: a layer with all of it would not help.
func TestRuntimeClientMissing(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": ricMissing}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		text := func(name string) string {
			return `["lamina has no ` + name + `: it runs functions with a client of its own, and offers awslambdaric's lambda_context and, for error trackers, bootstrap", "` + name + `"]`
		}
		want := response("[" + text("awslambdaric.__main__") + ", " + text("awslambdaric.lambda_runtime_client") + ", " + text("awslambdaric.nothing") + "]")
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// ricTracker is what Sentry, Honeybadger and others do, in short.
const ricTracker = `
import functools, sys
main = sys.modules["__main__"]
if hasattr(main, "unknown") or not hasattr(main, "awslambdaricmain"):
    raise RuntimeError("this is not Lambda")
bootstrap = main.awslambdaricmain.bootstrap
said = []

def wrap(handler):
    @functools.wraps(handler)
    def wrapped(event, context):
        try:
            return handler(event, context)
        except Exception as error:
            said.append(repr(error))
            raise
        finally:
            said.append("handled " + context.aws_request_id)
    return wrapped

before = bootstrap.handle_event_request
bootstrap.handle_event_request = lambda client, handler, *rest, **more: before(client, wrap(handler), *rest, **more)

def flushing(name):
    post = getattr(bootstrap.LambdaRuntimeClient, name)
    def flush(self, *args, **more):
        said.append(name)
        if name == "post_init_error":
            print(args[0]["errorType"], args[0]["errorMessage"])
        result = post(self, *args, **more)
        said.append("posted")
        return result
    setattr(bootstrap.LambdaRuntimeClient, name, flush)

for name in ("post_init_error", "post_invocation_result", "post_invocation_error"):
    flushing(name)

def h(event, context):
    if event == "fail":
        raise ValueError("failed")
    if event == "bytes":
        return b"raw"
    done = said[:]
    said.clear()
    return done
`

// TestErrorTrackers: what wraps the runtime of AWS wraps ours.
func TestErrorTrackers(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": ricTracker, "broken.py": "import app\nraise KeyError('at start')\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: `"fail"`}, event{Body: "1"}, event{Body: `"bytes"`}, event{Body: "2"}))
		causeless(t, got.Posts)
		file := filepath.Join(p.TaskDir, "app.py")
		want := []post{
			{Path: "invocation/0000-1/error", ContentType: "application/json", Body: `{"errorMessage": "failed", "errorType": "ValueError", "requestId": "0000-1", "stackTrace": [` +
				`"  File \"` + file + `\", line 13, in wrapped\n    return handler(event, context)\n", "  File \"` + file + `\", line 40, in h\n    raise ValueError(\"failed\")\n"]}`},
			{Path: "invocation/0000-2/response", ContentType: "application/json", Body: `["ValueError('failed')", "handled 0000-1", "post_invocation_error", "posted"]`},
			{Path: "invocation/0000-3/response", ContentType: "application/unknown", Body: "raw"},
			{Path: "invocation/0000-4/response", ContentType: "application/json",
				Body: `["handled 0000-2", "post_invocation_result", "posted", "handled 0000-3", "post_invocation_result", "posted"]`},
		}
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
		p.Handler = "broken.h"
		got = p.Run(t, runtimetest.NewAPI(t))
		if len(got.Posts) != 1 || got.Posts[0].ErrorType != "KeyError" || !strings.Contains(got.Output, "KeyError 'at start'\n") || got.Exit != 1 {
			t.Errorf("got %+v, exit %d, output %s", got.Posts, got.Exit, got.Output)
		}
	})
}

const ricInstead = `
from awslambdaric.bootstrap import _get_handler

def h(event, context):
    return _get_handler(event)(event, context)
`

// TestHandlerInstead: a handler of somebody else's finds that of the user as the runtime does, and fails as it does.
func TestHandlerInstead(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "instead.h", map[string]string{"instead.py": ricInstead, "own/app.py": "def h(event, context):\n    return [event, context.function_name]\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: `"own/app.h"`}, event{Body: `"own.absent.h"`}))
		causeless(t, got.Posts)
		want := append(response(`["own/app.h", "fn"]`), post{Path: "invocation/0000-2/error", ContentType: "application/json",
			Body: `{"errorMessage": "Unable to import module 'own.absent': No module named 'own.absent'", "errorType": "Runtime.ImportModuleError", "requestId": "0000-2", "stackTrace": []}`})
		if diff := cmp.Diff(got.Posts, want); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}

// TestBootstrapImported: a function that imports the module bootstrap, which is on its path, starts no second runtime.
func TestBootstrapImported(t *testing.T) {
	everyPython(t, func(t *testing.T, p process) {
		p.Handler, p.Task = "app.h", map[string]string{"app.py": "import bootstrap\ndef h(event, context):\n    return [bootstrap.__file__, hasattr(bootstrap.awslambdaricmain, 'bootstrap')]\n"}
		got := p.Run(t, runtimetest.NewAPI(t, event{Body: "1"}))
		if diff := cmp.Diff(got.Posts, response(`["`+filepath.Join(p.Runtime, "bootstrap.py")+`", true]`)); diff != "" {
			t.Errorf("-got +want:\n%s%s", diff, got.Output)
		}
	})
}
