"""A hostile set: each request gets a 4xx, nothing is written, and the server stands."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from forecasting.app.book import Book
from forecasting.web import bodies
from tests.web.conftest import Server

#: What a request may take that comes slowly, where the app is told so.
SECONDS = 2.0
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


class Attacker:
    """Speaks bytes to the server, with a session of its own where it wants one."""

    def __init__(self, server):
        self.server = server
        parts = urlsplit(server.origin)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.name = f"{self.host}:{self.port}"
        entrance = urlsplit(server.address)
        entered = self.ask("GET", f"{entrance.path}?{entrance.query}")
        self.cookie = re.search(r"set-cookie: ([^;]+)", entered, re.IGNORECASE)[1]
        page = self.ask("GET", "/", Cookie=self.cookie)
        self.csrf = re.search(r'name="csrf" value="([^"]+)', page)[1]
        self.question = re.search(r'/log".*?name="question" value="([^"]+)', page, re.DOTALL)[1]

    def send(self, raw, *, rest=(), seconds=60):
        with socket.create_connection((self.host, self.port), timeout=seconds) as wire:
            answer = b""
            try:
                wire.sendall(raw)
                for part in rest:
                    wire.sendall(part)
                while chunk := wire.recv(65536):
                    answer += chunk
                    if _whole(answer):
                        break
            except (ConnectionResetError, BrokenPipeError):
                pass
        return answer.decode("utf-8", "replace")

    def ask(self, method, path, body=b"", **headers):
        all_headers = {"Host": self.name, "Connection": "close"}
        if body or method == "POST":
            all_headers["Content-Length"] = str(len(body))
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(
            f"{name}: {value}\r\n" for name, value in all_headers.items() if value != "-"
        )
        return self.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    def form(self, path, fields=None, **headers):
        values = {
            "csrf": self.csrf, "token": "t" * 22, "question": self.question, "p": "35",
        } | (fields or {})  # fmt: skip
        all_headers = {
            "Cookie": self.cookie, "Origin": self.server.origin,
            "Content_Type": "application/x-www-form-urlencoded",
        } | headers  # fmt: skip
        return self.ask("POST", path, urlencode(values).encode(), **all_headers)

    def file(self, body, boundary="xxx"):
        return self.ask(
            "POST", "/ledger/preview", body, Cookie=self.cookie, Origin=self.server.origin,
            Content_Type=f"multipart/form-data; boundary={boundary}",
        )  # fmt: skip


def _whole(answer):
    head, separator, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(separator) and length is not None and len(body) >= int(length[1])


def attacks(a):
    """Give each attack's name and the server's answer."""
    signed = {"Cookie": a.cookie}
    for path in (
        "/assets/x/../../../../etc/passwd", "/assets/x/..%2f..%2fpyproject.toml",
        "/assets/x/%2e%2e/app.py", "/q/..%2f..%2fetc%2fpasswd", "/q/%00", "/q/%ff%fe",
        "/..//..//etc/passwd", "//example.org/", "/assets/x/app.css%00.py", "/ledger/export/..%2fx",
        "/ledger/export/parquet", "/jobs/../../x", "/q/" + "a" * 4000, "/%c0%ae%c0%ae/",
    ):  # fmt: skip
        yield f"path {path[:40]}", a.ask("GET", path, **signed)
    for host in (
        "evil.example", "localhost.evil.example", f"127.0.0.1.evil.example:{a.port}",
        "127.0.0.1", f"127.0.0.1:{a.port + 1}", "", f"{a.name}, evil.example", "[::1]", "0.0.0.0",
        f"user@{a.name}", f"{a.name}.",
    ):  # fmt: skip
        yield f"host {host}", a.ask("GET", "/", Host=host, **signed)
    twice = f"GET / HTTP/1.1\r\nHost: {a.name}\r\nHost: evil.example\r\n\r\n"
    yield "two hosts", a.send(twice.encode())
    yield "no host", a.send(b"GET / HTTP/1.1\r\n\r\n")
    for origin in (
        "http://evil.example", "null", f"http://127.0.0.1:{a.port + 1}", f"ftp://{a.name}",
        f"http://{a.name}.evil.example", "http://", "file:///",
    ):  # fmt: skip
        yield f"origin {origin}", a.form("/log", Origin=origin)
    yield "no origin", a.form("/log", Origin="-")
    for site in ("cross-site", "same-site"):
        yield f"site {site}", a.form("/log", Sec_Fetch_Site=site)
    yield "no cookie", a.form("/log", Cookie="-")
    yield "another cookie", a.form("/log", Cookie=a.cookie.split("=")[0] + "=guess")
    yield "no session, get", a.ask("GET", "/ledger")
    yield "no session, export", a.ask("GET", "/ledger/export/csv")
    yield "no csrf token", a.form("/log", {"csrf": ""})
    yield "another csrf token", a.form("/log", {"csrf": "0" * 64})
    yield "csrf not ascii", a.form("/log", {"csrf": "ü" * 64})
    yield "no form token", a.form("/log", {"token": ""})
    yield "long form token", a.form("/log", {"token": "t" * 5000})
    yield "used entrance", a.ask("GET", "/enter?token=" + urlsplit(a.server.address).query[6:])
    yield "guessed entrance", a.ask("GET", "/enter?token=guess")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        yield f"method {method}", a.ask(method, "/log", **signed)
    yield "get of a form", a.ask("GET", "/log?p=35", **signed)
    yield "giant form", a.form("/log", {"because": "x" * 300_000})
    yield "giant field", a.form("/log", {"because": "x" * (bodies.MOST_LETTERS + 1)})
    yield "many fields", a.form("/log", {f"f{n}": "" for n in range(bodies.MOST_FIELDS + 1)})
    for long in ("99999999999", "-1"):
        sent = signed | {"Content_Length": long, "Origin": a.server.origin}
        yield f"a length of {long}", a.ask("POST", "/log", b"x", **sent)
    yield "json", a.form("/log", Content_Type="application/json")
    yield "no type", a.form("/log", Content_Type="-")
    for name, body in {
        "latin": b"p=\xe9", "overlong": b"p=%c0%ae", "surrogate": b"p=%ed%a0%80",
        "nul": b"p=%00", "escape": b"p=%1b[2J", "half": b"p=%e2%82",
    }.items():  # fmt: skip
        yield f"encoding {name}", a.ask(
            "POST", "/log", body, Origin=a.server.origin,
            Content_Type="application/x-www-form-urlencoded", **signed,
        )  # fmt: skip
    yield "query with nul", a.ask("GET", "/questions?text=%00", **signed)
    yield "query of bytes", a.ask("GET", "/questions?text=%ff", **signed)
    for name, text in {
        "script as a number": SCRIPT, "sql": "1; DROP TABLE entry", "template": "{{ 7*7 }}",
        "infinity": "inf", "not a number": "nan", "long number": "9" * 400,
        "digits of others": "३५", "turned": "\u202e53", "minus": "-5", "too much": "135",
    }.items():  # fmt: skip
        yield name, a.form("/log", {"p": text, "token": f"{abs(hash(name)):022d}"[:22]})
    for name in (SCRIPT, "../../etc/passwd", "q" * 500, "' OR 1=1 --"):
        yield f"question {name[:20]}", a.form("/log", {"question": name})
    yield "not a boundary", a.file(b"nothing")
    yield "parts without end", a.file(b'--xxx\r\nContent-Disposition: form-data; name="a"\r\n\r\n')
    named = b'--xxx\r\nContent-Disposition: form-data; name="file"; filename="../../x.csv"\r\n\r\n'
    yield "a file without a session token", a.file(named + b"a,b\r\n--xxx--\r\n")
    yield "another's file", a.form("/ledger/import", {"key": "../../../etc/passwd"})
    yield "an import of nothing", a.form("/ledger/undo", {"run": "1-99"})
    yield "header that is long", a.ask("GET", "/", X_Long="x" * 70_000)
    yield "not http", a.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    chunked = (
        f"POST /log HTTP/1.1\r\nHost: {a.name}\r\nOrigin: {a.server.origin}\r\n"
        f"Cookie: {a.cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    yield "chunks that lie", a.send(chunked + b"ZZZ\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    yield "chunks without end", a.send(chunked, rest=[chunk] * 8)


def test_every_attack_is_refused_and_writes_nothing(server, database):
    attacker = Attacker(server)
    with Book.plain(str(database)) as book:
        before = book.record_digest(), book.head()
        asked, wrong = 0, []
        for name, answer in attacks(attacker):
            asked += 1
            status = re.match(r"HTTP/1\.1 (\d+)", answer)
            if status is None or not 400 <= int(status[1]) < 500:
                wrong.append((name, answer[:300]))
            if "<script>alert" in answer or "onerror=alert(1)>" in answer:
                wrong.append((name, "a script came back"))
            if "Traceback" in answer:
                wrong.append((name, "a traceback"))
        assert wrong == []
        assert asked >= 60
        assert (book.record_digest(), book.head()) == before
    # It stands: an honest request still does its work.
    assert attacker.ask("GET", "/", Cookie=attacker.cookie).startswith("HTTP/1.1 200")
    assert "HTTP/1.1 303" in attacker.form("/log")


@pytest.fixture
def hurried(database):
    """The app with less patience, so that the tests need not have it either."""
    code = (
        f"from forecasting.web import bodies; bodies.SECONDS = {SECONDS}\n"
        "from forecasting.cli import main; main()"
    )
    started = Server(database, program=("-c", code))
    yield started
    started.stop()


def test_what_comes_slowly_is_not_waited_for(hurried):
    attacker = Attacker(hurried)
    line = f"POST /log HTTP/1.1\r\nHost: {attacker.name}\r\nOrigin: {hurried.origin}\r\n"
    body = (
        f"Cookie: {attacker.cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 100\r\n\r\np=3"
    )

    def trickle():
        for _ in range(40):
            time.sleep(0.5)
            yield b"X-More: x\r\n"

    def send(raw, rest):
        return attacker.send(raw.encode(), rest=rest, seconds=SECONDS + 20)

    with ThreadPoolExecutor(3) as together:
        slow = together.submit(send, line + body, iter(()))
        head = together.submit(send, line, trickle())
        silent = together.submit(send, "", iter(()))
        assert slow.result().startswith("HTTP/1.1 408")
        # Its last bytes met a closed door, which may take the answer with it.
        assert head.result()[:12] in {"HTTP/1.1 408", ""}
        assert silent.result() == ""
