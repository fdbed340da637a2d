"""The news gain: how much coded reports have been worth, learned from the moves that followed.

One gain a path, LogNormal(-.125, .5), mean 1, multiplies what a source's reports weigh before its
bound. A move of which n firings are known, with reports on it, teaches through

    prod m_g(t_i) * integral of rate^n exp(-rate E_g) Gamma(rate; a, b)
        proportional to prod m_g(t_i) / (b + E_g)^(a + n)

where m_g is the hazard ratio of its reports under gain g and E_g its time at risk with m_g in it.
The gain is one number, so its posterior is a sum over nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.evidence.history import DAY, EPOCH, Past
from forecasting.evidence.leads import Way
from forecasting.evidence.reports import CodedReport, multiplier
from forecasting.models.world.chance import uniforms

#: Mean and sd of the log gain: a judgement, with mean gain 1. Reports are worth what was coded,
#: and a factor of two more or less is not out of the way.
LOG_MEAN, LOG_SD = -0.125, 0.5
_NODES = 161
_REACH = 4.5
#: Reports of the last day before a move fired may be about the event: they teach nothing of it.
LAG = 1.0
#: Jeffreys' prior on the rate of a move that states none; a day's exposure keeps it proper.
RATE = (0.5, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What is believed of the gain: nodes rising and their weights, (K,); and who taught.

    `moves` counts the moves that were at risk for a day or more after a report on them, `fired`
    their firings.
    """

    nodes: FloatArray
    weights: FloatArray
    moves: int = 0
    fired: int = 0

    @property
    def mean(self) -> float:
        """The expected gain."""
        return float(self.nodes @ self.weights)

    def quantile(self, levels: FloatArray | float) -> FloatArray:
        """Give gains by inverse cdf, linear in the log between nodes."""
        # Each node's weight lies half below it and half above.
        below = np.cumsum(self.weights) - self.weights / 2.0
        gains: FloatArray = np.exp(np.interp(levels, below, np.log(self.nodes)))
        return gains


def learned_gain(pasts: Mapping[Way, Past], coded: Mapping[Way, Sequence[CodedReport]]) -> Gain:
    """Give the posterior of the gain from the pasts of the moves with reports."""
    logs = LOG_MEAN + LOG_SD * np.linspace(-_REACH, _REACH, _NODES)
    nodes = np.exp(logs)
    log_weight = -(((logs - LOG_MEAN) / LOG_SD) ** 2) / 2.0
    moves = fired = 0
    for way in sorted(coded.keys() & pasts.keys()):
        a, b = RATE
        seen = exposed(pasts[way], coded[way], nodes)
        if not seen.touched:
            continue
        log_weight = log_weight + seen.log_fired - (a + seen.count) * np.log(b + seen.days)
        moves, fired = moves + seen.taught, fired + seen.count * seen.taught
    weights = np.exp(log_weight - np.max(log_weight))
    return Gain(nodes, weights / np.sum(weights), moves, fired)


@dataclass(frozen=True, slots=True)
class Exposed:
    """A move's past under reports at G gains.

    `days` (G,): its time at risk with their hazard ratio in it; `log_fired` (G,): the sum of log
    ratios where it fired. `touched`: a report acted on it; `taught`: for a day or more.
    """

    count: int
    days: FloatArray
    log_fired: FloatArray
    touched: bool
    taught: bool = False


def exposed(past: Past, coded: Sequence[CodedReport], gain: ArrayLike) -> Exposed:
    """Give the exposure of a move's past with the reports that acted on it."""
    gains = np.atleast_1d(np.asarray(gain, dtype=np.float64))
    days, log_fired = np.zeros_like(gains), np.zeros_like(gains)
    touched, taught = False, False
    for piece, ended in zip(past.pieces, past.heard_from, strict=True):
        until = piece.day + piece.end - piece.begin
        here = [r for r in coded if ended <= (r.known_at - EPOCH) / DAY < until]
        touched = touched or bool(here)
        taught = taught or any((r.known_at - EPOCH) / DAY + LAG <= until for r in here)
        cuts = edges(here, piece.day, until)
        width = np.diff(piece.begin + (cuts - piece.day))
        days += multiplier(here, (cuts[1:] + cuts[:-1]) / 2.0, gains) @ width
        if piece.fired:
            before = [r for r in here if (r.known_at - EPOCH) / DAY + LAG <= until]
            log_fired += np.log(multiplier(before, [until], gains)[:, 0])
    return Exposed(past.count, days, log_fired, touched, taught)


def edges(coded: Sequence[CodedReport], begin: float, end: float) -> FloatArray:
    """Cut a stretch where reports came, and into parts in which none fades by much."""
    cuts = {begin, end}
    for report in coded:
        day = max(begin, (report.known_at - EPOCH) / DAY)
        cuts.add(day)
        if isfinite(report.half_life):
            step = report.half_life / 16.0
            cuts |= {day + k * step for k in range(1, 16 * 10) if day + k * step < end}
    return np.array(sorted(cuts))


def gain_draws(points: int, seed: int, gain: Gain) -> FloatArray:
    """Give a gain to each parameter point, by inverse cdf of evenly spread uniforms, (points,)."""
    return gain.quantile(uniforms(points, seed, "gain"))


def summary(gain: Gain) -> dict[str, float | int]:
    """Give what is printed of a gain: its mean, 90 % interval, and how many moves taught.

    >>> {key: round(value, 2) for key, value in summary(learned_gain({}, {})).items()}
    {'mean': 1.0, 'lower': 0.39, 'upper': 2.01, 'moves': 0, 'fired': 0}
    """
    lower, upper = (float(gain.quantile(level)) for level in (0.05, 0.95))
    mean = {"mean": gain.mean, "lower": lower, "upper": upper}
    return mean | {"moves": gain.moves, "fired": gain.fired}
