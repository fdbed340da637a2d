"""Mutations of good files: whatever comes of them, no traceback, no wait, and no half write.

Each reader gets a whole file with bits flipped, pieces cut, doubled, moved or spliced in from
another. It either refuses it in the contract's way, and the ledger is as it was, or reads it, and
the ledger still verifies and has grown by what it says was added.
"""

import json
import signal
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.app.book import Book
from forecasting.app.news.add import import_news
from forecasting.bank import read_question_file
from forecasting.bank.facts import TableReader
from forecasting.config import database
from forecasting.domain.instants import parse_instant
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.review.filters import markup
from forecasting.store import Ledger
from forecasting.store.anchor import anchor, read_anchors, read_stamp
from tests.hostile.corpus import FILES, GOOD_JSON, ITEM, QUESTION, RSS
from tests.hostile.test_markup import FEED, PROBES, harmless

pytestmark = pytest.mark.deep
NOW = parse_instant("2026-11-22T12:00Z")
SECONDS = 5
fuzzed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TABLE = "title,source,known_at,event_at,url,on,grade,story,because\n" + "".join(
    f'Talks {n},wire,2026-11-{10 + n},,https://example.org/{n},,B,"a, b",because\n'
    for n in range(5)
)
LINES = "".join(json.dumps(GOOD_JSON | {"title": f"Talks {n}"}) + "\n" for n in range(5))
ATOM = (
    '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
    "<title>Wire</title><entry><title type='html'>A &amp;lt;b&amp;gt;</title>"
    "<link rel='alternate' href='https://example.org/a'/><updated>2026-11-20T09:00:00Z</updated>"
    "<summary type='html'>&lt;p&gt;x</summary></entry></feed>"
)
FEEDS = (
    RSS.format(ITEM.format("Talks") * 3),
    FEED.format(title="A &amp;amp; b", summary="&lt;p&gt;Text&lt;/p&gt;"),
    ATOM,
)
NEWS = tuple(text.encode() for text in (TABLE, LINES, *FEEDS))
#: What a mutation likes to put in: delimiters, limits, other alphabets, ends of things.
PIECES = (
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b"'", b",", b";", b"\t", b"\x1b[2J"),
    *(b"{", b"[", b"<", b"&", b"<!DOCTYPE x [", b"<!ENTITY a 'x'>", b"&a;", b"]]>", b"<![CDATA["),
    *(b"NaN", b"1e999", b"-0", b"9" * 400, b"1_0", b"\\ud800", b"\\u0000", b"- ", b": ", b"!!x "),
    *("٣".encode(), "\u2028".encode(), "\u202e".encode(), b"0001-01-01", b"9999-12-31", b"*a"),
    *(b"true", b"null", b"[" * 60, b"{" * 60, b"<a>" * 150, b"'''", b'"""', b"\xc0\xaf", b"..."),
)


