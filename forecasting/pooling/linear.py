"""The linear pool: the weighted mean of probabilities."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.members import WEIGHT_TOLERANCE, members, shares
from forecasting.scoring import checks


def linear(forecasts: ArrayLike, weights: ArrayLike | None = None, axis: int = -1) -> FloatArray:
    """Pool probabilities by their weighted mean, sum_i w_i p_i with w normalised to sum to 1.

    A linear pool of calibrated members is underconfident (Ranjan and Gneiting 2010, J. R. Stat.
    Soc. B 72, doi:10.1111/j.1467-9868.2009.00726.x); it is right for rival models of one thing.

    Parameters
    ----------
    forecasts : array_like
        Probabilities in [0, 1]; members along `axis`.
    weights, axis
        As for :func:`geometric_odds`.

    Raises
    ------
    InvalidInput
        No member, NaN, a probability outside [0, 1], or weights that cannot be normalised.

    Examples
    --------
    >>> float(linear([0.2, 0.8])), linear([[0.2, 0.8], [0.6, 0.4]], axis=0).round(2).tolist()
    (0.5, [0.4, 0.6])
    """
    p = members(forecasts, axis)
    pooled: FloatArray = (p * shares(weights, p.shape, axis)).sum(axis=-1)
    return pooled


def linear_quantiles(
    values: ArrayLike, levels: ArrayLike, weights: ArrayLike | None = None
) -> FloatArray:
    """Pool quantile forecasts as the mixture of the members' distributions.

    The mixture's distribution function is the weighted mean of the members', which are linear
    between their quantiles. What lies beyond an outermost quantile is put at it: nearer to the
    tails that people mean than a line to far bounds.

    Parameters
    ----------
    values : array_like, shape (members, levels)
        Each member's quantiles at the same `levels`.
    levels : array_like, shape (levels,)
        In (0, 1), rising.
    weights : array_like, shape (members,), optional
        Not negative, made to sum to 1; None weighs all alike.

    Returns
    -------
    ndarray, shape (levels,)
        Quantiles of the mixture (not the mean of the quantiles, which is too sure); the middle
        where several values are one.

    Raises
    ------
    InvalidInput
        Empty or NaN values, another shape, quantiles that fall, levels that do not rise in (0, 1),
        weights that cannot be normalised.

    Examples
    --------
    >>> linear_quantiles([[0, 0, 0], [10, 10, 10]], [0.25, 0.5, 0.75]).tolist()
    [0.0, 5.0, 10.0]
    """
    q, level = checks.floats(values, "values"), checks.floats(levels, "levels")
    if level.ndim != 1 or np.any((level <= 0) | (level >= 1)) or np.any(np.diff(level) <= 0):
        message = f"levels ({level.tolist()}): must rise strictly within (0, 1)"
        raise InvalidInput(message, hint="0.05 for the 5 % quantile")
    if q.ndim != 2 or q.shape[1] != len(level) or np.isinf(q).any():
        message = f"values (shape {q.shape}): must be finite, members by {len(level)} levels"
        raise InvalidInput(message)
    falls = np.diff(q, axis=1) < 0
    if falls.any():
        row = int(np.argmax(falls.any(axis=1)))
        raise InvalidInput(f"values ({q[row].tolist()} in row {row}): quantiles must not fall")
    w = shares(weights, q.shape[:1])
    q, w = q[w > 0], w[w > 0]
    if np.all(q == q[0]):
        # Members that agree keep every digit.
        return np.array(q[0])
    known = np.concatenate([q[:, :1], q, q[:, -1:]], axis=1)
    reached = np.concatenate([[0.0], level, [1.0]])
    at = np.unique(known)
    # Left and right limits side by side: where quantiles are equal the function jumps.
    limits = [_distribution(known, w, reached, at, side) for side in ("left", "right")]
    share, place = np.column_stack(limits).ravel(), np.repeat(at, 2)
    low, high = (_inverse(share, place, level, side) for side in ("left", "right"))
    pooled: FloatArray = (low + high) / 2
    return pooled


def _distribution(
    known: FloatArray,
    w: FloatArray,
    reached: FloatArray,
    at: FloatArray,
    side: Literal["left", "right"],
) -> FloatArray:
    """Mean, by weight, of the members' distribution functions, or of their left limits."""
    each = []
    for row in known:
        after = np.clip(np.searchsorted(row, at, side=side), 1, len(row) - 1)
        gap, beyond = row[after] - row[after - 1], at - row[after - 1]
        jump = (beyond > 0) | ((beyond == 0) & (side == "right"))
        part = np.where(gap > 0, np.clip(beyond / np.where(gap > 0, gap, 1.0), 0, 1), jump)
        each.append(reached[after - 1] + part * (reached[after] - reached[after - 1]))
    return np.asarray(w @ np.array(each))


def _inverse(
    share: FloatArray, place: FloatArray, level: FloatArray, side: Literal["left", "right"]
) -> FloatArray:
    """Least or largest value at which a distribution function, (M,), has a level."""
    slack = WEIGHT_TOLERANCE if side == "right" else -WEIGHT_TOLERANCE
    after = np.clip(np.searchsorted(share, level + slack, side=side), 1, len(share) - 1)
    gap = share[after] - share[after - 1]
    part = np.clip((level - share[after - 1]) / np.where(gap > 0, gap, 1.0), 0, 1)
    return np.asarray(place[after - 1] + part * (place[after] - place[after - 1]))
