"""The edge of the pools: members' probabilities, and weights that can be normalised."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

# Weights whose normalised sums differ by less are equal: the rest is rounding.
WEIGHT_TOLERANCE = 1e-12


def members(forecasts: ArrayLike, axis: int, *, clip: float = 0.0) -> FloatArray:
    """Probabilities with the members on the last axis, drawn into [clip, 1 - clip]."""
    p = checks.floats(forecasts, "forecasts")
    if not -p.ndim <= axis < p.ndim:
        raise InvalidInput(f"axis ({axis}): forecasts of shape {p.shape} have no such axis")
    outside = p[(p < 0) | (p > 1)]
    if outside.size:
        message = f"forecasts ({outside[0]}): must lie in [0, 1]"
        raise InvalidInput(message, hint="divide percentages by 100" if outside[0] > 1 else "")
    if not 0 <= clip < 0.5:
        message = f"clip ({clip}): must lie in [0, 0.5)"
        raise InvalidInput(message, hint="clip=0.001 moves forecasts into [0.001, 0.999]")
    moved: FloatArray = np.moveaxis(np.clip(p, clip, 1 - clip), axis, -1)
    return moved


def shares(weights: ArrayLike | None, shape: tuple[int, ...], axis: int = -1) -> FloatArray:
    """Give weights, one a member or one a forecast, that sum to 1 over the last axis."""
    if weights is None:
        return np.full(shape[-1:], 1 / shape[-1])
    w = checks.floats(weights, "weights")
    w = np.moveaxis(w, axis, -1) if w.ndim == len(shape) else w
    if w.shape not in (shape[-1:], shape):
        message = f"weights (shape {w.shape}): must be one for each of {shape[-1]} members"
        raise InvalidInput(message, hint="or one for each forecast, in the same shape")
    wrong = w[(w < 0) | np.isinf(w)]
    if wrong.size:
        raise InvalidInput(f"weights ({wrong[0]}): must be finite and not negative")
    total = w.sum(axis=-1, keepdims=True)
    if not np.all(total > 0):
        message = "weights (all zero): at least one member must count"
        raise InvalidInput(message, hint="weights=None weighs all alike")
    return w / total


def mean_log_odds(p: FloatArray, w: FloatArray) -> FloatArray:
    """Weighted mean of log-odds over the last axis; the heavier side of 0 and 1 decides."""
    from scipy.special import logit

    with np.errstate(divide="ignore"):
        x = np.asarray(logit(p), dtype=np.float64)
    sure = np.isinf(x)
    middle = (w * np.where(sure, 0.0, x)).sum(axis=-1)
    side = (w * np.where(sure, np.sign(x), 0.0)).sum(axis=-1)
    decided = np.abs(side) > WEIGHT_TOLERANCE
    return np.where(decided, np.copysign(np.inf, side), middle)


def probability(log_odds: FloatArray) -> FloatArray:
    """Turn log-odds into the probability."""
    from scipy.special import expit

    return np.asarray(expit(log_odds), dtype=np.float64)
