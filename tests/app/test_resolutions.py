"""Outcomes have versions: corrected, contested, annulled, reopened; a score says which it reads."""

import dataclasses

import pandas as pd
import pytest

from forecasting import clock
from forecasting.app import book as books
from forecasting.app.book import Book
from forecasting.app.forecast.predict import Predictor, outcomes_known
from forecasting.app.ledger import resolve as use
from forecasting.app.ledger.log import log
from forecasting.app.ledger.resolve import followers, resolutions, scored
from forecasting.app.scores.compare import compare, leaderboard
from forecasting.app.scores.frame import Selection
from forecasting.app.scores.score import scores
from forecasting.app.upkeep.banks import load_bank
from forecasting.bank.usable import bundled_bank
from forecasting.domain import Condition
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput, NotFound
from tests import season as ours
from tests.app.quick import inputs
from tests.season import DAY, START, Diary

URL = "https://example.org/who-says-so"
BANK_NOW = pd.Timestamp("2026-11-22T12:00Z").to_pydatetime()


def at(day):
    return START + day * DAY


def one_forecast(kind="live"):
    """A question open for ten days, on which ann said .8 on day 1."""
    diary = Diary()
    question = ours.question("q", days=10)
    diary.write(0, question)
    diary.write(1, ours.said(question, "ann", 0.8, 1, kind=kind))
    return diary


def listed(ledger, day, **filters):
    with clock.at(at(day)):
        return Book(ledger, forecaster="ann", give=books.listed).questions(**filters)


def means(ledger, **wanted):
    return {r["forecaster"]: r["mean"] for r in scores(ledger, selection=Selection(**wanted))}


def record(ledger, what, day, *outcome, known=None, name="q", **fields):
    more = {} if what == "reopen" or known is None else {"at": at(known)}
    more |= {"sure": True} if what == "resolve" else {}
    more = {"source": URL, **more, **fields}
    return getattr(use, what)(ledger, name, *outcome, now=at(day), **more)


# One day of .25 before she spoke; then .04 if yes, .64 if no; from the outcome on .25 again.
YES_ON_5 = (0.25 + 4 * 0.04 + 5 * 0.25) / 10
NO_ON_5 = (0.25 + 4 * 0.64 + 5 * 0.25) / 10
NO_ON_8 = (0.25 + 7 * 0.64 + 2 * 0.25) / 10


@pytest.mark.parametrize(
    ("what", "outcome", "after"),
    [
        ("resolve", ("no",), {"ann": pytest.approx(NO_ON_5)}),
        ("annul", (), {}),
        ("reopen", (), {}),
        ("dispute", ("no",), {"ann": pytest.approx(YES_ON_5)}),
    ],
)
@pytest.mark.parametrize("kind", ["live", "backdated"])
def test_as_of_is_scored_with_what_stood_then(what, outcome, after, kind):
    diary = one_forecast(kind)
    record(diary.ledger, "resolve", 7, "yes", known=5)
    record(diary.ledger, what, 9, *outcome, **({"known": 5} if outcome else {}))
    # Nothing was recorded on day 6, when it could be known: a live table of that day had nothing.
    known = {"ann": pytest.approx(YES_ON_5)}
    assert means(diary.ledger, kind=kind, as_of=at(4)) == {}
    if kind == "live":
        assert means(diary.ledger, kind=kind, as_of=at(6)) == {}
    assert means(diary.ledger, kind=kind, as_of=at(8)) == known
    assert means(diary.ledger, kind=kind, as_of=at(9)) == after
    assert means(diary.ledger, kind=kind) == after


def test_three_readings_of_one_record():
    diary = one_forecast()
    record(diary.ledger, "resolve", 7, "yes", known=5)
    record(diary.ledger, "resolve", 8, "no", known=8)
    record(diary.ledger, "dispute", 9, "yes", known=5)
    assert means(diary.ledger) == {"ann": pytest.approx(NO_ON_8)}
    assert means(diary.ledger, reading="first") == {"ann": pytest.approx(YES_ON_5)}
    assert means(diary.ledger, reading="disputed") == {"ann": pytest.approx(YES_ON_5)}
    (row,) = scores(diary.ledger, selection=Selection(reading="first"))
    assert row["reading"] == "first"
    with pytest.raises(InvalidInput, match="reading"):
        scores(diary.ledger, selection=Selection(reading="mine"))


