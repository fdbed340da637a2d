"""Fetching reaches the public web and nothing else, within its time, its size and its kinds."""

import contextlib
import gzip
import socket
import ssl
import threading

import pytest

from forecasting.app.book import Book
from forecasting.app.news import add as news_import
from forecasting.cli import run
from forecasting.errors import InvalidInput
from forecasting.fetch import Fetcher
from tests.certificates import certified
from tests.hostile.server import LOOPBACK, RSS, TYPES, Server, answer, get, refused, to


@pytest.fixture
def server():
    opened = Server()
    yield opened
    opened.ended.set()
    opened.listener.close()


def test_an_address_that_is_allowed_is_fetched_and_little_is_said_of_us(server):
    server.says = [answer()]
    assert get(server.url + "?a=1&b=%20") == RSS
    head = server.read[0].decode()
    assert head.startswith("GET /feed.xml?a=1&b=%20 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    for unsaid in ("Accept-Encoding", "Cookie", "Authorization", "Referer"):
        assert unsaid not in head


def test_this_machine_is_not_reached_unless_a_test_allows_it(server):
    server.says = [answer()]
    assert "this machine" in refused(server.url, allowed=())
    assert server.read == []


def test_one_forbidden_address_of_a_name_forbids_the_name():
    asked = []

    def both(host, port):
        asked.append(host)
        return ["9.9.9.9", "10.0.0.1"]

    assert "10.0.0.1, which is private" in refused("http://x.test/", resolver=both, allowed=())
    assert asked == ["x.test"]


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(server):
    """Rebinding: a name that is public when checked and this machine when asked again."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    server.says = [answer()]
    url = f"http://rebound.test:{server.port}/"
    assert get(url, resolver=lambda *_: answers.pop(0)) == RSS
    assert len(answers) == 1
    assert f"Host: rebound.test:{server.port}".encode() in server.read[0]
    first_public = iter([["9.9.9.9"], ["127.0.0.1"]])
    tried = []

    class Tried(socket.socket):
        def connect(self, place):
            tried.append(place)
            raise ConnectionRefusedError(111, "refused")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Tried)
        message = refused(
            "http://rebound.test/", resolver=lambda *_: next(first_public), allowed=()
        )
    assert tried == [("9.9.9.9", 80)]
    assert "refused" in message
    # On a redirect the name is looked up anew, and what it is then is checked.
    rebinding = iter([["127.0.0.1"], ["10.0.0.1"]])
    server.read.clear()
    server.says = [to("/again")]
    assert "private" in refused(url, resolver=lambda *_: next(rebinding))
    assert len(server.read) == 1


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("file:///etc/hosts", "https://"),
        ("gopher://127.0.0.1/", "https://"),
        ("http://10.0.0.1/", "private"),
        ("http://[::ffff:10.0.0.1]/", "IPv4 in IPv6"),
        ("//169.254.169.254/latest/meta-data", "link-local"),
        ("http://u:p@127.0.0.1/", "contains a user name"),
        ("http://127.0.0.1:99999/", "ort"),
        ("http://\x1b31m.test/", "percent-encoded"),
        ("/" + "a" * 20_000, "answers 404"),
    ],
)
def test_each_redirect_is_checked_anew(server, place, word):
    server.says = [to(place), answer(b"", status="404 Not Found")]
    assert word in refused(server.url)


def test_redirects_are_followed_three_times_and_no_more(server):
    server.says = [to("/1"), to("2", "307 x"), to(server.url, "308 x"), answer()]
    assert get(server.url) == RSS
    assert len(server.read) == 4
    server.read.clear()
    server.says = [to("/loop")]
    assert "more than 3 redirects" in refused(server.url)
    assert len(server.read) == 4
    server.says = [answer(b"", status="302 Found")]
    assert "nowhere" in refused(server.url)


def test_what_is_sent_is_not_sent_on(server):
    server.says = [to("/other", "307 x")]
    with pytest.raises(InvalidInput, match="redirects to"):
        Fetcher(allowed=LOOPBACK).post(server.url, b"x", content_type="a/b", types=TYPES)
    server.says = [answer()]
    reply = Fetcher(allowed=LOOPBACK).post(server.url, b"body", content_type="a/b", types=TYPES)
    assert reply.content == RSS
    assert server.read[-1].startswith(b"POST /feed.xml ")
    assert server.read[-1].endswith(b"\r\n\r\nbody") or server.read[-1].endswith(b"\r\n\r\n")


def drip(head):
    def says(server):
        def slowly(_, line):
            line.sendall(head)
            for _ in range(400):
                if server.ended.wait(0.05):
                    break
                line.sendall(b"x")

        return slowly

    return says


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n",
    ],
    ids=["status", "header", "body", "chunks"],
)
def test_a_slow_drip_ends_with_the_time_for_everything(server, head):
    server.says = [drip(head)(server)]
    assert "within 0.4 seconds" in refused(server.url, seconds=0.4)


def test_a_resolver_that_never_answers_does_not_hold_us():
    ended = threading.Event()
    assert "within 0.2 seconds" in refused(
        "http://x.test/", seconds=0.2, resolver=lambda *_: ended.wait(5) and []
    )
    ended.set()


def endless(head, again):
    def says(_, line):
        line.sendall(head)
        while True:
            line.sendall(again)

    return says


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (OK + b"\r\n", b"x" * 65536),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"y" * 60000 + b"\r\nx\r\n"),
        (OK, b"X-More: y\r\n" * 100),
        (OK + b"X-Long: ", b"y" * 65536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["body", "chunks", "chunk-extensions", "headers", "header", "continue"],
)
def test_an_endless_answer_is_cut(server, head, again):
    server.says = [endless(head, again)]
    assert "more than" in refused(server.url, most=100_000, seconds=30.0)


def test_the_size_is_known_before_and_checked_after(server):
    server.says = [answer(b"x" * 1001)]
    assert "more than 1,000 bytes" in refused(server.url, most=1000)
    server.says = [answer(b"x" * 1000)]
    assert get(server.url, most=1000) == b"x" * 1000
    short = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 99\r\n\r\nabc"
    server.says = [lambda _, line: line.sendall(short)]
    assert "ended after 3 of 99" in refused(server.url)


def test_a_packed_body_is_not_unpacked(server):
    bomb = gzip.compress(bytes(10_000_000))
    server.says = [answer(bomb, "Content-Encoding: gzip")]
    assert "packed body" in refused(server.url)
    server.says = [answer(bomb)]
    assert get(server.url) == bomb


@pytest.mark.parametrize("kind", ["text/html", "image/png", "", "text/xml-x", "a\x1b[31mb"])
def test_only_the_kinds_that_are_wanted_are_taken(server, kind):
    server.says = [answer(kind=kind)]
    assert "must be one of" in refused(server.url)
    server.says = [answer(kind="Text/XML; charset=utf-8")]
    assert get(server.url) == RSS


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"\r\n", b"\0" * 100, b"HTTP/9.9 xyz\r\n\r\n", b"HTTP/1.1 99999 \r\n\r\n",
        b"SSH-2.0-x\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Content-Length: -5\r\n\r\n" + b"x" * 3, OK + b": x\r\n\r\n", b"\xff" * 300,
    ],
)  # fmt: skip
def test_junk_for_an_answer_is_a_line_of_words(server, junk):
    server.says = [lambda _, line: line.sendall(junk)]
    with contextlib.suppress(InvalidInput):
        assert get(server.url) in {b"", b"xxx"}


def test_proxy_variables_are_not_looked_at(server, monkeypatch):
    with Trap() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        server.says = [answer()]
        assert get(server.url) == RSS
        assert not trap.touched


class Trap:
    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.05)
        self.port = self.listener.getsockname()[1]
        return self

    @property
    def touched(self):
        try:
            self.listener.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def __exit__(self, *_):
        self.listener.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for named.test alone, signed by itself, with its key."""
    from cryptography import x509

    named = x509.SubjectAlternativeName([x509.DNSName("named.test")])
    folder = tmp_path_factory.mktemp("tls")
    certified(folder, "one", "named.test", days=(-1, 1), extensions=[(named, False)], ca=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "one.key").read_bytes() + (folder / "one.pem").read_bytes())
    return both


