"""The Diebold-Mariano test, for regular series of forecasts."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

type Method = Literal["HG", "HLN"]


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """A test that a regular series of score differences has mean 0.

    `statistic` is the mean over its standard error, which allows for serial correlation. It is NaN
    where that error cannot be estimated, and `note` says why. The two-sided `p_value` and the
    interval of the mean are by Student's t with n - 1 degrees of freedom.
    """

    mean: float
    statistic: float
    p_value: float
    lower: float
    upper: float
    level: float
    n: int
    method: str
    note: str = ""


def diebold_mariano(
    difference: ArrayLike, *, horizon: int = 1, method: Method | str = "HG", level: float = 0.95
) -> DieboldMariano:
    r"""Test whether two forecasters of one regular series differ in mean score.

    The statistic is :math:`\bar d / \sqrt{\hat f / n}`, with :math:`\hat\gamma_k` the sample
    autocovariances (divided by n) and

    .. math:: \text{HLN:}\quad \hat f = \Bigl(\hat\gamma_0 + 2 \sum_{k<h} \hat\gamma_k\Bigr)
              \Big/ \frac{n + 1 - 2h + h(h-1)/n}{n}, \qquad
              \text{HG:}\quad \hat f = \sigma^2 \Bigl(1 + 2 \sum_{k=1}^{n-1} r^k\Bigr),

    where :math:`\sigma^2 r^k`, :math:`0 \le r < 1`, is fitted by least squares to
    :math:`\hat\gamma_k` at the lags below max(h, (n - 1)/2). HG is never negative; HLN may be, and
    then has no statistic.

    It presumes equally spaced forecasts of one kind whose differences are stationary. Questions
    about events are no such series: for those use :func:`forecasting.comparison.paired_bootstrap`
    or :func:`forecasting.comparison.sequential`.

    Parameters
    ----------
    difference : array_like, shape (n,)
        Differences of scores in the order of time.
    horizon : int
        h, how many steps ahead the forecasts are made: at least 1; below n for HLN, at most n
        for HG.
    method : {"HG", "HLN"}
        Hering and Genton, or Harvey, Leybourne and Newbold.
    level : float
        Nominal coverage of the interval.

    Raises
    ------
    InvalidInput
        On NaN, infinities, fewer than two differences, another horizon, method or level.

    References
    ----------
    F. X. Diebold, R. S. Mariano (1995). Comparing predictive accuracy. JBES 13.
    https://doi.org/10.1080/07350015.1995.10524599

    D. Harvey, S. Leybourne, P. Newbold (1997). Testing the equality of prediction mean squared
    errors. Int. J. Forecasting 13. https://doi.org/10.1016/S0169-2070(96)00719-4

    A. S. Hering, M. G. Genton (2011). Comparing spatial predictions. Technometrics 53.
    https://doi.org/10.1198/TECH.2011.10136

    Examples
    --------
    Autocovariances 1.25 and 0.3125: 2.5 sqrt(3/8) / sqrt((1.25 + 0.625) / 4).

    >>> test = diebold_mariano([1, 2, 3, 4], horizon=2, method="HLN", level=0.9)
    >>> round(test.statistic, 6), round(test.lower, 6), round(test.upper, 6)
    (2.236068, -0.13114, 5.13114)
    """
    from scipy import stats

    checks.one_of(method, ("HG", "HLN"), "method")
    checks.between(level, 0, 1, "level")
    series = checks.floats(difference, "difference")
    if series.ndim != 1 or len(series) < 2 or np.isinf(series).any():
        message = f"difference (shape {series.shape}): must be two or more finite numbers in a row"
        raise InvalidInput(message)
    n = len(series)
    longest = n if method == "HG" else n - 1
    if horizon not in range(1, longest + 1):
        message = f"horizon ({horizon!r}): must be a whole number 1..{longest} for {n} differences"
        raise InvalidInput(message)
    mean = float(series.mean())
    residual = series - mean
    autocovariance = np.correlate(residual, residual, mode="full")[n - 1 :] / n
    # Equal differences leave rounding errors, and no spread to compare their mean with.
    if series.min() == series.max():
        density, note = 0.0, "no spread: all differences are equal"
    elif method == "HLN":
        density, note = _long_run_variance(autocovariance, horizon), "the variance is not positive"
    else:
        density, note = _exponential_variance(autocovariance, horizon), "the variance is 0"
    if density <= 0:
        return DieboldMariano(mean, math.nan, math.nan, math.nan, math.nan, level, n, method, note)
    error = math.sqrt(density / n)
    t = stats.t(n - 1)
    reach = float(t.ppf((1 + level) / 2)) * error
    return DieboldMariano(
        mean=mean,
        statistic=mean / error,
        p_value=2 * float(t.sf(abs(mean) / error)),
        lower=mean - reach,
        upper=mean + reach,
        level=level,
        n=n,
        method=method,
    )


def _long_run_variance(autocovariance: FloatArray, horizon: int) -> float:
    n = len(autocovariance)
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return float(autocovariance[0] + 2 * autocovariance[1:horizon].sum()) / correction


def _exponential_variance(autocovariance: FloatArray, horizon: int) -> float:
    from scipy.optimize import minimize_scalar

    n = len(autocovariance)
    fitted = autocovariance[: max((n - 1) // 2, horizon)] / autocovariance[0]
    lag = np.arange(len(fitted))

    def level_at(ratio: float) -> float:
        """Least-squares height of the curve for one decay; never below 0."""
        shape = ratio**lag
        return max(float(fitted @ shape) / float(shape @ shape), 0.0)

    def misfit(ratio: float) -> float:
        return float(((fitted - level_at(ratio) * ratio**lag) ** 2).sum())

    # The misfit may have two valleys, so a grid finds the right one; of equals the first.
    grid = np.linspace(0, 1, 101)[:-1]
    best = int(np.argmin([misfit(ratio) for ratio in grid]))
    around = (grid[max(best - 1, 0)], grid[best + 1] if best < 99 else 1 - 1e-9)
    optimum = minimize_scalar(misfit, bounds=around, method="bounded", options={"xatol": 1e-12})
    ratio = float(optimum.x) if optimum.fun < misfit(grid[best]) else float(grid[best])
    powers = ratio ** np.arange(1, n)
    return level_at(ratio) * (1 + 2 * float(powers.sum())) * float(autocovariance[0])
