"""The learned pool's formula, its gradient, and its fit: least squared error with priors."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.pooling.members import probability
from forecasting.pooling.panel import Panel
from forecasting.pooling.parameters import Prior


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pool's log-odds, the mean before extremising, the factor and effective members (M,).

    `weight` and `corrected` are each member's share and corrected log-odds, of shape (n,).
    """

    log_odds: FloatArray
    mean: FloatArray
    factor: FloatArray
    effective: FloatArray
    weight: FloatArray
    corrected: FloatArray


def pool(theta: FloatArray, panel: Panel) -> Pooled:
    """Pool each moment's members with the parameters `theta`."""
    *weight, slope, number, overlap, shift = theta
    raw = panel.weight @ np.array(weight)
    raw -= np.repeat(np.maximum.reduceat(raw, panel.start), panel.number)
    u = np.exp(raw)
    share = u / np.repeat(np.add.reduceat(u, panel.start), panel.number)
    corrected = panel.log_odds * (1 + slope * panel.slope)
    mean = np.add.reduceat(share * corrected, panel.start)
    effective = 1 / np.add.reduceat(share**2, panel.start)
    shared = 1 + (effective - 1) * probability(overlap)
    factor = effective / shared * np.exp(number * _bounded(panel))
    log_odds = panel.base + shift + factor * (mean - panel.base)
    return Pooled(log_odds, mean, factor, effective, share, corrected)


def _bounded(panel: Panel) -> FloatArray:
    return np.asarray(0.5 - 1 / panel.number)


def loss(
    theta: FloatArray, panel: Panel, outcome: FloatArray, weight: FloatArray
) -> tuple[float, FloatArray]:
    """Weighted sum of the pool's Brier scores, and its gradient in the parameters."""
    out = pool(theta, panel)
    p = np.asarray(probability(out.log_odds))
    value = float((weight * (p - outcome) ** 2).sum())
    by_log_odds = 2 * weight * (p - outcome) * p * (1 - p)
    by_mean = by_log_odds * out.factor
    by_log_factor = by_mean * (out.mean - panel.base)
    rho = probability(theta[-2])
    shared = 1 + (out.effective - 1) * rho
    by_effective = by_log_factor * (1 / out.effective - rho / shared)
    by_rho = -(by_log_factor * (out.effective - 1) / shared).sum()

    def each(values: FloatArray) -> FloatArray:
        return np.repeat(values, panel.number)

    by_share = each(by_mean) * out.corrected
    by_share -= 2 * out.weight * each(by_effective * out.effective**2)
    # Shares sum to 1: what lifts all of a moment's members alike lifts none.
    by_raw = out.weight * (by_share - each(np.add.reduceat(out.weight * by_share, panel.start)))
    gradient = [
        *(panel.weight.T @ by_raw),
        (each(by_mean) * out.weight) @ (panel.log_odds * panel.slope),
        by_log_factor @ _bounded(panel),
        by_rho * rho * (1 - rho),
        by_log_odds.sum(),
    ]
    return value, np.array(gradient)


def fit(panel: Panel, outcome: FloatArray, weight: FloatArray, prior: Prior) -> FloatArray:
    """Find the parameters of least penalised loss; those without spread stay at their mean."""
    from scipy.optimize import minimize

    free = prior.spread > 0
    theta = prior.mean.copy()
    scale = prior.spread[free]

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        theta[free] = prior.mean[free] + scale * z
        value, gradient = loss(theta, panel, outcome, weight)
        return value + 0.5 * float(z @ z), scale * gradient[free] + z

    optimum = minimize(
        objective, np.zeros(len(scale)), jac=True, method="L-BFGS-B", options={"ftol": 1e-9}
    )
    theta[free] = prior.mean[free] + scale * optimum.x
    return theta
