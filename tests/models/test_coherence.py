"""Coherence: the projection's known answer, its optimality, and that it never scores worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.errors import InvalidInput
from forecasting.models.coherence import (
    breaches,
    nearest_coherent,
    nearest_ladder,
    nearest_options,
    worlds_of_ladder,
)

ONE_OF_THREE = np.eye(3)
chances = st.floats(0, 1)


def sets(n):
    return hnp.arrays(float, n, elements=chances)


def test_the_known_projection():
    # Sum 1.2: take .2 / 3 off each. Summed Brier in each world: .34 -> .3267, .94 -> .9267.
    p = np.array([0.6, 0.3, 0.3])
    q = nearest_coherent(p, ONE_OF_THREE)
    np.testing.assert_allclose(q, [0.5333, 0.2333, 0.2333], atol=5e-5)
    before = ((p - ONE_OF_THREE) ** 2).sum(axis=1)
    after = ((q - ONE_OF_THREE) ** 2).sum(axis=1)
    np.testing.assert_allclose(before, [0.34, 0.94, 0.94])
    np.testing.assert_allclose(after, [0.3267, 0.9267, 0.9267], atol=5e-5)


@given(sets(4), st.integers(0, 10**6))
def test_the_projection_scores_no_worse_in_any_world(p, seed):
    rng = np.random.default_rng(seed)
    worlds = rng.integers(0, 2, size=(int(rng.integers(1, 8)), 4)).astype(float)
    q = nearest_coherent(p, worlds)
    before = ((p - worlds) ** 2).sum(axis=1)
    after = ((q - worlds) ** 2).sum(axis=1)
    assert np.all(after <= before + 1e-9)
    # The projection of a projection is itself.
    np.testing.assert_allclose(nearest_coherent(q, worlds), q, atol=1e-7)


@given(sets(5))
def test_isotonic_regression_is_the_projection_on_a_ladder(p):
    worlds = worlds_of_ladder(5)
    q = nearest_ladder(p)
    np.testing.assert_allclose(q, nearest_coherent(p, worlds), atol=1e-6)
    assert np.all(np.diff(q) >= 0)
    assert np.all(((q - worlds) ** 2).sum(axis=1) <= ((p - worlds) ** 2).sum(axis=1) + 1e-9)


@given(sets(4))
def test_the_simplex_is_the_projection_on_options(p):
    q = nearest_options(p)
    np.testing.assert_allclose(q, nearest_coherent(p, np.eye(4)), atol=1e-6)
    assert q.sum() == pytest.approx(1, abs=1e-12)
    assert np.all(q >= 0)


@given(sets(5), st.permutations(range(5)))
def test_the_order_of_the_events_does_not_matter(p, order):
    worlds = worlds_of_ladder(5)
    q = nearest_coherent(p, worlds)
    np.testing.assert_allclose(
        nearest_coherent(p[list(order)], worlds[:, list(order)]), q[list(order)], atol=1e-6
    )


def test_what_is_coherent_stays_and_breaks_nothing():
    p = [0.1, 0.3, 0.3, 0.8]
    np.testing.assert_allclose(nearest_ladder(p), p)
    assert breaches(p, worlds_of_ladder(4)) == []


def test_the_worst_pair_is_named_first_and_by_how_much():
    found = breaches([0.5, 0.2, 0.4], worlds_of_ladder(3))
    assert [(b.first, b.second, b.rule) for b in found] == [(0, 1, "implies"), (0, 2, "implies")]
    assert found[0].by == pytest.approx(0.3)
    (exclude, *_) = breaches([0.6, 0.7, 0.0], ONE_OF_THREE)
    assert (exclude.first, exclude.second, exclude.rule) == (0, 1, "exclude")
    assert exclude.by == pytest.approx(0.3)


@pytest.mark.parametrize("p", [[1.2, 0.1], [float("nan"), 0.1], [], [[0.1, 0.2]]])
def test_what_is_no_set_of_probabilities_is_refused(p):
    with pytest.raises(InvalidInput):
        nearest_ladder(p)


def test_worlds_are_zeros_and_ones():
    with pytest.raises(InvalidInput, match="zeros and ones"):
        nearest_coherent([0.1, 0.2], [[0.5, 1]])
