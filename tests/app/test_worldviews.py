"""Worldviews in use: which outcomes count when, what the pool says, the command's table."""

import datetime as dt
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import clock
from forecasting.app.book import open_book
from forecasting.app.forecast.worldviews import (
    weights_at,
    worldview_rows,
)
from forecasting.bank.usable import bundled_bank
from forecasting.cli import run
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import Forecast, model_value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.provenance import ReplayMark
from forecasting.domain.resolution import Resolution
from forecasting.pooling.worldview_weights import Ensemble, Spoken, counted

A, B = "worldview:a", "worldview:b"
BINARY = OutcomeSpace.binary()
ORDERED = OutcomeSpace("ordered", ("none", "soft", "firm"))


def day(number):
    return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


def question(name, *, event="", space=BINARY):
    return SimpleNamespace(
        id=name, event=event or name, opens=day(0), closes=day(10), space=space, type=space.type
    )


def forecast(who, name, numbers, at=0):
    space = BINARY if isinstance(numbers, float) else ORDERED
    values = [numbers] if isinstance(numbers, float) else numbers
    return Forecast(name, "", who, model_value(space, values), day(at), "replay")


def catalog(*questions, **outcomes):
    resolutions = {
        name: Resolution(name, outcome, day(at), "wire") for name, (outcome, at) in outcomes.items()
    }
    return Catalog({q.id: q for q in questions}, resolutions)


def weights(cat, forecasts, as_of, *names):
    ensemble = weights_at(cat, Spoken(forecasts), day(as_of), names or (A, B))
    return [round(weight, 4) for weight in ensemble.weights.values()]


def test_an_outcome_counts_after_it_was_known_and_its_window_over():
    cat = catalog(question("q"), q=("yes", 7))
    forecasts = [forecast(A, "q", 0.8), forecast(B, "q", 0.2)]
    assert weights(cat, forecasts, 9) == [0.5, 0.5]
    assert weights(cat, forecasts, 10) == [0.6667, 0.3333]
    late = catalog(question("q"), q=("yes", 12))
    # Known at that very moment is not known before it.
    assert weights(late, forecasts, 12) == [0.5, 0.5]
    assert weights(late, forecasts, 12.1) == [0.6667, 0.3333]


def test_what_was_said_in_the_middle_counts_and_not_what_came_after():
    cat = catalog(question("q"), q=("yes", 10))
    forecasts = [forecast(A, "q", 0.8), forecast(B, "q", 0.2), forecast(B, "q", 0.99, at=5.1)]
    assert weights(cat, forecasts, 11) == [0.6667, 0.3333]
    over = catalog(question("q"), q=("yes", 4))
    assert weights(over, forecasts, 11) == [0.5, 0.5]


def test_a_silence_counts_for_nobody():
    cat = catalog(question("q"), question("r"), q=("yes", 10), r=("no", 10))
    forecasts = [forecast(A, "q", 0.8), forecast(B, "q", 0.2), forecast(A, "r", 0.1)]
    ensemble = weights_at(cat, Spoken(forecasts), day(11), [A, B])
    assert ensemble.questions == ("q",)
    assert ensemble.n_events == 1


def test_options_count_and_numbers_and_annulled_questions_do_not():
    number = question("n", space=OutcomeSpace("numeric", lower=0, upper=1))
    options = question("o", space=ORDERED)
    cat = catalog(number, options, question("x"), n=("0.5", 9), o=("soft", 9), x=("annulled", 9))
    assert [item.question.id for item in counted(cat, day(11))] == ["o"]
    forecasts = [forecast(A, "o", [0.1, 0.8, 0.1]), forecast(B, "o", [0.7, 0.2, 0.1])]
    assert weights(cat, forecasts, 11) == [0.6667, 0.3333]


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.floats(0, 1), st.floats(5.01, 20)), max_size=6)
)
def test_no_forecast_or_outcome_of_later_changes_the_weights(later):
    forecasts = [
        forecast(A, "q", 0.8),
        forecast(B, "q", 0.2),
        forecast(A, "r", 0.8),
        forecast(B, "r", 0.2),
    ]
    poison = [forecast(who, name, p, at) for who, p, at in later for name in ("q", "r")]
    now = catalog(question("q"), question("r"), q=("yes", 8), r=("no", 14))
    other = catalog(question("q"), question("r"), q=("yes", 8), r=("yes", 14))
    known = weights(now, forecasts, 12)
    assert weights(other, [*forecasts, *poison], 12) == known
    assert weights(now, list(reversed([*forecasts, *poison])), 12) == known


