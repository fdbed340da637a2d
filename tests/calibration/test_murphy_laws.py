"""The Murphy curve: its area is the mean score, and it orders forecasters under every score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.calibration import murphy_curve
from forecasting.scoring import brier
from tests.calibration.pairs import split

CHANCES = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(0, 1))
PAIRS = st.lists(st.tuples(CHANCES, st.integers(0, 1)), min_size=1, max_size=30)


@given(pairs=PAIRS)
def test_the_area_under_the_curve_is_the_mean_brier_score(pairs):
    p, y = split(pairs)
    curve = murphy_curve(p, y)
    assert np.trapezoid(curve.score, curve.threshold) == pytest.approx(brier(p, y).mean())
    assert curve.area == pytest.approx(brier(p, y).mean())


@given(pairs=PAIRS, points=st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_the_curve_is_the_mean_of_elementary_scores(pairs, points):
    p, y = split(pairs)
    points = np.sort(points)
    curve = murphy_curve(p, y, points)
    for theta, score in zip(points, curve.score, strict=True):
        between = (np.minimum(p, y) <= theta) & (theta < np.maximum(p, y))
        assert score == pytest.approx(np.mean(2 * np.abs(y - theta) * between))


@given(pairs=PAIRS)
def test_lines_through_the_default_points_are_the_curve(pairs):
    p, y = split(pairs)
    curve = murphy_curve(p, y)
    left, right = curve.threshold[::2], curve.threshold[1::2]
    middle = murphy_curve(p, y, (left + right) / 2).score
    # Where two forecasts are next of kin in floating point there is no middle.
    apart = right - left > 1e-9
    expected = (curve.score[::2] + curve.score[1::2]) / 2
    np.testing.assert_allclose(middle[apart], expected[apart], atol=1e-12)


@given(pairs=PAIRS)
def test_yes_and_no_mirror_the_curve(pairs):
    p, y = split(pairs)
    theta = np.array([0.003, 0.117, 0.5013, 0.733, 0.991])
    one = murphy_curve(p.round(2), y, theta).score
    other = murphy_curve(1 - p.round(2), 1 - y, np.sort(1 - theta)).score
    np.testing.assert_allclose(one, other[::-1], atol=1e-12)


def test_a_forecast_at_its_own_threshold_does_not_act():
    # Acting means the forecast is above: at .3 itself the event is missed, just below it is not.
    assert murphy_curve([0.3], [1], [0.3]).score.tolist() == [1.4]
    assert murphy_curve([0.3], [1], [np.nextafter(0.3, 0)]).score.tolist() == [0]
    assert murphy_curve([0.3], [0], [0.3]).score.tolist() == [0]


def test_sure_forecasts():
    assert murphy_curve([0.0, 1.0], [0, 1]).score.tolist() == [0, 0]
    # Sure and wrong: each pays in full at every threshold, 2 (1 - theta) or 2 theta.
    wrong = murphy_curve([0.0, 1.0], [1, 0])
    assert wrong.score.tolist() == [1, 1]
    assert wrong.area == 1


def test_knowing_more_is_better_at_every_threshold():
    # The finer of two calibrated forecasts, in exact proportion to its probabilities.
    coarse = np.full(20, 0.5)
    fine = np.repeat([0.2, 0.8], 10)
    y = np.array([1] * 2 + [0] * 8 + [1] * 8 + [0] * 2)
    theta = np.linspace(0, 1, 101)
    better, worse = murphy_curve(fine, y, theta).score, murphy_curve(coarse, y, theta).score
    assert (better <= worse + 1e-12).all()
    assert (better < worse - 1e-12).any()


def test_the_same_curve_as_model_diagnostics():
    scoring = pytest.importorskip("model_diagnostics.scoring")
    rng = np.random.default_rng(8)
    p = rng.random(60).round(2)
    y = (rng.random(60) < p).astype(int)
    # Between the forecasts, where conventions at ties play no part; theirs is not doubled.
    theta = np.array([0.0513, 0.2513, 0.5013, 0.7513, 0.9013])
    theirs = [scoring.ElementaryScore(eta, functional="mean")(y, p) for eta in theta]
    np.testing.assert_allclose(murphy_curve(p, y, theta).score, 2 * np.array(theirs))


def test_the_table_has_a_row_a_threshold():
    assert list(murphy_curve([0.5], [1]).table) == ["threshold", "score"]
