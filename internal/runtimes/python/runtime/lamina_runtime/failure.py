"""Error bodies, and what is logged of an error. Imported on the first error."""

import os
import sys
import time
import traceback

from . import lazy, payload
from .loop import Fault

NBSP = "\u00a0"
RUNTIME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN = tuple(os.path.join(RUNTIME, name, "") for name in ("lamina_runtime", "awslambdaric"))
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


# What X-Ray keeps of a cause, in bytes.
LONGEST_CAUSE = 65536


def of_init(error):
    """Log a failure of the start, and give what is said of it."""
    warn()
    kind, message, trace, _ = parts(error)
    return report(kind, message, "", trace)


def of_invocation(error, request):
    """Log a failure of an invocation, and give what is said of it to the caller and to X-Ray."""
    hint(error)
    kind, message, trace, frames = parts(error)
    body = report(kind, message, request, trace)
    return body, cause("LambdaValidationError" if isinstance(error, Fault) else kind, message, frames)


def parts(error):
    """Take an error apart: type, message, the lines of its trace, and the frames of it."""
    if isinstance(error, Fault):
        return error.kind, error.message, error.trace, []
    frames = stack(error.__traceback__)
    return type(error).__name__, str(error), traceback.format_list(frames), frames


def stack(trace):
    """The frames of a traceback (file, line, function, text) without those that are ours, unless all are: then the last."""
    frames = [tuple(frame[:4]) for frame in traceback.extract_tb(trace)]
    theirs = [frame for frame in frames if not frame[0].startswith(OWN)]
    return theirs or frames[-1:]


def cause(kind, message, frames):
    """What X-Ray is told of an error, as the value of a header; nothing when it is more than X-Ray keeps."""
    where = [{"label": function, "path": file, "line": line} for file, line, function, _ in frames]
    exception = {"message": message, "type": kind, "stack": where}
    files = list(dict.fromkeys(frame[0] for frame in frames))
    text = payload.encode({"working_directory": os.getcwd(), "exceptions": [exception], "paths": files})
    text = text.replace("\x7f", "\\u007f")  # which a header cannot carry
    return text if len(text.encode("utf-8")) <= LONGEST_CAUSE else ""


def report(kind, message, request, trace):
    body = {"errorMessage": message, "errorType": kind, "requestId": request, "stackTrace": trace}
    log(body)
    return body


def log(body):
    if lazy.as_json():
        # AWS calls it log_level, here alone.
        head = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR"}
        text = payload.encode(dict(head, **body))
        lazy.write(text if lazy.framed() else text + "\n", 0xA55A0016)
        return
    # Without frames an event ends with its line, so the lines of a trace are kept together by carriage returns.
    joint = "\n" if lazy.framed() else "\r"
    lines = ["[ERROR] " + ": ".join(filter(None, (body["errorType"], body["errorMessage"])))]
    lines.append("Traceback (most recent call last):")
    for entry in body["stackTrace"]:
        lines += [indent(line) for line in entry.splitlines()]
    lazy.write(joint.join(lines) + ("" if lazy.framed() else "\n"), 0xA55A0017)


def indent(line):
    """Keep the spaces at the start of a line: log viewers drop ordinary ones."""
    text = line.lstrip(" ")
    return NBSP * (len(line) - len(text)) + text


def warn():
    """The warning that comes before every failure of the start."""
    import logging

    logging.warning(
        "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare cases, a Lambda "
        "runtime update can cause unexpected function behavior. For functions using managed runtimes, runtime updates can be triggered by a "
        "function change, or can be applied automatically. To determine if the runtime has been updated, check the runtime version in the "
        "INIT_START log entry. If this error correlates with a change in the runtime version, you may be able to mitigate this error by "
        "temporarily rolling back to the previous runtime version. For more information, see "
        "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
    )


def hint(error):
    """When AWS's SDK is what is missing, say how to get it. The error itself stays AWS's."""
    name = getattr(error, "name", None)
    if name not in SDK or not isinstance(error, ModuleNotFoundError):
        return
    runtime = "python3.%d" % sys.version_info[1]
    sys.stderr.write(
        "LAMINA_HINT %s is part of AWS's SDK, which AWS's %s has and this one does not have yet: `lamina runtime add %s` adds it.\n"
        % (name, runtime, runtime)
    )
