"""What AWS's runtime has imported before a function's code starts, and ours has not.

Two things would differ. A module of the function that is called like one of the standard library (queue.py, types.py) loses
against those that are imported already: the finder here lets it lose in the same way. And the root logger has a handler from
the start: here it gets it in the moment in which logging is imported, before the importer can look.

AWS's runtime client, too, is imported by then; what functions look for in it is found in ours.

The finder also lets multiprocessing fail as it does on AWS, whose functions have no /dev/shm either, and another C library.
"""

import sys
import time
from _thread import allocate_lock

# The current invocation, for log records.
request = ""
tenant = None

_log_fd = None
_writing = allocate_lock()  # a frame is larger than a pipe takes at once

FIRST = frozenset(
    "__future__ atexit collections concurrent contextlib copyreg decimal enum functools heapq itertools json keyword "
    "linecache logging math numbers operator pwd queue re reprlib runpy string textwrap threading token tokenize traceback "
    "types warnings weakref _collections _decimal _functools _heapq _json _operator _queue _sre _string _tokenize _weakrefset "
    "importlib".split()
)


RIC = "awslambdaric"


def install(path, log_fd):
    """Find the names of FIRST, and AWS's client, on this path, whatever sys.path says later."""
    global _log_fd
    _log_fd = log_fd
    sys.meta_path.insert(0, Finder(path))
    if "logging" in sys.modules:  # a .pth file may have imported it
        _logging_imported()


class Finder:
    def __init__(self, path):
        self._path = path
        self._finder = next(f for f in sys.meta_path if getattr(f, "__name__", "") == "PathFinder")

    def find_spec(self, name, path=None, target=None):
        if path is not None or name not in FIRST and name not in AFTER and name != RIC:
            return None
        spec = self._finder.find_spec(name, self._path, target)
        if spec is not None and name in AFTER:
            spec.loader = Loader(spec.loader, AFTER[name])
        return spec


class Loader:
    """Loads a module and does something with it before anybody sees it."""

    def __init__(self, loader, after):
        self._loader = loader
        self._after = after

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._after(module)


def _logging_imported(_module=None):
    from . import logs

    logs.install()


def _semaphores_imported(module):
    from . import shared

    shared.semaphores(module)


def _memory_imported(module):
    from . import shared

    shared.memory(module)


AFTER = {"logging": _logging_imported, "_multiprocessing": _semaphores_imported, "_posixshmem": _memory_imported}


def write(text, frame=0xA55A0003):
    """Write to the function's log: one event on the log descriptor when there is one, else text on stdout."""
    if _log_fd is None:
        sys.stdout.write(text)
        return
    import os

    data = text.encode("utf-8")  # which fails for lone surrogates, as on AWS
    head = frame.to_bytes(4, "big") + len(data).to_bytes(4, "big") + int(time.time() * 1000000).to_bytes(8, "big")
    todo = memoryview(head + data)
    with _writing:
        while todo:
            todo = todo[os.write(_log_fd, todo) :]


def say(text):
    """Write as context.log does: where the root logger writes, unless the function took its handler away."""
    logs = sys.modules.get(__package__ + ".logs")
    if logs is None or logs.installed():
        write(text)
    else:
        sys.stdout.write(text)


def as_json():
    """Report whether the function's log has JSON in it."""
    import os

    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def framed():
    """Report whether each write is an event of its own, so that it needs no mark at its end."""
    return _log_fd is not None
