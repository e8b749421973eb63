"""A process that boots before it is known whose function it will run.

The server starts it in a sandbox that has no code, no layers and no /tmp yet. When it has given it those it writes a
function's variables to a pipe, and this process goes on as if it had been started with them.
"""

import os
import sys
import time

from . import lazy


def wait(pipe):
    """Sleep until the server says whose process this is."""
    preload()
    data = receive(pipe)
    if not data:
        sys.exit(0)  # nobody's
    become(data.split(b"\0")[:-1])


def preload():
    """Import what AWS's runtime has imported, too, when a function's code starts: here it costs the function nothing."""
    for name in sorted(lazy.FIRST):
        try:
            __import__(name)
        except ImportError:
            pass  # this interpreter was built without it


def receive(pipe):
    parts = []
    while True:
        data = os.read(pipe, 65536)
        if not data:
            os.close(pipe)
            return b"".join(parts)
        parts.append(data)


def become(variables):
    """Take these variables, as bytes, in the place of the ones that the process was started with."""
    environ = os.environb
    coerced = environ.get(b"LC_CTYPE")  # the interpreter itself may have set it
    environ.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        environ[name] = value
    if coerced is not None:
        environ[b"LC_CTYPE"] = coerced
    time.tzset()
    if b"HOME" in environ and "site" in sys.modules:
        forget_home(sys.modules["site"])
    os.chdir(environ.get(b"LAMBDA_TASK_ROOT", b"/var/task"))


def forget_home(site):
    """Have the names of the user's own folders found again."""
    site.USER_BASE = site.USER_SITE = None
    site.getusersitepackages()
