"""The root logger's handler, as AWS's runtime sets it up. Imported with logging."""

import json
import logging
import os
import time
import traceback

from . import lazy

FRAME = {logging.DEBUG: 2, logging.INFO: 3, logging.WARNING: 4, logging.ERROR: 5, logging.CRITICAL: 6}
TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"

# What is not an extra of the caller. Records have more by now (taskName in 3.12), which AWS's client shows when it is not None.
ORDINARY = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created msecs "
    "relativeCreated thread threadName processName process aws_request_id tenant_id _frame_type".split()
)

# What callers cannot add, whether or not a record has it.
TAKEN = frozenset("timestamp level message logger stackTrace errorType errorMessage requestId location".split())


_prepared = None  # the handler of functions that set nothing of their log


def prepare():
    """Make what install will likely need."""
    global _prepared
    _prepared = text_handler("")


def text_handler(level):
    handler = LambdaLoggerHandlerWithFrameType() if level else LambdaLoggerHandler()
    handler.setFormatter(logging.Formatter(TEXT, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaLoggerFilter())
    return handler


def json_handler():
    handler = LambdaLoggerHandlerWithFrameType()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(LambdaLoggerFilter())
    return handler


def install():
    global _prepared
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    level = "DEBUG" if level == "TRACE" else level.upper()
    logging.Formatter.converter = time.gmtime  # for formatters of functions too, as on AWS
    if lazy.as_json():
        handler = json_handler()
    else:
        handler = not level and _prepared or text_handler(level)
    _prepared = None
    root = logging.getLogger()
    root.addHandler(handler)
    if level in logging._nameToLevel:
        root.setLevel(level)


def installed():
    """Report whether the root logger still has a handler of ours."""
    return any(isinstance(handler, (LambdaLoggerHandler, LambdaLoggerHandlerWithFrameType)) for handler in logging.getLogger().handlers)


class LambdaLoggerFilter(logging.Filter):
    """Puts the invocation into each record."""

    def filter(self, record):
        record.aws_request_id = lazy.request
        record.tenant_id = lazy.tenant
        return True


class LambdaLoggerHandler(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        if not lazy.framed() and not text.endswith("\n"):
            text += "\n"  # a traceback has no end of line
        lazy.write(text)


class LambdaLoggerHandlerWithFrameType(logging.Handler):
    """Its frames bear the record's level, and are JSON's unless the function has set a formatter of its own."""

    def emit(self, record):
        text = self.format(record)
        frame = 0xA55A0002 if isinstance(self.formatter, JsonFormatter) else 0xA55A0003
        lazy.write(text, frame | FRAME.get(standard_level(record), 0) << 2)


def standard_level(record):
    """The standard level that a record's is, or lies above; 0 below them all."""
    return min(logging.CRITICAL, max(0, record.levelno)) // 10 * 10


class JsonFormatter(logging.Formatter):
    datefmt = "%Y-%m-%dT%H:%M:%SZ"

    def __init__(self):
        super().__init__(datefmt=self.datefmt)

    def format(self, record):
        """Give the record's JSON. As on AWS its level becomes a standard one for all who see it later, and what was logged as an
        exception where there is none fails in the caller."""
        record.levelno = standard_level(record)
        record.levelname = logging.getLevelName(record.levelno)
        out = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            kind, value, trace = record.exc_info
            out["stackTrace"] = traceback.format_tb(trace)
            out["errorType"] = kind.__name__
            out["errorMessage"] = str(value)
        request = getattr(record, "aws_request_id", None)  # the formatter may serve a handler of the function's
        if request is not None:
            out["requestId"] = request
        if "stackTrace" in out:
            out["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        tenant = getattr(record, "tenant_id", None)
        if tenant is not None:
            out["tenantId"] = tenant
        out.update((k, v) for k, v in vars(record).items() if v is not None and not (k in ORDINARY or k in TAKEN or k in out))
        return json.dumps(out, ensure_ascii=False) + "\n"
