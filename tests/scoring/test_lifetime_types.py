"""Lifetime scores of every question type, and what a frame must hold."""

import numpy as np
import pandas as pd
import pytest

from forecasting.errors import InvalidInput
from forecasting.scoring import crps_piecewise, lifetime, rps
from tests.scoring.frames import DAY, START, frame


def frame_of(forecasts, outcome, question="q", **more):
    """Forecasts on days 0, 5, ... of a window of ten days."""
    days = range(0, 5 * len(forecasts), 5)
    return frame(forecasts, days, outcome=outcome, question=question, **more)


def test_vectors_score_with_brier_log_and_rps():
    frame = frame_of([[0.5, 0.25, 0.25], (0.0, 0.5, 0.5)], 1)
    # Full: .25 + .5625 + .0625 = .875 and .25 + .25 = .5; mean .6875, half of it .34375.
    (brier,) = lifetime.score(frame).to_dict("records")
    assert brier["score"] == pytest.approx(0.34375)
    assert brier["reference"] == pytest.approx(1 / 3)
    assert brier["question_type"] == "categorical"
    (log,) = lifetime.score(frame, rule="log").to_dict("records")
    assert log["score"] == pytest.approx((np.log(4) + np.log(2)) / 2)
    assert log["reference"] == pytest.approx(np.log(3))
    (ranked,) = lifetime.score(frame, rule="rps").to_dict("records")
    expected = rps([[0.5, 0.25, 0.25], [0, 0.5, 0.5]], [1, 1]).mean()
    assert ranked["score"] == pytest.approx(expected)
    assert ranked["reference"] == pytest.approx(2 / 9)
    assert ranked["question_type"] == "ordered"


def test_quantile_forecasts_with_few_and_with_many_levels_share_a_scale():
    few = {0.25: 2.0, 0.5: 5.0, 0.75: 8.0}
    many = {round(k / 20, 2): float(np.interp(k / 20, [0, *few, 1], [0, *few.values(), 10]))
            for k in range(1, 20)}  # fmt: skip
    both = lifetime.score(frame_of([few, many], 6.0, lower=0.0, upper=10.0), rule="crps")
    (row,) = both.to_dict("records")
    expected = crps_piecewise([list(few.values())], [6.0], levels=list(few), lower=0.0, upper=10.0)
    assert row["score"] == pytest.approx(expected[0])
    assert row["question_type"] == "numeric"
    # Uniform on [0, 10] at 6: 10 (.6^3 + .4^3) / 3.
    assert row["reference"] == pytest.approx(10 * (0.6**3 + 0.4**3) / 3)


def test_levels_may_come_in_any_order():
    up, down = {0.25: 2.0, 0.75: 8.0}, {0.75: 8.0, 0.25: 2.0}
    scores = [
        lifetime.score(frame_of([f], 6.0, lower=0.0, upper=10.0), rule="crps")["score"].item()
        for f in (up, down)
    ]
    assert scores[0] == scores[1]


def test_question_types_are_told_apart_so_that_nobody_averages_over_them():
    mixed = pd.concat(
        [frame_of([0.8], 1), frame_of([[0.2, 0.3, 0.5]], 2, question="r")], ignore_index=True
    )
    scores = lifetime.score(mixed)
    assert scores["question_type"].tolist() == ["binary", "categorical"]
    np.testing.assert_allclose(scores["score"], [0.04, 0.19])
    with pytest.raises(InvalidInput, match=r"rps.*does not score binary"):
        lifetime.score(mixed, rule="rps")


def test_outcomes_may_be_booleans_and_forecasts_integers():
    frame = frame_of([1, 0], True)
    assert lifetime.score(frame)["score"].item() == 0.5
    assert lifetime.score(frame.assign(forecast=[1, 0]))["score"].item() == 0.5


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("outcome", [0, 1]),
        ("closes", [START + 10 * DAY, START + 11 * DAY]),
        ("opens", [START, START - DAY]),
        ("closed_at", [pd.NaT, START + 9 * DAY]),
        ("forecast", [0.5, [0.5, 0.5]]),
        ("forecast", [[0.2, 0.3, 0.5], [0.5, 0.5]]),
    ],
)
def test_a_question_says_one_thing_in_all_its_rows(column, values):
    frame = frame_of([0.8, 0.9], 1).assign(**{column: pd.Series(values, dtype=object)})
    with pytest.raises(InvalidInput, match=f"{column}.*question 'q'"):
        lifetime.score(frame)


def test_a_missing_column_and_an_empty_frame_are_named():
    frame = frame_of([0.8], 1)
    with pytest.raises(InvalidInput, match="without closed_at"):
        lifetime.score(frame.drop(columns="closed_at"))
    with pytest.raises(InvalidInput, match="empty"):
        lifetime.score(frame.iloc[:0])
    with pytest.raises(InvalidInput, match="lower and upper"):
        lifetime.score(frame_of([{0.5: 1.0}], 1.0), rule="crps")


@pytest.mark.parametrize(
    "options",
    [
        {"window": "spot"},
        {"at": 0.5},
        {"window": "spot", "at": 1.0},
        {"window": "spot", "at": -0.1},
        {"window": "spot", "at": "noon"},
        {"window": "spot", "at": pd.Timestamp("2025-03-02")},
        {"window": "spot", "at": {"other": START}},
        {"window": "until-bored"},
        {"rule": "spin"},
        {"convention": "double"},
    ],
)
def test_options_that_mean_nothing(options):
    with pytest.raises(InvalidInput):
        lifetime.score(frame_of([0.8], 1), **options)
