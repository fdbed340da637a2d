"""The continuous ranked probability score of numbers and dates, for three ways to state them."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

type Estimator = Literal["standard", "fair"]


def crps_quantile(forecast: ArrayLike, outcome: ArrayLike, *, levels: ArrayLike) -> FloatArray:
    r"""Twice the mean pinball loss over the stated quantiles; smaller is better.

    .. math:: \frac{2}{J} \sum_{j=1}^{J} (1\{y < q_j\} - \tau_j)(q_j - y)

    It tends to the CRPS as equally spaced levels grow dense. With few levels it depends on
    which ones were asked for: to compare forecasts with other levels, use
    :func:`crps_piecewise`. Proper for the stated quantiles.

    Parameters
    ----------
    forecast : array_like, shape (n, J)
        The quantiles, not falling along a row, in the units of `outcome`.
    outcome : array_like, shape (n,)
        The value that came true.
    levels : array_like, shape (J,)
        Their levels, rising, strictly between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
        One score per forecast, in the units of `outcome`.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, falling quantiles or levels.

    References
    ----------
    F. Laio, S. Tamea (2007). Verification tools for probabilistic forecasts of continuous
    hydrological variables. Hydrol. Earth Syst. Sci. 11. https://doi.org/10.5194/hess-11-1267-2007

    Examples
    --------
    >>> crps_quantile([[1.0, 2.0, 4.0]], [3.0], levels=[0.25, 0.5, 0.75])
    array([0.83333333])
    """
    quantiles, value = _rows(forecast, outcome, "quantiles")
    level = checks.rising_levels(levels, quantiles)
    error = quantiles - value[:, None]
    pinball = np.where(error > 0, (1 - level) * error, -level * error)
    scores: FloatArray = 2 * pinball.mean(axis=1)
    return scores.reshape(np.shape(outcome))


def crps_ensemble(
    forecast: ArrayLike, outcome: ArrayLike, *, estimator: Estimator | str = "standard"
) -> FloatArray:
    r"""CRPS of a forecast given as draws; smaller is better.

    .. math:: \frac1m \sum_i |x_i - y| - \frac{1}{2c} \sum_{i,j} |x_i - x_j|

    with :math:`c = m^2` for the standard (energy) form, which is the exact CRPS of the draws
    taken as the forecast itself, or :math:`c = m(m-1)` for the fair form, which is unbiased
    for the CRPS of the distribution that the draws came from and may be negative.

    Parameters
    ----------
    forecast : array_like, shape (n, m)
        m draws per forecast, in any order.
    outcome : array_like, shape (n,)
        The value that came true.
    estimator : {"standard", "fair"}
        Which form; "fair" needs at least two draws.

    Returns
    -------
    ndarray, shape (n,)
        One score per forecast, in the units of `outcome`.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, a fair score of one draw.

    References
    ----------
    M. Zamo, P. Naveau (2018). Estimation of the continuous ranked probability score with
    limited information. Math. Geosci. 50. https://doi.org/10.1007/s11004-017-9709-7

    Examples
    --------
    >>> crps_ensemble([[1.0, 3.0]], [2.0])
    array([0.5])
    >>> crps_ensemble([[1.0, 3.0]], [2.0], estimator="fair")
    array([0.])
    """
    checks.one_of(estimator, ("standard", "fair"), "estimator")
    draws, value = _rows(forecast, outcome, "draws")
    members = draws.shape[1]
    if estimator == "fair" and members < 2:
        message = "forecast (1 draw): the fair score needs at least two draws"
        raise InvalidInput(message, hint="estimator='standard'")
    pairs = members**2 if estimator == "standard" else members * (members - 1)
    # Each sorted draw stands above (i - 1) and below (m - i) others: the double sum in one pass.
    rank_weight = 2 * np.arange(1, members + 1) - members - 1
    spread = np.sort(draws, axis=1) @ rank_weight / pairs
    scores: FloatArray = np.abs(draws - value[:, None]).mean(axis=1) - spread
    return scores.reshape(np.shape(outcome))


def crps_piecewise(
    forecast: ArrayLike,
    outcome: ArrayLike,
    *,
    levels: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
) -> FloatArray:
    r"""Exact CRPS of the distribution drawn through the quantiles; smaller is better.

    The quantile function runs linearly between the stated levels and reaches `lower` at 0 and
    `upper` at 1, so

    .. math:: \int_{-\infty}^{\infty} (F(x) - 1\{y \le x\})^2 \, dx

    has a closed form: F is linear between neighbouring quantiles :math:`a, b`, and there
    :math:`\int F^2 = (b - a)(F_a^2 + F_a F_b + F_b^2)/3`. Forecasts with 3 quantiles and with
    99 are on one scale. Repeated quantiles are point masses. A value outside the bounds adds
    its distance from them. No quantiles but the bounds is the uniform distribution.

    Parameters
    ----------
    forecast : array_like, shape (n, J)
        The quantiles, not falling along a row, within the bounds, in the units of `outcome`.
    outcome : array_like, shape (n,)
        The value that came true.
    levels : array_like, shape (J,)
        Their levels, rising, strictly between 0 and 1.
    lower, upper : array_like, shape () or (n,)
        The bounds of the question, lower < upper.

    Returns
    -------
    ndarray, shape (n,)
        One score per forecast, in the units of `outcome`.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, falling quantiles or levels,
        quantiles outside the bounds.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102. https://doi.org/10.1198/016214506000001437

    Examples
    --------
    The uniform forecast on [0, 1], its median stated, and the outcome 0:

    >>> crps_piecewise([[0.5]], [0.0], levels=[0.5], lower=0.0, upper=1.0)
    array([0.33333333])
    """
    quantiles, value = _rows(forecast, outcome, "quantiles")
    level = checks.rising_levels(levels, quantiles)
    low, high = bounds(lower, upper, len(value))
    if np.any(quantiles[:, 0] < low) or np.any(quantiles[:, -1] > high):
        row = int(np.argmax((quantiles[:, 0] < low) | (quantiles[:, -1] > high)))
        message = (
            f"forecast (row {row}: {quantiles[row, 0]} to {quantiles[row, -1]}): "
            f"must lie within its bounds {low[row]} to {high[row]}"
        )
        raise InvalidInput(message)
    knots = np.column_stack([low, quantiles, high])
    heights = np.concatenate([[0.0], level, [1.0]])
    left, right, below, above = knots[:, :-1], knots[:, 1:], heights[:-1], heights[1:]
    split = np.clip(value[:, None], left, right)
    width = right - left
    share = np.divide(split - left, width, out=np.zeros_like(width), where=width > 0)
    at_split = below + (above - below) * share
    under = (split - left) * _mean_square(below, at_split)
    over = (right - split) * _mean_square(1 - at_split, 1 - above)
    outside = np.maximum(low - value, 0) + np.maximum(value - high, 0)
    scores: FloatArray = (under + over).sum(axis=1) + outside
    return scores.reshape(np.shape(outcome))


def bounds(lower: ArrayLike, upper: ArrayLike, n: int) -> tuple[FloatArray, FloatArray]:
    """Bounds of n numeric questions: finite, lower below upper."""
    low, high = checks.finite(lower, "lower"), checks.finite(upper, "upper")
    for name, bound in (("lower", low), ("upper", high)):
        if bound.shape not in ((), (n,)):
            message = f"{name} (shape {bound.shape}): must be one number, or one for each of {n}"
            raise InvalidInput(message)
    low, high = np.broadcast_to(low, (n,)), np.broadcast_to(high, (n,))
    if np.any(low >= high):
        row = int(np.argmax(low >= high))
        raise InvalidInput(f"lower ({low[row]} at {row}): must be below upper ({high[row]})")
    return low, high


def _mean_square(first: FloatArray, last: FloatArray) -> FloatArray:
    """Mean of a linear function's square between its two end values."""
    mean: FloatArray = (first * first + first * last + last * last) / 3
    return mean


def _rows(forecast: ArrayLike, outcome: ArrayLike, what: str) -> tuple[FloatArray, FloatArray]:
    if not checks.is_vector(forecast, outcome):
        message = (
            f"forecast and outcome (shapes {np.shape(forecast)} and {np.shape(outcome)}): "
            f"must be (n, number of {what}) and (n,)"
        )
        raise InvalidInput(message)
    rows = checks.finite(np.atleast_2d(forecast), "forecast")
    value = checks.finite(np.atleast_1d(outcome), "outcome")
    if value.ndim != 1 or len(rows) != len(value):
        message = f"forecast and outcome (lengths {len(rows)} and {len(value)}): must be equal"
        raise InvalidInput(message)
    return rows, value
