"""Draws of one posterior, reweighted to another: new evidence without new sampling.

With draws of p(theta | old evidence) and the log ratio l = log p(new | theta) - log p(old | theta),
weights proportional to exp(l) turn expectations under the old posterior into expectations under
the new one. Their upper tail is smoothed by a generalised Pareto distribution, whose shape k-hat
tells how far the estimate may be trusted. Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto
smoothed importance sampling, Journal of Machine Learning Research 25(72), arXiv:1507.02646.

Weights are always of draws that were sampled: a reweighted set is never reweighted.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit

__all__ = ["Reweighting", "resampled", "reweight", "reweighted"]

FloatArray = NDArray[np.float64]

K_HAT_MOST = 0.7
ESS_LEAST = 400.0
# Below this spread the ratio is rounding, and there is no tail to smooth.
CONSTANT = 1e-12
# exp(-700) is the smallest weight that a float still holds beside a weight of one.
LOWEST = -700.0


@dataclass(frozen=True, slots=True)
class Reweighting:
    """Weights of draws, and whether they may be used.

    Attributes
    ----------
    weights
        (S,) sums to one; uniform where the log ratio is constant, or not a number.
    k_hat
        Pareto shape of the largest weights: 0 where nothing had to be smoothed, infinite where
        the ratio is not a number.
    ess
        Importance effective sample size, the relative efficiency of the chains over sum w^2.
    accepted
        Whether both rules hold.
    reasons
        One line for each rule that does not.
    """

    weights: FloatArray
    k_hat: float
    ess: float
    accepted: bool
    reasons: tuple[str, ...]


def reweight(log_ratio: ArrayLike, chains: int) -> Reweighting:
    """Smooth and normalise importance weights exp(log_ratio), and judge them.

    Two rules, always both: k-hat < min(1 - 1 / log10 S, 0.7), and an effective sample size
    r / sum w^2 of at least 400, where r <= 1 is the relative efficiency of the chains (their
    effective sample size over S, of the log ratio).

    Parameters
    ----------
    log_ratio : array_like, shape (S,)
        log p(new data | draw) - log p(old data | draw), chain-major. Minus infinity marks a draw
        that the new data rule out.
    chains : int
        Number of chains.

    Returns
    -------
    Reweighting
        Refused, never an error, where the ratio holds a NaN or plus infinity.

    Raises
    ------
    InvalidInput
        If the ratio is not (S,) with S a multiple of `chains`.

    Examples
    --------
    >>> same = reweight(np.full(4000, -3.2), 4)
    >>> same.accepted, same.k_hat, same.ess
    (True, 0.0, 4000.0)
    >>> reweight(np.linspace(0.0, 60.0, 4000), 4).accepted
    False
    """
    ratio = np.asarray(log_ratio, dtype=np.float64)
    if ratio.ndim != 1 or ratio.size == 0 or chains < 1 or ratio.size % chains:
        message = f"log_ratio must be (S,) with S a multiple of chains={chains}, got {ratio.shape}."
        raise InvalidInput(message)
    size = ratio.size
    uniform = np.full(size, 1.0 / size)
    if np.any(np.isnan(ratio)) or not np.max(ratio) < np.inf or np.max(ratio) == -np.inf:
        reason = "importance ratio: not a number, or no draw allows the new evidence"
        return Reweighting(uniform, float("inf"), 0.0, False, (reason,))
    if np.ptp(ratio) < CONSTANT:
        return Reweighting(uniform, 0.0, float(size), *_judged(0.0, float(size), size))
    relative = np.maximum(ratio - ratio.max(), LOWEST)
    efficiency = _relative_efficiency(relative, chains)
    weights, k_hat = _smoothed(relative, efficiency)
    ess = efficiency / float(np.sum(weights**2))
    return Reweighting(weights, k_hat, ess, *_judged(k_hat, ess, size))


def _judged(k_hat: float, ess: float, size: int) -> tuple[bool, tuple[str, ...]]:
    most = min(1.0 - 1.0 / np.log10(size), K_HAT_MOST) if size > 1 else 0.0
    reasons = []
    # Each written so that a NaN refuses.
    if not k_hat < most:
        reasons.append(f"importance weights: k-hat {k_hat:.2f}: below {most:.2f}")
    if not ess >= ESS_LEAST:
        reasons.append(f"importance weights: ESS {ess:.0f}: at least {ESS_LEAST:.0f}")
    return not reasons, tuple(reasons)


def _relative_efficiency(ratio: FloatArray, chains: int) -> float:
    from arviz_stats.base import array_stats

    chained = ratio.reshape(chains, -1)
    ess = float(array_stats.ess(chained, chain_axis=0, draw_axis=1, method="bulk"))
    # Antithetic chains are not trusted to be better than independent draws.
    return min(1.0, ess / ratio.size) if np.isfinite(ess) and ess > 0 else 1.0 / ratio.size


def _smoothed(ratio: FloatArray, efficiency: float) -> tuple[FloatArray, float]:
    from arviz_stats.base import array_stats

    try:
        # The library smooths weights exp(-input), as leave-one-out needs them: hence the minus.
        with np.errstate(all="ignore"):
            log_weights, k_hat = array_stats.psislw(-ratio, r_eff=efficiency)
    except ValueError:
        # Its largest weights are all the same: bounded, so there is nothing to smooth.
        log_weights, k_hat = ratio, 0.0
    weights = np.exp(log_weights - np.max(log_weights))
    return np.asarray(weights / weights.sum(), dtype=np.float64), float(k_hat)


def reweighted(full: Fit, log_ratio: ArrayLike, *, data_hash: str) -> Fit:
    """Return a full fit's draws with weights for other data under the same priors.

    Parameters
    ----------
    full : Fit
        The last full fit: sampled, and passed by the gate.
    log_ratio : array_like, shape (S,)
        As in `reweight`, against the data of that fit.
    data_hash : str
        SHA-256 of the new data.

    Returns
    -------
    Fit
        With ``method="psis"``; its report has not passed where the weights were refused or the
        full fit had not passed, and it must then be sampled anew.

    Raises
    ------
    InvalidInput
        If `full` is itself reweighted.
    """
    if full.weights is not None:
        message = f"fit ({full.method}): weights are of sampled draws, and these have some already."
        raise InvalidInput(message, hint="reweight the last full fit, or sample anew")
    started = time.perf_counter()
    found = reweight(log_ratio, full.chains)
    weights = found.weights
    weights.flags.writeable = False
    reasons = (*full.report.reasons, *found.reasons)
    report = replace(
        full.report,
        passed=full.report.passed and found.accepted,
        reasons=reasons,
        k_hat=found.k_hat,
        importance_ess=found.ess,
    )
    return replace(
        full,
        report=report,
        method="psis",
        seconds=time.perf_counter() - started,
        data_hash=data_hash,
        weights=weights,
    )


def resampled(fit: Fit, seed: int) -> Mapping[str, FloatArray]:
    """Return draws of equal weight: those of a full fit, or a systematic resample of weighted ones.

    For simulations that run once a draw; expectations are better taken with the weights. Kitagawa
    (1996), Journal of Computational and Graphical Statistics 5, 1-25, for the systematic resample.

    Parameters
    ----------
    fit : Fit
        Full or reweighted.
    seed : int
        Of the resample.

    Returns
    -------
    mapping of str to ndarray
        As many draws as the fit has.
    """
    if fit.weights is None:
        return fit.draws
    size = fit.weights.size
    points = (np.arange(size) + np.random.default_rng(seed).random()) / size
    chosen = np.minimum(np.searchsorted(np.cumsum(fit.weights), points), size - 1)
    return {name: values[chosen] for name, values in fit.draws.items()}
