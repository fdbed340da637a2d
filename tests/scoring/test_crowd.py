"""Scores against the others: by hand, on a daily grid, and what they cannot promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import crowd, lifetime, log_score, metaculus, relative_brier
from tests.scoring.frames import day
from tests.scoring.frames import frame as frame_of


def frame(rows, *, closed=None, outcome=1):
    """Rows of (forecaster, probability, day)."""
    who, forecasts, days = zip(*rows, strict=True)
    ended = pd.NaT if closed is None else day(closed)
    return frame_of(forecasts, days, forecaster=list(who), closed_at=ended, outcome=outcome)


def by_name(table):
    return dict(zip(table["forecaster"], table["score"], strict=True))


def test_peer_by_hand():
    # Days 0-5: a .8 against b .4, ln 2 ahead. Days 5-10: c says .2 too; the others' geometric mean
    # of (.4, .2) is sqrt(.08): a is ln .8 - ln sqrt(.08) ahead.
    scores = by_name(
        lifetime.score(frame([("a", 0.8, 0), ("b", 0.4, 0), ("c", 0.2, 5)]), rule="peer")
    )
    assert scores["a"] == pytest.approx(50 * np.log(2) + 50 * (np.log(0.8) - np.log(0.08) / 2))
    assert sum(scores.values()) == pytest.approx(0, abs=1e-9)


ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 19).map(lambda k: k / 20), st.integers(0, 9)),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row[0], row[2]),
)


@given(rows=ROWS, outcome=st.integers(0, 1), closed=st.none() | st.integers(1, 9))
def test_peer_is_the_platforms(rows, outcome, closed):
    table = frame(rows, outcome=outcome, closed=closed)
    ours = by_name(lifetime.score(table, rule="peer"))
    theirs = metaculus.peer(
        [p for _, p, _ in rows],
        outcome,
        issued_at=[float(at) for *_, at in rows],
        forecaster=[who for who, *_ in rows],
        opens=0.0,
        closes=10.0,
        closed_at=closed,
    )
    total = dict.fromkeys(ours, 0.0)
    for (who, *_), points in zip(rows, np.atleast_1d(theirs.score), strict=True):
        total[who] += float(points)
    assert ours == pytest.approx(total, abs=1e-8)


@given(rows=ROWS, outcome=st.integers(0, 1))
def test_relative_is_the_daily_one_where_all_changes_fall_on_days(rows, outcome):
    names = sorted({who for who, *_ in rows})
    grid = np.full((len(names), 10), np.nan)
    for who, p, at in sorted(rows, key=lambda row: row[2]):
        grid[names.index(who), at:] = p
    scores = by_name(
        lifetime.score(frame(rows, outcome=outcome), rule="relative", convention="full")
    )
    assert [scores[who] for who in names] == pytest.approx(relative_brier(grid, outcome).tolist())


def test_a_question_is_never_cut_by_a_batch(monkeypatch):
    rng = np.random.default_rng(0)
    parts = []
    for number in range(6):
        rows = [(f"p{i}", rng.uniform(0.1, 0.9), rng.integers(0, 9)) for i in range(5)]
        parts.append(frame(rows).assign(question=f"q{number}"))
    table = pd.concat(parts, ignore_index=True)
    whole = lifetime.score(table, rule="peer")["score"]
    monkeypatch.setattr(crowd, "_BATCH", 3)
    pd.testing.assert_series_equal(lifetime.score(table, rule="peer")["score"], whole)


def test_a_zero_that_failed_loses_everything_unless_all_share_it():
    score = -np.log(np.array([0.0, 0.5, 0.0, 0.0, 0.3]), where=[False, True, False, False, True],
                    out=np.full(5, -np.inf))  # fmt: skip
    difference = crowd.difference(score, np.array([0, 0, 1, 1, 2]), "peer")
    assert difference.tolist() == [-np.inf, np.inf, 0.0, 0.0, 0.0]
    # Company in the error is no shelter from those who were not in it.
    difference = crowd.difference(np.array([np.inf, np.inf, 0.7]), np.zeros(3, dtype=int), "peer")
    assert difference.tolist() == [-np.inf, -np.inf, np.inf]


def test_they_are_marked_improper_and_baseline_is_not():
    table = frame([("a", 0.8, 0), ("b", 0.4, 0)])
    for rule, proper, larger in (
        ("peer", False, True),
        ("relative", False, False),
        ("baseline", True, True),
        ("spherical", True, False),
    ):
        scores = lifetime.score(table, rule=rule)
        assert set(scores["proper"]) == {proper}
        assert set(scores["larger_is_better"]) == {larger}


def test_who_trails_gains_by_silence_under_peer_and_nothing_under_brier():
    # b knows to be worse informed; with the chance at .8, honest .5 against .8.
    def expected(rows, rule):
        scores = [
            by_name(lifetime.score(frame(rows, outcome=y), rule=rule)).get("b", 0.0) for y in (0, 1)
        ]
        return 0.2 * scores[0] + 0.8 * scores[1]

    both = [("a", 0.8, 0), ("b", 0.5, 0)]
    assert expected(both, "peer") < 0 == expected(both[:1], "peer")
    assert expected(both, "brier") == pytest.approx(0.25)


def test_baseline_is_the_log_score_turned_and_uncovered_time_is_chance():
    table = frame([("a", 0.8, 5)])
    (points,) = lifetime.score(table, rule="baseline")["score"]
    assert points == pytest.approx(0.5 * 100 * (1 - log_score([0.8], [1])[0] / np.log(2)))
    platform = metaculus.baseline([0.8], 1, issued_at=[5.0], opens=0.0, closes=10.0)
    assert points == pytest.approx(float(np.sum(platform.score)))