def test_https_checks_the_name_though_it_connects_to_an_address(server, certificate):
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(certificate)
    named = []
    inside.sni_callback = lambda _, name, __: named.append(name)
    says = answer()

    def secured(_, line):
        # The first bytes are the client's greeting, read already: so the server peeks instead.
        with inside.wrap_socket(line, server_side=True) as safe:
            safe.recv(65536)
            says(b"", safe)

    server.peeks = True
    server.says = [secured]
    trust = {"context": ssl.create_default_context(cafile=str(certificate))}
    here = {"resolver": lambda *_: ["127.0.0.1"]}
    url = f"https://named.test:{server.port}/"
    assert get(url, **trust, **here) == RSS
    assert named == ["named.test"]
    assert "certificate" in refused(url, **here)
    assert "certificate" in refused(url.replace("named", "other"), **trust, **here)
    says = to(f"http://named.test:{server.port}/")
    assert "leads from https to http" in refused(url, **trust, **here)


def test_news_is_fetched_only_when_that_is_asked_for(server, tmp_path, monkeypatch, capsys):
    database = ("--db", str(tmp_path / "book.db"))
    Book.open(database[1], create=True).close()
    item = "<item><title>Talks end</title><pubDate>Fri, 20 Nov 2026 09:00 GMT</pubDate></item>"
    server.says = [answer(RSS.replace(b"</channel>", item.encode() + b"</channel>"))]
    words = [*database, "news", "import", server.url]
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    capsys.readouterr()

    def output(*more, code):
        assert run([*words, *more]) == code
        out, err = capsys.readouterr()
        if code:
            assert out == ""
            assert err.count("\n") == 1
        return out + err

    assert f"news import --fetch {server.url}" in output(code=2)
    assert "this machine" in output("--fetch", code=2)
    assert server.read == []
    monkeypatch.setattr(news_import, "Fetcher", lambda: Fetcher(allowed=LOOPBACK, seconds=5))
    assert "added       1" in output("--fetch", code=0)
    assert "duplicates  1" in output("--fetch", code=0)
    server.says = [to("file:///etc/hostname")]
    assert "must begin with https://" in output("--fetch", code=2)
    server.says = [answer(kind="text/html")]
    assert "must be one of" in output("--fetch", code=2)
    server.says = [answer(b"\x1f\x8b\x08junk", kind="text/plain")]
    assert "UTF-8" in output("--fetch", code=2)
    for other in ("feed.xml", "-", "ftp://example.org/x", "file:///etc/hostname"):
        words[-1] = other
        assert "must begin with" in output("--fetch", code=2)
