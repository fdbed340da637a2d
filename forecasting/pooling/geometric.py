"""The geometric mean of odds, and its form for options: the log-linear pool."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.members import (
    WEIGHT_TOLERANCE,
    mean_log_odds,
    members,
    probability,
    shares,
)
from forecasting.scoring import checks


def geometric_odds(
    forecasts: ArrayLike, weights: ArrayLike | None = None, axis: int = -1, *, clip: float = 0.0
) -> FloatArray:
    r"""Pool probabilities of yes by the weighted geometric mean of their odds.

    .. math:: \operatorname{logit} P = \sum_i w_i \operatorname{logit} p_i, \qquad \sum_i w_i = 1

    The pool that is externally Bayesian: updating each member on shared evidence and then
    pooling gives the same as pooling and then updating. Nothing is clipped unless `clip` says
    so. A forecast of 0 or 1 is taken as the limit of ever surer ones: one such member decides
    the pool, of two sides the heavier, and sides of equal weight cancel.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`. For vectors over options see
        :func:`log_linear`.
    weights : array_like, optional
        One per member, or of the shape of `forecasts`; not negative, not all zero; normalised
        to sum to 1. Equal by default.
    axis : int
        The members' axis.
    clip : float
        Draws forecasts into [clip, 1 - clip] before pooling; 0.001 keeps one certain member
        from deciding alone.

    Raises
    ------
    InvalidInput
        No member, NaN, a probability outside [0, 1], weights that cannot be normalised.

    References
    ----------
    C. Genest (1984). A characterization theorem for externally Bayesian groups. Ann. Statist.
    12. https://doi.org/10.1214/aos/1176346726

    Examples
    --------
    Odds of 1:1 and 1:9 have the geometric mean 1:3.

    >>> float(geometric_odds([0.5, 0.1]))
    0.25
    >>> geometric_odds([[0.5, 0.1], [0.0, 0.6]]).round(2).tolist()
    [0.25, 0.0]
    """
    p = members(forecasts, axis, clip=clip)
    return probability(mean_log_odds(p, shares(weights, p.shape, axis)))


def log_linear(
    forecasts: ArrayLike, weights: ArrayLike | None = None, axis: int = -2, *, clip: float = 0.0
) -> FloatArray:
    r"""Pool vectors over options by the weighted geometric mean, renormalised to sum to 1.

    .. math:: P_k = \frac{\prod_i p_{ik}^{w_i}}{\sum_l \prod_i p_{il}^{w_i}}

    With two options it is :func:`geometric_odds`. An option to which a member gives 0 gets 0,
    unless every option meets such a veto: then the least heavily vetoed ones share it.

    Parameters
    ----------
    forecasts : array_like, shape (..., n, K)
        Vectors over K options along the last axis, each summing to 1; members along `axis`.
    weights : array_like, optional
        One per member, or of the shape of `forecasts` without the options. Equal by default.
    axis : int
        The members' axis, not the last.
    clip : float
        Lifts smaller probabilities to it, each vector then divided by its sum; below 1/K.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds`, and for vectors that do not sum to 1 within 1e-9.

    References
    ----------
    C. Genest, J. V. Zidek (1986). Combining probability distributions. Statist. Sci. 1.
    https://doi.org/10.1214/ss/1177013825

    Examples
    --------
    >>> log_linear([[0.8, 0.1, 0.1], [0.2, 0.4, 0.4]]).round(3).tolist()
    [0.5, 0.25, 0.25]
    """
    vectors = checks.floats(forecasts, "forecasts")
    if vectors.ndim < 2 or axis % vectors.ndim == vectors.ndim - 1:
        message = f"axis ({axis}): options lie on the last of the axes of {vectors.shape}"
        raise InvalidInput(message, hint="members on another axis, -2 by default")
    # Options before members: shape (..., K, n).
    p = members(vectors, axis)
    options = p.shape[-2]
    total = p.sum(axis=-2)
    off = np.abs(total - 1) > checks.SUM_TOLERANCE
    if off.any():
        message = f"forecasts ({total[off][0]}): must sum to 1 within {checks.SUM_TOLERANCE}"
        raise InvalidInput(message)
    if not 0 <= clip < 1 / options:
        raise InvalidInput(f"clip ({clip}): must lie in [0, 1/{options}) for {options} options")
    p = np.maximum(p, clip)
    p = p / p.sum(axis=-2, keepdims=True)
    w = shares(weights, (*p.shape[:-2], p.shape[-1]), axis % vectors.ndim)
    w = w[..., None, :]
    vetoed = p == 0
    veto = (w * vetoed).sum(axis=-1)
    level = (w * np.log(np.where(vetoed, 1.0, p))).sum(axis=-1)
    least = veto.min(axis=-1, keepdims=True)
    level = np.where(veto > least + WEIGHT_TOLERANCE, -np.inf, level)
    size = np.exp(level - level.max(axis=-1, keepdims=True))
    pooled: FloatArray = size / size.sum(axis=-1, keepdims=True)
    return pooled
