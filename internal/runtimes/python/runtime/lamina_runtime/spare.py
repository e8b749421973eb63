"""A process that boots before it is known whose function it will run.

The server starts it in a sandbox that has no code, no layers and no /tmp yet. When there is a function it writes that one's
variables to a pipe, each with a zero byte behind it and one more behind all, makes the sandbox whole meanwhile, and writes one
more byte when that is done. Then this process goes on as if it had been started so. A pipe that ends before is a server that ended.
"""

import os
import sys
import time

import _socket

from . import lazy, loop, paths
from .client import Client

# Something of all that functions usually begin with.
SAMPLE = """
import os, sys
from json import dumps as d
NAME: str = os.environ.get("NAME", "x")
class A(object):
    def __init__(self, a=1, *b, **c):
        self.a = [x for x in b if x] + [a, -1.5, True, None]
@staticmethod
def handler(event, context):
    try:
        with open(f"{NAME!r}: {1 + 2:>4}") as f:
            return {"statusCode": 200, "body": lambda: (yield)}
    except (KeyError, ValueError) as error:
        raise RuntimeError("%s" % error) from None
    finally:
        for i, (a, b) in enumerate({}.items()):
            while not i < 3 and a is not b or a == b: i += 1
"""


def wait(pipe):
    """Sleep until the server says whose process this is, and give the connection to it."""
    preload()
    warm()
    prepare(os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    client = Client(os.environ["AWS_LAMBDA_RUNTIME_API"])
    client.connect()  # which tells the server that this process is ready
    data = b""
    while b"\0\0" not in data:
        data += read(pipe)
    variables, _, go = data.partition(b"\0\0")
    become(variables.split(b"\0"))
    go or read(pipe)
    os.close(pipe)
    os.chdir(os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    return client


def read(pipe):
    """Read what is there, or end: this process is nobody's."""
    return os.read(pipe, 65536) or sys.exit(0)


def preload():
    """Import what AWS's runtime has imported, too, when a function's code starts: here it costs the function nothing."""
    for name in sorted(lazy.FIRST):
        try:
            __import__(name)
        except ImportError:
            pass  # this interpreter was built without it
    from . import logs

    logs.prepare()


def warm():
    """Go once through what every function needs, so that the pages of it are in memory. Nothing of it is left to be seen."""
    import importlib.machinery

    folder = os.path.dirname(__file__)
    importlib.machinery.SourceFileLoader("warm", __file__).source_to_code(SAMPLE.encode(), "<warm>")
    importlib.machinery.PathFinder.find_spec("lamina_warm", [folder])
    found = sys.path[:]
    paths.search(found, folder, sys.version_info[1], False)
    paths.add_pth(folder)
    paths.add_pth(folder + "/absent")
    known = set(sys.path_importer_cache)
    sys.path.insert(0, folder)
    try:
        rehearse()
    finally:
        sys.path[:] = found
        sys.modules.pop("sample", None)
        for name in set(sys.path_importer_cache) - known:
            del sys.path_importer_cache[name]
        lazy.request, lazy.tenant = "", None


def prepare(root):
    """Have the importer of the function's folder made, which has not looked into it."""
    for hook in sys.path_hooks:
        try:
            sys.path_importer_cache[root] = hook(root)
            return
        except ImportError:
            pass


EVENT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: warm\r\n"
    b"Lambda-Runtime-Deadline-Ms: 1\r\nLambda-Runtime-Invoked-Function-Arn: warm\r\nContent-Length: 7\r\n\r\n"
    b'{"n":1}'
)


def rehearse():
    """Run one invocation of a handler of our own, whose server has said everything already."""
    ours, theirs = _socket.socketpair()
    try:
        client = Client("localhost:1")
        client._socket = ours
        theirs.sendall(EVENT + b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" + EVENT)
        loop.serve(client, loop.find_handler("sample.handler"), *client.next())
    finally:
        ours.close()
        theirs.close()


def become(variables):
    """Take these variables, as bytes, in the place of the ones that the process was started with."""
    environ = os.environb
    coerced = environ.get(b"LC_CTYPE")  # the interpreter itself may have set it
    held = environ._data  # which os.environ shares; its own methods take ten times as long
    for name in held:
        os.unsetenv(name)
    held.clear()
    for variable in variables:
        name, _, value = variable.partition(b"=")
        os.putenv(name, value)
        held[name] = value
    if coerced is not None:
        environ[b"LC_CTYPE"] = coerced
    time.tzset()
    if b"HOME" in environ and "site" in sys.modules:
        forget_home(sys.modules["site"])


def forget_home(site):
    """Have the names of the user's own folders found again."""
    site.USER_BASE = site.USER_SITE = None
    site.getusersitepackages()
