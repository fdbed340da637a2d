"""The reliability curve and the parts of a score: laws, known values, other libraries."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.calibration import corp
from forecasting.calibration.isotonic import isotonic
from forecasting.scoring import brier, log_score
from tests.calibration.pairs import PAIRS, split

SCORES = {"brier": brier, "log": log_score}


@pytest.mark.parametrize("score", SCORES)
@given(pairs=PAIRS)
def test_the_parts_add_up_and_none_is_negative(score, pairs):
    p, y = split(pairs)
    d = corp(p, y, score=score)
    assert d.mean_score == pytest.approx(SCORES[score](p, y).mean())
    assert d.mean_score == pytest.approx(
        d.miscalibration - d.discrimination + d.uncertainty, abs=1e-12
    )
    assert min(d.miscalibration, d.discrimination, d.uncertainty) >= 0
    assert d.uncertainty == pytest.approx(SCORES[score](np.full(len(y), y.mean()), y).mean())


@given(pairs=PAIRS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(pairs, seed):
    p, y = split(pairs)
    rows = np.random.default_rng(seed).permutation(len(p))
    one, two = corp(p, y, resamples=50), corp(p[rows], y[rows], resamples=50)
    assert one.miscalibration == two.miscalibration
    assert one.p_value == two.p_value
    assert one.curve.equals(two.curve)
    assert one.band(0.9).equals(two.band(0.9))


@given(pairs=PAIRS)
def test_the_curve_never_falls_keeps_the_event_rate_and_no_rising_curve_scores_better(pairs):
    p, y = split(pairs)
    curve = corp(p, y).curve
    rate, n = curve["event_rate"].to_numpy(), curve["n"].to_numpy()
    assert (np.diff(curve["forecast"]) > 0).all()
    assert (np.diff(rate) >= 0).all()
    assert rate @ n == pytest.approx(y.sum())
    fitted = np.interp(p, curve["forecast"], rate)
    best = brier(np.clip(fitted, 0, 1), y).mean()
    for other in (p, p**2, np.sqrt(p), np.clip(2 * p - 0.5, 0, 1), np.full(len(p), y.mean())):
        assert best <= brier(other, y).mean() + 1e-12


@given(pairs=PAIRS)
def test_a_curve_that_is_already_right_has_no_miscalibration(pairs):
    p, y = split(pairs)
    curve = corp(p, y).curve
    fitted = np.clip(np.interp(p, curve["forecast"], curve["event_rate"]), 0, 1)
    again = corp(fitted, y)
    assert again.miscalibration == pytest.approx(0, abs=1e-12)
    assert again.discrimination == pytest.approx(corp(p, y).discrimination, abs=1e-12)


@given(
    rows=st.integers(1, 6), width=st.integers(1, 9), seed=st.integers(0, 999), gaps=st.booleans()
)
def test_many_fits_in_one_pass_are_the_fits_one_by_one(rows, width, seed, gaps):
    rng = np.random.default_rng(seed)
    n = rng.integers(0 if gaps else 1, 5, (rows, width))
    n[:, rng.integers(width)] += 1
    events = rng.binomial(n, 0.5)
    together = isotonic(events, n)
    for row in range(rows):
        # The least rising majorant: the largest over starts of the smallest over ends of means.
        there = np.flatnonzero(n[row] > 0)
        e, m = events[row, there], n[row, there]
        expected = [
            max(
                min(e[a : b + 1].sum() / m[a : b + 1].sum() for b in range(i, len(e)))
                for a in range(i + 1)
            )
            for i in range(len(e))
        ]
        np.testing.assert_allclose(together[row, there], expected, atol=1e-12)
        assert (np.diff(together[row]) >= -1e-12).all()


def test_six_points_by_hand():
    # .1: 0; .4: 1, 0 pooled to .5; .6: 0, .9: 1, 1. The pair (.5 of two, 0 of one) pools to 1/3.
    d = corp([0.1, 0.4, 0.4, 0.6, 0.9, 0.9], [0, 1, 0, 0, 1, 1])
    np.testing.assert_allclose(d.curve["event_rate"], [0, 1 / 3, 1 / 3, 1])
    assert d.curve["n"].tolist() == [1, 2, 1, 2]
    # Recalibrated: 3 x (1/3)(2/3) = 2/3 over 6; uncertainty .25; said (.01+.36+.16+.36+.02)/6.
    assert d.discrimination == pytest.approx(0.25 - 1 / 9)
    assert d.mean_score == pytest.approx(0.91 / 6)
    assert d.miscalibration == pytest.approx(0.91 / 6 - 1 / 9)


def test_a_sure_and_wrong_forecast_makes_the_log_parts_infinite_and_only_those():
    d = corp([0.0, 0.5, 1.0], [1, 0, 1], score="log")
    assert d.mean_score == math.inf
    assert d.miscalibration == math.inf
    assert math.isfinite(d.discrimination)
    assert math.isfinite(d.uncertainty)
    assert d.p_value == 1 / 1001
    assert math.isfinite(d.null_miscalibration)


@pytest.mark.parametrize("y", [0, 1])
def test_one_forecast(y):
    d = corp([0.7], [y])
    assert d.uncertainty == 0
    assert d.discrimination == 0
    assert d.miscalibration == pytest.approx((0.7 - y) ** 2)
    assert d.curve["event_rate"].tolist() == [y]
    assert 0 < d.p_value <= 1


@pytest.mark.parametrize("y", [0, 1])
def test_all_outcomes_equal(y):
    d = corp([0.2, 0.5, 0.8], [y] * 3)
    assert (d.uncertainty, d.discrimination) == (0, 0)
    assert d.curve["event_rate"].tolist() == [y] * 3


def test_forecasts_of_certainty_that_came_true_are_perfect():
    d = corp([0.0, 1.0, 1.0], [0, 1, 1], score="log")
    assert (d.mean_score, d.miscalibration, d.p_value) == (0, 0, 1)
    assert not np.signbit(d.mean_score)


def columns(path):
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_published_decompositions(shared):
    folder = shared / "conformance"
    rows = columns(folder / "corp_decomposition_reference.csv")
    assert len(rows["dataset"]) == 18
    for i, dataset in enumerate(rows["dataset"]):
        data = columns(folder / f"{dataset}.csv")
        y = np.array(data["obs" if "obs" in data else "y"], dtype=float)
        p = np.array(data[rows["forecast"][i]], dtype=float)
        d = corp(p, y, score=rows["score"][i])
        parts = (d.mean_score, d.miscalibration, d.discrimination, d.uncertainty)
        expected = [float(rows[name][i]) for name in ("mean_score", "MCB", "DSC", "UNC")]
        assert parts == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("default")
def test_another_library_finds_the_same_parts():
    from model_diagnostics.scoring import LogLoss, SquaredError, decompose

    rng = np.random.default_rng(3)
    p = rng.random(200).round(1).clip(0.05, 0.95)
    y = (rng.random(200) < p**1.5).astype(float)
    for score, function, scale in (("brier", SquaredError(), 1), ("log", LogLoss(), 1)):
        other = decompose(y_obs=y, y_pred=p, scoring_function=function)
        d = corp(p, y, score=score)
        assert scale * other["miscalibration"][0] == pytest.approx(d.miscalibration)
        assert scale * other["discrimination"][0] == pytest.approx(d.discrimination)
        assert scale * other["uncertainty"][0] == pytest.approx(d.uncertainty)
