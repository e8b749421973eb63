"""HTTP/1.1 to the Runtime API, over one connection that is kept.

An answer and the question for the next event leave in one send: the server wakes up once a turn and not twice.
"""

import sys
import time

import _socket

# An answer above this is refused by the server (413) and ends the environment. It goes alone, so that no event is on its way.
LARGEST = 6291556


class Client:
    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._base = "/2018-06-01/runtime/"
        self._host = address
        self._next = self._head("GET", "invocation/next")
        self._socket = None
        self._buffer = b""

    def _head(self, method, path, *headers):
        lines = ["%s %s%s HTTP/1.1" % (method, self._base, path), "Host: " + self._host, "User-Agent: lamina-python"]
        return "\r\n".join(lines + list(headers) + ["", ""]).encode("utf-8")

    def _post(self, path, body, *headers):
        return self._head("POST", path, "Content-Length: %d" % len(body), *headers) + body

    def next(self):
        """Wait for an event; give its headers, with lower-case names, and its bytes."""
        status, headers, body = self._exchange(self._next)
        return self._event(status, headers, body)

    def _event(self, status, headers, body):
        if status != 200:
            die("Failed to get next invocation. Http response code: %d." % status)
        return headers, body

    def finish(self, request, kind, body, content_type, cause=""):
        """Post what came out of an invocation ("response" or "error", that with its cause for X-Ray), and give the next event
        like next."""
        if len(body) > LARGEST:
            self.post(request, kind, body, content_type, cause)
            return self.next()
        post = self._outcome(request, kind, body, content_type, cause)
        status, headers, _ = self._exchange(post + self._next, post)
        self._accepted(status, kind)
        if self._socket is None:
            return self.next()  # the server hung up after its answer, and has not read on
        try:
            return self._event(*self._receive())
        except ConnectionError:
            self._close()
            return self.next()

    def post(self, request, kind, body, content_type, cause=""):
        """Post what came out of an invocation, alone."""
        self._accepted(self._exchange(self._outcome(request, kind, body, content_type, cause))[0], kind)

    def _outcome(self, request, kind, body, content_type, cause):
        headers = ["Content-Type: " + content_type]
        if cause:
            headers.append("Lambda-Runtime-Function-XRay-Error-Cause: " + cause)
        return self._post("invocation/%s/%s" % (request, kind), body, *headers)

    def _accepted(self, status, kind):
        if status != 202:
            die("Failed to post handler %s. Http response code: %d." % ({"response": "success response"}.get(kind, "error response"), status))

    def init_error(self, kind, body):
        """Say that the function's code could not be started."""
        post = self._post("init/error", body, "Lambda-Runtime-Function-Error-Type: " + kind)
        try:
            self._exchange(post)
        except ConnectionError as error:
            die("Failed to report the init error. %s" % error)

    def _exchange(self, request, repeat=None):
        """Send a request and read one answer. When the kept connection turns out to be dead, a new one is tried, once."""
        for attempt in (1, 2):
            try:
                if self._socket is None:
                    self.connect()
                self._socket.sendall(request)
                return self._receive()
            except OSError as error:
                self._close()
                if attempt == 2:
                    die("No Response from endpoint: %s" % error)

    def connect(self):
        """Open the connection, which is kept."""
        self._socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self._socket.connect(self._address)
        self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._buffer = b""

    def _close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _receive(self):
        """Read one answer: status, headers and body."""
        head = self._until(b"\r\n\r\n").decode("utf-8", "surrogateescape").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if status == 100:
            return self._receive()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self._close()
        return status, headers, body

    def _more(self):
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the connection was closed")
        return data

    def _until(self, mark):
        """Read up to a mark, which is consumed and not given."""
        while True:
            found, sep, rest = self._buffer.partition(mark)
            if sep:
                self._buffer = rest
                return found
            self._buffer += self._more()

    def _exactly(self, size):
        held = self._buffer
        if len(held) >= size:
            self._buffer = held[size:]
            return held[:size]
        self._buffer = b""
        body = bytearray(size)
        body[: len(held)] = held
        view, filled = memoryview(body), len(held)
        while filled < size:
            n = self._socket.recv_into(view[filled:])
            if n == 0:
                raise ConnectionError("the connection was closed")
            filled += n
        return bytes(body)

    def _chunks(self):
        """Read a chunked body. lamina's server never sends one, but an extension may stand between."""
        parts = []
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):  # trailers
                    pass
                return b"".join(parts)
            parts.append(self._exactly(size))
            self._until(b"\r\n")


def die(message):
    """End a runtime that has lost its server; the environment is made anew."""
    print("[ERROR] [%d] LAMBDA_RUNTIME %s" % (time.time() * 1000, message), file=sys.stderr)
    sys.exit(1)
