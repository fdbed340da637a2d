"""What the score command counts: kinds, clocks, groups, references, and who was silent."""

import math

import pytest

from forecasting.app.book import Book
from forecasting.app.forecast.predict import outcomes_known
from forecasting.app.scores import frame as frames
from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.scores.score import scores
from forecasting.comparison.against import with_reference
from forecasting.domain.catalog import Catalog
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger
from tests import season as ours
from tests.season import DAY, START, Diary


@pytest.fixture(scope="module")
def ledger():
    return ours.season(events=12).ledger


def at(day):
    return START + day * DAY


def test_a_horizon_has_moments_of_its_own(ledger):
    (row, *_) = scores(ledger, by="horizon")
    assert row["window"] == "1 d before close"
    for more in ({"window": "last"}, {"missing": "uniform"}):
        with pytest.raises(InvalidInput, match="reads forecasts at fixed times"):
            scores(ledger, by="horizon", **more)


def test_gains_and_losses_without_end_have_no_mean():
    diary = Diary()
    asked = [ours.question(f"q{i}", days=10) for i in range(9)]
    diary.write(0, *asked)
    first = asked[0]
    for day, ann, bob in ((1, 0.0, 0.5), (5, 0.5, 0.0)):
        diary.write(day, ours.said(first, "ann", ann, day), ours.said(first, "bob", bob, day))
    for q in asked[1:]:
        diary.write(6, ours.said(q, "ann", 0.5, 6), ours.said(q, "bob", 0.6, 6))
    diary.write(11, *(ours.resolved(q, "yes", 10) for q in asked))
    for row in scores(diary.ledger, rule="peer", resamples=99):
        assert math.isnan(row["mean"])
        assert math.isnan(row["skill"])
        assert row["note"].startswith("undefined")
    assert [row["mean"] for row in scores(diary.ledger, rule="log", resamples=99)] == [math.inf] * 2


@pytest.mark.parametrize("by", ["question", "topic", "tag", "horizon", "month"])
def test_every_group_has_the_contracts_keys(ledger, by):
    rows = scores(ledger, by=by, against="climatology")
    keys = {
        "forecaster", "rule", "convention", "kind", "window", "proper", "n_questions",
        "n_forecasts", "n_events", "coverage", "possible_coverage", "mean", "lower", "upper",
        "skill", "reference", "difference", by,
    }  # fmt: skip
    assert rows
    assert keys <= set(rows[0])


def test_groups_by_topic_are_parts_of_the_whole(ledger):
    (whole,) = [r for r in scores(ledger) if r["forecaster"] == "ann"]
    parts = [r for r in scores(ledger, by="topic") if r["forecaster"] == "ann"]
    assert sum(r["n_questions"] for r in parts) == whole["n_questions"]
    total = sum(r["n_questions"] * r["mean"] for r in parts)
    assert total / whole["n_questions"] == pytest.approx(whole["mean"])


def test_months_follow_each_other_whichever_question_came_first():
    diary = Diary()
    asked = [ours.question(f"q{days}", days=days) for days in (100, 20, 60)]
    diary.write(0, *asked, *(ours.said(q, "ann", 0.5, 0.0) for q in asked))
    diary.write(100, *(ours.resolved(q, "yes", 10) for q in asked))
    rows = scores(diary.ledger, by="month")
    assert [row["month"] for row in rows] == ["2025-01", "2025-03", "2025-04"]


@pytest.mark.parametrize("rule", ["brier", "log", "spherical", "baseline"])
def test_skill_is_the_gain_over_uniform_in_every_rule(ledger, rule):
    for row in scores(ledger, rule=rule, against="uniform"):
        if row["forecaster"] == "uniform":
            assert row["skill"] == pytest.approx(0, abs=1e-12)
            continue
        sign = 1 if row["orientation"] == "larger" else -1
        assert row["skill"] == pytest.approx(sign * (row["mean"] - row["reference"]))


def test_silence_left_out_or_taken_as_uniform(ledger):
    def of_dan(missing):
        (row,) = [r for r in scores(ledger, missing=missing) if r["forecaster"] == "dan"]
        return row

    out, filled = of_dan("leave-out"), of_dan("uniform")
    assert out["n_questions"] < filled["n_questions"] == 24
    share = out["n_questions"] / 24
    assert filled["mean"] == pytest.approx(share * out["mean"] + (1 - share) * 0.25)


