"""The gamma-exponential mixture: a bet that stays fair however often it is looked at."""

import math

import numpy as np

from forecasting.arrays import FloatArray

# Below this share the incomplete gamma function loses digits, and then underflows.
_SMALL_SHARE = 1e-250


def prior_scale(alpha: float, v_opt: float) -> float:
    """Mixing parameter that makes the bound tightest at variance `v_opt` for one-sided `alpha`."""
    log_odds = 2 * math.log(1 / alpha)
    return v_opt / (log_odds + math.log1p(log_odds))


def log_mixture(
    deviation: FloatArray, variance: FloatArray, *, rho: float, scale: float
) -> FloatArray:
    r"""Log of the mixture supermartingale at sums of deviations s and their intrinsic time v.

    With :math:`\tilde\rho = \rho/c^2`, :math:`a = (v + \rho)/c^2`, :math:`w = (cs + v + \rho)/c^2`,

    .. math:: m(s, v) = \frac{\tilde\rho^{\tilde\rho}}{\Gamma(\tilde\rho) P(\tilde\rho, \tilde\rho)}
              \, e^{(cs + v)/c^2} \, \frac{\Gamma(a) P(a, w)}{w^a}.

    For :math:`w \le 0` the fraction's value at 0 is an upper bound, as m rises with s. Howard et
    al. 2021 (doi:10.1214/20-AOS1991).
    """
    from scipy.special import gammainc, gammaln

    ratio = rho / scale**2
    norm = ratio * math.log(ratio) - gammaln(ratio) - math.log(gammainc(ratio, ratio))
    shape = (variance + rho) / scale**2
    rate = np.maximum((scale * deviation + variance + rho) / scale**2, 0.0)
    mixed: FloatArray = norm + _log_integral(shape, rate) + rate - ratio
    return mixed


def _log_integral(shape: FloatArray, rate: FloatArray) -> FloatArray:
    """Log of the integral of t^(shape - 1) exp(-rate t) over [0, 1]."""
    from scipy.special import gammainc, gammaln

    share = gammainc(shape, rate)
    plain = share > _SMALL_SHARE
    with np.errstate(divide="ignore", invalid="ignore"):
        log_integral = gammaln(shape) + np.log(share) - shape * np.log(rate)
    # There exp(-rate) / shape times 1 + rate/(shape + 1) + ..., whose ratios all stay below 1.
    a, w = shape[~plain], rate[~plain]
    term, total, step = np.ones_like(a), np.ones_like(a), 0
    while np.any(term > 1e-17 * total):
        step += 1
        term = term * w / (a + step)
        total = total + term
    log_integral[~plain] = np.log(total) - w - np.log(a)
    return log_integral


def radius(variance: FloatArray, *, alpha: float, rho: float, scale: float) -> FloatArray:
    """Give the deviation at which the mixture reaches 1 / alpha: never exceeded, with 1 - alpha."""
    from scipy.optimize import elementwise

    target = math.log(1 / alpha)

    def excess(deviation: FloatArray, at: FloatArray) -> FloatArray:
        return log_mixture(deviation, at, rho=rho, scale=scale) - target

    # From the bound for normal deviations; the mixture is convex and rising, so doubling ends.
    high = np.sqrt(2 * (variance + rho) * (target + np.log1p(variance / rho))) + scale * target
    while np.any(short := excess(high, variance) < 0):
        high[short] *= 2
    root = elementwise.find_root(excess, (np.zeros_like(high), high), args=(variance,))
    return np.asarray(root.x, dtype=np.float64)
