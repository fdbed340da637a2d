"""Stages as a Markov chain: known answers, order in stage and time, the mean of a whole path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from forecasting.models.staged_chain import (
    evenly_resampled,
    reached_by,
    stage_rates,
    transition,
    unit_points,
)

rate = st.floats(1e-4, 5.0)


def generator(advance, collapse, direct):
    k = len(advance)
    q = np.zeros((k + 1, k + 1))
    for state in range(k):
        q[state, state + 1] += advance[state]
        q[state, k] += direct
        q[state, 0] += collapse[state - 1] if state else 0.0
        q[state, state] -= q[state].sum()
    return q


def test_three_equal_stages_are_erlang():
    # Known answer 6: .1 a day, 30 days: 1 - e^-3 (1 + 3 + 4.5) = .5768.
    p = reached_by([[0.1, 0.1, 0.1]], [[0.0, 0.0]], [30.0])[0, 0]
    exact = 1 - np.exp(-3) * np.cumsum([1, 3, 4.5])
    np.testing.assert_allclose(p, exact, rtol=1e-13)
    assert round(p[2], 4) == 0.5768


def test_two_unequal_stages_are_hypoexponential():
    a, b, s = 0.02, 0.3, 17.0
    exact = 1 - (b * np.exp(-a * s) - a * np.exp(-b * s)) / (b - a)
    np.testing.assert_allclose(reached_by([[a, b]], [[0.0]], [s])[0, 0, 1], exact, rtol=1e-12)


def test_small_probabilities_keep_their_digits():
    # Three stages of 1e-4 within a day: (1e-4)^3 / 6 to first order; 1 - survival would say 0.
    p = reached_by([[1e-4] * 3], [[0.0, 0.0]], [1.0])[0, 0, 2]
    assert p == pytest.approx(1e-12 / 6, rel=1e-4)


@given(
    st.lists(rate, min_size=3, max_size=3),
    st.lists(st.floats(0, 3), min_size=2, max_size=2),
    st.floats(0, 0.5),
    st.floats(0, 500),
    st.integers(0, 2),
)
def test_it_is_the_matrix_exponential(advance, collapse, direct, time, start):
    p = reached_by([advance], [collapse], [time], direct=[direct], reached=start)[0, 0, 2]
    exact = expm(generator(advance, collapse, direct) * time)[start, 3]
    assert p == pytest.approx(exact, abs=1e-9)


@given(
    st.integers(1, 4).flatmap(
        lambda k: st.tuples(
            st.lists(rate, min_size=k, max_size=k),
            st.lists(st.floats(0, 3), min_size=k - 1, max_size=k - 1),
            st.integers(0, k),
        )
    ),
    st.floats(0, 0.5),
    st.lists(st.floats(0, 1000), min_size=1, max_size=6),
)
def test_every_draw_rises_with_the_horizon_and_falls_with_the_stage(path, direct, times):
    advance, collapse, reached = path
    p = reached_by([advance], [collapse], np.sort(times), direct=direct, reached=reached)[0]
    assert np.all(np.diff(p, axis=0) >= 0)
    assert np.all(np.diff(p, axis=1) <= 0)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(p[:, :reached] == 1)


@given(st.lists(rate, min_size=4, max_size=4), rate, st.lists(st.floats(0, 2), min_size=3))
def test_a_whole_path_takes_one_over_the_rate_on_average(pace, speed, collapse):
    # Mean first passage from the beginning, failed attempts included, by a linear system.
    falls = collapse[:3]
    advance = stage_rates([speed], [pace], [falls])[0]
    q = generator(advance, falls, 0.0)[:4, :4]
    mean = np.linalg.solve(q, -np.ones(4))[0]
    assert mean == pytest.approx(1 / speed, rel=1e-5)


def test_collapse_is_a_new_attempt_and_no_end():
    p = reached_by([[0.1, 0.02]], [[0.2]], [10.0, 100.0, 1e5], reached=1)[0, :, 1]
    assert p[0] < p[1] < 0.9
    assert p[2] == pytest.approx(1.0)


def test_a_stage_reached_brings_the_end_nearer_and_a_collapse_does_not():
    advance = stage_rates([0.05], [[1.0, 2.0, 1.0]], [[0.03, 0.05]])
    from_each = [reached_by(advance, [[0.03, 0.05]], [15.0], reached=k)[0, 0, 2] for k in range(3)]
    assert from_each[0] < from_each[1] < from_each[2]
    without = reached_by(advance, [[0.0, 0.0]], [15.0], reached=1)[0, 0, 2]
    assert from_each[1] < without


def test_transitions_are_probabilities_whatever_the_scale():
    scales = np.geomspace(1e-6, 1e4, 50)
    q = generator([0.3, 0.1, 2.0], [0.2, 0.1], 0.01)[:, :, None] * scales
    p = transition(q, 3.0)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-9)
    assert np.all(p >= 0)
    for i in range(0, 50, 7):
        np.testing.assert_allclose(p[:, :, i], expm(q[:, :, i] * 3.0), atol=1e-9)


def test_resampling_keeps_the_weighted_mean():
    points = unit_points(2**12, 3, 1)
    log_weights = -3.0 * points[:, 0] + points[:, 1]
    weights = np.exp(log_weights) / np.exp(log_weights).sum()
    value = points[:, 0] + points[:, 1] ** 2 + points[:, 2]
    chosen = evenly_resampled(log_weights, points, 4000, 2)
    # Independent resampling would miss by .007 (one standard error).
    assert value[chosen].mean() == pytest.approx(weights @ value, abs=0.004)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        reached_by([[1.0]], [[]], [-1.0])
    with pytest.raises(ValueError, match="stage from 0 to 2"):
        reached_by([[1.0, 1.0]], [[0.0]], [1.0], reached=3)
    with pytest.raises(ValueError, match="must be"):
        stage_rates([1.0], [[1.0, 1.0]], [[0.1, 0.2]])
