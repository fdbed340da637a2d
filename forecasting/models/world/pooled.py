"""Draws of the pool that moves without a phrase borrow from, steady between two pieces of evidence.

The fit is made from the pasts as they were at its anchor: the last event of any move, or the last
beginning of a quarter of a year. Its draws are then weighed by what the time since has told. So a
day that passes moves every answer a little, and no answer by the noise of a refit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec
from forecasting.evidence.history import Past
from forecasting.inference.alike import representative
from forecasting.inference.fit import Fit
from forecasting.inference.fits import FitCache
from forecasting.models.rates import Rates, rate_data
from forecasting.models.world.chance import uniforms

Key = tuple[str, str]

#: Draws that stand for the posterior: strata of mu, and of sigma within each.
STRATA = 16
QUARTER = 91.0


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Weighted draws of (mu, sigma), neighbours alike, and the `moves` they learned from."""

    mu: FloatArray
    sigma: FloatArray
    weight: FloatArray
    moves: frozenset[Key]
    fit: Fit | None

    def at(self, size: int, seed: object) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give (mu, sigma, order) in each point: the same in all moves, as they share the pool."""
        order = uniforms(size, seed, "parameter", "pool")
        place = np.searchsorted(np.cumsum(self.weight), order * self.weight.sum())
        place = np.minimum(place, self.mu.size - 1)
        return self.mu[place], self.sigma[place], order


def pooled_rates(
    rows: Mapping[Key, tuple[float, float]] | None, pasts: Mapping[Key, Past], fits: FitCache | None
) -> Pooled:
    """Fit the pool at its anchor and weigh its draws by what came since."""
    model = Rates()
    priors = model.default_priors()
    if rows is None:
        mu, sigma = _prior_draws(priors)
        return Pooled(mu, sigma, np.ones(mu.size), frozenset(), None)
    assert fits is not None  # for the type checker
    keys = sorted(rows)
    day = anchor([pasts[key] for key in keys if key in pasts])
    then = [rows[key][1] * _share_by(pasts.get(key), day) for key in keys]
    counts = [rows[key][0] for key in keys]
    at_anchor = rate_data(counts, then)
    fit = fits.fit(model, at_anchor, priors)
    chosen = representative(fit.draws["mu"], fit.draws["sigma"], STRATA)
    mu, sigma = fit.draws["mu"][chosen], fit.draws["sigma"][chosen]
    now = rate_data(counts, [rows[key][1] for key in keys])
    draws = {"mu": mu, "sigma": sigma}
    log_ratio = model.log_likelihood(draws, now) - model.log_likelihood(draws, at_anchor)
    since = log_ratio.sum(axis=1)
    weight = np.exp(since - since.max()) * (1.0 / chosen.size)
    return Pooled(mu, sigma, weight, frozenset(keys), fit)


def anchor(pasts: list[Past]) -> float:
    """Give the day (since 1970) up to which the fit learns."""
    ends = [(p.day + p.end - p.begin, p.fired) for past in pasts for p in past.pieces]
    if not ends:
        return -np.inf
    now = max(end for end, _ in ends)
    last = max((end for end, fired in ends if fired), default=-np.inf)
    return max(last, QUARTER * float(np.floor(now / QUARTER)))


def _share_by(past: Past | None, day: float) -> float:
    """Give the share of a past's exposure that lay before a day; links are taken as even."""
    if past is None or past.exposure <= 0.0:
        return 1.0
    before = sum(min(max(day - piece.day, 0.0), piece.end - piece.begin) for piece in past.pieces)
    return float(max(before, 0.0) / past.exposure)


def _prior_draws(priors: Mapping[str, PriorSpec]) -> tuple[FloatArray, FloatArray]:
    from scipy.special import ndtri

    grid = ndtri((np.arange(STRATA) + 0.5) / STRATA)
    first = np.repeat(grid, STRATA)
    second = np.tile(np.concatenate([grid, grid[::-1]]), STRATA // 2)
    (mu, mu_sd), (sigma, sigma_sd) = priors["mu"].values, priors["sigma"].values
    return mu + mu_sd * first, np.exp(sigma + sigma_sd * second)
