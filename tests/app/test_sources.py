"""Grading sources: an append-only word that overrides the items, and never looks like news."""

import datetime as dt

import pytest

from forecasting.app.news import add as news
from forecasting.app.news import shown as listing
from forecasting.errors import InvalidInput, NotFound

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
