"""Simulation-based calibration: a fit finds again what made its data, as often as it says.

Parameters are drawn from the prior, data from the parameters, and the fit is asked for its
posterior. Over many repetitions the rank of the true value among L posterior draws is then
uniform on 0..L, for every parameter and for every function of them, the probability of an outcome
included (Talts, Betancourt, Simpson, Vehtari, Gelman 2018, arXiv:1804.06788). Uniformity is
judged by the whole empirical distribution of the ranks at once, with simultaneous bands
(Säilynoja, Bürkner, Vehtari 2022, Statistics and Computing 32, doi:10.1007/s11222-022-10090-6).

The harness knows no model: it takes two callables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import IntArray
from forecasting.errors import InvalidInput

Quantities = Mapping[str, ArrayLike]

LEVELS = 99
#: So many that a verdict on a dozen quantities can fall below .001.
REPLICATES = 20_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ranks of true values among `levels` nearly independent posterior draws.

    Quantity -> (N,) ranks from 0 to `levels`; a vector parameter is one quantity an element. Ranks
    of the fits that the gate `refused` count all the same.
    """

    name: str
    ranks: Mapping[str, IntArray]
    levels: int
    refused: int = 0

    @property
    def p_values(self):
        """Probability of ranks less uniform than these, by quantity, see `uniformity`."""
        return {name: uniformity(ranks, self.levels) for name, ranks in self.ranks.items()}

    @property
    def p(self):
        """Smallest of the p-values, times their number (Bonferroni): one verdict for all."""
        p_values = self.p_values.values()
        return min(1.0, len(self.ranks) * min(p_values)) if self.ranks else 1.0


def calibrate(name, simulate, fit, *, n, seed, quantities=None, levels=LEVELS):
    """Repeat simulation and fit, and rank the truth among the draws each time.

    `simulate` gives (truth, data): one value of each parameter, and data made by them. `fit` gives
    the posterior draws, (S,) or (S, K) each, and whether the gate passed. `quantities` makes of
    draws and data what else is ranked, such as P(yes); it is asked of the truth as a single draw.
    The draws are thinned to `levels`, which must leave them nearly independent. A quantity that is
    the truth in every draw, a constant or a certainty, is not ranked there.
    """
    rng = np.random.default_rng(seed)
    ranks_of = {}
    refused = 0
    for _ in range(n):
        truth, data = simulate(rng)
        draws, passed = fit(data, int(rng.integers(2**31)))
        refused += not passed
        true = {key: np.asarray(value, dtype=np.float64)[None] for key, value in truth.items()}
        posterior = {key: np.asarray(values) for key, values in draws.items() if key in truth}
        if set(posterior) != set(true):
            message = f"{name}: the truth has {sorted(true)}, the draws {sorted(draws)}."
            raise InvalidInput(message)
        if quantities is not None:
            whole = {**draws}
            posterior |= {k: np.asarray(v) for k, v in quantities(whole, data).items()}
            true |= {k: np.asarray(v) for k, v in quantities(true, data).items()}
        for key, values in posterior.items():
            columns, points = values.reshape(len(values), -1), true[key].reshape(1, -1)
            for index in range(columns.shape[1]):
                if np.all(columns[:, index] == points[0, index]):
                    continue
                label = key if columns.shape[1] == 1 else f"{key}[{index}]"
                rank = rank_of(float(points[0, index]), columns[:, index], levels, rng)
                ranks_of.setdefault(label, []).append(rank)
    return Calibration(
        name, {key: np.asarray(ranks) for key, ranks in ranks_of.items()}, levels, refused
    )


def rank_of(truth, draws, levels, rng):
    """Return how many of L evenly spaced draws lie below the truth, ties broken at random."""
    values = np.asarray(draws, dtype=np.float64)
    if values.size < levels:
        message = f"draws ({values.size}): at least as many as the {levels} levels."
        raise InvalidInput(message)
    chosen = values[np.linspace(0, values.size - 1, levels).round().astype(int)]
    ties = int(np.sum(chosen == truth))
    return int(np.sum(chosen < truth)) + (int(rng.integers(ties + 1)) if ties else 0)


def uniformity(ranks, levels):
    """Return the p-value of uniform ranks: all points of their distribution at once.

    At each rank j the count of ranks up to j is Binomial(N, (j + 1) / (L + 1)); the statistic is
    the smallest two-sided tail probability over j, its distribution simulated.
    """
    counted = _counts(ranks, levels)
    statistic = _smallest_tail(counted[None, :], int(counted[-1]))[0]
    reference = _reference(int(counted[-1]), levels)
    at_most = np.searchsorted(reference, statistic * (1 + 1e-9), side="right")
    return float((1 + at_most) / (1 + reference.size))


def _counts(ranks, levels):
    """Return how many ranks are at most j, for j from 0 to L."""
    values = np.asarray(ranks)
    if values.ndim != 1 or values.size == 0 or np.any((values < 0) | (values > levels)):
        message = f"ranks ({values.shape}): one-dimensional, from 0 to {levels}."
        raise InvalidInput(message)
    return np.cumsum(np.bincount(values.astype(np.int64), minlength=levels + 1))


def _smallest_tail(counted, n):
    table = _tails(n, counted.shape[1] - 1)
    each = table[np.arange(counted.shape[1] - 1), counted[:, :-1]]
    return np.asarray(each.min(axis=1), dtype=np.float64)


@cache
def _tails(n, levels):
    """Return the two-sided tail probability of every count at every rank, (L, N + 1)."""
    from scipy.stats import binom

    share = (np.arange(1, levels + 1) / (levels + 1))[:, None]
    counts = np.arange(n + 1)[None, :]
    both = np.minimum(binom.cdf(counts, n, share), binom.sf(counts - 1, n, share))
    return np.asarray(np.minimum(1.0, 2.0 * both), dtype=np.float64)


@cache
def _reference(n, levels):
    """Return the statistic of uniform ranks, simulated and in order."""
    rng = np.random.default_rng(n * 1000 + levels)
    share = np.full(levels + 1, 1.0 / (levels + 1))
    counted = np.cumsum(rng.multinomial(n, share, REPLICATES), axis=1)
    return np.sort(_smallest_tail(counted, n))
