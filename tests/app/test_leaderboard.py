"""The leaderboard ranks where it can, and says why where it cannot."""

import math

import numpy as np
import pandas as pd
import pytest

from forecasting.app.scores.compare import leaderboard
from forecasting.comparison.table import board
from forecasting.errors import InvalidInput
from tests import season as ours
from tests.season import Diary

KEYS = {"forecaster", "raw", "adjusted", "lower", "upper", "p_best", "component"}


def test_a_season_is_ranked_with_probabilities_that_sum_to_one():
    rows, notes = leaderboard(ours.season(events=16).ledger, sample=False)
    assert set(rows[0]) >= KEYS
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert sum(row["p_best"] for row in rows) == pytest.approx(1)
    assert any("Gaussian" in note for note in notes)


def test_an_interval_of_a_level_needs_twenty_events_here_as_in_every_table():
    bounded = []
    for events in (19, 24):
        rows, _ = leaderboard(ours.season(events=events).ledger, sample=False)
        for row in rows:
            assert (row["n_events"] >= 20) == (row["lower"] < row["adjusted"] < row["upper"])
            bounded.append(row["n_events"] >= 20)
    assert len(set(bounded)) == 2


def test_below_eight_events_nobody_is_ranked():
    rows, notes = leaderboard(ours.season(events=7).ledger)
    assert {(row["rank"], row["p_best"]) for row in rows} == {(None, None)}
    assert any("too few to rank" in note for note in notes)
    assert [row["forecaster"] for row in rows] == sorted(row["forecaster"] for row in rows)


def panel(people, events, seed=0, names="p"):
    rng = np.random.default_rng(seed)
    rows = [
        (f"{names}{p}", f"{names}{e}-{r}", f"{names}{e}", 0.1 * p + rng.normal(0, 0.02))
        for p in range(people)
        for e in range(events)
        for r in range(2)
    ]
    return pd.DataFrame(rows, columns=["forecaster", "question", "event", "score"])


def test_no_adjusted_score_is_shown_that_the_score_cannot_be():
    # Where both spoke bob was better by .5; what ann got on the rest, less .5, is no Brier score.
    rows = pd.DataFrame(
        [("ann", "a", 0.6), ("bob", "a", 0.1), *(("ann", f"b{n}", 0.1) for n in range(9))],
        columns=["forecaster", "question", "score"],
    )
    shown, notes = board(rows.assign(event=rows["question"]), bounds=(0.0, 1.0), sample=False)
    adjusted = {row["forecaster"]: row["adjusted"] for row in shown}
    assert adjusted["ann"] == pytest.approx(0.15)
    assert math.isnan(adjusted["bob"])
    assert any("1 adjusted score beyond what the score can be" in note for note in notes)
    plain, _ = board(rows.assign(event=rows["question"]), sample=False)
    assert min(row["adjusted"] for row in plain) < 0


def test_no_rank_across_groups_that_share_nothing():
    rows, notes = board(
        pd.concat([panel(3, 10), panel(2, 9, names="z")], ignore_index=True), sample=False
    )
    assert {row["component"] for row in rows if row["forecaster"].startswith("z")} == {1}
    assert all(row["rank"] is None for row in rows if row["component"] == 1)
    assert [row["rank"] for row in rows if row["component"] == 0] == [1, 2, 3]
    assert any("share no question" in note for note in notes)


def test_a_replay_ranks_nobody():
    rows, notes = board(panel(3, 10), withheld="a replay was written with hindsight")
    assert {row["rank"] for row in rows} == {None}
    assert "hindsight" in notes[0]


def test_equal_forecasters_share_the_chance_to_be_best():
    scored = panel(4, 12)
    scored["score"] = np.random.default_rng(5).normal(0.2, 0.1, len(scored))
    rows, _ = board(scored, sample=False)
    assert max(row["p_best"] for row in rows) < 0.8


def test_refusals():
    ledger = Diary().ledger
    for more in ({"window": "last"}, {"rule": "log"}, {"question_type": "odd"}, {"rule": "crps"}):
        with pytest.raises(InvalidInput):
            leaderboard(ledger, **more)
    assert leaderboard(ledger)[0] == []


def test_without_spread_nobody_is_ranked():
    rows = [
        (who, f"q{i}", f"e{i}", score)
        for i in range(12)
        for who, score in (("a", 0.1), ("b", 0.14))
    ]
    table = pd.DataFrame(rows, columns=["forecaster", "question", "event", "score"])
    board_rows, notes = board(table, sample=False)
    assert [row["rank"] for row in board_rows] == [None, None]
    assert all(math.isnan(row["lower"]) and row["p_best"] is None for row in board_rows)
    assert notes[0].startswith("no ranking: no spread")
