"""Pools pushed away from a base rate, because members share less than they know together."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.members import mean_log_odds, members, probability, shares
from forecasting.scoring import checks


def extremized(
    forecasts: ArrayLike,
    factor: float,
    weights: ArrayLike | None = None,
    axis: int = -1,
    *,
    clip: float = 0.0,
) -> FloatArray:
    r"""Pool by the geometric mean of odds, then multiply the log-odds by `factor`.

    .. math:: \operatorname{logit} P = d \sum_i w_i \operatorname{logit} p_i

    Choose the factor from questions resolved before these, never from the ones scored; on
    geopolitical questions the best lay between 1.16 and 3.92. It is the same map as
    :math:`p^d / (p^d + (1 - p)^d)` of the geometric pool.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`.
    factor : float
        Above 0; above 1 extremises, 1 is :func:`geometric_odds`, below 1 moderates.
    weights, axis, clip
        As for :func:`geometric_odds`.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds`, and for a factor that is not above 0 and finite.

    References
    ----------
    V. A. Satopää et al. (2014). Combining multiple probability predictions using a simple
    logit model. Int. J. Forecasting 30. https://doi.org/10.1016/j.ijforecast.2013.09.009

    J. Baron et al. (2014). Two reasons to make aggregated probability forecasts more extreme.
    Decision Analysis 11. https://doi.org/10.1287/deca.2014.0293

    Examples
    --------
    Odds of 2:1, squared.

    >>> round(float(extremized([2 / 3, 2 / 3], 2.0)), 3)
    0.8
    """
    checks.between(factor, 0, np.inf, "factor")
    p = members(forecasts, axis, clip=clip)
    return probability(factor * mean_log_odds(p, shares(weights, p.shape, axis)))


def neyman_factor(n: int) -> float:
    r"""How far n equally informed forecasters are extremised when nothing else is known.

    .. math:: d(n) = \frac{n (\sqrt{3 n^2 - 3 n + 1} - 2)}{n^2 - n - 1}

    1 for one forecaster, rising towards :math:`\sqrt 3`.

    Parameters
    ----------
    n : int
        Members, at least 1.

    Raises
    ------
    InvalidInput
        For no member.

    References
    ----------
    E. Neyman, T. Roughgarden (2023). Are you smarter than a random expert? The robust
    aggregation of substitutable signals. Operations Research.
    https://doi.org/10.48550/arXiv.2111.03153

    Examples
    --------
    >>> neyman_factor(1), round(neyman_factor(10), 6)
    (1.0, 1.624953)
    """
    checks.at_least(n, 1, "n")
    # Python's integers do not overflow, and the denominator is odd: never zero.
    count = int(n)
    return float(count * ((3 * count**2 - 3 * count + 1) ** 0.5 - 2) / (count**2 - count - 1))


def neyman_roughgarden(
    forecasts: ArrayLike, base_rate: ArrayLike = 0.5, axis: int = -1, *, clip: float = 0.0
) -> FloatArray:
    r"""Pool by the geometric mean of odds, pushed away from the base rate by a fixed rule.

    .. math:: \operatorname{logit} P = b + d(n) \left(\frac1n \sum_i \operatorname{logit} p_i
              - b\right), \qquad b = \operatorname{logit}(\text{base rate})

    with d(n) of :func:`neyman_factor`. Nothing is fitted. The members count alike.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`.
    base_rate : array_like
        How often such questions came true before, strictly between 0 and 1: one number, or
        one for each pool.
    axis, clip
        As for :func:`geometric_odds`.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds`, and for a base rate that is not between 0 and 1.

    Examples
    --------
    >>> round(float(neyman_roughgarden([0.8, 0.8, 0.8, 0.8, 0.8])), 3)
    0.893

    At the base rate itself there is nothing to push.

    >>> round(float(neyman_roughgarden([0.2, 0.2], base_rate=0.2)), 3)
    0.2
    """
    from scipy.special import logit

    p = members(forecasts, axis, clip=clip)
    rate = checks.floats(base_rate, "base_rate")
    wrong = rate[(rate <= 0) | (rate >= 1)]
    if wrong.size:
        raise InvalidInput(f"base_rate ({wrong[0]}): must lie strictly between 0 and 1")
    if rate.shape not in ((), p.shape[:-1]):
        raise InvalidInput(f"base_rate (shape {rate.shape}): must be one number, or {p.shape[:-1]}")
    base = np.asarray(logit(rate), dtype=np.float64)
    away = mean_log_odds(p, shares(None, p.shape)) - base
    return probability(base + neyman_factor(p.shape[-1]) * away)
