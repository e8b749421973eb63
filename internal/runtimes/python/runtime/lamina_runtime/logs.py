"""The root logger's handler, as AWS's runtime sets it up. Imported with logging."""

import json
import logging
import os
import time
import traceback

from . import lazy

LEVELS = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}
FRAME = {"DEBUG": 2, "INFO": 3, "WARNING": 4, "ERROR": 5, "CRITICAL": 6}
TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"

# What every record has, and what is therefore not an extra of the caller.
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"aws_request_id", "tenant_id", "message", "asctime", "exc_text"}


def install():
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    handler = LambdaLoggerHandlerWithFrameType() if as_json else LambdaLoggerHandler()
    if as_json:
        handler.setFormatter(JsonFormatter())
    else:
        formatter = logging.Formatter(TEXT, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = LEVELS.get(level, level)
    if level in FRAME:
        root.setLevel(level)


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
    def emit(self, record):
        level = FRAME.get(level_name(record), 0)
        lazy.write(self.format(record), 0xA55A0002 | level << 2)


def level_name(record):
    """The standard level that a record's is, or lies above."""
    if record.levelno >= logging.CRITICAL:
        return "CRITICAL"
    return logging.getLevelName(record.levelno // 10 * 10) if record.levelno >= logging.DEBUG else "NOTSET"


class JsonFormatter(logging.Formatter):
    converter = time.gmtime
    datefmt = "%Y-%m-%dT%H:%M:%SZ"

    def __init__(self):
        super().__init__(datefmt=self.datefmt)

    def format(self, record):
        out = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": level_name(record),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, value, trace = record.exc_info
            out["stackTrace"] = traceback.format_tb(trace)
            out["errorType"] = kind.__name__
            out["errorMessage"] = str(value)
        out["requestId"] = record.aws_request_id
        if "stackTrace" in out:
            out["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        if record.tenant_id is not None:
            out["tenantId"] = record.tenant_id
        out.update((k, v) for k, v in vars(record).items() if k not in ORDINARY and k not in out)
        return json.dumps(out, ensure_ascii=False, default=str) + "\n"