def test_the_pool_weighs_members_and_keeps_sums_and_ladders():
    ensemble = Ensemble({A: 0.75, B: 0.25})
    assert ensemble.pool(question("q"), {A: [0.8], B: [0.4]}) == [pytest.approx(0.7)]
    # A refused member is left out and the rest normalised.
    assert ensemble.pool(question("q"), {B: [0.4]}) == [0.4]
    options = ensemble.pool(question("o", space=ORDERED), {A: [0.1, 0.2, 0.7], B: [0.5, 0.4, 0.1]})
    assert sum(options) == pytest.approx(1.0)
    number = question("n", space=OutcomeSpace("numeric", lower=0, upper=9))
    levels = [float(level) for level in range(1, 100)]
    spread = [level / 10 for level in levels]
    pooled = ensemble.pool(number, {A: spread, B: spread}, levels)
    assert pooled == pytest.approx(spread, abs=0.03)


def test_the_pool_is_recalibrated_from_twenty_events_on():
    def world(n):
        names = [f"q{i:02d}" for i in range(n)]
        cat = catalog(
            *(question(name) for name in names),
            **{name: ("no" if i % 4 else "yes", 9) for i, name in enumerate(names)},
        )
        forecasts = [
            forecast(who, name, 0.6) for who in (A, B, "pool:worldviews") for name in names
        ]
        return weights_at(cat, Spoken(forecasts), day(11), [A, B])

    few, many = world(19), world(20)
    assert few.pool(question("q"), {A: [0.6], B: [0.6]}) == [0.6]
    # It said .6 where a quarter came true.
    (mended,) = many.pool(question("q"), {A: [0.6], B: [0.6]})
    assert 0.3 < mended < 0.5
    assert "says little" in few.reading
    assert "says little" not in many.reading


RUNG, MEETING = "general-ceasefire-2025@2025-04-30", "leaders-meet@2025-12-31"
RUN = "a-run"


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A finished run in which 003 and the model speak from March, and 004 from the end of May."""
    path = tmp_path_factory.mktemp("worldviews") / "wv.db"
    with open_book(str(path), create=True) as book:
        questions = {question.id: question for question in book.ledger.questions()}

        def forecast(who, name, p, at):
            value = model_value(BINARY, [p])
            wording = questions[name].wording_hash
            return Forecast(name, wording, who, value, at, "replay", run=RUN)

        march, may = (dt.datetime(2025, month, 25, tzinfo=dt.UTC) for month in (3, 5))
        end = {"to": "2025-09-30T21:00:00Z"}
        drafts = [
            ReplayMark(RUN, "started", book.ledger.head().seq, end),
            *(forecast(who, RUNG, 0.02, march) for who in ("model", "worldview:003")),
            *(forecast(who, MEETING, 0.1, may) for who in ("model", "worldview:003")),
            forecast("worldview:004", MEETING, 0.01, may),
            ReplayMark(RUN, "finished", book.ledger.head().seq, {}),
        ]
        book.ledger.append(drafts, recorded_at=clock.now())
        yield book, path


def test_the_table_of_a_replay(replayed):
    book, _ = replayed
    rows, notes = worldview_rows(book.ledger, bundled_bank(), now=clock.now())
    assert "no worldview has a live forecast" in notes[0]
    assert "says little" in notes[-1]
    assert {row["worldview"]: row["weight"] for row in rows} == {"003": 0.5, "004": 0.5}
    by_name = {row["worldview"]: row for row in rows}
    one = by_name["003"]
    assert (one["n_resolved"], one["n_events"], one["n_scored"]) == (1, 1, 1)
    # .02 from 25 March to 30 April, .25 before: between the two.
    assert 0.02**2 < one["brier"] < 0.25
    # 004 came later: it is not judged on the first rung.
    assert by_name["004"]["n_resolved"] == 0
    for claim in (claim for row in rows for claim in row["claims"]):
        assert claim["score_low"] <= claim["score"] <= claim["score_high"]
        assert claim["outcome"] in (0.0, 1.0)
    assert one["n_claims"] == len(one["claims"]) > 0
    assert one["claims_low"] <= one["claims_score"] <= one["claims_high"]
    assert one["differs"] == []
    assert by_name["004"]["differs"] == [{"question": MEETING, "says": 0.01, "model": 0.1}]


def test_before_anything_resolved_weights_are_equal(replayed):
    book, _ = replayed
    early = dt.datetime(2025, 4, 20, tzinfo=dt.UTC)
    rows, _ = worldview_rows(book.ledger, bundled_bank(), now=clock.now(), at=early)
    assert {row["weight"] for row in rows} == {1 / len(rows)}
    assert all(row["brier"] is None and not row["claims"] for row in rows)


def test_the_command(replayed, capsys):
    command = ["--db", str(replayed[1]), "worldviews"]
    assert run([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    assert {"worldview", "weight", "n_resolved", "brier"} <= set(json.loads(out)[0])
    assert "no worldview has a live forecast" in err
    assert run(command) == 0
    assert "003" in capsys.readouterr().out
