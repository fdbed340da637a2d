"""The clock: what was watched ages day by day, what nobody watched stands still, and both are said.

The faults that it replaces: as of 1 September, 15 October and 28 November every number was the
same; half an hour before its close a question stood where it had stood in August; one process and
deadline had several numbers, by the day on which the question was opened.
"""

import datetime as dt
import itertools

import pytest

from forecasting.app.forecast.predict import OWN, Predictor
from forecasting.app.forecast.update import update
from forecasting.app.news import add as news
from forecasting.app.world.processes import watch
from forecasting.bank.usable import bundled_bank
from forecasting.cli.work import _note
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import parse_instant
from forecasting.domain.watch import Watch
from tests.app.quick import SMALL

TOO = SMALL[SMALL.index("  truce-comes-too") : SMALL.index("  text-lies:")]
FALLING = ["truce-comes", "text-lies", "both", "convoys", "gift-comes"]
DATES = [
    parse_instant(f"2026-{day}T12:00:00Z") for day in ("08-22", "09-01", "10-14", "11-28", "12-30")
]
NOW = parse_instant("2026-11-28T12:00:00Z")
CLOSE = parse_instant("2027-01-01T00:00:00Z")
DAY, HALF_AN_HOUR = dt.timedelta(days=1), dt.timedelta(minutes=30)


def predictor(book, *watches):
    return Predictor(
        Catalog.of(book.ledger), book.ledger.evidence(), bundled_bank(), seed=0, watches=watches
    )


def numbers(one, moment, watched=None):
    asked = one.catalog.open_at(moment)
    return {
        name: answer.numbers[0]
        for name, answer in one.one(OWN[0], asked, moment, watched=watched).items()
    }


def tell(book, title, effect, **more):
    """Add news half an hour from now; give when."""
    later, fields = NOW + HALF_AN_HOUR, {"source": "w", "grade": "B"} | more
    news.add(book.ledger, title, known_at=later, now=later, on=[effect], **fields)
    return later


def all_watched(one, moment):
    return dict.fromkeys(one.bank.world.processes, moment)


def test_a_number_with_a_deadline_falls_on_every_day_that_was_watched(own_book):
    one = predictor(own_book())
    by_moment = [numbers(one, moment, all_watched(one, moment)) for moment in DATES]
    for name in FALLING:
        path = [each[name] for each in by_moment]
        assert all(later < earlier for earlier, later in itertools.pairwise(path)), name
    rising = [each["bridge-holds"] for each in by_moment]
    assert all(later > earlier for earlier, later in itertools.pairwise(rising))


def test_half_an_hour_before_its_close_nothing_is_left_to_come(own_book):
    one = predictor(own_book())
    last = CLOSE - HALF_AN_HOUR
    chances = numbers(one, last, all_watched(one, last))
    assert all(chances[name] < 0.002 for name in FALLING), chances
    assert chances["bridge-holds"] > 0.998


def test_what_nobody_watched_stands_still(own_book):
    one = predictor(own_book())
    stream_ends = parse_instant("2026-08-23T00:00:00Z")
    at_the_end = numbers(one, stream_ends)
    for moment in (*DATES[1:], CLOSE - HALF_AN_HOUR):
        later = numbers(one, moment)
        assert later == {name: at_the_end[name] for name in later}


def test_a_watch_up_to_august_and_one_up_to_now_differ(own_book):
    """A watch ages what it covers, and only the processes that were looked at."""
    book = own_book()
    watching = predictor(book, Watch("gift", NOW))
    before, after = numbers(predictor(book), NOW), numbers(watching, NOW)
    assert after["gift-comes"] < before["gift-comes"] / 2
    assert {name: p for name, p in after.items() if name != "gift-comes"} == {
        name: p for name, p in before.items() if name != "gift-comes"
    }


def test_one_process_and_deadline_have_one_number_whenever_the_question_was_opened(own_book):
    book = own_book()
    for moment in DATES:
        chances = numbers(predictor(book), moment)
        assert chances["truce-comes"] == chances["truce-comes-too"]
    # Nor does a question that opens later change what was said of the others.
    alone = own_book(SMALL.replace(TOO, ""))
    # The bank of the book that was made first is no longer the bundled one: its world is the same.
    assert (
        numbers(predictor(alone), NOW)["truce-comes"]
        == (numbers(predictor(book), NOW)["truce-comes"])
    )


def test_a_fact_learned_later_overrides_a_watch(own_book):
    book = own_book()
    watch(book.ledger, [], until=NOW, now=NOW, every=True, who="ana")
    (row,), _ = update(book.ledger, ["gift-comes"], now=NOW)
    assert row["after"] < 0.1
    october = parse_instant("2026-10-20T12:00:00Z")
    tell(book, "It had been given in October", "gift=given", event_at=october, grade="A")
    (row,), _ = update(book.ledger, ["gift-comes"], now=NOW + DAY)
    assert row["after"] == 0.9999
    # As of the moment of the watch it was not known yet.
    assert numbers(predictor(book, Watch("gift", NOW)), NOW)["gift-comes"] < 0.1


def test_what_is_over_needs_no_watch(own_book):
    book = own_book()
    assert "gift" in book.unwatched("gift-comes", as_of=NOW)
    later = tell(book, "It has been given", "gift=given", grade="A") + 30 * DAY
    (row,), warnings = update(book.ledger, ["gift-comes"], now=later)
    assert row["logged"]
    assert row["quiet"] is None
    assert not any("nobody has watched" in line for line in warnings)


