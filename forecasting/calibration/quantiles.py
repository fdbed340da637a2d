"""Interval coverage and quantile reliability: how often outcomes fell below what was said."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

_SAME_LEVEL = 1e-9


def interval_coverage(
    forecast: ArrayLike, outcome: ArrayLike, *, levels: ArrayLike, confidence: float = 0.9
) -> "pd.DataFrame":
    """How often outcomes fell inside the central intervals that the quantiles state.

    Every pair of levels t and 1 - t is an interval of nominal coverage 1 - 2t, its ends
    included. The limits are Clopper and Pearson's, exact for independent outcomes and wider
    than need be for few.

    Parameters
    ----------
    forecast : array_like, shape (n, J)
        Quantiles, not falling along a row.
    outcome : array_like, shape (n,)
        The value that came true.
    levels : array_like, shape (J,)
        Of the quantiles, rising, strictly between 0 and 1; at least one pair t and 1 - t.
    confidence : float
        Of the limits, strictly between 0 and 1.

    Returns
    -------
    DataFrame
        One row per interval, narrow to wide: nominal, n, inside, coverage, lower, upper.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, falling quantiles or levels, levels
        without a pair.

    References
    ----------
    C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits illustrated in
    the case of the binomial. Biometrika 26. https://doi.org/10.1093/biomet/26.4.404

    Examples
    --------
    >>> table = interval_coverage([[1, 9]] * 4, [2, 5, 9, 12], levels=[0.1, 0.9])
    >>> table[["nominal", "n", "inside", "coverage"]].round(2).values.tolist()
    [[0.8, 4.0, 3.0, 0.75]]
    """
    import pandas as pd

    checks.between(confidence, 0, 1, "confidence")
    rows, value = checked(forecast, outcome)
    level = checks.rising_levels(levels, rows)
    pairs = [
        (low, high)
        for low in range(len(level))
        for high in range(low + 1, len(level))
        if abs(level[low] + level[high] - 1) < _SAME_LEVEL
    ]
    if not pairs:
        message = f"levels ({level.tolist()}): no two are t and 1 - t, so no interval is stated"
        raise InvalidInput(message, hint="quantile_reliability")
    low, high = (list(side) for side in zip(*reversed(pairs), strict=True))
    inside = ((rows[:, low] <= value[:, None]) & (value[:, None] <= rows[:, high])).sum(axis=0)
    limits = _exact_limits(inside, inside, len(value), confidence)
    return pd.DataFrame(
        {
            "nominal": level[high] - level[low],
            "n": len(value),
            "inside": inside,
            "coverage": inside / len(value),
            "lower": limits[0],
            "upper": limits[1],
        }
    )


def quantile_reliability(
    forecast: ArrayLike, outcome: ArrayLike, *, levels: ArrayLike, confidence: float = 0.9
) -> "pd.DataFrame":
    """How often outcomes fell below each stated quantile.

    A quantile at level t is calibrated over all forecasts if outcomes are below it in at most t
    of the cases and at or below it in at least t. The two differ where outcomes equal the
    quantile, and the limits (Clopper and Pearson's) hold both.

    Parameters
    ----------
    forecast : array_like, shape (n, J)
        Quantiles, not falling along a row.
    outcome : array_like, shape (n,)
        The value that came true.
    levels : array_like, shape (J,)
        Of the quantiles, rising, strictly between 0 and 1.
    confidence : float
        Of the limits, strictly between 0 and 1.

    Returns
    -------
    DataFrame
        One row per level: level, n, below, at_or_below (shares), lower, upper.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, falling quantiles or levels.

    References
    ----------
    T. Gneiting, D. Wolffram, J. Resin, et al. (2023). Model diagnostics and forecast evaluation
    for quantiles. Annu. Rev. Stat. Appl. 10.
    https://doi.org/10.1146/annurev-statistics-032921-020240

    Examples
    --------
    >>> table = quantile_reliability([[5.0]] * 4, [2, 5, 4, 12], levels=[0.5])
    >>> table[["level", "n", "below", "at_or_below"]].values.tolist()
    [[0.5, 4.0, 0.5, 0.75]]
    """
    import pandas as pd

    checks.between(confidence, 0, 1, "confidence")
    rows, value = checked(forecast, outcome)
    level = checks.rising_levels(levels, rows)
    below = (value[:, None] < rows).sum(axis=0)
    reached = (value[:, None] <= rows).sum(axis=0)
    limits = _exact_limits(below, reached, len(value), confidence)
    return pd.DataFrame(
        {
            "level": level,
            "n": len(value),
            "below": below / len(value),
            "at_or_below": reached / len(value),
            "lower": limits[0],
            "upper": limits[1],
        }
    )


def checked(forecast: ArrayLike, outcome: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Rows of finite numbers and as many finite outcomes."""
    rows, value = checks.finite(forecast, "forecast"), checks.finite(outcome, "outcome")
    if rows.ndim != 2 or value.shape != rows.shape[:1]:
        shapes = f"shapes {rows.shape} and {value.shape}"
        raise InvalidInput(f"forecast and outcome ({shapes}): must be (n, J) and (n,)")
    return rows, value


def _exact_limits(
    least: ArrayLike, most: ArrayLike, n: int, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Clopper and Pearson's lower limit of `least` and upper limit of `most` among n."""
    from scipy.special import betaincinv

    low, high = np.asarray(least, dtype=np.float64), np.asarray(most, dtype=np.float64)
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        lower = np.where(low > 0, betaincinv(np.maximum(low, 1), n - low + 1, tail), 0.0)
        upper = np.where(high < n, betaincinv(high + 1, np.maximum(n - high, 1), 1 - tail), 1.0)
    return lower, upper
