"""The sampler half of the diagnostics gate: whether a probability may be used.

Limits: rank-normalised R-hat at most 1.01; bulk and tail effective sample sizes of at least 400,
for every parameter and for the probability; no divergences; BFMI at least 0.3; Monte Carlo
standard error of the probability at most 0.005. Vehtari, Gelman, Simpson, Carpenter, Buerkner
(2021), Rank-normalization, folding, and localization: an improved R-hat, Bayesian Analysis 16,
667-718, doi:10.1214/20-BA1221; Betancourt (2016), arXiv:1604.00695, for BFMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

__all__ = [
    "GateReport",
    "exact_report",
    "judge_probability",
    "judge_sampler",
    "mcse_of_mean",
]


R_HAT_MOST = 1.01
ESS_LEAST = 400.0
BFMI_LEAST = 0.3
MCSE_MOST = 0.005
# Below this range a probability has no spread to mix over, and ranks would compare rounding.
NO_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class GateReport:
    """Verdict of the gate with the worst value of each diagnostic.

    Attributes
    ----------
    passed
        True if nothing was refused.
    reasons
        One line for each refusal, with the name, the value and the limit.
    r_hat, ess_bulk, ess_tail, bfmi
        The worst over what was judged; None where the draws are exact.
    divergences
        Divergent transitions after warm-up.
    mcse
        The largest Monte Carlo error of a probability; None before one was judged.
    rerun
        Divergences of a first run, after which it was sampled again with smaller steps; 0 without.
    """

    passed: bool
    reasons: tuple[str, ...]
    r_hat: float | None
    ess_bulk: float | None
    ess_tail: float | None
    divergences: int
    bfmi: float | None
    mcse: float | None
    rerun: int = 0


def exact_report() -> GateReport:
    """Return the report of independent draws from a closed form: nothing to refuse.

    Examples
    --------
    >>> exact_report().passed
    True
    """
    return GateReport(True, (), None, None, None, 0, None, None)


def judge_sampler(
    draws: Mapping[str, ArrayLike], chains: int, *, energy: ArrayLike, divergences: int
) -> GateReport:
    """Judge the chains of every parameter.

    Parameters
    ----------
    draws : mapping of str to array_like
        Parameter name -> (S,) or (S, ...) chain-major draws.
    energy : array_like, shape (chains, S / chains)
        Hamiltonian energy at each draw.
    divergences : int
        Divergent transitions after warm-up.

    Returns
    -------
    GateReport
        With ``mcse`` None: the probability is judged by `judge_probability`.
    """
    reasons: list[str] = []
    worst = _Worst()
    for name, values in draws.items():
        columns = _columns(values, chains, name)
        for index, column in enumerate(columns):
            label = name if len(columns) == 1 else f"{name}[{index}]"
            reasons += worst.judge(label, column)
    from arviz_stats.base import array_stats

    # Chains that never move give 0/0: not a number, which refuses below.
    with np.errstate(invalid="ignore", divide="ignore"):
        bfmi = float(np.min(array_stats.bfmi(np.asarray(energy), chain_axis=0, draw_axis=1)))
    if divergences:
        reasons.append(f"divergences {divergences}: none allowed")
    # Written so that a NaN refuses.
    if not bfmi >= BFMI_LEAST:
        reasons.append(f"BFMI {bfmi:.2f}: at least {BFMI_LEAST}")
    return GateReport(
        passed=not reasons,
        reasons=tuple(reasons),
        r_hat=worst.r_hat,
        ess_bulk=worst.ess_bulk,
        ess_tail=worst.ess_tail,
        divergences=divergences,
        bfmi=bfmi,
        mcse=None,
    )


def judge_probability(report: GateReport, p_draws: ArrayLike, chains: int) -> GateReport:
    """Combine the sampler's report with the diagnostics of the probability itself.

    A probability without spread passes by rule: its Monte Carlo error is nil.

    Parameters
    ----------
    report : GateReport
        From `judge_sampler`, or of a `Fit`.
    p_draws : array_like, shape (S,) or (S, K)
        P(outcome | parameters) for each draw; each column is judged.

    Returns
    -------
    GateReport
        Worst values over parameters and probabilities; reasons of both.

    Examples
    --------
    >>> judge_probability(exact_report(), [1.0] * 400, 4).passed
    True
    >>> judge_probability(exact_report(), np.linspace(0, 1, 400), 4).passed
    False
    """
    columns = _columns(p_draws, chains, "probability")
    reasons = list(report.reasons)
    worst = _Worst(report.r_hat, report.ess_bulk, report.ess_tail)
    mcse = report.mcse or 0.0
    for index, column in enumerate(columns):
        label = "probability" if len(columns) == 1 else f"probability[{index}]"
        if not np.all(np.isfinite(column)):
            reasons.append(f"{label}: not finite")
            continue
        if np.ptp(column) <= NO_SPREAD:
            continue
        reasons += worst.judge(label, column)
        error = mcse_of_mean(column.ravel(), chains)
        mcse = max(mcse, error)
        if not error <= MCSE_MOST:
            reasons.append(f"{label}: MCSE {error:.4f}: at most {MCSE_MOST}")
    return replace(
        report,
        passed=not reasons,
        reasons=tuple(reasons),
        r_hat=worst.r_hat,
        ess_bulk=worst.ess_bulk,
        ess_tail=worst.ess_tail,
        mcse=mcse,
    )


def mcse_of_mean(draws: ArrayLike, chains: int) -> float:
    """Return the Monte Carlo standard error of the mean of (S,) draws, sd / sqrt(its ESS)."""
    (chained,) = _columns(draws, chains, "draws")
    if np.ptp(chained) == 0.0:
        return 0.0
    from arviz_stats.base import array_stats

    return float(array_stats.mcse(chained, chain_axis=0, draw_axis=1, method="mean"))


@dataclass(slots=True)
class _Worst:
    r_hat: float | None = None
    ess_bulk: float | None = None
    ess_tail: float | None = None

    def judge(self, label: str, column: FloatArray) -> list[str]:
        from arviz_stats.base import array_stats

        axes = {"chain_axis": 0, "draw_axis": 1}
        with np.errstate(invalid="ignore", divide="ignore"):
            r_hat = float(array_stats.rhat(column, method="rank", **axes))
            bulk = float(array_stats.ess(column, method="bulk", **axes))
            tail = float(array_stats.ess(column, method="tail", prob=(0.05, 0.95), **axes))
        self.r_hat = r_hat if self.r_hat is None else float(np.fmax(self.r_hat, r_hat))
        self.ess_bulk = bulk if self.ess_bulk is None else float(np.fmin(self.ess_bulk, bulk))
        self.ess_tail = tail if self.ess_tail is None else float(np.fmin(self.ess_tail, tail))
        # Each written so that a NaN (a chain that never moved) refuses.
        refused = []
        if not r_hat <= R_HAT_MOST:
            refused.append(f"{label}: R-hat {r_hat:.3f}: at most {R_HAT_MOST}")
        if not bulk >= ESS_LEAST:
            refused.append(f"{label}: bulk ESS {bulk:.0f}: at least {ESS_LEAST:.0f}")
        if not tail >= ESS_LEAST:
            refused.append(f"{label}: tail ESS {tail:.0f}: at least {ESS_LEAST:.0f}")
        return refused


def _columns(values: ArrayLike, chains: int, name: str) -> list[FloatArray]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[0] == 0 or chains < 1 or array.shape[0] % chains:
        message = f"{name}: draws must be a multiple of chains={chains}, got shape {array.shape}."
        raise InvalidInput(message)
    flat = array.reshape(array.shape[0], -1)
    return [np.ascontiguousarray(column).reshape(chains, -1) for column in flat.T]