def test_a_version_scores_as_if_it_alone_had_been_recorded():
    entries = [
        ("resolve", 7, "yes", 5),
        ("dispute", 8, "no", 6),
        ("resolve", 9, "no", 8),
        ("dispute", 9.5, "yes", 9),
    ]
    diary = one_forecast()
    for what, day, outcome, known in entries:
        record(diary.ledger, what, day, outcome, known=known)
    rows = scored(diary.ledger, "q")
    assert [(r["version"], r["status"], r["outcome"], r["n"]) for r in rows] == [
        (1, "resolved", "yes", 1),
        (2, "disputed", "no", 1),
        (3, "resolved", "no", 1),
        (4, "disputed", "yes", 1),
    ]
    for row, (_, day, outcome, known) in zip(rows, entries, strict=True):
        alone = one_forecast()
        record(alone.ledger, "resolve", day, outcome, known=known)
        assert {row["forecaster"]: row["mean"]} == means(alone.ledger)
    assert [r["stands"] for r in resolutions(diary.ledger, "q")] == [False, False, True, False]


def test_a_version_without_an_outcome_scores_nobody():
    diary = one_forecast()
    record(diary.ledger, "resolve", 6, "yes", known=5)
    record(diary.ledger, "reopen", 7)
    record(diary.ledger, "annul", 8)
    rows = scored(diary.ledger, "q")
    assert [(r["status"], r["outcome"], r["n"]) for r in rows] == [
        ("resolved", "yes", 1),
        ("reopened", None, 0),
        ("annulled", "annulled", 0),
    ]
    # Annulled in the end, and yes at first.
    assert means(diary.ledger) == {}
    assert means(diary.ledger, reading="first") == {"ann": pytest.approx(YES_ON_5)}
    listed = resolutions(diary.ledger, "q")
    assert [(r["version"], r["stands"]) for r in listed] == [(1, False), (2, False), (3, True)]
    keys = {"question", "outcome", "resolved_at", "source", "version", "status", "seq", "id"}
    assert keys | {"recorded_at"} <= set(listed[0])


@pytest.mark.parametrize(
    ("before", "what", "outcome", "says", "way_out"),
    [
        ((), "reopen", (), "no outcome to take back", "forecast resolve q"),
        ((("annul",),), "annul", (), "already annulled", "forecast reopen q"),
        (
            (("resolve", "yes"),),
            "dispute",
            ("yes",),
            "is already the official outcome",
            "forecast resolutions q",
        ),
        (
            (("annul",),),
            "dispute",
            ("annulled",),
            "is already the official outcome",
            "forecast resolutions q",
        ),
        ((), "dispute", ("maybe",), "must be one of no, yes", ""),
        ((("resolve", "yes"), ("reopen",)), "reopen", (), "no outcome", "forecast resolve q"),
    ],
)
def test_bad_order_is_one_line_with_the_way_out(before, what, outcome, says, way_out):
    diary = one_forecast()
    for step, *words in before:
        record(diary.ledger, step, 6, *words)
    head = diary.ledger.head()
    with pytest.raises(InvalidInput, match=says) as refused:
        record(diary.ledger, what, 7, *outcome)
    assert way_out in refused.value.hint
    assert "\n" not in str(refused.value)
    assert diary.ledger.head() == head


@pytest.mark.parametrize(("what", "outcome"), [("resolve", ("yes",)), ("annul", ())])
def test_the_same_again_is_refused_and_a_new_source_or_note_is_a_version(what, outcome):
    diary = one_forecast()
    record(diary.ledger, what, 6, *outcome)
    for more in ({}, {"note": ""}):
        head = diary.ledger.head()
        with pytest.raises(InvalidInput, match=r"is already .* nothing was written"):
            record(diary.ledger, what, 7, *outcome, **more)
        assert diary.ledger.head() == head
    first = diary.ledger.resolutions()[0]
    for more in ({"source": "https://example.org/other"}, {"note": "as the second round said"}):
        record(diary.ledger, what, 8, *outcome, **more)
    versions = diary.ledger.resolutions()
    # The outcome keeps its moment where none is given.
    assert [one.version for one in versions] == [1, 2, 3]
    assert {(one.outcome, one.resolved_at) for one in versions} == {
        (first.outcome, first.resolved_at)
    }


