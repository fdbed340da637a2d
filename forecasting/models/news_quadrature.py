"""A few standardised unknowns integrated by weighted points instead of a chain.

Points of a scrambled Sobol sequence are placed by a t law fitted to a pilot, mixed with the
prior so that no weight can run away (deterministic mixture: Owen and Zhou 2000, Safe and effective
importance sampling, JASA 95, doi:10.1080/01621459.2000.10473909), and weighted by target over
placing law. The rules for weights are those of any importance sample: Pareto k-hat below .7 and
an effective size of at least 400 (Vehtari et al. 2024, Pareto smoothed importance sampling,
JMLR 25, arXiv:1507.02646).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

__all__ = ["Weighted", "k_hat_of", "resampled", "weighted_points"]

FloatArray = NDArray[np.float64]
LogDensity = Callable[[FloatArray], FloatArray]

#: Points of a pilot, how many pilots at most, and the share of them that must count.
PILOT, PILOTS, PILOT_ENOUGH = 256, 4, 8
#: For this many points of the fitted law there is one of the prior.
PER_DEFENSIVE = 8
#: The fitted law is made wider by this factor in scale, and has these degrees of freedom.
WIDER, DF = 1.1, 8.0
ESS_LEAST, K_HAT_MOST = 400.0, 0.7


@dataclass(frozen=True, slots=True)
class Weighted:
    """Points with weights that sum to one.

    Attributes
    ----------
    points
        (Q, d) in standardised coordinates.
    weights
        (Q,).
    ess
        1 / sum of squared weights.
    k_hat
        Pareto shape of the weights' tail; 0 where all weights are equal.
    log_evidence
        Logarithm of the integral of likelihood times prior.
    """

    points: FloatArray
    weights: FloatArray
    ess: float
    k_hat: float
    log_evidence: float

    @property
    def refusal(self) -> str:
        """Why the weights may not be used; empty where they may."""
        if not self.k_hat < K_HAT_MOST:
            return f"k-hat {self.k_hat:.2f}: below {K_HAT_MOST}"
        if not self.ess >= ESS_LEAST:
            return f"importance ESS {self.ess:.0f}: at least {ESS_LEAST:.0f}"
        return ""


def weighted_points(
    log_likelihood: LogDensity | None, d: int, *, seed: int, points: int
) -> Weighted:
    """Weigh points by a likelihood under a standard normal prior of d coordinates.

    Parameters
    ----------
    log_likelihood : callable or None
        From (Q, d) points to (Q,); None: the prior itself, with equal weights.
    d : int
        Number of coordinates.
    seed : int
        Of the scrambling; the same seed gives the same points.
    points : int
        A power of two; one eighth more are placed by the prior.

    Returns
    -------
    Weighted
        Check `Weighted.refusal`.

    Examples
    --------
    One observation 1 of variance 1: the posterior is N(1/2, 1/2), the evidence N(1; 0, 2).

    >>> found = weighted_points(lambda x: -0.5 * (1.0 - x[:, 0]) ** 2, 1, seed=1, points=1024)
    >>> round(float(found.weights @ found.points[:, 0]), 3), round(found.log_evidence, 3)
    (0.5, -0.597)
    """
    if log_likelihood is None:
        even = np.full(points, 1.0 / points)
        return Weighted(_normal_points(d, points, seed), even, float(points), 0.0, 0.0)
    mean, factor = _placing(log_likelihood, d, seed)
    # Sequences of their own: taking every k-th point of one would undo its balance.
    stay = _normal_points(d, points // PER_DEFENSIVE, seed + 1)
    placed = np.concatenate([mean + _t_points(d, points, seed + 2) @ factor.T, stay])
    log_prior = -0.5 * np.sum(placed**2, axis=1)
    log_fitted = _log_t(placed, mean, factor)
    share = len(stay) / len(placed)
    log_placing = np.logaddexp(np.log(share) + log_prior, np.log1p(-share) + log_fitted)
    log_ratio = log_likelihood(placed) + log_prior - log_placing
    weights = _normalised(log_ratio)
    top = float(log_ratio.max())
    return Weighted(
        points=placed,
        weights=weights,
        ess=float(1.0 / np.sum(weights**2)),
        k_hat=k_hat_of(log_ratio),
        log_evidence=top + float(np.log(np.mean(np.exp(log_ratio - top)))),
    )


def k_hat_of(log_ratio: FloatArray) -> float:
    """Return the Pareto shape of importance weights from their log ratios; 0 if all are equal.

    Examples
    --------
    >>> k_hat_of(np.zeros(100))
    0.0
    """
    if np.ptp(log_ratio) < 1e-12:
        return 0.0
    from arviz_stats.base import array_stats

    # It smooths weights proportional to exp(-input): the sign is turned.
    _, k_hat = array_stats.psislw(-np.asarray(log_ratio)[None, :], axis=-1)
    return float(np.squeeze(k_hat))


def resampled(weights: FloatArray, rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    """Return n rows, each as often as its weight says.

    Systematic: row i comes floor or ceil of n w_i times.

    Examples
    --------
    >>> resampled(np.array([0.5, 0.25, 0.25, 0.0]), np.random.default_rng(1), 4).tolist()
    [0, 0, 1, 2]
    """
    steps = (np.arange(n) + rng.random()) / n
    rows = np.searchsorted(np.cumsum(weights), steps)
    return np.minimum(rows, weights.size - 1).astype(np.intp)


def _normalised(log_weights: FloatArray) -> FloatArray:
    grown = np.exp(log_weights - log_weights.max())
    return np.asarray(grown / grown.sum())


def _uniform_points(d: int, points: int, seed: int) -> FloatArray:
    from scipy.stats import qmc

    found = qmc.Sobol(d, seed=np.random.default_rng(seed)).random(points)
    return np.asarray(np.clip(found, 1e-9, 1.0 - 1e-9))


def _normal_points(d: int, points: int, seed: int) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(ndtri(_uniform_points(d, points, seed)))


def _t_points(d: int, points: int, seed: int) -> FloatArray:
    """Return points of a standard t law with `DF` degrees of freedom: tails that outlast a skew."""
    from scipy.special import gammaincinv, ndtri

    joint = _uniform_points(d + 1, points, seed)
    chi = 2.0 * gammaincinv(DF / 2.0, joint[:, -1])
    return np.asarray(ndtri(joint[:, :-1]) * np.sqrt(DF / chi)[:, None])


def _log_t(points: FloatArray, mean: FloatArray, factor: FloatArray) -> FloatArray:
    """Return the t law's log density in units of the standard normal's at zero."""
    d = points.shape[1]
    back = np.linalg.solve(factor, (points - mean).T)
    scale = lgamma((DF + d) / 2.0) - lgamma(DF / 2.0) - d / 2.0 * log(DF / 2.0)
    spread = (DF + d) / 2.0 * np.log1p(np.sum(back**2, axis=0) / DF)
    return np.asarray(scale - spread - np.sum(np.log(np.diagonal(factor))))


def _placing(log_likelihood: LogDensity, d: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Fit centre and spread of the posterior by pilots, each placed by the one before it."""
    mean, factor = np.zeros(d), np.eye(d)
    for _ in range(PILOTS):
        pilot = mean + _t_points(d, PILOT, seed) @ factor.T
        log_prior = -0.5 * np.sum(pilot**2, axis=1)
        weights = _normalised(log_likelihood(pilot) + log_prior - _log_t(pilot, mean, factor))
        mean, factor = _fitted(pilot, weights)
        if 1.0 / np.sum(weights**2) > PILOT / PILOT_ENOUGH:
            break
    return mean, factor


def _fitted(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and widened Cholesky factor of weighted points, drawn to the prior's if few."""
    d = points.shape[1]
    ess = 1.0 / np.sum(weights**2)
    mean = weights @ points
    spread = (points - mean).T @ (weights[:, None] * (points - mean))
    # As if 2 d points of the prior were among them: a pilot of three points has no covariance.
    spread = (ess * spread + 2 * d * 0.25 * np.eye(d)) / (ess + 2 * d)
    return mean, WIDER * np.linalg.cholesky(spread)
