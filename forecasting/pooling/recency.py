"""The median that counts newer forecasts more, as the Metaculus community prediction does."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.members import WEIGHT_TOLERANCE, members, shares
from forecasting.scoring import checks


def recency_weights(n: int) -> FloatArray:
    r"""Weights of n forecasts in force from the oldest to the newest, the newest 1.

    .. math:: w_k = e^{\sqrt k - \sqrt n}, \quad k = 1, \dots, n; \qquad w_k = 1
              \text{ for } n \le 2

    Parameters
    ----------
    n : int
        Forecasts in force, one a forecaster, at least 1.

    Raises
    ------
    InvalidInput
        For no forecast.

    References
    ----------
    Metaculus, open-source platform code, ``utils/the_math/aggregations.py`` (BSD-2).

    Examples
    --------
    >>> recency_weights(3).round(6).tolist()
    [0.480922, 0.727721, 1.0]
    """
    checks.at_least(n, 1, "n")
    if n <= 2:
        return np.ones(n)
    rank = np.arange(1, n + 1, dtype=np.float64)
    weights: FloatArray = np.exp(np.sqrt(rank) - np.sqrt(n))
    return weights


def weighted_median(
    forecasts: ArrayLike, weights: ArrayLike | None = None, axis: int = -1
) -> FloatArray:
    r"""Median of weighted probabilities: the mean of the lower and the upper weighted median.

    With the values in rising order and weights that sum to 1, the lower median is the first
    value at which the weight so far reaches 1/2, the upper one the first at which it passes
    1/2. They differ only where a value ends exactly at 1/2 (within 1e-12), so equal weights
    give the ordinary median, and nothing is interpolated otherwise.

    Parameters
    ----------
    forecasts : array_like
        Probabilities in [0, 1], the members along `axis`.
    weights, axis
        As for :func:`geometric_odds`.

    References
    ----------
    Metaculus, open-source platform code, ``utils/the_math/measures.py`` (BSD-2).

    Examples
    --------
    >>> float(weighted_median([0.1, 0.2, 0.8], [1, 1, 3]))
    0.8
    >>> float(weighted_median([0.1, 0.2, 0.8], [1, 1, 2]))
    0.5
    """
    p = members(forecasts, axis)
    w = np.broadcast_to(shares(weights, p.shape, axis), p.shape)
    order = np.argsort(p, axis=-1, kind="stable")
    value = np.take_along_axis(p, order, axis=-1)
    reached = np.cumsum(np.take_along_axis(w, order, axis=-1), axis=-1)
    lower = np.argmax(reached >= 0.5 - WEIGHT_TOLERANCE, axis=-1, keepdims=True)
    upper = np.argmax(reached > 0.5 + WEIGHT_TOLERANCE, axis=-1, keepdims=True)
    ends = np.take_along_axis(value, np.concatenate([lower, upper], axis=-1), axis=-1)
    median: FloatArray = ends.mean(axis=-1)
    return median


def recency_median(
    forecasts: ArrayLike, axis: int = -1, *, issued_at: ArrayLike | None = None
) -> FloatArray:
    """Pool by :func:`weighted_median` with :func:`recency_weights`.

    Up to two forecasts count alike, so two give their mean. Give each forecaster's forecast in
    force, once. Vectors over options are pooled option by option along the members' axis and
    then no longer sum to 1: divide by the sum.

    Parameters
    ----------
    forecasts : array_like
        Probabilities in [0, 1], the members along `axis`, from the oldest to the newest unless
        `issued_at` says otherwise.
    axis : int
        The members' axis.
    issued_at : array_like, shape (n,), optional
        When each member's forecast was made, numbers or datetime64. Forecasts of one instant
        share the mean of their weights, so that the order of rows does not matter.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds`, and for times that are missing or not one per member.

    Examples
    --------
    Weights .481, .728 and 1: half of their sum is passed at the middle value.

    >>> float(recency_median([0.9, 0.4, 0.2]))
    0.4
    >>> float(recency_median([0.9, 0.2]))
    0.55
    >>> float(recency_median([0.2, 0.9, 0.4], issued_at=[3, 1, 2]))
    0.4
    """
    p = members(forecasts, axis)
    weights = recency_weights(p.shape[-1])
    if issued_at is not None:
        weights = _by_time(weights, issued_at)
    return weighted_median(p, weights)


def _by_time(weights: FloatArray, issued_at: ArrayLike) -> FloatArray:
    instants = np.asarray(issued_at)
    if instants.shape != weights.shape:
        message = f"issued_at (shape {instants.shape}): must be one for each of {len(weights)}"
        raise InvalidInput(message)
    if instants.dtype.kind not in "biufM":
        message = f"issued_at (values of type {instants.dtype}): must be numbers or datetime64"
        raise InvalidInput(message)
    missing = np.isnat(instants) if instants.dtype.kind == "M" else np.isnan(instants)
    if missing.any():
        message = f"issued_at (missing at {int(np.argmax(missing))}): every forecast has a time"
        raise InvalidInput(message)
    _, place, n = np.unique(instants, return_inverse=True, return_counts=True)
    group = np.repeat(np.arange(len(n)), n)
    shared = np.bincount(group, weights=weights) / n
    by_time: FloatArray = shared[place]
    return by_time