@pytest.mark.parametrize("what", ["resolve", "dispute"])
def test_no_outcome_before_the_opening_nor_in_the_future(what):
    diary = Diary()
    diary.write(0, ours.question("q", opens=2, days=10))
    for known in (1, 2, 9):
        with pytest.raises(InvalidInput, match=r"opened at|in the future"):
            record(diary.ledger, what, 8, "yes", known=known)


def test_a_number_written_in_two_ways_is_one_outcome():
    from forecasting.domain import OutcomeSpace

    diary = Diary()
    diary.write(0, ours.question("q", days=10, space=OutcomeSpace("numeric", (), 0.0, 900.0, "")))
    record(diary.ledger, "resolve", 7, "697", known=5)
    with pytest.raises(InvalidInput, match="is already the official outcome"):
        record(diary.ledger, "dispute", 8, "697.0")


@pytest.mark.parametrize(("day", "status"), [(6, "open"), (11, "closed"), (13, "due")])
def test_after_reopening_the_clock_says_the_status(day, status):
    diary = Diary()
    question = dataclasses.replace(ours.question("q", days=10), resolves_by=at(12))
    diary.write(0, question)
    record(diary.ledger, "resolve", 5, "yes", known=5)
    (row,) = listed(diary.ledger, 5)
    assert (row["status"], row["outcome"]) == ("resolved", "yes")
    record(diary.ledger, "reopen", 5.5)
    (row,) = listed(diary.ledger, day)
    assert (row["status"], row["outcome"]) == (status, None)
    assert listed(diary.ledger, day, status=status)
    assert bool(Catalog.of(diary.ledger).open_at(at(day))) == (status == "open")
    assert not listed(diary.ledger, day, status="resolved")


def test_forecasts_may_be_logged_again_after_reopening():
    diary = one_forecast()
    more = {"forecaster": "ann", "probability": "0.3"}
    record(diary.ledger, "resolve", 5, "yes", known=5)
    with pytest.raises(InvalidInput, match="resolved yes"):
        log(diary.ledger, "q", now=at(6), **more)
    record(diary.ledger, "reopen", 7)
    log(diary.ledger, "q", now=at(7), **more)
    record(diary.ledger, "resolve", 10, "no", known=10)
    # .25 for a day, .8 for six, .3 for three; the time of the outcome taken back counts too.
    expected = (0.25 + 6 * 0.64 + 3 * 0.09) / 10
    assert means(diary.ledger) == {"ann": pytest.approx(expected)}


def ladder():
    diary = Diary()
    rungs = [
        dataclasses.replace(ours.question(f"l@2025-01-{d:02d}", days=d, event="l"), ladder="l")
        for d in (5, 10, 20)
    ]
    diary.write(0, *rungs)
    return diary


def standing(diary):
    outcomes = Catalog.of(diary.ledger).outcomes
    return {name[-2:]: version.outcome for name, version in outcomes.items()}


def test_a_ladder_means_the_rungs_that_the_word_fits():
    diary = ladder()
    record(diary.ledger, "resolve", 6, "no", name="l")
    assert standing(diary) == {"05": "no"}
    record(diary.ledger, "resolve", 8, "yes", known=7, name="l")
    assert standing(diary) == {"05": "no", "10": "yes", "20": "yes"}
    # Somebody says it had happened by the first deadline: only that rung says otherwise.
    rows = record(diary.ledger, "dispute", 9, "yes", known=4, name="l")
    assert [row["question"] for row in rows] == ["l@2025-01-05"]
    assert standing(diary) == {"05": "no", "10": "yes", "20": "yes"}
    with pytest.raises(InvalidInput, match="contests no rung"):
        record(diary.ledger, "dispute", 9, "yes", known=7, name="l")
    assert len(record(diary.ledger, "reopen", 10, name="l")) == 3
    assert standing(diary) == {}
    with pytest.raises(InvalidInput, match="no resolved rung"):
        record(diary.ledger, "reopen", 10, name="l")
    record(diary.ledger, "resolve", 11, "no", known=5, name="l")
    # An annulment leaves what has resolved.
    rows = record(diary.ledger, "annul", 12, name="l")
    assert [row["question"] for row in rows] == ["l@2025-01-10", "l@2025-01-20"]
    assert standing(diary) == {"05": "no", "10": "annulled", "20": "annulled"}


