"""The past of a move under its reports: its time at risk with their hazard ratio in it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.evidence.history import EPOCH, Past
from forecasting.evidence.reports import CodedReport, multiplier

__all__ = ["Exposed", "exposed", "multiplier"]

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Exposed:
    """A move's past under reports: G gains, its days at risk, and the ratios where it fired.

    `days` and `log_fired` have shape (G,): the exposure with the reports' hazard ratio in it, and
    the sum of log ratios at the moments at which the move fired.
    """

    count: int
    days: FloatArray
    log_fired: FloatArray
    touched: bool


def exposed(
    past: Past,
    coded: Sequence[CodedReport],
    gain: ArrayLike,
    *,
    shape: float = 1.0,
    lag: float = 0.0,
) -> Exposed:
    """Give the exposure of a move's past with the reports that acted on it."""
    gains = np.atleast_1d(np.asarray(gain, dtype=np.float64))
    days, log_fired = np.zeros_like(gains), np.zeros_like(gains)
    touched, ended = False, -inf
    for piece in past.pieces:
        if piece.begin == 0.0:
            ended = _last_end(past, piece.day)
        acting = [r for r in coded if (r.known_at - EPOCH) / DAY >= ended]
        until = piece.day + piece.end - piece.begin
        here = [r for r in acting if (r.known_at - EPOCH) / DAY < until]
        touched = touched or bool(here)
        edges = _edges(here, piece.day, until)
        ages = piece.begin + (edges - piece.day)
        width = np.diff(ages**shape)
        middle = (edges[1:] + edges[:-1]) / 2.0
        days += multiplier(here, middle, gains) @ width
        if piece.fired:
            before = [r for r in here if (r.known_at - EPOCH) / DAY + lag <= until]
            log_fired += np.log(multiplier(before, [until], gains)[:, 0])
    return Exposed(past.count, days, log_fired, touched)


def _last_end(past: Past, day: float) -> float:
    """Give the end of the stay before the one that begins on a day: older reports are over."""
    ends = [p.day + p.end - p.begin for p in past.pieces if p.day + p.end - p.begin <= day]
    return max(ends, default=-inf)


def _edges(coded: Sequence[CodedReport], begin: float, end: float) -> FloatArray:
    """Cut a stretch where reports came, and into parts in which none fades by much."""
    cuts = {begin, end}
    for report in coded:
        came = max(begin, (report.known_at - EPOCH) / DAY)
        cuts.add(came)
        if isfinite(report.half_life):
            step = report.half_life / 16.0
            cuts |= {came + k * step for k in range(1, 16 * 10) if came + k * step < end}
    return np.array(sorted(cuts))
