"""Spells from parameters, for calibration by simulation.

The process is simulated, not the arithmetic that the likelihood uses.
"""

from collections.abc import Mapping

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.models import weibull

__all__ = ["spells"]


# An hour: the least age at which an end is told from the start.
HOUR = 1.0 / 24.0


def spells(
    rng: np.random.Generator, truth: Mapping[str, FloatArray], *, t0: float, n: int = 12
) -> dict[str, FloatArray]:
    """Draw spells: half monitored, some watched from later, some ends known by an interval only."""
    pi, lasting = float(truth.get("pi", 0.0)), float(truth.get("lasting", 0.0))
    rows: dict[str, list[float]] = {name: [] for name in ("entry", "lower", "upper", "kind", "x")}
    for row in range(n):
        x, late, coarse = row % 2, row % 4 == 3, row % 3 == 2
        entry = 0.2 * t0 if late else 0.0
        until = t0 * (0.3, 1.0, 3.0)[row % 3]
        eta = float(truth["theta"] + truth["beta"] * x)
        k = float(truth["k"])
        lived = np.exp(eta) * (entry / t0) ** k
        # S(T) is uniform below S(entry); below the lasting share it never ends.
        kept = rng.random() * (lasting + (1.0 - lasting) * np.exp(-lived))
        end = np.inf
        if kept > lasting:
            hazard = -np.log((kept - lasting) / (1.0 - lasting))
            end = t0 * (hazard / np.exp(eta)) ** (1.0 / k)
        if entry == 0.0 and rng.random() < pi:
            end = 0.0
        step = until / 4.0 if coarse else HOUR
        if end > until:
            seen = (until, until, weibull.HELD)
        elif coarse or end < HOUR:
            low = max(entry, step * np.floor(end / step))
            seen = (low, step * np.floor(end / step) + step, weibull.BETWEEN)
        else:
            seen = (end, end, weibull.ENDED)
        for name, value in zip(rows, (entry, *seen, x), strict=True):
            rows[name].append(float(value))
    monitored = rows.pop("x")
    return weibull.spells(**rows, monitored=monitored)