def test_an_update_that_nobody_watched_shows_both_and_logs_neither(own_book):
    book = own_book()
    rows, warnings = update(book.ledger, [], now=NOW)
    open_rows = {row["question"]: row for row in rows if row["status"] == "open"}
    assert set(open_rows) >= {*FALLING, "bridge-holds"}
    for name in FALLING:
        assert open_rows[name]["quiet"] < open_rows[name]["after"]
    assert open_rows["bridge-holds"]["quiet"] > open_rows["bridge-holds"]["after"]
    assert not any(row["logged"] for row in rows)
    assert book.ledger.forecasts() == []
    assert any("nobody has watched" in line and "neither is logged" in line for line in warnings)
    rows, warnings = update(book.ledger, [], now=NOW, unwatched=True)
    assert {row["question"] for row in rows if row["logged"]} >= {*FALLING, "bridge-holds"}
    assert not any("neither is logged" in line for line in warnings)
    logged = {f.question: f.value.numbers[0] for f in book.ledger.forecasts(forecaster="model")}
    assert logged["gift-comes"] == pytest.approx(open_rows["gift-comes"]["after"], abs=1e-9)


def test_a_week_is_fresh_and_more_is_not(own_book):
    book = own_book()
    for days, logged in ((7, True), (8, False)):
        moment = parse_instant("2026-08-23T00:00:00Z") + days * DAY
        (row,), _ = update(book.ledger, ["gift-comes"], now=moment, dry_run=False)
        assert row["logged"] is logged, days
        assert (row["quiet"] is None) is logged


def test_watched_records_and_logs_in_one_transaction(own_book, monkeypatch):
    book = own_book()
    batches = []
    append = type(book.ledger).append

    def counted(self, drafts, **options):
        batches.append(len(drafts))
        return append(self, drafts, **options)

    monkeypatch.setattr(type(book.ledger), "append", counted)
    rows, warnings = update(book.ledger, [], now=NOW, watched=True, watcher="ana")
    assert len(batches) == 1
    assert not warnings
    watches = book.ledger.watches()
    assert {one.process for one in watches} == set(bundled_bank().world.processes)
    assert {(one.until, one.watcher) for one in watches} == {(NOW, "ana")}
    logged = {f.question: f.value.numbers[0] for f in book.ledger.forecasts(forecaster="model")}
    assert logged.keys() == {row["question"] for row in rows if row["gate"] == "passed"}
    assert logged["gift-comes"] < 0.1
    # Asked again at once, there is nothing new to say.
    again, _ = update(book.ledger, [], now=NOW, watched=True, watcher="ana")
    assert not any(row["logged"] for row in again)
    assert len(book.ledger.watches()) == len(watches)


def test_a_watch_of_a_dry_run_is_not_recorded(own_book):
    book = own_book()
    before = book.ledger.head()
    rows, _ = update(book.ledger, [], now=NOW, watched=True, dry_run=True)
    assert all(row["quiet"] is None for row in rows)
    assert book.ledger.head() == before


def test_what_is_due_is_shown_with_its_last_number_and_never_logged(own_book):
    book = own_book()
    first = parse_instant("2026-08-20T12:00:00Z")
    update(book.ledger, ["gift-soon"], now=first)
    (last,) = book.ledger.forecasts(question="gift-soon", forecaster="model")
    for names in ([], ["gift-soon"]):
        rows, _ = update(book.ledger, names, now=NOW, unwatched=True, everything=True)
        (row,) = [row for row in rows if row["question"] == "gift-soon"]
        assert (row["status"], row["logged"], row["after"]) == ("due", False, None)
        assert row["before"] == last.value.plain
    assert book.ledger.forecasts(question="gift-soon", forecaster="model") == [last]


def test_an_update_logs_what_changed_and_a_linked_group_as_a_whole(own_book):
    book = own_book()
    update(book.ledger, [], now=NOW, watched=True)
    book_head = len(book.ledger.forecasts(forecaster="model"))
    later = tell(book, "A draft is on its way", "text=table=x3")
    rows, _ = update(book.ledger, [], now=later)
    logged = {row["question"] for row in rows if row["logged"]}
    # The text, what it hastens, and what that slows hang together; gift and bridge stand apart.
    assert logged == {"text-lies", "truce-comes", "truce-comes-too", "both", "then", "convoys"}
    assert len(book.ledger.forecasts(forecaster="model")) == book_head + len(logged)
    text = next(row for row in rows if row["question"] == "text-lies")
    assert text["after"] > text["before"]
    assert [move["cause"].startswith("news-") for move in text["moved"]] == [True, False]
    # With --everything all are logged, and those that stand apart with no others.
    rows, _ = update(book.ledger, [], now=later, everything=True)
    assert all(row["logged"] for row in rows if row["gate"] == "passed")


def test_news_of_one_member_logs_its_whole_group_and_no_other(own_book):
    """A strike on convoys says nothing of the text, but the two hang together: never half of it."""
    book = own_book()
    update(book.ledger, [], now=NOW, watched=True)
    later = tell(book, "Two convoys lost", "convoy=x3")
    rows, _ = update(book.ledger, [], now=later)
    of = {row["question"]: row for row in rows}
    assert of["convoys"]["moved"]
    assert not of["text-lies"]["moved"]
    assert all(of[name]["logged"] for name in ("text-lies", "convoys"))
    assert not any(of[name]["logged"] for name in ("gift-comes", "bridge-holds"))
    # One whose own number stayed where it was says that it goes with the others.
    linked = [row for row in rows if row["linked"]]
    assert "text-lies" in [row["question"] for row in linked]
    for row in linked:
        assert not row["moved"]
        assert "one linked to it changed" in _note(row)
