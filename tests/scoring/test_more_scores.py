"""Spherical, interval and platform Brier scores: known values and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import (
    brier,
    crps_quantile,
    interval_score,
    ordered_brier,
    relative_brier,
    spherical,
)

NAN = float("nan")
PROBABILITY = st.floats(0.001, 0.999)


def test_spherical_by_hand():
    # (.6, .8) has norm 1 after dividing by 1.4: p / |p| = .6 and .8.
    vector = [[0.6 / 1.4, 0.8 / 1.4]]
    assert spherical(vector, [0]) == pytest.approx([0.4])
    assert spherical(vector, [1]) == pytest.approx([0.2])
    assert spherical([0.8 / 1.4], [1]) == pytest.approx([0.2])
    assert spherical([1.0, 0.0, 1.0], [1, 0, 0]).tolist() == [0, 0, 1]
    assert float(spherical(0.5, 1)) == pytest.approx(1 - math.sqrt(0.5))


def test_interval_score_by_hand():
    # Level .9: a miss costs 2 / .1 = 20 a unit.
    scores = interval_score([2.0] * 4, [5.0] * 4, [3.0, 5.0, 1.5, 7.0], level=0.9)
    assert scores == pytest.approx([3, 3, 3 + 10, 3 + 40])
    assert float(interval_score(2.0, 2.0, 2.0, level=0.5)) == 0


@given(
    limits=st.tuples(st.floats(-5, 5), st.floats(0, 5)),
    y=st.floats(-12, 12),
    level=st.floats(0.05, 0.95),
)
def test_an_interval_is_scored_as_its_two_quantiles(limits, y, level):
    low, high = limits[0], limits[0] + limits[1]
    ends = [(1 - level) / 2, (1 + level) / 2]
    pinball = crps_quantile([[low, high]], [y], levels=ends)
    scored = interval_score([low], [high], [y], level=level)
    assert scored == pytest.approx(2 / (1 - level) * pinball, abs=1e-9)


def test_interval_scores_are_least_at_the_true_quantiles():
    # Values .5, 1.5, ..., 99.5 are equally likely: the 10 % and 90 % points are 10 and 90.
    values = np.arange(100) + 0.5

    def expected(low, high):
        return interval_score(np.full(100, low), np.full(100, high), values, level=0.8).mean()

    best = expected(10.0, 90.0)
    for low in (5.0, 9.0, 11.0, 20.0):
        for high in (80.0, 89.0, 91.0, 99.0):
            assert expected(low, high) > best


def test_another_library_computes_the_same_interval_score():
    # Imported here: it compiles for seconds, and only this test wants it.
    import scoringrules

    rng = np.random.default_rng(0)
    ends, value = np.sort(rng.normal(size=(50, 2)), axis=1), rng.normal(size=50)
    np.testing.assert_allclose(
        interval_score(ends[:, 0], ends[:, 1], value, level=0.7),
        scoringrules.interval_score(value, ends[:, 0], ends[:, 1], 1 - 0.7),
    )


def test_relative_brier_of_the_platforms_worked_example():
    # Seven days, yes: .9 x 3 then .95 x 4; .25 x 2 then .2 x 5; .99 on the last two days.
    crowd = [[0.9] * 3 + [0.95] * 4, [0.25] * 2 + [0.2] * 5, [NAN] * 5 + [0.99] * 2]
    scores = relative_brier(crowd, 1)
    np.testing.assert_allclose(scores, [-0.43, 0.7943, -0.00137], atol=5e-5)
    np.testing.assert_allclose(relative_brier(crowd, 1, convention="half"), scores / 2)
    daily = brier(crowd[0], np.ones(7), convention="full")
    assert daily.mean() == pytest.approx(0.0114, abs=5e-5)


def test_relative_brier_of_vectors_is_that_of_their_two_sides():
    crowd = np.array([[0.9, 0.2, NAN], [0.3, NAN, NAN], [0.5, 0.6, NAN]])
    vectors = np.stack([1 - crowd, crowd], axis=2)
    np.testing.assert_allclose(relative_brier(vectors, 1), relative_brier(crowd, 1))


def test_relative_brier_of_the_crowd_that_agrees_or_is_alone_or_absent():
    assert relative_brier([[0.3, 0.4]] * 3, 0).tolist() == [0, 0, 0]
    assert relative_brier([[0.3, 0.4]], 0).tolist() == [0]
    assert relative_brier([[NAN, NAN], [0.2, 0.2]], 1).tolist() == [0, 0]
    # Days without anybody still divide: .3 ahead of .5's median on one day of two.
    active, silent = relative_brier([[0.9], [0.1]], 1), relative_brier([[0.9, NAN], [0.1, NAN]], 1)
    np.testing.assert_allclose(silent, active / 2)


@given(
    crowd=st.lists(st.lists(PROBABILITY, min_size=3, max_size=3), min_size=1, max_size=6),
    seed=st.integers(0, 99),
)
def test_relative_brier_follows_its_forecaster(crowd, seed):
    order = np.random.default_rng(seed).permutation(len(crowd))
    moved = relative_brier(np.asarray(crowd)[order], 1)
    np.testing.assert_allclose(moved, relative_brier(crowd, 1)[order])
    # Half of them are on either side: one that sees all scores on one side is no median.
    assert moved.min() <= 1e-12


def test_ordered_brier_by_hand():
    # Cuts .25, .5, 1 against 0, 1, 1: 2 x (.0625 + .25 + 0) / 3; and .25, .5, .8 beside it.
    vectors = [[0.25, 0.25, 0.5, 0.0], [0.25, 0.25, 0.3, 0.2]]
    assert ordered_brier(vectors, [1, 1]) == pytest.approx([0.20833, 0.235], abs=5e-6)
