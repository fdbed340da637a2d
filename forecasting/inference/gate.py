"""The sampler half of the diagnostics gate: whether draws may be used.

Limits: rank-normalised R-hat at most 1.01; bulk and tail effective sample sizes of at least 400,
for every parameter; no divergences; BFMI at least 0.3. Vehtari, Gelman, Simpson, Carpenter,
Buerkner (2021), Rank-normalization, folding, and localization: an improved R-hat, Bayesian
Analysis 16, 667-718, doi:10.1214/20-BA1221; Betancourt (2016), arXiv:1604.00695, for BFMI.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

R_HAT_MOST = 1.01
ESS_LEAST = 400.0
BFMI_LEAST = 0.3


@dataclass(frozen=True, slots=True)
class GateReport:
    """Verdict of the gate with the worst value of each diagnostic, None where draws are exact.

    `reasons` has one line for each refusal, with the name, the value and the limit. `rerun` counts
    the divergences of a first run, after which it was sampled again with smaller steps.
    """

    passed: bool
    reasons: tuple[str, ...] = ()
    r_hat: float | None = None
    ess_bulk: float | None = None
    ess_tail: float | None = None
    divergences: int = 0
    bfmi: float | None = None
    rerun: int = 0


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
    """
    from arviz_stats.base import array_stats

    axes = {"chain_axis": 0, "draw_axis": 1}
    reasons: list[str] = []
    judged = []
    # Chains that never move give 0/0: each limit is written so that not-a-number refuses.
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, values in draws.items():
            columns = _columns(values, chains, name)
            for index, column in enumerate(columns):
                label = name if len(columns) == 1 else f"{name}[{index}]"
                r_hat = float(array_stats.rhat(column, method="rank", **axes))
                bulk = float(array_stats.ess(column, method="bulk", **axes))
                tail = float(array_stats.ess(column, method="tail", prob=(0.05, 0.95), **axes))
                judged.append((r_hat, bulk, tail))
                if not r_hat <= R_HAT_MOST:
                    reasons.append(f"{label}: R-hat {r_hat:.3f}: at most {R_HAT_MOST}")
                if not bulk >= ESS_LEAST:
                    reasons.append(f"{label}: bulk ESS {bulk:.0f}: at least {ESS_LEAST:.0f}")
                if not tail >= ESS_LEAST:
                    reasons.append(f"{label}: tail ESS {tail:.0f}: at least {ESS_LEAST:.0f}")
        bfmi = float(np.min(array_stats.bfmi(np.asarray(energy), **axes)))
    if divergences:
        reasons.append(f"divergences {divergences}: none allowed")
    if not bfmi >= BFMI_LEAST:
        reasons.append(f"BFMI {bfmi:.2f}: at least {BFMI_LEAST}")
    r_hats, bulks, tails = zip(*judged, strict=True)
    return GateReport(
        passed=not reasons,
        reasons=tuple(reasons),
        r_hat=float(np.fmax.reduce(r_hats)),
        ess_bulk=float(np.fmin.reduce(bulks)),
        ess_tail=float(np.fmin.reduce(tails)),
        divergences=divergences,
        bfmi=bfmi,
    )


def _columns(values: ArrayLike, chains: int, name: str) -> list[FloatArray]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[0] == 0 or chains < 1 or array.shape[0] % chains:
        message = f"{name}: draws must be a multiple of chains={chains}, got shape {array.shape}."
        raise InvalidInput(message)
    flat = array.reshape(array.shape[0], -1)
    return [np.ascontiguousarray(column).reshape(chains, -1) for column in flat.T]
