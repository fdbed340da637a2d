"""Fetch an address that a user named, and reach nothing but the public internet.

A name is resolved once; every address that it has must be allowed, and the connection goes to one
of the addresses that were checked, so a name that answers otherwise the second time gains nothing.
Proxy variables, cookies and packed bodies are left alone; each redirect is checked anew.
"""

import http.client
import io
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import SplitResult, urljoin, urlsplit

from forecasting.errors import InvalidInput

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: A host and a port to the addresses that it has, as text.
type Resolver = Callable[[str, int], Sequence[str]]

MOST_BYTES = 5_000_000
SECONDS = 20.0
REDIRECTS = 3
#: Why an address is not fetched from. Python's `is_global` and `is_private` differ between
#: versions and let NAT64, 6to4 and multicast pass, so the table is our own (IANA's special
#: registries). Of IPv6 only global unicast, 2000::/3, is left over.
FORBIDDEN: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier's customers"),
        ("127.0.0.0/8", "this machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "this machine"),
        ("::ffff:0:0/96", "IPv4 in IPv6"),
        ("::/96", "IPv4 in IPv6"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("100::/64", "discarded"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "for documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_EXAMPLE = "https://example.org/feed.xml"
_FILE = "save it with a browser and name the file"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address gave: where it was found after redirects, the body as sent, its type."""

    url: str
    content: bytes
    content_type: str


def forbidden(address: Address) -> str:
    """Say why nothing is fetched from an address; empty where it may be."""
    for network, why in FORBIDDEN:
        if address.version == network.version and address in network:
            return why
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return "not global"
    return ""


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Fetcher:
    """Fetches addresses within bounds; `allowed` is for tests, and nothing else sets it."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        resolver: Resolver = resolve,
        most: int = MOST_BYTES,
        seconds: float = SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolver = resolver
        self._most = most
        self._seconds = seconds
        self._context = context

    def get(self, url: str, *, types: Iterable[str]) -> Answer:
        """Fetch what is of one of these content types, following at most three redirects."""
        deadline = time.monotonic() + self._seconds
        taken = frozenset(types)
        for _ in range(REDIRECTS + 1):
            reply = self._once(url, "GET", None, {}, taken, deadline)
            if isinstance(reply, Answer):
                return reply
            if urlsplit(url).scheme == "https" != urlsplit(reply).scheme:
                raise _no(url, f"leads from https to {_one_line(reply)}")
            url = reply
        raise _no(url, f"more than {REDIRECTS} redirects")

    def post(self, url: str, body: bytes, *, content_type: str, types: Iterable[str]) -> Answer:
        """Send a body to an address and give the answer; no redirect is followed."""
        deadline = time.monotonic() + self._seconds
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        reply = self._once(url, "POST", body, headers, frozenset(types), deadline)
        if isinstance(reply, str):
            rule = f"redirects to {_one_line(reply)}, where the request cannot be sent on"
            raise _no(url, rule, "the final address")
        return reply

    def _once(
        self,
        url: str,
        method: str,
        body: bytes | None,
        headers: dict[str, str],
        types: frozenset[str],
        deadline: float,
    ) -> Answer | str:
        """Ask once: give the answer, or where a redirect leads."""
        parts, port = checked(url)
        host = parts.hostname or ""
        try:
            line = self._connect(parts.scheme, host, port, deadline)
            with line:
                connection = http.client.HTTPConnection(host, port)
                connection.sock = line
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                sent = {
                    "Host": parts.netloc,
                    "User-Agent": "scenario-forecasting",
                    "Accept": ", ".join(sorted(types)),
                    "Connection": "close",
                    **headers,
                }
                for name, value in sent.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                # Not connection.getresponse(), which would close the line before the body is read.
                with http.client.HTTPResponse(cast(Any, line), method=method) as response:
                    response.begin()
                    return self._read(url, response, types)
        except InvalidInput:
            raise
        except TimeoutError as late:
            raise _no(url, f"no whole answer within {self._seconds:g} seconds") from late
        except (OSError, http.client.HTTPException, ValueError) as fault:
            reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
            raise _no(url, f"cannot be fetched ({_one_line(str(reason))})") from fault

    def _connect(self, scheme: str, host: str, port: int, deadline: float) -> "_Line":
        """Connect to the first address that answers, of those that were checked."""
        addresses = self._addresses(host, port, deadline)
        fault: OSError | None = None
        for address in addresses:
            family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                # A dead address must leave time for the next.
                plain.settimeout(min(_left(deadline), self._seconds / len(addresses)))
                plain.connect((str(address), port))
                plain.settimeout(_left(deadline))
                if scheme == "https":
                    context = self._context or ssl.create_default_context()
                    secured = context.wrap_socket(plain, server_hostname=host)
                    return _Line(secured, deadline, 2 * self._most + 1_000_000)
                return _Line(plain, deadline, 2 * self._most + 1_000_000)
            except OSError as refused:
                plain.close()
                fault = refused
        raise fault or OSError(f"{host} has no address")

    def _addresses(self, host: str, port: int, deadline: float) -> list[Address]:
        """Resolve a host once, and refuse it whole for one address that is not allowed."""
        answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolver(host, port))
            except Exception as fault:
                answers.put(fault)

        # The system's look-up has no time limit of its own.
        threading.Thread(target=ask, daemon=True).start()
        try:
            reply = answers.get(timeout=_left(deadline))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(reply, Exception):
            raise reply
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in reply]
        for address in addresses:
            why = forbidden(address)
            if why and not any(
                address.version == network.version and address in network
                for network in self._allowed
            ):
                msg = f"address ({host}): leads to {address}, which is {why}; no request was sent"
                raise InvalidInput(msg, hint="an address of the public web")
        return addresses

    def _read(
        self, url: str, response: http.client.HTTPResponse, types: frozenset[str]
    ) -> Answer | str:
        if response.status in {301, 302, 303, 307, 308}:
            if not (target := response.getheader("Location")):
                raise _no(url, "a redirect to nowhere")
            return urljoin(url, target.strip())
        if response.status != 200:
            raise _no(url, f"answers {response.status} {_one_line(response.reason)}")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().casefold()
        if kind not in types:
            label, taken = _one_line(kind) or "no content type", ", ".join(sorted(types))
            raise _no(url, f"gives {label}; must be one of {taken}")
        packed = (response.getheader("Content-Encoding") or "identity").strip().casefold()
        if packed != "identity":
            raise _no(url, f"sends a packed body ({_one_line(packed)}), unasked")
        announced = response.length
        if announced is None or announced <= self._most:
            content = response.read(self._most + 1)
            if announced is not None and len(content) < announced:
                raise _no(
                    url, f"ended after {len(content):,} of {announced:,} bytes", "try again later"
                )
            if len(content) <= self._most:
                return Answer(url, content, kind)
        raise _no(url, f"more than {self._most:,} bytes", "a shorter feed, or a file in parts")


def checked(url: str) -> tuple[SplitResult, int]:
    """Take an address apart, and refuse what can be read in two ways."""
    if not _URL.fullmatch(url):
        raise _no(url, "has a character that must be percent-encoded", _EXAMPLE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise _no(url, str(wrong), _EXAMPLE) from None
    if parts.scheme not in {"http", "https"}:
        raise _no(url, "must begin with https:// or http://", _EXAMPLE)
    if "@" in parts.netloc:
        host = _one_line(parts.hostname or "")
        msg = f"address ({parts.scheme}://...@{host}): contains a user name"
        raise InvalidInput(msg, hint="an address without a name and a password")
    if not parts.hostname or not _HOST.fullmatch(parts.hostname) or port == 0:
        raise _no(url, "names no host", _EXAMPLE)
    return parts, port or (443 if parts.scheme == "https" else 80)


class _Line(io.RawIOBase):
    """A connection with one deadline for all it sends, or a byte now and then would hold it."""

    def __init__(self, connected: socket.socket, deadline: float, most: int) -> None:
        super().__init__()
        self._socket = connected
        self._deadline = deadline
        self._room = most

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left(self._deadline))
        self._socket.sendall(data)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self._deadline))
        count = self._socket.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OSError("it sends more than any answer needs")
        return count

    def close(self) -> None:
        self._socket.close()
        super().close()


def _no(url: str, rule: str, hint: str = _FILE) -> InvalidInput:
    return InvalidInput(f"address ({_one_line(url)}): {rule}", hint=hint)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _one_line(text: str) -> str:
    """Give text that may stand in a message: on one line, and not endless."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= 200 else f"{plain[:199]}…"
