"""Spherical and platform Brier scores: known values and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import brier, ordered_brier, relative_brier, spherical

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