def test_no_rung_says_what_another_one_rules_out():
    diary = ladder()
    record(diary.ledger, "resolve", 6, "no", name="l@2025-01-05")
    record(diary.ledger, "resolve", 8, "yes", known=7, name="l@2025-01-10")
    with pytest.raises(InvalidInput, match="because l@2025-01-10 came out yes") as refused:
        record(diary.ledger, "resolve", 21, "no", name="l@2025-01-20")
    assert refused.value.hint == "correct that rung, and l@2025-01-20 follows"
    with pytest.raises(InvalidInput, match="cannot be yes, because l@2025-01-05 is no"):
        record(diary.ledger, "resolve", 9, "yes", known=4, name="l@2025-01-10")
    assert standing(diary) == {"05": "no", "10": "yes", "20": "yes"}
    diary = ladder()
    record(diary.ledger, "resolve", 16, "yes", known=15, name="l@2025-01-20")
    record(diary.ledger, "resolve", 17, "yes", known=7, name="l@2025-01-10")
    with pytest.raises(InvalidInput, match="cannot be no, because l@2025-01-10 is yes"):
        record(diary.ledger, "resolve", 21, "no", name="l@2025-01-20")


def test_to_resolve_as_annulled_is_to_annul():
    diary = one_forecast()
    record(diary.ledger, "resolve", 6, "annulled")
    (row,) = resolutions(diary.ledger)
    assert (row["question"], row["status"], row["stands"]) == ("q", "annulled", True)


def test_versions_are_scored_for_a_kind_that_there_is():
    with pytest.raises(InvalidInput, match="must be one of"):
        scored(one_forecast().ledger, "q", kind="guessed")


def conditional():
    diary = Diary()
    deal = ours.question("deal", days=10)
    venue = dataclasses.replace(ours.question("venue", days=20), condition=Condition("deal", "yes"))
    room = dataclasses.replace(ours.question("room", days=30), condition=Condition("venue", "yes"))
    diary.write(0, deal, venue, room)
    diary.write(1, ours.said(venue, "ann", 0.8, 1), ours.said(room, "ann", 0.8, 1))
    return diary


def statuses(diary, day):
    return {row["id"]: row["status"] for row in listed(diary.ledger, day)}


def test_a_question_follows_its_condition_there_and_back():
    diary = conditional()
    record(diary.ledger, "resolve", 5, "no", name="deal")
    assert statuses(diary, 6) == dict.fromkeys(("venue", "room"), "annulled") | {"deal": "resolved"}
    (row,) = resolutions(diary.ledger, "venue")
    assert (row["version"], row["outcome"], row["id"]) == (0, "annulled", None)
    assert "deal is no" in row["note"]
    with pytest.raises(InvalidInput, match="resolved annulled"):
        log(diary.ledger, "venue", now=at(6), forecaster="ann", probability="0.3")
    record(diary.ledger, "resolve", 7, "yes", known=5, name="deal")
    assert statuses(diary, 8) == {"deal": "resolved", "venue": "open", "room": "open"}
    record(diary.ledger, "reopen", 8, name="deal")
    assert statuses(diary, 8) == dict.fromkeys(("deal", "venue", "room"), "open")
    record(diary.ledger, "annul", 9, name="deal")
    assert statuses(diary, 9) == dict.fromkeys(("deal", "venue", "room"), "annulled")


def test_all_that_follows_an_outcome_is_told_through_rungs_and_conditions():
    diary = Diary()
    first, last = (
        dataclasses.replace(ours.question(f"l@{day}", days=days), ladder="l")
        for day, days in (("2025-01-10", 10), ("2025-01-20", 20))
    )
    without = dataclasses.replace(
        ours.question("without", days=20), condition=Condition(last.id, "no")
    )
    then = dataclasses.replace(
        ours.question("then", days=20), condition=Condition("without", "yes")
    )
    diary.write(0, first, last, without, then)
    record(diary.ledger, "resolve", 5, "yes", name=first.id)
    assert followers(diary.ledger, [{"question": first.id}], at(6)) == [
        f"without follows {last.id}: annulled",
        "then follows without: annulled",
        f"{last.id} is yes with it: {first.id} came out yes",
    ]


