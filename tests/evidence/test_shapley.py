"""Shares by Shapley: exact for few players, drawn for many."""

import numpy as np

from forecasting.evidence.shapley import EXACT, shapley


def test_sampled_shares_add_up_and_agree_with_exact_ones():
    rng = np.random.default_rng(3)
    weights = rng.normal(size=EXACT + 3)

    def worth(coalition):
        return np.array([np.tanh(sum(weights[i] for i in coalition)), len(coalition) ** 0.5])

    everyone = frozenset(range(EXACT + 3))
    drawn = shapley(EXACT + 3, worth, seed=1)
    assert np.allclose(drawn.sum(axis=0), worth(everyone) - worth(frozenset()), atol=1e-12)
    exact = shapley(EXACT, worth)
    # The second game is the same for every player: each gets an equal share.
    assert np.allclose(exact[:, 1], EXACT**0.5 / EXACT)
    assert np.allclose(drawn[:, 1], (EXACT + 3) ** 0.5 / (EXACT + 3), atol=1e-9)
