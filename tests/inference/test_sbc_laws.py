"""Ranks and their p-values, whatever was calibrated."""

import numpy as np
import pytest

from tests.inference.sbc import calibrate, rank_of, uniformity


def test_uniform_ranks_are_called_uniform_as_often_as_they_should():
    rng = np.random.default_rng(1)
    p = np.array([uniformity(rng.integers(0, 100, 300), 99) for _ in range(400)])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 400)
    assert 0.4 < p.mean() < 0.6


@pytest.mark.parametrize(
    "ranks",
    [
        lambda rng: rng.binomial(99, rng.beta(1.4, 1.4, 300)),  # too wide
        lambda rng: rng.binomial(99, rng.beta(0.7, 0.7, 300)),  # too narrow
        lambda rng: rng.binomial(99, rng.beta(1.0, 1.35, 300)),  # to one side
        lambda rng: np.where(rng.random(300) < 0.06, 99, rng.integers(0, 100, 300)),  # one end
    ],
    ids=["wide", "narrow", "biased", "end"],
)
def test_posteriors_that_are_off_are_found(ranks):
    p_values = [uniformity(ranks(np.random.default_rng(seed)), 99) for seed in range(20)]
    assert np.mean(np.asarray(p_values) < 0.05) > 0.6


def test_ranks_count_draws_below_and_break_ties_evenly():
    rng = np.random.default_rng(3)
    draws = np.arange(99.0)
    assert rank_of(-1.0, draws, 99, rng) == 0
    assert rank_of(1000.0, draws, 99, rng) == 99
    assert rank_of(49.5, draws, 99, rng) == 50
    # Thinned evenly over the chains.
    assert rank_of(495.0, np.arange(990.0), 99, rng) in (49, 50)
    tied = [rank_of(1.0, np.ones(99), 99, rng) for _ in range(2000)]
    assert uniformity(tied, 99) > 0.01
    with pytest.raises(ValueError, match="at least as many"):
        rank_of(1.0, np.ones(50), 99, rng)


def test_a_vector_is_ranked_by_element_and_a_certainty_not_at_all():
    def simulate(rng):
        return {"share": rng.dirichlet([1.0, 1.0, 1.0]), "sure": np.array(2.0)}, {}

    def fit(_, seed):
        draws = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], 99)
        return {"share": draws, "sure": np.full(99, 2.0)}, seed % 2 == 0

    check = calibrate("shares", simulate, fit, n=60, seed=1)
    assert list(check.ranks) == ["share[0]", "share[1]", "share[2]"]
    assert check.p > 0.01
    assert 0 < check.refused < 60
    with pytest.raises(ValueError, match="the truth has"):
        calibrate("none", simulate, lambda *_: ({}, True), n=1, seed=1)
