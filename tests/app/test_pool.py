"""Pools of what is in force: they never peek, and are scored like anybody else."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from forecasting.app.forecast import pool as module
from forecasting.app.forecast.pool import pool, pool_scores
from forecasting.app.scores.frame import Selection, resolved
from forecasting.domain import OutcomeSpace
from forecasting.domain.pools import METHODS
from forecasting.errors import InvalidInput, NotFound
from forecasting.pooling import methods
from tests import season as ours
from tests.season import DAY, START, Diary

PLAIN = [method for method in METHODS if method != "learned"]


def open_one(space=None):
    diary = Diary()
    asked = ours.question("q", days=10, space=space)
    diary.write(0, asked)
    return diary, asked


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_what_stands_now(method):
    diary, asked = open_one()
    diary.write(1, ours.said(asked, "ann", 0.2, 1), ours.said(asked, "bob", 0.4, 1))
    diary.write(2, ours.said(asked, "ann", 0.3, 2), ours.said(asked, "cat", 0.9, 2))
    diary.write(3, ours.withdrawn(asked, "cat", 3), ours.said(asked, "uniform", 0.5, 3))
    (row,) = pool(diary.ledger, "q", now=START + 4 * DAY, method=method)
    assert (row["question"], row["method"], row["members"]) == ("q", method, ["ann", "bob"])
    assert row["said"] == {"ann": 0.3, "bob": 0.4}
    # Nothing has resolved: every pool but the learned one lies among its members.
    if method not in ("neyman-roughgarden", "learned"):
        assert 0.3 <= row["forecast"] <= 0.4


def test_a_logged_pool_is_a_live_forecast_and_no_member_of_the_next():
    diary, asked = open_one()
    now = START + 2 * DAY
    diary.write(1, ours.said(asked, "ann", 0.2, 1), ours.said(asked, "bob", 0.4, 1))
    (row,) = pool(diary.ledger, "q", now=now, method="linear", log=True)
    (entry,) = diary.ledger.forecasts(forecaster="pool:linear")
    assert (entry.kind, entry.value.numbers, entry.seq) == ("live", (0.3,), row["seq"])
    (again,) = pool(diary.ledger, "q", now=now + DAY)
    assert again["members"] == ["ann", "bob"]
    (named,) = pool(diary.ledger, "q", now=now + DAY, members=["pool:linear"])
    assert named["forecast"] == pytest.approx(0.3)


def test_a_pooled_ladder_does_not_fall_from_one_deadline_to_the_next():
    diary = Diary()
    rungs = [
        dataclasses.replace(ours.question(f"r@{day}", days=day, event="r"), ladder="r")
        for day in (10, 20, 30)
    ]
    diary.write(0, *rungs)
    # Each ladder rises, but bob has nothing on the second rung: .5, .2, .6 by the mean.
    by_person = {"ann": (0.1, 0.2, 0.3), "bob": (0.9, None, 0.9)}
    for who, chances in by_person.items():
        for rung, p in zip(rungs, chances, strict=True):
            if p is not None:
                diary.write(1, ours.said(rung, who, p, 1))
    rows = pool(diary.ledger, "r", now=START + 2 * DAY, method="linear", log=True)
    assert [row["forecast"] for row in rows] == pytest.approx([0.35, 0.35, 0.6])
    assert [bool(row["note"]) for row in rows] == [True, True, False]
    assert "pooled to 0.5; set to 0.35" in rows[0]["note"]
    logged = diary.ledger.forecasts(forecaster="pool:linear")
    assert [entry.value.numbers[0] for entry in logged] == pytest.approx([0.35, 0.35, 0.6])
    # What was done stands in the ledger too.
    assert "ladder cannot fall" in logged[0].because


def test_options_and_numbers():
    diary, asked = open_one(OutcomeSpace("categorical", ("a", "b", "c"), None, None, ""))
    diary.write(
        1, ours.said(asked, "ann", [0.2, 0.3, 0.5], 1), ours.said(asked, "bob", [0.4, 0.3, 0.3], 1)
    )
    now = START + 2 * DAY
    for method in ("linear", "geometric-odds"):
        (row,) = pool(diary.ledger, "q", now=now, method=method)
        assert sum(row["forecast"].values()) == pytest.approx(1)
    with pytest.raises(InvalidInput, match="options are pooled by"):
        pool(diary.ledger, "q", now=now, method="extremized")
    diary, asked = open_one(OutcomeSpace("numeric", (), 0.0, 100.0, "km"))
    diary.write(
        1, ours.said(asked, "ann", [10, 20, 30], 1), ours.said(asked, "bob", [20, 30, 40], 1)
    )
    (row,) = pool(diary.ledger, "q", now=now, method="linear")
    assert 20 < row["forecast"]["50"] < 30


@pytest.mark.parametrize(
    ("name", "more", "fault"),
    [
        ("q", {"method": "vibes"}, InvalidInput),
        ("nothing", {}, NotFound),
        ("q", {"members": ["eve"]}, NotFound),
        ("q", {"log": True, "selection": Selection(kind="replay")}, InvalidInput),
        ("q", {"now": START + 11 * DAY}, InvalidInput),
        ("q", {"now": START + dt.timedelta(hours=1)}, NotFound),
    ],
)
def test_refusals_write_nothing(name, more, fault):
    diary, asked = open_one()
    diary.write(1, ours.said(asked, "ann", 0.2, 1))
    head = diary.ledger.head()
    with pytest.raises(fault):
        pool(diary.ledger, name, **{"now": START + 2 * DAY, **more})
    assert diary.ledger.head() == head


@pytest.fixture(scope="module")
def table():
    return pool_scores(ours.season(events=26, rungs=1).ledger, methods=PLAIN, resamples=199)


def test_every_pool_is_scored_on_the_same_questions(table):
    assert [row["forecaster"] for row in table] == [*(f"pool:{m}" for m in PLAIN), "members"]
    assert len({(row["n_questions"], row["n_forecasts"], row["n_events"]) for row in table}) == 1
    by_name = {row["forecaster"]: row["mean"] for row in table}
    # Jensen: the score of the mean forecast is at most the mean of the scores.
    assert by_name["pool:linear"] <= by_name["members"]


def test_turning_later_outcomes_changes_no_earlier_pool(monkeypatch):
    pooled = {}
    combine = module.combine

    def recording(method, crowd, past):
        p = combine(method, crowd, past)
        pooled.setdefault(run, {})[method, crowd.question, crowd.at] = p
        return p

    monkeypatch.setattr(module, "combine", recording)
    ledger = ours.season(events=30, rungs=1).ledger
    run = "as it was"
    pool_scores(ledger, methods=PLAIN, resamples=199)
    cut = START + 120 * DAY

    def turned(*arguments, **more):
        frame = resolved(*arguments, **more)
        late = frame["resolved_at"] > cut
        return frame.assign(outcome=np.where(late, 1 - frame["outcome"], frame["outcome"]))

    monkeypatch.setattr(module, "resolved", turned)
    run = "turned"
    pool_scores(ledger, methods=PLAIN, resamples=199)
    early = {key for key in pooled["turned"] if key[2] <= cut}
    assert early
    assert all(pooled["turned"][key] == pooled["as it was"][key] for key in early)
    assert pooled["turned"] != pooled["as it was"]


def crowd_of_two(number, outcome, end, p=0.8):
    """A question of forty days on which two say the same, answered on a day."""
    asked = ours.question(f"q{number}", event=f"e{number}")
    words = [ours.said(asked, who, p, 1.0) for who in ("ann", "bob")]
    return [(0, asked), *((1, word) for word in words), (end, ours.resolved(asked, outcome, end))]


def ledger_of(*drafts):
    diary = Diary()
    for day in sorted({day for day, _ in drafts}):
        diary.write(day, *(draft for at, draft in drafts if at == day))
    return diary.ledger


def test_spots_after_the_answer_score_as_the_uniform_forecast():
    # Left out, they would give the first spot of an early yes three times the weight that it has
    # in a question that runs to its end, and who leans to yes there would gain.
    drafts = [*crowd_of_two(0, "yes", 14.0), *crowd_of_two(1, "no", 40.0)]
    (row, _) = pool_scores(ledger_of(*drafts), methods=["linear"])
    early, late = (0.04 + 0.25 + 0.25) / 3, 0.64
    assert row["mean"] == pytest.approx((early + late) / 2)
    assert row["skill"] == pytest.approx(0.25 - row["mean"])
    assert (row["coverage"], row["possible_coverage"]) == (pytest.approx(4 / 6),) * 2
    assert (row["n_25"], row["n_50"], row["n_75"]) == (2, 1, 1)
    assert row["mean_50"] == pytest.approx(late)


def test_honesty_is_best_for_a_pool_too():
    # A yes comes by day 15 with chance .2 and by the end with .5; honest is .5, then 3/8.
    def expected(first):
        p = np.array([first, 3 / 8, 3 / 8])
        ends = [(0.2, "yes", 14.0), (0.3, "yes", 39.0), (0.5, "no", 40.0)]
        total = 0.0
        for chance, outcome, end in ends:
            asked = ours.question("q")
            words = [
                (day, ours.said(asked, who, float(x), day))
                for day, x in zip((1.0, 15.0), p, strict=False)
                for who in ("ann", "bob")
                if day < end
            ]
            drafts = [(0, asked), *words, (end, ours.resolved(asked, outcome, end))]
            (row, _) = pool_scores(ledger_of(*drafts), methods=["linear"])
            total += chance * row["mean"]
        return total

    honest = expected(0.5)
    assert all(expected(other) > honest for other in (0.4, 0.45, 0.55, 0.6, 0.7))


def test_an_early_answer_is_learned_from_at_the_scheduled_close():
    # Of questions that run for forty days, only yeses are known before.
    ledger = ledger_of(
        *crowd_of_two(0, "yes", 14.0), *crowd_of_two(1, "yes", 14.0), *crowd_of_two(2, "no", 40.0)
    )
    past = module._past(resolved(ledger, Selection()), ())
    assert [past.base_rate(START + day * DAY) for day in (15, 39, 40)] == [0.5, 0.5, 3 / 5]
    assert [len(past.history(START + day * DAY)) for day in (15, 39, 40)] == [0, 0, 6]


def test_a_crowd_weighs_the_same_however_its_question_ended():
    drafts = [
        draft
        for n in range(20)
        for draft in crowd_of_two(n, *(("no", 40.0) if n else ("yes", 14.0)))
    ]
    past = module._past(resolved(ledger_of(*drafts), Selection()), ())
    known = past.known(START + 41 * DAY)
    assert methods._event_weights(known).tolist() == pytest.approx([1 / 3] * (1 + 19 * 3))
    assert methods._event_weights(known[3:]) is None


def test_nothing_resolved_is_an_answer():
    assert pool_scores(Diary().ledger) == []


def test_beside_people_the_model_speaks_once_and_who_is_left_out_is_said():
    diary, asked = open_one()
    machine = ("model", "model without links", "model without news", "base-rate", "prior")
    diary.write(1, *(ours.said(asked, name, 0.9, 1) for name in machine))
    (alone,) = pool(diary.ledger, "q", now=START + 4 * DAY, method="linear")
    assert alone["members"] == [*machine[:3], "base-rate"]
    diary.write(2, ours.said(asked, "ann", 0.1, 2), ours.said(asked, "bob", 0.2, 2))
    diary.write(3, ours.said(asked, "zoe", 0.5, 1, kind="backdated"))
    diary.write(3, ours.withdrawn(asked, "bob", 3))
    (row,) = pool(diary.ledger, "q", now=START + 4 * DAY, method="linear")
    assert row["members"] == ["ann", "model"]
    assert row["forecast"] == pytest.approx((0.1 + 0.9) / 2)
    assert row["left_out"] == {
        "bob": "withdrawn",
        "zoe": "backdated",
        "model without links": "the model without a part",
        "model without news": "the model without a part",
        "prior": "no judgement of its own",
        "base-rate": "the model without a part",
    }
    (named,) = pool(diary.ledger, "q", now=START + 4 * DAY, members=["base-rate", "ann"])
    assert named["members"] == ["base-rate", "ann"]
    assert named["left_out"]["model"] == "not named"
