"""Time stamps: what a token of an authority proves of an anchor, and what it does not.

The authority is OpenSSL's, behind a server on the loopback address, with certificates made here.
"""

import datetime as dt
import http.server
import ipaddress
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecasting.app.book import Book
from forecasting.cli import run
from forecasting.errors import InvalidInput
from forecasting.fetch import Fetcher
from forecasting.store import Ledger
from forecasting.store import anchor as stamps
from forecasting.store.anchor import (
    anchor,
    ask,
    read_stamp,
    stamped,
    token_file,
    verify,
    write_anchor,
)
from tests.certificates import certified
from tests.store.samples import NOW, binary

HERE = Fetcher(allowed=[ipaddress.ip_network("127.0.0.0/8")], seconds=10)
SETTINGS = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
ess_cert_id_chain = no
tsa_name = yes
"""


@dataclass
class Authority:
    """An authority in a folder: its root's certificate, its own, and the address it answers at."""

    folder: Path
    url: str = ""
    #: What is done to an answer before it is sent.
    twist: Callable[[bytes], bytes] = bytes
    kind: str = "application/timestamp-reply"

    @property
    def root(self):
        return self.folder / "root.pem"

    def reply(self, query, *, signer="signer"):
        (self.folder / "query.tsq").write_bytes(query)
        subprocess.run(
            [
                *("openssl", "ts", "-reply", "-config", self.folder / "ts.cnf"),
                *("-queryfile", self.folder / "query.tsq", "-out", self.folder / "reply.tsr"),
                *("-signer", self.folder / f"{signer}.pem"),
                *("-inkey", self.folder / f"{signer}.key"),
            ],
            check=True,
            capture_output=True,
        )
        return (self.folder / "reply.tsr").read_bytes()


def _certified(folder):
    """Make a root, an authority's certificate by it, one that expired, and one for another use."""
    from cryptography import x509

    root = certified(folder, "root", "Root of the test", days=(-900, 900), ca=True)
    stamps = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
    for number, (name, days) in enumerate({"signer": (-9, 9), "expired": (-800, -400)}.items(), 2):
        certified(
            folder, name, "Stamps of the test", days=days, number=number, by=root,
            extensions=[(stamps, True)],
        )  # fmt: skip
    (folder / "serial").write_text("01\n")
    (folder / "ts.cnf").write_text(SETTINGS.format(folder=folder))


def _authority(folder):
    folder.mkdir()
    _certified(folder)
    return Authority(folder)