def test_climatology_counts_only_what_was_answered_and_closed():
    diary = Diary()
    first, second = ours.question("a", days=16), ours.question("b", opens=8, days=20)
    diary.write(0, first, second)
    diary.write(8, ours.said(first, "ann", 0.5, 1), ours.said(second, "ann", 0.5, 8))
    diary.write(28, ours.resolved(first, "yes", 10), ours.resolved(second, "no", 28))
    frame = with_reference(resolved(diary.ledger, Selection()), "climatology")
    rows = frame[(frame["forecaster"] == "climatology") & (frame["question"] == "b")]
    # At day 8 nothing was known; at day 13 there was a yes, but its question would close on day 16:
    # a no would not have been known. From day 18 on, one yes: 2/3.
    assert rows["forecast"].tolist() == pytest.approx([0.5, 0.5, 2 / 3, 2 / 3])
    # What an update or a replay logs of it counts alike.
    catalog = Catalog.of(diary.ledger)
    known = [outcomes_known(catalog, moment) for moment in rows["issued_at"]]
    assert [(1 + yes) / (2 + n) for yes, n in known] == pytest.approx(rows["forecast"].tolist())


def test_a_withdrawal_ends_it_and_a_replay_is_not_withdrawn():
    diary = Diary()
    asked = ours.question("q", days=10)
    diary.write(0, asked)
    diary.write(1, ours.said(asked, "ann", 1.0, 0), ours.withdrawn(asked, "ann", 5))
    diary.write(11, ours.resolved(asked, "yes", 10))
    (row,) = scores(diary.ledger)
    assert row["mean"] == pytest.approx(0.125)
    assert row["coverage"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"rule": "vibes"}, InvalidInput),
        ({"by": "mood"}, InvalidInput),
        ({"window": "spot@1.5"}, InvalidInput),
        ({"missing": "ignore"}, InvalidInput),
        ({"against": "nobody"}, NotFound),
        ({"selection": Selection(forecaster="nobody")}, NotFound),
    ],
)
def test_refusals(ledger, more, fault):
    with pytest.raises(fault):
        scores(ledger, **more)


TABLES = ("scores", "calibration", "pool_scores")


@pytest.mark.parametrize("table", TABLES)
def test_a_question_may_be_spelled_in_other_letters_and_must_be_there(ledger, table):
    book = Book(ledger, forecaster="ann")
    name = sorted(q.id for q in ledger.questions())[0]
    shown, wanted = (
        repr(getattr(book, table)(question=each)) for each in (f" {name.upper()}", name)
    )
    assert shown == wanted
    assert "nothing to show" not in shown
    with pytest.raises(NotFound):
        getattr(book, table)(question="nothing")


@pytest.mark.parametrize("kind", ["live", "imported"])
def test_a_table_about_one_question_reads_no_other_forecasts(kind, monkeypatch):
    diary = Diary()
    asked = [ours.question(f"q{i}", days=10) for i in range(3)]
    diary.write(0, *asked)
    for q in asked:
        diary.write(2, ours.said(q, "ann", 0.3, 1, kind=kind))
    diary.write(11, *(ours.resolved(q, "yes", 10) for q in asked))
    rows = []
    for module, reader in ((frames, "read_columns"), (Ledger, "forecasts")):
        real = getattr(module, reader)

        def counted(*args, real=real, **more):
            entries = real(*args, **more)
            rows.append(len(entries))
            return entries

        monkeypatch.setattr(module, reader, counted)
    whole = scores(diary.ledger, by="question", selection=Selection(kind=kind))
    assert max(rows) == 3
    rows.clear()
    (row,) = scores(diary.ledger, by="question", selection=Selection(kind=kind, question="q1"))
    assert max(rows) == 1
    assert row["mean"] == next(each["mean"] for each in whole if each["question"] == "q1")


def test_nothing_resolved_is_no_error():
    diary = Diary()
    asked = ours.question("q")
    diary.write(0, asked, ours.said(asked, "ann", 0.5, 0))
    assert scores(diary.ledger, selection=Selection(as_of=at(1))) == []
