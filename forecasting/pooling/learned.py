"""The learned pool's formula, its gradient, and its fit: least squared error with priors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pooling.features import Prior, split
from forecasting.pooling.panel import Panel
from forecasting.scoring.checks import FloatArray

type BoolArray = NDArray[np.bool_]

# What the prior's spreads may be multiplied by; the first of equals is kept. Nothing narrower:
# with fewer questions to learn from than in use, it would always look better.
WIDTHS = (1.0, 1.5, 2.2)
# Relative fall of the loss at which the fits that choose among them stop.
ROUGH = 1e-5


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pool's log-odds and how they came about.

    Attributes
    ----------
    log_odds, mean, factor, effective : ndarray, shape (M,)
        The result, the weighted mean before extremising, the extremising factor, and the
        effective number of members, (sum w)^2 / sum w^2.
    weight, corrected : ndarray, shape (n,)
        Each member's share and corrected log-odds.
    own : ndarray, shape (M,)
        The weighted mean before it is drawn to other pools.
    """

    log_odds: FloatArray
    mean: FloatArray
    factor: FloatArray
    effective: FloatArray
    weight: FloatArray
    corrected: FloatArray
    own: FloatArray


def pool(theta: FloatArray, panel: Panel) -> Pooled:
    """Pool each moment's members with the parameters `theta`."""
    weight, correction, factor, rival, shift, (base, overlap) = split(theta)
    raw = panel.weight @ weight
    raw -= np.repeat(np.maximum.reduceat(raw, panel.start), panel.number)
    u = np.exp(raw)
    share = u / np.repeat(np.add.reduceat(u, panel.start), panel.number)
    corrected = panel.log_odds + panel.correction @ correction
    own = np.add.reduceat(share * corrected, panel.start)
    mean = own + (panel.rival - own[:, None]) @ rival
    effective = 1 / np.add.reduceat(share**2, panel.start)
    shared = 1 + (effective - 1) * expit(overlap)
    push = effective / shared * np.exp(panel.factor @ factor)
    log_odds = base + push * (mean - base) + panel.shift @ shift
    return Pooled(log_odds, mean, push, effective, share, corrected, own)


def loss(
    theta: FloatArray, panel: Panel, outcome: FloatArray, weight: FloatArray
) -> tuple[float, FloatArray]:
    """Weighted sum of the pool's Brier scores, and its gradient in the parameters."""
    _, _, _, rival, _, (base, overlap) = split(theta)
    out = pool(theta, panel)
    p = np.asarray(expit(out.log_odds))
    value = float((weight * (p - outcome) ** 2).sum())
    by_log_odds = 2 * weight * (p - outcome) * p * (1 - p)
    by_mean = by_log_odds * out.factor
    by_own = by_mean * (1 - rival.sum())
    by_log_factor = by_mean * (out.mean - base)
    rho = expit(overlap)
    shared = 1 + (out.effective - 1) * rho
    by_effective = by_log_factor * (1 / out.effective - rho / shared)
    by_rho = -(by_log_factor * (out.effective - 1) / shared).sum()

    def each(values: FloatArray) -> FloatArray:
        return np.repeat(values, panel.number)

    by_share = each(by_own) * out.corrected
    by_share -= 2 * out.weight * each(by_effective * out.effective**2)
    # Shares sum to 1: what lifts all of a moment's members alike lifts none.
    by_raw = out.weight * (by_share - each(np.add.reduceat(out.weight * by_share, panel.start)))
    gradient = np.concatenate(
        [
            panel.weight.T @ by_raw,
            panel.correction.T @ (each(by_own) * out.weight),
            panel.factor.T @ by_log_factor,
            (panel.rival - out.own[:, None]).T @ by_mean,
            panel.shift.T @ by_log_odds,
            [(by_log_odds * (1 - out.factor)).sum(), by_rho * rho * (1 - rho)],
        ]
    )
    return value, gradient


def fit(
    panel: Panel,
    outcome: FloatArray,
    weight: FloatArray,
    prior: Prior,
    *,
    tolerance: float = 1e-7,
) -> FloatArray:
    """Find the parameters of least penalised loss; those without spread stay at their mean."""
    from scipy.optimize import minimize

    free = prior.spread > 0
    theta = prior.mean.copy()
    scale = prior.spread[free]

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        theta[free] = prior.mean[free] + scale * z
        value, gradient = loss(theta, panel, outcome, weight)
        return value + 0.5 * float(z @ z), scale * gradient[free] + z

    found = minimize(
        objective,
        np.zeros(len(scale)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 100, "ftol": tolerance},
    )
    theta[free] = prior.mean[free] + scale * found.x
    return theta


def choose_width(
    panel: Panel,
    outcome: FloatArray,
    weight: FloatArray,
    prior: Prior,
    earlier: BoolArray,
    later: BoolArray,
) -> float:
    """Find what to multiply the prior's spreads by, as learned earlier and scored later.

    Parameters
    ----------
    earlier, later : ndarray of bool, shape (M,)
        Moments to learn from and to score; no question has both.
    """
    least = np.inf
    best = 1.0
    for width in WIDTHS:
        theta = fit(panel, outcome, weight * earlier, prior.widened(width), tolerance=ROUGH)
        value, _ = loss(theta, panel, outcome, weight * later)
        if value < least:
            least, best = value, width
    return best


def expit(log_odds: FloatArray) -> FloatArray:
    """Turn log-odds into probabilities."""
    from scipy import special

    return np.asarray(special.expit(log_odds), dtype=np.float64)
