"""Closed forms of the base rates: one posterior each, its exact moments and its quantiles.

A probability that falls or rises with one unknown has quantiles that are those of the unknown,
mapped. Where there is a formula there is no sampling error.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.inference.summary import Summary

__all__ = ["beta_geometric", "beta_share", "gamma_poisson", "highest_rung"]

FloatArray = NDArray[np.float64]

POINTS = (0.05, 0.5, 0.95)


def _summary(mean: float, second: float, points: ArrayLike) -> Summary:
    low, middle, high = (float(value) for value in np.sort(np.asarray(points)))
    return Summary(
        mean=float(mean),
        sd=float(np.sqrt(max(second - mean**2, 0.0))),
        p05=low,
        p50=middle,
        p95=high,
        mcse=0.0,
    )


def gamma_poisson(shape: float, rate: float, horizon: float) -> Summary:
    """Return P(an event within the horizon) for events at a Gamma(shape, rate) rate.

    Mean 1 - (b / (b + s))^a (Lomax); second moment 1 - 2 L(s) + L(2 s).

    Parameters
    ----------
    shape, rate : float
        Of the posterior: a + events, b + exposure.
    horizon : float
        In the unit of the exposure.

    Returns
    -------
    Summary
        Exact.

    Examples
    --------
    >>> round(gamma_poisson(1.0, 30.0, 30.0).mean, 3)
    0.5
    """
    from scipy.stats import gamma

    once, twice = ((rate / (rate + s)) ** shape for s in (horizon, 2 * horizon))
    points = -np.expm1(-gamma.ppf(POINTS, shape, scale=1.0 / rate) * horizon)
    return _summary(1.0 - once, 1.0 - 2.0 * once + twice, points)


def beta_geometric(a: float, b: float, weeks: float) -> Summary:
    """Return P(an event within s weeks) for a weekly chance q ~ Beta(a, b).

    Mean 1 - B(a, b + s) / B(a, b).

    Parameters
    ----------
    a, b : float
        Of the posterior: a + weeks with an event, b + weeks without.
    weeks : float
        Horizon.

    Returns
    -------
    Summary
        Exact.

    Examples
    --------
    >>> [round(beta_geometric(1, 9, s).mean, 4) for s in (1, 4, 13, 26)]
    [0.1, 0.3077, 0.5909, 0.7429]
    """
    from scipy.special import betaln
    from scipy.stats import beta

    once, twice = (float(np.exp(betaln(a, b + s) - betaln(a, b))) for s in (weeks, 2 * weeks))
    points = 1.0 - (1.0 - beta.ppf(POINTS, a, b)) ** weeks
    return _summary(1.0 - once, 1.0 - 2.0 * once + twice, points)


def beta_share(a: float, b: float) -> Summary:
    """Return the chance of one more success for a share q ~ Beta(a, b).

    Parameters
    ----------
    a, b : float
        Of the posterior: a + successes, b + failures.

    Returns
    -------
    Summary
        Exact, mean a / (a + b).

    Examples
    --------
    >>> beta_share(3.0, 1.0).mean
    0.75
    """
    from scipy.stats import beta

    total = a + b
    return _summary(a / total, a * (a + 1) / (total * (total + 1)), beta.ppf(POINTS, a, b))


def highest_rung(shape: ArrayLike, rate: ArrayLike, floor: int, horizon: float) -> FloatArray:
    """Return P(highest state is k) where each rung comes at a Gamma rate of its own.

    Rung j is not reached with probability L_j = (b_j / (b_j + s))^a_j; a higher rung reached
    implies every lower one: P(k) = (1 - L_k) prod over j > k of L_j.

    Parameters
    ----------
    shape, rate : array_like, shape (K,)
        Posteriors of the rungs 1 to K.
    floor : int
        The state known to be reached, 0 to K.
    horizon : float
        In the unit of the exposure.

    Returns
    -------
    ndarray, shape (K + 1,)
        States 0 to K; 0 below the floor; sums to one.

    Examples
    --------
    >>> highest_rung([1.0, 1.0], [30.0, 90.0], 0, 30.0).tolist()
    [0.375, 0.375, 0.25]
    """
    a, b = np.asarray(shape, dtype=np.float64), np.asarray(rate, dtype=np.float64)
    return rung_chances((b / (b + horizon)) ** a, floor)


def rung_chances(missed: ArrayLike, floor: int) -> FloatArray:
    """Return P(highest state is k) from the chances that each rung is not reached.

    Parameters
    ----------
    missed : array_like, shape (..., K)
        For the rungs 1 to K.
    floor : int
        The state known to be reached.

    Returns
    -------
    ndarray, shape (..., K + 1)
        Sums to one over the last axis.

    Examples
    --------
    >>> rung_chances([0.5, 0.5], 1).tolist()
    [0.0, 0.5, 0.5]
    """
    not_reached = np.asarray(missed, dtype=np.float64)
    # P(highest <= k) is the product over the rungs above k.
    above = np.flip(np.cumprod(np.flip(not_reached, axis=-1), axis=-1), axis=-1)
    at_most = np.concatenate([above, np.ones((*not_reached.shape[:-1], 1))], axis=-1)
    at_most[..., :floor] = 0.0
    return np.diff(at_most, prepend=0.0, axis=-1)
