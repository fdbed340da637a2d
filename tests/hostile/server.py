"""A server on the loopback address that says what it is told to, and what is asked of it."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

import pytest

from forecasting.errors import InvalidInput
from forecasting.fetch import Fetcher

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
RSS = b"<rss><channel><title>w</title></channel></rss>"
TYPES = ("application/rss+xml", "text/xml")
#: What a server says, given the request that it read.
type Says = Callable[[bytes, socket.socket], None]


def answer(body=RSS, *more, status="200 OK", kind="text/xml"):
    head = "\r\n".join(
        [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    )
    return lambda _, line: line.sendall(head.encode() + b"\r\n\r\n" + body)


def to(place, status="302 Found"):
    return answer(b"", f"Location: {place}", status=status)


class Server:
    """A server on the loopback address that says what it is told to, and keeps what it read."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/feed.xml"
        self.peeks = False
        self.says = []
        self.read = []
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                request = line.recv(65536, socket.MSG_PEEK if self.peeks else 0)
                self.read.append(request)
                says = self.says[min(len(self.read), len(self.says)) - 1]
                says(request, line)


def get(url, **more):
    more = {"allowed": LOOPBACK, "seconds": 5.0, **more}
    return Fetcher(**more).get(url, types=TYPES).content


def refused(url, **more):
    with pytest.raises(InvalidInput) as wrong:
        get(url, **more)
    message = str(wrong.value)
    assert message.isprintable()
    assert len(message) < 700
    return message
