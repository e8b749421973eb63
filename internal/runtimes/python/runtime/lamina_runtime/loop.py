"""The life of a runtime process."""

import os
import sys

from . import context, lazy, paths, payload
from .client import Client


class Fault(Exception):
    """A failure with a name of AWS's, instead of an exception's class."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = list(trace)


def main():
    environ = os.environ
    pipe = environ.pop("_LAMINA_IDENTITY_FD", None)
    client = None
    if pipe is not None:
        from . import spare

        client = spare.wait(int(pipe))
    log_fd = environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    prepare(environ, None if log_fd is None else int(log_fd))
    if client is None:
        client = Client(environ["AWS_LAMBDA_RUNTIME_API"])
    handler = start(client, environ["_HANDLER"])
    turn = client.next()
    while True:
        turn = serve(client, handler, *turn)


def hooks():
    """Give the module in which error trackers put themselves between this loop and a handler, when one has asked for it."""
    return sys.modules.get("awslambdaric.bootstrap")


def start(client, name):
    """Give the function of this name; when there is none, say so and end."""
    try:
        return find_handler(name)
    except Exception as error:
        from . import failure

        failed = failure.of_init(error)
    tracked = hooks()
    if tracked is None:
        client.init_error(failed["errorType"], payload.encode(failed).encode("utf-8"))
    else:
        tracked.LambdaRuntimeClient(client).post_init_error(failed)
    sys.exit(1)


def prepare(environ, log_fd):
    """Make the process what AWS's is when a function's code starts."""
    found = list(sys.path)
    own_path = "PYTHONPATH" in environ
    root = environ.get("LAMBDA_TASK_ROOT", "/var/task")
    sys.path[:] = paths.search(found, root, sys.version_info[1], own_path)
    for folder in paths.with_pth(root, sys.version_info[1], own_path):
        paths.add_pth(folder)
    if not own_path:
        environ["PYTHONPATH"] = environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    lazy.install(found, log_fd)
    sys.stdout = Unbuffered(sys.stdout)
    sys.stderr = Unbuffered(sys.stderr)


class Unbuffered:
    """A text stream whose every write leaves the process at once: what was printed before a crash is seen."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def write(self, text):
        self.stream.write(text)
        self.stream.flush()

    def writelines(self, lines):
        self.stream.writelines(lines)
        self.stream.flush()

    def __getattr__(self, name):
        return getattr(self.stream, name)


def find_handler(name):
    """Import the module of a handler "package/module.function" and give the function."""
    try:
        module, function = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error)) from None
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module)
    import importlib

    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        from . import failure

        failure.hint(error)
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module, error)) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, error), trace) from None
    try:
        return getattr(found, function)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function, module)) from None


def serve(client, handler, headers, body):
    """Run one invocation, and give the next one."""
    request = headers.get("lambda-runtime-aws-request-id", "")
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    lazy.request = request
    lazy.tenant = headers.get("lambda-runtime-aws-tenant-id")
    tracked = hooks()
    if tracked is None:
        return client.finish(request, *outcome(handler, request, headers, body))
    tracked.handle_event_request(tracked.LambdaRuntimeClient(client), handler, request, headers, body)
    return client.next()


def outcome(handler, request, headers, body):
    """Call the handler, and give what is posted: where, the bytes, their type, and X-Ray's cause."""
    try:
        result = answer(handler, headers, body)
    except Exception as error:
        from . import failure

        body, cause = failure.of_invocation(error, request)
        return "error", payload.encode(body).encode("utf-8"), "application/json", cause
    if isinstance(result, bytes):
        return "response", result, "application/unknown", ""
    # Lone surrogates in the text end the process, as they do on AWS.
    return "response", result.encode("utf-8"), "application/json", ""


def answer(handler, headers, body):
    """Call the handler with the event, and give the answer: bytes as they are, everything else as JSON's text."""
    try:
        who = context.of_event(headers)
    except ValueError as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", str(error)) from None
    try:
        event = payload.decode(body, headers.get("content-type"))
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
    result = handler(event, who)
    if isinstance(result, bytes):
        return result
    try:
        return payload.encode(result)
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None
