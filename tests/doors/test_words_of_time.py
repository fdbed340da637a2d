"""``now``, ``today`` and ``tomorrow`` mean one thing at every door where a person speaks."""

import datetime as dt
import itertools

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.cli import run
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import last_day, local_day, parse_instant
from forecasting.errors import InvalidInput
from forecasting.web.house import House
from tests.web.conftest import Browser

ZONE = "Pacific/Auckland"
#: Before noon, at noon and late in the day of that zone, whose day is not that of UTC.
MOMENTS = [parse_instant(f"2026-11-2{text}Z") for text in ("8T22:00", "9T00:30", "9T10:59")]
names = (f"q{n}" for n in itertools.count())


@pytest.fixture(params=MOMENTS, ids=str)
def book(request, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    opened = parse_instant("2026-11-01T00:00Z")
    with Book.plain(str(tmp_path / "a.db"), forecaster="ana", create=True) as book:
        book.now, book.place = request.param, str(tmp_path / "a.db")
        with clock.at(opened):
            book.add_question({"slug": "held", "title": "Held?", "closes": "2027-06-30"})
        yield book


def fresh(book):
    """Ask a question of that zone, some weeks ago."""
    name = next(names)
    with clock.at(parse_instant("2026-11-01T00:00Z")):
        book.ask(f"Will {name} come?", by="2027-06-30", slug=name, zone=ZONE)
    return name


def command(book, *arguments):
    assert run(["--db", book.place, "--as", "ana", *arguments]) == 0


def typed(book, action, **fields):
    browser = Browser(House(book, port=8100))
    browser.get(action.rpartition("/")[0] or action)
    browser.send(action, **fields)
    assert browser.page.status_code in (200, 303), browser.faults()


LOG = {
    "command": lambda book, q, at: command(book, "log", q, "30%", "--at", at),
    "python": lambda book, q, at: book.log(q, 0.3, at=at),
    "web": lambda book, q, at: typed(book, f"/q/{q}/log", p="30", at=at),
}
SETTLE = {
    "command": lambda book, q, at: command(book, "resolve", q, "yes", "--source", "x", "--at", at),
    "python": lambda book, q, at: book.resolve(q, "yes", source="x", at=at),
    "web": lambda book, q, at: typed(
        book, f"/q/{q}/settle", act="resolve", outcome="yes", source="x", at=at
    ),
}
ASK = {
    "command": lambda book, q, by: command(book, "ask", f"Is {q}?", "--slug", q, "--by", by),
    "python": lambda book, q, by: book.ask(f"Is {q}?", slug=q, by=by),
    "web": lambda book, q, by: typed(book, "/ask", title=f"Is {q}?", slug=q, by=by),
}


def days(book):
    """Give today in the zone, in words and in figures."""
    there = book.now.astimezone(dt.timezone(dt.timedelta(hours=13))).date()
    return ("today", "TODAY", there.isoformat(), f"{there:%d %b %Y}")


@pytest.mark.parametrize("door", LOG)
def test_what_is_said_now_or_today_is_never_said_in_the_future(book, door):
    for at in ("now", *days(book)):
        name = fresh(book)
        with clock.at(book.now):
            LOG[door](book, name, at)
        [forecast] = book.ledger.forecasts(question=name)
        noon = parse_instant(f"{days(book)[2]}T12:00+13:00")
        assert forecast.issued_at == (book.now if at == "now" else min(book.now, noon))


@pytest.mark.parametrize("door", SETTLE)
def test_what_became_known_today_is_known_by_now(book, door):
    for at in ("now", *days(book)):
        name = fresh(book)
        with clock.at(book.now):
            SETTLE[door](book, name, at)
        assert Catalog.of(book.ledger).outcomes[name].resolved_at == book.now


@pytest.mark.parametrize("door", ASK)
@pytest.mark.parametrize(("word", "ahead"), [("today", 0), ("Tomorrow", 1)])
def test_a_deadline_may_be_today_or_tomorrow(book, monkeypatch, door, word, ahead):
    monkeypatch.setenv("FORECASTING_ZONE", ZONE)
    name = next(names)
    with clock.at(book.now):
        ASK[door](book, name, word)
        asked = book.question_page(name).question
        today = local_day(book.now, asked.zone)
        assert last_day(asked.closes, asked.zone) == str(today + dt.timedelta(days=ahead))
        book.edit_question(name, resolves_by="tomorrow")
        with pytest.raises(InvalidInput, match="past"):
            ASK["python"](book, next(names), "yesterday")


@pytest.mark.filterwarnings("ignore:nobody keeps a list")
@pytest.mark.parametrize("door", LOG)
def test_now_is_not_in_the_future_on_a_clock_that_runs(tmp_path, door):
    with Book.plain(str(tmp_path / "a.db"), forecaster="ana", create=True) as book:
        book.place = str(tmp_path / "a.db")
        name = next(names)
        book.ask(f"Will {name} come?", by="2099-06-30", slug=name)
        LOG[door](book, name, "now")
        assert len(book.ledger.forecasts(question=name)) == 1
        assert book.watch(every=True, until="today")