@st.composite
def mutated(draw, *wholes):
    """Give one of the files with one to six things done to it."""
    found = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(found) - 1, 0)))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "cut", "end", "double", "put", "splice", "junk"])):
            case "flip" if found:
                found[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del found[at : at + length]
            case "end":
                del found[at:]
            case "double":
                found[at:at] = found[at : at + length] * draw(st.sampled_from([1, 2, 50]))
            case "splice":
                other = draw(st.sampled_from(wholes))
                start = draw(st.integers(0, len(other)))
                found[at:] = other[start:]
            case "junk":
                found[at:at] = draw(st.binary(max_size=20))
            case _:
                found[at : at + draw(st.integers(0, 3))] = draw(st.sampled_from(PIECES))
    return bytes(found)


@contextmanager
def in_time():
    def ring(*_):
        raise TimeoutError(f"more than {SECONDS} seconds")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


@pytest.fixture(scope="module")
def ledger():
    with Book.open("sqlite:///:memory:", create=True) as book:
        yield book.ledger


HOSTILE = tuple(
    hostile.make
    for hostile in FILES
    if isinstance(hostile.make, bytes)
    and len(hostile.make) < 3000
    and {"news", "rows"} & set(hostile.words)
)


@given(content=mutated(*NEWS, *HOSTILE))
@fuzzed
def test_news(ledger, content):
    before, entries = ledger.content_digest(), ledger.head().seq
    with in_time():
        try:
            found = import_news(ledger, content, name="f", now=NOW)
        except InvalidInput:
            assert ledger.content_digest() == before
            return
    assert found["rows"] == found["added"] + found["duplicates"] + len(found["refused"])
    assert ledger.head().seq == entries + found["added"]
    if not found["added"]:
        assert ledger.content_digest() == before
    again = import_news(ledger, content, name="f", now=NOW)
    assert (again["added"], len(again["refused"])) == (0, len(found["refused"]))


def test_what_the_fuzzing_of_news_left_behind_verifies(ledger):
    assert ledger.verify().ok


BANK = tuple(
    path.read_bytes()
    for path in sorted((Path(__file__).parents[2] / "questions" / "bank").rglob("*.yaml"))[::12]
)


@given(content=mutated(QUESTION.encode(), *BANK))
@settings(fuzzed, max_examples=settings.default.max_examples // 4)
def test_question_files(tmp_path, content):
    path = tmp_path / "q.yaml"
    path.write_bytes(content)
    with in_time():
        questions, _, problems = read_question_file(path)
    assert bool(questions) != bool(problems)
    if not questions:
        return
    with Ledger.open("sqlite:///:memory:", create=True) as empty:
        before = empty.content_digest()
        try:
            empty.append(questions, recorded_at=NOW)
        except InvalidInput:
            assert empty.content_digest() == before


ROWS = (Path(__file__).parents[2] / "questions" / "reference" / "occurrences.csv").read_bytes()


@given(content=mutated(ROWS[:1500].rpartition(b"\n")[0]))
@fuzzed
def test_tables_of_a_bank(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    reader = TableReader(tmp_path)
    with in_time():
        found = reader.each("t.csv", lambda row: (row.moment("date"), row.number("date")))
    assert all(problem.source == "questions/t.csv" for problem in reader.problems)
    assert all(number is None or abs(number) < 1e120 for _, number in found)


@given(content=mutated(b'database = "a.db"\nforecaster = "ana"\n'))
@fuzzed
def test_settings(home, content):
    (home / "config.toml").write_bytes(content)
    with in_time(), suppress(InvalidInput):
        assert database().value.startswith(("sqlite:///", "postgresql+psycopg://"))


@given(data=st.data())
@fuzzed
def test_anchors(ledger, data):
    good = anchor(ledger, NOW).text
    content = data.draw(mutated(good.encode(), (good * 2).encode()))
    try:
        found = read_anchors(content.decode())
    except (InvalidInput, UnicodeDecodeError):
        return
    # Only what was not changed, or changed where it says nothing, still agrees with its check.
    assert {item.text for item in found} == {good}


@given(content=mutated(b"SQLite format 3\0" + bytes(200), b"x" * 100), good=st.booleans())
@settings(fuzzed, max_examples=40)
def test_backups(tmp_path, content, good):
    from forecasting.store import backup, restore

    source, target = tmp_path / "source.db", tmp_path / "target.db"
    for path in (source, target):
        path.unlink(missing_ok=True)
    if good:
        Book.open(str(target), create=True).close()
        backup(str(target), source)
        whole = bytearray(source.read_bytes())
        whole[100 : 100 + len(content)] = content
        source.write_bytes(whole)
        target.unlink()
    else:
        source.write_bytes(content)
    with in_time():
        try:
            restore(source, str(target))
        except ForecastingError:
            assert not target.exists()
            return
    with Ledger.open(str(target)) as restored:
        assert restored.verify().ok


@given(token=mutated(b"\x30\x05\x30\x03\x02\x01\x00", b"\x30\x82\x01\x00" + bytes(256)))
@fuzzed
def test_tokens(token):
    pytest.importorskip("rfc3161_client", reason="the optional extra `stamp` is not installed")
    with in_time(), pytest.raises(InvalidInput):
        read_stamp(b"content", token)


@given(content=mutated(*(probe.encode() for probe in PROBES), FEED.encode()))
@fuzzed
def test_markup(content):
    with in_time():
        shown = str(markup(content.decode(errors="replace")))
    harmless(shown)
    # Cleaning what is clean changes nothing: no second reading finds a tag that the first missed.
    assert str(markup(shown)) == shown
