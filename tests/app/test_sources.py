"""Sources: grades that override the items, and what their reports were worth."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.news import add as news
from forecasting.app.news import shown as listing
from forecasting.app.scores.frame import Selection
from forecasting.app.scores.review import ALL, worth
from forecasting.domain import Evidence
from forecasting.errors import InvalidInput, NotFound
from tests import season as ours

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def ledger(bank_book):
    return bank_book.ledger


def _row(ledger, source, as_of=NOW):
    return next(
        row
        for row in listing.source_rows(ledger, as_of=as_of, now=NOW + 9 * DAY)
        if row["source"] == source
    )


def test_the_list_shows_prior_and_learned_for_every_source_the_bank_names(ledger):
    rows = listing.source_rows(ledger, as_of=NOW, now=NOW)
    named = {item.source for item in ledger.evidence()}
    assert {row["source"] for row in rows} == named
    for row in rows:
        assert 0 < row["lower"] < row["reliability"] < row["upper"] < 1
        assert row["prior_lower"] < row["prior"] < row["prior_upper"]
    counts = [row["claims"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert all(row["right"] + row["wrong"] <= row["claims"] for row in rows)


def test_the_bank_itself_teaches_nothing_before_its_first_resolution(ledger):
    first = min(resolution.resolved_at for resolution in ledger.resolutions())
    for row in listing.source_rows(ledger, as_of=first - DAY, now=NOW):
        assert row["claims"] == 0
        assert row["reliability"] == pytest.approx(row["prior"], abs=1e-12)


def test_a_grade_counts_from_now_on_and_the_latest_one_wins(ledger):
    news.add(ledger, "A", source="wire", known_at=NOW - DAY, now=NOW, grade="D")
    assert _row(ledger, "wire")["grade"] == "D"
    row = news.set_grade(ledger, "wire", "b", now=NOW)
    assert (row["before"], row["grade"]) == ("D", "B")
    news.set_grade(ledger, "wire", "A", now=NOW + DAY)
    assert _row(ledger, "wire")["grade"] == "B"
    assert _row(ledger, "wire", NOW + DAY)["grade"] == "A"
    assert _row(ledger, "wire", NOW - DAY / 2)["grade"] == "D"


def _rows_without_weights(ledger, everything):
    """What was said; what it weighs depends on who said it."""
    weights = ("then", "now", "moves")
    rows = listing.rows(ledger, everything=everything, now=NOW)
    return [{key: value for key, value in row.items() if key not in weights} for row in rows]


def test_a_grading_is_no_news_and_touches_no_question(ledger):
    news.add(ledger, "A", source="wire", known_at=NOW - DAY, now=NOW, on=["leaders-meet=x2"])
    listed = {everything: _rows_without_weights(ledger, everything) for everything in (False, True)}
    grading = news.set_grade(ledger, "wire", "B", now=NOW, because="named sources")
    for everything, before in listed.items():
        assert _rows_without_weights(ledger, everything) == before
    assert not news.add(ledger, "Grade of wire: B", source="x", known_at=NOW, now=NOW)["similar"]
    with pytest.raises(InvalidInput, match="grades a source"):
        news.retract(ledger, str(grading["seq"]), because="no", now=NOW)
    questions = {q.id for q in ledger.questions()} | {q.ladder for q in ledger.questions()}
    (entry,) = [item for item in ledger.evidence() if item.stream == "sources"]
    assert {effect.target for effect in entry.effects} == {"source/wire"}
    assert not {effect.target for effect in entry.effects} & questions
    assert _row(ledger, "wire")["items"] == 1
    assert all(
        row["source"] != "analyst" for row in listing.source_rows(ledger, as_of=NOW, now=NOW)
    )


@pytest.mark.parametrize(("name", "grade"), [("wire", "G"), ("", "B"), ("x" * 201, "B")])
def test_what_is_no_grade_or_no_name_is_refused(ledger, name, grade):
    before = ledger.head()
    with pytest.raises(InvalidInput):
        news.set_grade(ledger, name, grade, now=NOW, new=True)
    assert ledger.head() == before


def test_a_mistyped_source_is_not_graded_by_mistake(ledger):
    news.add(ledger, "A", source="Some wire", known_at=NOW - DAY, now=NOW)
    with pytest.raises(NotFound, match="Some wire, or new=True"):
        news.set_grade(ledger, "Some wre", "B", now=NOW)
    news.set_grade(ledger, "Some wre", "B", now=NOW, new=True)
    assert _row(ledger, "Some wre")["items"] == 0


def kept(events, moves, *, rungs=1, path="sqlite:///:memory:"):
    """Each event comes; the model says 50 %, then moves by what `moves` says of each source."""
    diary = ours.Diary(path)
    for number in range(events):
        asked = [ours.question(f"q{number}-{rung}", event=f"e{number}") for rung in range(rungs)]
        items = [
            Evidence(f"{who}-{number}", "report", "A report", who, ours.START + 5 * ours.DAY, ())
            for who in moves
            if who != "time"
        ]
        total = sum(moves.values())
        p = round(1 / (1 + 2.718281828459045**-total), 9)
        moved = json.dumps(
            [[who if who == "time" else f"{who}-{number}", [by]] for who, by in moves.items()]
        )
        after = [replace(ours.said(q, "model", p, 6.0), meta={"moved": moved}) for q in asked]
        diary.write(0, *asked, *(ours.said(q, "model", 0.5, 0.0) for q in asked))
        diary.write(5, *items)
        diary.write(6, *after)
    for number in range(events):
        diary.write(20, *(ours.resolved(ours.question(f"q{number}-{rung}", event=f"e{number}"),
                                        "yes" if number % 4 else "no", 20.0)
                          for rung in range(rungs)))  # fmt: skip
    return diary.ledger


def worth_of(events, moves, **more):
    return worth(kept(events, moves, **more), Selection())


def test_a_source_is_charged_with_what_its_own_reports_moved():
    rows = worth_of(12, {"wire": 1.0, "rumour": -1.0, "time": 0.5})
    # Without the wire's +1 the number was e^-.5; three events in four came.
    with_it, without = 1 / (1 + 2.718281828459045**-0.5), 1 / (1 + 2.718281828459045**0.5)
    by_hand = 0.75 * ((1 - with_it) ** 2 - (1 - without) ** 2) + 0.25 * (with_it**2 - without**2)
    assert rows["wire"]["change"] == pytest.approx(by_hand)
    assert rows["wire"]["change"] < 0 < rows["rumour"]["change"]
    # Together they moved nothing, and time is nobody's report.
    assert rows[ALL]["change"] == pytest.approx(0)
    assert list(rows) == ["rumour", "wire", ALL]
    assert (rows["wire"]["reports"], rows[ALL]["reports"]) == (12, 24)


def test_below_eight_events_nothing_is_said():
    row = worth_of(7, {"wire": 1.0}, rungs=3)["wire"]
    assert (row["moved_questions"], row["moved_events"], row["moves"]) == (21, 7, 21)
    assert row["verdict"] == "too few: 7 of 8 events"
    assert [row[name] for name in ("change", "change_lower", "change_upper")] == [None] * 3
    assert worth_of(8, {"wire": 1.0})["wire"]["change"] is not None


def test_rungs_of_one_event_are_no_more_events():
    one, three = (worth_of(12, {"wire": 0.6}, rungs=rungs)["wire"] for rungs in (1, 3))
    assert three["change_lower"] == pytest.approx(one["change_lower"])
    assert three["change_upper"] == pytest.approx(one["change_upper"])


def test_a_number_weighs_the_same_however_its_question_ended():
    # A yes ends its question after one number, a no leaves time for three. A mean a question would
    # weigh the one number of a yes three times, and find noise that points to yes of use.
    diary, up = ours.Diary(), 1 / (1 + 2.718281828459045**-0.5)
    meta = {"moved": json.dumps([["wire-0", [0.5]]])}
    asked = [ours.question(f"q{number:02d}") for number in range(16)]
    diary.write(0, *asked, Evidence("wire-0", "report", "A report", "wire", ours.START, ()))
    for day in (6.0, 12.0, 18.0):
        still = [q for n, q in enumerate(asked) if n % 4 or day < 8]
        diary.write(
            day, *(replace(ours.said(q, "model", round(up, 9), day), meta=meta) for q in still)
        )
        diary.write(8, *(ours.resolved(q, "yes", 8.0) for q in asked[::4] if day < 8))
    diary.write(30, *(ours.resolved(q, "no", 30.0) for n, q in enumerate(asked) if n % 4))
    row = worth(diary.ledger, Selection())["wire"]
    gain = {y: (up - y) ** 2 - 0.25 for y in (0, 1)}
    assert (row["moves"], row["moved_questions"]) == (40, 16)
    assert row["change"] == pytest.approx((4 * gain[1] + 36 * gain[0]) / 40)


def test_a_question_that_runs_on_does_not_count_for_its_early_answer(tmp_path):
    # Answered on day 20, to close on day 40: those that stay quiet till then are not in it yet.
    path = str(tmp_path / "kept.db")
    kept(12, {"wire": 1.0}, path=path).close()
    for day, events in ((30, None), (41, 12)):
        with clock.at(ours.START + day * ours.DAY), Book.plain(path, forecaster="ann") as book:
            rows = {row["source"]: row for row in book.sources(kind="live")}
        assert rows["wire"].get("moved_events") == events


def test_the_verdict_follows_the_interval():
    assert worth_of(40, {"wire": 0.5})["wire"]["verdict"] == "better after"
    assert worth_of(40, {"wire": -0.5})["wire"]["verdict"] == "worse after"
    assert worth_of(8, {"wire": 1.0})["wire"]["verdict"] == "may be chance"


def test_where_nothing_resolved_or_nothing_moved_there_is_no_row():
    assert worth(ours.Diary().ledger, Selection()) == {}
    assert worth_of(9, {"time": 1.0}) == {}
