"""Over- and underconfidence as two numbers that stay sensible at five forecasts."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.calibration.isotonic import Pooled, pool

INTERCEPT_SCALE = 0.5
LOG_SLOPE_SCALE = 0.3
CLIP = 0.001
#: So many deviations make 90 %: beyond them a slope or an intercept is said to be off.
SURE = 1.645


@dataclass(frozen=True, slots=True)
class Line:
    """logit(event rate) = intercept + slope x logit(forecast).

    1 and 0 are calibrated; a slope below 1 means forecasts too extreme, above 1 too timid, an
    intercept above 0 events more frequent than said. The deviations are posterior (Laplace).
    """

    slope: float
    intercept: float
    slope_sd: float
    intercept_sd: float


def slope_intercept(forecast: ArrayLike, outcome: ArrayLike) -> Line:
    r"""Recalibration line in log-odds, drawn towards calibration until the data say otherwise.

    The posterior mode of

    .. math:: \operatorname{logit} P(y = 1) = a + b \operatorname{logit} p, \qquad
              a \sim N(0, 0.5^2), \quad \log b \sim N(0, 0.3^2).

    Forecasts are clipped to [0.001, 0.999] for the log-odds alone.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.

    References
    ----------
    D. R. Cox (1958). Two further applications of a model for binary regression. Biometrika 45.
    https://doi.org/10.1093/biomet/45.3-4.562

    Examples
    --------
    Overconfident: said 10 and 90 %, seen 30 and 70 %.

    >>> line = slope_intercept([0.1] * 50 + [0.9] * 50, [1] * 15 + [0] * 50 + [1] * 35)
    >>> line.slope < 0.6, abs(line.intercept) < 0.01
    (True, True)
    """
    return fit_line(pool(forecast, outcome))


def fit_line(pooled: Pooled) -> Line:
    """Fit :func:`slope_intercept` to pooled forecasts."""
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    x = logit(np.clip(pooled.value, CLIP, 1 - CLIP))
    n, events = pooled.n.astype(np.float64), pooled.events.astype(np.float64)
    precision = np.array([INTERCEPT_SCALE**-2, LOG_SLOPE_SCALE**-2])

    def loss(point: FloatArray) -> float:
        eta = point[0] + math.exp(point[1]) * x
        fit = float(n @ np.logaddexp(0, eta) - events @ eta)
        return fit + float(precision @ point**2) / 2

    def gradient(point: FloatArray) -> FloatArray:
        steep = math.exp(point[1]) * x
        excess = n * expit(point[0] + steep) - events
        return np.array([excess.sum(), excess @ steep]) + precision * point

    def curvature(point: FloatArray) -> FloatArray:
        steep = math.exp(point[1]) * x
        rate = expit(point[0] + steep)
        spread, excess = n * rate * (1 - rate), n * rate - events
        cross = spread @ steep
        corner = spread @ steep**2 + excess @ steep
        return np.array([[spread.sum(), cross], [cross, corner]]) + np.diag(precision)

    optimum = minimize(loss, np.zeros(2), jac=gradient, hess=curvature, method="trust-exact")
    intercept, log_slope = (float(value) for value in optimum.x)
    covariance = np.linalg.inv(curvature(optimum.x))
    slope = math.exp(log_slope)
    return Line(
        slope=slope,
        intercept=intercept,
        slope_sd=slope * math.sqrt(covariance[1, 1]),
        intercept_sd=math.sqrt(covariance[0, 0]),
    )