@pytest.fixture(scope="module")
def authority(tmp_path_factory, missing):
    if shutil.which("openssl") is None:
        missing("openssl")
    served = _authority(tmp_path_factory.mktemp("tsa") / "one")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            answer = served.twist(served.reply(query))
            self.send_response(200)
            self.send_header("Content-Type", served.kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served.url = f"http://127.0.0.1:{server.server_port}/tsr"
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def honest(authority):
    yield authority
    authority.twist, authority.kind = bytes, "application/timestamp-reply"


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(str(tmp_path / "book.db"), create=True) as opened:
        opened.append([binary()], recorded_at=NOW)
        yield opened


def test_a_stamped_anchor_says_when_and_by_whom(honest, ledger, tmp_path):
    file = tmp_path / "a.anchor"
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    stamp = stamped(anchor(ledger, NOW), file, honest.url, fetcher=HERE)
    assert before <= stamp.at <= dt.datetime.now(dt.UTC)
    report = verify(ledger, file)
    assert report["ok"]
    assert report["stamped_by"] == "CN=Stamps of the test"
    assert report["stamp"].endswith(
        "by CN=Stamps of the test: imprint and time read, the authority not checked"
    )
    report = verify(ledger, file, certificate=honest.root)
    assert report["ok"]
    assert report["anchored_to"] == 1
    assert report["stamp"].startswith("stamped at 20")
    assert report["stamp"].endswith("by CN=Stamps of the test")
    assert report["stamped_at"] == stamp.at
    with pytest.raises(InvalidInput, match="never replaced"):
        stamped(anchor(ledger, NOW), file, honest.url, fetcher=HERE)


def test_an_anchor_written_anew_is_not_what_was_stamped(honest, ledger, tmp_path):
    file = tmp_path / "a.anchor"
    stamped(anchor(ledger, NOW), file, honest.url, fetcher=HERE)
    # Earlier by a year, with a check line that agrees: the anchor alone does not show it.
    file.unlink()
    write_anchor(anchor(ledger, NOW - dt.timedelta(days=365)), file)
    report = verify(ledger, file)
    assert not report["ok"]
    assert "of other bytes" in report["reason"]
    assert report["stamped_at"] is None


def test_the_token_of_another_file_proves_nothing(honest, ledger, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for file, moment in ((first, NOW), (second, NOW + dt.timedelta(days=1))):
        stamped(anchor(ledger, moment), file, honest.url, fetcher=HERE)
    token_file(first).write_bytes(token_file(second).read_bytes())
    for certificate in (None, honest.root):
        assert not verify(ledger, first, certificate=certificate)["ok"]


def test_another_certificate_and_an_expired_one_are_not_believed(honest, tmp_path):
    other = _authority(tmp_path / "other")
    token = ask(b"content", honest.url, fetcher=HERE)
    assert read_stamp(b"content", token, trusted=honest.root.read_bytes()).checked
    stamp = read_stamp(b"content", token, trusted=other.root.read_bytes())
    assert not stamp.checked
    assert "does not lead to the named certificate" in stamp.fault
    query = (honest.folder / "query.tsq").read_bytes()
    late = honest.reply(query, signer="expired")
    assert read_stamp(b"content", late).fault == ""
    stamp = read_stamp(b"content", late, trusted=honest.root.read_bytes())
    assert "expired" in stamp.fault
    forged = token[:-6] + bytes(6)
    assert read_stamp(b"content", forged, trusted=honest.root.read_bytes()).fault


def test_a_token_by_another_hash_is_not_taken(honest, tmp_path):
    (tmp_path / "x").write_bytes(b"content")
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", tmp_path / "x", "-sha512", "-cert"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    assert "SHA-256" in read_stamp(b"content", honest.reply(query)).fault


def test_an_answer_to_another_request_is_refused(honest):
    old = ask(b"content", honest.url, fetcher=HERE)
    honest.twist = lambda _: old
    with pytest.raises(InvalidInput, match="another request"):
        ask(b"content", honest.url, fetcher=HERE)
    with pytest.raises(InvalidInput, match="other bytes"):
        ask(b"other", honest.url, fetcher=HERE)


@pytest.mark.parametrize(
    ("twist", "word"),
    [
        (lambda _: b"", "not an answer"),
        (lambda _: b"<html>", "not an answer"),
        (lambda _: bytes(1000), "not an answer"),
        (lambda _: b"\x30\x84\xff\xff\xff\xff", "not an answer"),
        (lambda _: b"\x30\x05\x30\x03\x02\x01\x02", "not granted"),
        (lambda _: b"\x30\x05\x30\x03\x02\x01\x00", "not an answer"),
        (lambda good: good[:-1], "not an answer"),
        (lambda good: good + b"x", "not an answer"),
        (lambda _: b"\x30" * 100_000, "not an answer"),
    ],
)
def test_what_is_no_token_is_refused_and_nothing_is_written(honest, ledger, tmp_path, twist, word):
    honest.twist = twist
    with pytest.raises(InvalidInput, match=word) as refused:
        stamped(anchor(ledger, NOW), tmp_path / "a", honest.url, fetcher=HERE)
    assert str(refused.value).isprintable()
    assert not (tmp_path / "a").exists()
    assert not token_file(tmp_path / "a").exists()
    # The same bytes beside an anchor, when it is verified.
    write_anchor(anchor(ledger, NOW), tmp_path / "a")
    token_file(tmp_path / "a").write_bytes(twist(b"junk"))
    with pytest.raises(InvalidInput, match=r"stamp"):
        verify(ledger, tmp_path / "a")


def test_the_authority_must_answer_as_one(honest):
    honest.kind = "text/html"
    with pytest.raises(InvalidInput, match="must be one of application/timestamp-reply"):
        ask(b"content", honest.url, fetcher=HERE)
    with pytest.raises(InvalidInput, match="this machine"):
        ask(b"content", honest.url)


def test_a_certificate_must_be_one_and_have_a_token_to_check(honest, ledger, tmp_path):
    file = tmp_path / "a"
    write_anchor(anchor(ledger, NOW), file)
    for anchor_file in (file, None):
        with pytest.raises(InvalidInput, match="does not exist"):
            verify(ledger, anchor_file, certificate=honest.root)
    file.unlink()
    stamped(anchor(ledger, NOW), file, honest.url, fetcher=HERE)
    for name, content in (("empty", b""), ("junk", b"\xff\x00"), ("cut", b"-----BEGIN CERT")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput, match="certificate"):
            verify(ledger, file, certificate=tmp_path / name)
    with pytest.raises(InvalidInput, match="folder"):
        verify(ledger, file, certificate=tmp_path)


def test_without_the_package_the_anchor_is_still_verified(honest, ledger, tmp_path, monkeypatch):
    file = tmp_path / "a"
    stamped(anchor(ledger, NOW), file, honest.url, fetcher=HERE)

    def absent():
        raise InvalidInput("stamp: needs rfc3161-client", hint="pip install")

    monkeypatch.setattr(stamps, "_check_installed", absent)
    report = verify(ledger, file)
    assert report["ok"]
    assert report["anchored_to"] == 1
    assert report["stamp"].startswith("not read: ")
    with pytest.raises(InvalidInput, match="needs"):
        verify(ledger, file, certificate=honest.root)
    with pytest.raises(InvalidInput, match="needs"):
        ask(b"content", honest.url, fetcher=HERE)


def test_as_commands(honest, tmp_path, monkeypatch, capsys):
    database, file = ("--db", str(tmp_path / "book.db")), tmp_path / "a.anchor"
    Book.open(database[1], create=True).close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stamps, "Fetcher", lambda **_: HERE)
    assert run([*database, "anchor", "--stamp", honest.url, "--out", str(file)]) == 0
    assert "stamped at" in capsys.readouterr().err
    seen = [*database, "--json", "verify", "--anchor", str(file)]
    assert run(seen) == 0
    assert "not checked" in json.loads(capsys.readouterr().out)["stamp"]
    assert run([*seen, "--tsa-certificate", str(honest.root)]) == 0
    assert "not checked" not in json.loads(capsys.readouterr().out)["stamp"]
    assert run([*database, "anchor", "--stamp", honest.url]) == 0
    day = dt.datetime.now(dt.UTC).date().isoformat()
    assert token_file(tmp_path / f"{day}.anchor").is_file()
    capsys.readouterr()
    token_file(file).write_bytes(token_file(tmp_path / f"{day}.anchor").read_bytes())
    assert run([*database, "verify", "--anchor", str(file)]) == 1
    assert capsys.readouterr().err.startswith("error: stamp: the time stamp is of other bytes")
    token_file(file).write_bytes(b"junk")
    assert run([*database, "verify", "--anchor", str(file)]) == 2
    assert run([*database, "verify", "--tsa-certificate", str(honest.root)]) == 2
