"""JSON in and out, on the scanner and the encoder that are compiled into the interpreter.

The json module itself is not imported: it brings regular expressions and costs more than the rest of the runtime together.
It is used for what is rare: its error messages.
"""

import sys

import _json

ATOMS = frozenset((str, int, float, bool, type(None)))


def _constant(name):
    raise ValueError(name)


class _Settings:
    """What the compiled scanner asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_constant)  # NaN and Infinity are not JSON
    memo = {}


_scan = _json.make_scanner(_Settings)


def decode(body, content_type="application/json"):
    """Give the value of an event. What is not declared as JSON stays bytes."""
    if content_type != "application/json":
        return body
    text = body.decode("utf-8")
    if text.startswith("\ufeff"):  # a byte order mark
        text = text[1:]
    text = text.strip(" \t\n\r")
    try:
        value, end = _scan(text, 0)
    except RecursionError:
        raise
    except (StopIteration, ValueError, SystemError):  # the last: before 3.13, when json was never imported
        raise _explain(body.decode("utf-8-sig")) from None
    if end != len(text):
        raise _explain(body.decode("utf-8-sig"))
    return value


def _explain(text):
    """The error for a text that is not JSON, with its position."""
    import json

    try:
        json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        return error
    except ValueError as error:
        if str(error) in ("NaN", "Infinity", "-Infinity"):
            return json.JSONDecodeError("Expecting value", text, text.find(str(error)))
        return error
    return ValueError("Expecting value")


def encode(value):
    """Give the JSON of a handler's result as text. It fails with TypeError, ValueError or UnicodeError.

    Beside what JSON knows, a Decimal becomes a number with all its digits, bytes become text, and a named tuple an object.
    """
    if type(value) not in ATOMS and _has_named_tuples(value):
        value = _plain(value)
    try:
        return _FAST(value)
    except _Decimals:
        return _SLOW(value)
    except TypeError:
        return _SLOW(_plain(value))  # keys may be bytes


class _Decimals(Exception):
    """A value has a Decimal, which the fast encoder cannot write."""


class _Raw(str):
    """Text that is JSON already."""


def _fast_default(value):
    if _is_decimal(value):
        raise _Decimals
    return _default(value)


def _slow_default(value):
    if _is_decimal(value):
        return _Raw("NaN" if value.is_nan() else value)
    return _default(value)


def _default(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    as_dict = getattr(value, "_asdict", None)
    if callable(as_dict) and not isinstance(value, type):
        return _named(as_dict())
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _is_decimal(value):
    module = sys.modules.get("decimal")
    return module is not None and isinstance(value, module.Decimal)


def _named(value):
    if not isinstance(value, dict):
        raise TypeError("_asdict() must return a dict, not %s" % type(value).__name__)
    return value


def _encoder(default, text):
    # markers, default, text, indent, key separator, item separator, sort keys, skip keys, allow NaN
    def encode(value):
        return "".join(_json.make_encoder({}, default, text, None, ": ", ", ", False, False, True)(value, 0))

    return encode


_text = _json.encode_basestring if sys.version_info >= (3, 12) else _json.encode_basestring_ascii
_FAST = _encoder(_fast_default, _text)
_SLOW = _encoder(_slow_default, lambda s: s if type(s) is _Raw else _text(s))


def _has_named_tuples(value):
    """Look for named tuples, which the encoder would write as arrays."""
    seen, todo = set(), [value]
    while todo:
        value = todo.pop()
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return True
        if isinstance(value, dict):
            inner = value.values()
        elif isinstance(value, (list, tuple)):
            inner = value
        else:
            continue
        if id(value) not in seen:
            seen.add(id(value))
            todo.extend(v for v in inner if type(v) not in ATOMS)
    return False


def _plain(value, above=()):
    """The same value with named tuples as objects and with text for keys of bytes."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in above:
        raise ValueError("Circular reference detected")
    above += (id(value),)
    if isinstance(value, dict):
        return {_key(k): _plain(v, above) for k, v in value.items()}
    return [_plain(v, above) for v in value]


def _key(key):
    if isinstance(key, bytes):
        return key.decode("utf-8")
    if key is None or isinstance(key, (str, int, float)):
        return key
    raise TypeError("keys must be str, int, float, bool or None, not " + type(key).__name__)
