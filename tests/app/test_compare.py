"""Forecasters compared on what they share, in no order that an outcome alters, and ranked."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecasting.app.scores.compare import compare, leaderboard
from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.scores.score import known_forecaster, left_out, scores
from forecasting.comparison.against import shared
from forecasting.comparison.table import board
from forecasting.errors import InvalidInput, NotFound
from tests import season as ours
from tests.season import DAY, START, Diary

NOW = START + 900 * DAY
KEYS = {
    "n_shared", "n_events", "difference", "lower", "upper", "detectable", "cs_lower", "cs_upper",
    "e_a", "e_b", "reading",
}  # fmt: skip


@pytest.fixture(scope="module")
def ledger():
    return ours.season(events=20, seed=3).ledger


def test_swapping_the_two_mirrors_everything(ledger):
    one, other = (compare(ledger, a, b, now=NOW) for a, b in (("ann", "dan"), ("dan", "ann")))
    assert set(one) >= KEYS
    assert one["difference"] == pytest.approx(-other["difference"])
    assert one["lower"] == pytest.approx(-other["upper"])
    assert one["cs_lower"] == pytest.approx(-other["cs_upper"])
    assert (one["e_a"], one["e_b"]) == pytest.approx((other["e_b"], other["e_a"]))
    assert one["n_shared"] == one["n_b"] < one["n_a"]
    assert "ann" in one["reading"]
    assert " A " not in one["reading"]


def test_few_events_give_an_answer_without_an_interval():
    result = compare(ours.season(events=4).ledger, "ann", "bob", now=NOW)
    assert result["lower"] != result["lower"]
    assert "too few: 4 events" in result["reading"]


def test_an_early_resolution_waits_and_a_late_answer_holds_up():
    diary = Diary()
    asked = [ours.question(f"q{i}", opens=i, days=10) for i in range(4)]
    diary.write(0, *asked)
    for i, one in enumerate(asked):
        diary.write(i, ours.said(one, "ann", 0.8, i), ours.said(one, "bob", 0.3, i))
    diary.write(8, ours.resolved(asked[3], "yes", 7))
    early = compare(diary.ledger, "ann", "bob", now=START + 9 * DAY)
    counts = ("n_shared", "steps", "waiting", "held_by")
    assert [early[name] for name in counts] == [1, 0, 1, None]
    diary.write(14, ours.resolved(asked[0], "yes", 10), ours.resolved(asked[2], "yes", 12))
    result = compare(diary.ledger, "ann", "bob", now=START + 20 * DAY)
    assert (result["steps"], result["held_by"]) == (1, "q1")
    assert "resolve it or annul it" in result["reading"]
    diary.write(21, ours.resolved(asked[1], "no", 11))
    done = compare(diary.ledger, "ann", "bob", now=START + 22 * DAY)
    assert (done["steps"], done["held_by"]) == (4, None)


def test_a_name_is_known_or_not_without_reading_what_it_said(monkeypatch):
    diary, asked = Diary(), ours.question("q")
    replayed = ours.said(asked, "model", 0.2, 0, kind="replay")
    diary.write(0, asked, ours.said(asked, "ann", 0.2, 0), replace(replayed, run="r"))
    monkeypatch.setattr(type(diary.ledger), "forecasts", None)
    for name in ("", "ann", "model"):
        known_forecaster(diary.ledger, name)
    for name, near in (("anne", "ann"), ("modle", "model"), ("zoe", "ann")):
        with pytest.raises(NotFound, match=f"no forecaster named {name}") as absent:
            known_forecaster(diary.ledger, name)
        assert absent.value.hint == near


def early_season():
    """Twelve questions of forty days; three come by day ten, and nine never will."""
    diary = Diary()
    asked = [ours.question(f"q{i:02d}") for i in range(12)]
    diary.write(0, *asked)
    for who, p in (("yea", 0.7), ("cal", 0.25)):
        diary.write(0, *(ours.said(q, who, p, 0) for q in asked))
    diary.write(10, *(ours.resolved(q, "yes", 9) for q in asked[:3]))
    return diary, asked


def test_early_answers_are_said_to_favour_who_expects_them():
    diary, asked = early_season()
    now = START + 11 * DAY
    result = compare(diary.ledger, "yea", "cal", now=now)
    # Who says yes too often is the better on what has been answered so far.
    assert result["difference"] < 0
    assert "3 of the 3 were answered before a close that is still to come" in result["reading"]
    notes = left_out(diary.ledger, Selection(), now=now)
    assert any("3 questions were answered before a scheduled close" in note for note in notes)
    closed = Selection(closed_by=now)
    assert compare(diary.ledger, "yea", "cal", now=now, selection=closed)["n_shared"] == 0
    assert not any("still to come" in note for note in left_out(diary.ledger, closed, now=now))
    diary.write(41, *(ours.resolved(q, "no", 40) for q in asked[3:]))
    done = compare(diary.ledger, "yea", "cal", now=START + 42 * DAY)
    assert done["difference"] > 0
    assert "still to come" not in done["reading"]
    assert left_out(diary.ledger, Selection(), now=START + 42 * DAY) == []


def test_nobody_is_compared_on_time_before_both_had_spoken():
    # Bob joins on day 5, after ann was wrong for five days: from there they are equal.
    diary = Diary()
    asked = ours.question("q", days=10)
    diary.write(0, asked, ours.said(asked, "ann", 0.1, 0))
    diary.write(5, ours.said(asked, "ann", 0.7, 5), ours.said(asked, "bob", 0.7, 5))
    diary.write(10, ours.resolved(asked, "yes", 10))
    assert compare(diary.ledger, "ann", "bob", now=NOW)["difference"] == pytest.approx(0)


def test_the_order_of_rows_decides_no_comparison(ledger):
    frame = resolved(ledger, Selection())
    # Bob begins when ann has spoken twice, so that of hers only the one in force then counts.
    of_bob = frame["forecaster"] == "bob"
    later = frame["issued_at"] + dt.timedelta(days=15)
    frame["issued_at"] = frame["issued_at"].mask(of_bob, later)
    first = shared(frame, ["ann"], "bob", rule="brier")["ann"].set_index("question")
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    again = shared(shuffled, ["ann"], "bob", rule="brier")["ann"].set_index("question")
    for name in "ab":
        assert again[name].to_dict() == pytest.approx(first[name].to_dict())


def test_no_shared_question_and_no_such_name(ledger):
    diary = Diary()
    one, two = ours.question("a"), ours.question("b")
    diary.write(0, one, two, ours.said(one, "ann", 0.2, 0), ours.said(two, "bob", 0.2, 0))
    diary.write(41, ours.resolved(one, "no", 40), ours.resolved(two, "no", 40))
    result = compare(diary.ledger, "ann", "bob", now=NOW)
    assert (result["n_shared"], result["difference"]) == (0, None)
    with pytest.raises(NotFound):
        compare(ledger, "ann", "eve", now=NOW)
    with pytest.raises(InvalidInput):
        compare(ledger, "ann", "ann", now=NOW)
    with pytest.raises(InvalidInput):
        compare(ledger, "ann", "bob", now=NOW, rule="peer")


def test_an_unbounded_score_has_no_sequence(ledger):
    result = compare(ledger, "ann", "uniform", now=NOW, rule="log")
    assert result["cs_lower"] is None
    assert "no confidence sequence" in result["reading"]


@pytest.mark.parametrize(("events", "words"), [(2, "too few: 2 "), (8, "could show no difference")])
def test_no_difference_is_said_that_the_score_cannot_have(events, words):
    diary = Diary()
    asked = [ours.question(f"q{i}", opens=i, days=10) for i in range(events)]
    diary.write(0, *asked)
    for i, one in enumerate(asked):
        right = 0.99 - 0.98 * (i % 2)
        diary.write(i, ours.said(one, "ann", right, i), ours.said(one, "bob", 1 - right, i))
    diary.write(20, *(ours.resolved(one, "yes", i + 9) for i, one in enumerate(asked)))
    result = compare(diary.ledger, "ann", "bob", now=NOW)
    assert result["detectable"] != result["detectable"]
    assert words in result["reading"]
    assert "is easily missed" not in result["reading"]
    (row,) = [row for row in scores(diary.ledger, against="bob") if row["forecaster"] == "ann"]
    assert row["difference"] is not None
    assert row["detectable"] != row["detectable"]


def test_what_resolved_at_once_is_none_of_anybodys_questions_here():
    diary = Diary()
    asked = [ours.question(f"q{i}", days=10) for i in range(3)]
    diary.write(0, *asked, *(ours.said(q, who, 0.5, 0) for q in asked for who in ("ann", "bob")))
    diary.write(1, ours.resolved(asked[0], "yes", 1))
    diary.write(11, *(ours.resolved(q, "no", 10) for q in asked[1:]))
    result = compare(diary.ledger, "ann", "bob", now=NOW)
    assert [result[name] for name in ("n_a", "n_b", "n_shared")] == [2, 2, 2]


OF_A_BOARD = {"forecaster", "raw", "adjusted", "lower", "upper", "p_best", "component"}


def test_a_season_is_ranked_with_probabilities_that_sum_to_one():
    rows, notes = leaderboard(ours.season(events=16).ledger, sample=False)
    assert set(rows[0]) >= OF_A_BOARD
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
