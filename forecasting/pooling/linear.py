"""The linear pool: the weighted mean of probabilities."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.members import members, shares
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


def linear_quantiles(values: ArrayLike, levels: ArrayLike) -> FloatArray:
    """Pool quantile forecasts as the equal mixture of the members' distributions.

    Parameters
    ----------
    values : array_like, shape (members, levels)
        Each member's quantiles at the same `levels`; between them the distribution is linear.
    levels : array_like, shape (levels,)
        In (0, 1), rising.

    Returns
    -------
    ndarray, shape (levels,)
        Quantiles of the mixture (not the mean of the quantiles, which is too sure).

    Raises
    ------
    InvalidInput
        Empty or NaN values, another shape, quantiles that fall, levels that do not rise in (0, 1).

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
        message = f"values ({q[row].tolist()} in row {row}): quantiles must not fall"
        raise InvalidInput(message)
    if len(level) == 1:
        return np.median(q, axis=0)
    fine = np.linspace(level[0], level[-1], 4 * len(level) + 1)
    samples = np.concatenate([np.interp(fine, level, member) for member in q])
    share = (level - level[0]) / (level[-1] - level[0])
    pooled: FloatArray = np.quantile(samples, share)
    return pooled