def test_an_outcome_counts_for_nobody_while_the_condition_fails():
    diary = conditional()
    record(diary.ledger, "resolve", 6, "yes", known=5, name="deal")
    record(diary.ledger, "resolve", 8, "yes", known=8, name="venue")
    counted = means(diary.ledger)
    assert counted
    record(diary.ledger, "resolve", 9, "no", known=5, name="deal")
    assert means(diary.ledger) == {}
    for what, outcome in (
        ("resolve", ("no",)),
        ("annul", ()),
        ("dispute", ("no",)),
        ("reopen", ()),
    ):
        with pytest.raises(InvalidInput, match="its condition failed") as refused:
            record(diary.ledger, what, 10, *outcome, name="venue")
        assert "deal" in refused.value.hint
    # As it stood on day 8, and again once the condition is put right.
    assert means(diary.ledger, as_of=at(8)) == counted
    record(diary.ledger, "resolve", 11, "yes", known=5, name="deal")
    assert means(diary.ledger) == counted


def test_what_was_annulled_in_its_own_name_stays_annulled():
    diary = conditional()
    record(diary.ledger, "annul", 4, name="venue")
    record(diary.ledger, "resolve", 5, "no", name="deal")
    record(diary.ledger, "resolve", 6, "yes", name="deal")
    assert statuses(diary, 7)["venue"] == "annulled"


def test_compare_and_leaderboard_follow_a_correction():
    diary = Diary()
    questions = [ours.question(f"q{i}", days=10) for i in range(8)]
    diary.write(0, *questions)
    for q in questions:
        diary.write(1, ours.said(q, "ann", 0.8, 1), ours.said(q, "bob", 0.2, 1))
    diary.write(10, *(ours.resolved(q, "yes", 10) for q in questions))

    def seen():
        comparison = compare(diary.ledger, "ann", "bob", now=at(40), resamples=99)
        rows, _ = leaderboard(diary.ledger, sample=False)
        return comparison["difference"], {row["forecaster"]: row["raw"] for row in rows}

    difference, raw = seen()
    assert difference < 0
    assert raw["ann"] < raw["bob"]
    for q in questions:
        record(diary.ledger, "resolve", 12, "no", known=10, name=q.id)
    swapped = pytest.approx({"ann": raw["bob"], "bob": raw["ann"]})
    assert seen() == (pytest.approx(-difference), swapped)
    record(diary.ledger, "annul", 13, name="q0")
    assert compare(diary.ledger, "ann", "bob", now=at(40), resamples=99)["n_shared"] == 7


def test_loading_the_bank_again_undoes_nothing(bank_book):
    name = "us-strikes-iran-2026"
    bank_book.dispute(name, "no", source=URL)
    bank_book.reopen(name, source=URL)
    head = bank_book.ledger.head()
    load_bank(bank_book.ledger, bundled_bank(), BANK_NOW)
    assert bank_book.ledger.head() == head
    assert name not in Catalog.of(bank_book.ledger).outcomes
    frame = bank_book.resolutions(name)
    assert frame["status"].tolist() == ["resolved", "disputed", "reopened"]
    assert frame["version"].tolist() == [1, 2, 3]
    with pytest.raises(NotFound):
        bank_book.annul("us-strikes", source=URL)


def test_no_contested_reading_reaches_a_forecast(bank_book):
    ledger = bank_book.ledger
    bank = bundled_bank()
    before = Catalog.of(ledger)

    def forecast_inputs():
        catalog = Catalog.of(ledger)
        predictor = Predictor(catalog, ledger.evidence(), bank, seed=0)
        encoded = {}
        for question in bank.questions[::6]:
            moment = min(question.closes, bank.observed_until) - DAY
            encoded[question.id] = inputs(predictor, question, moment)
        june = parse_instant("2026-06-01T00:00Z")
        return encoded, outcomes_known(catalog, june), catalog.open_at(june)

    clean = forecast_inputs()
    with clock.at(BANK_NOW):
        for question in before.questions.values():
            others = {"numeric": ("1", "2")}.get(question.type, question.space.options)
            outcome = next(o for o in others if o != before.outcome(question))
            early = min(question.opens + DAY / 2, BANK_NOW)
            bank_book.dispute(question.id, outcome, source=URL, at=early)
    assert Catalog.of(ledger) == before
    assert len(Catalog.of(ledger, reading="disputed").outcomes) == len(before.questions)
    assert forecast_inputs() == clean
