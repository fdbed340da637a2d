"""The learned pool's parameters: what each says, and what is believed of it before any record.

Centres and spreads were set by hand, so that without a record the pool is a geometric mean of
odds, mildly extremised and leaning to newer forecasts; a spread is how far a record may carry.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from forecasting.scoring.checks import FloatArray

type Part = Literal["n", "skill", "recency"]

PARTS: tuple[str, ...] = get_args(Part.__value__)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A coefficient with its normal prior, and the part of the pool that it belongs to."""

    name: str
    part: str
    mean: float
    spread: float


# On the logarithm of a member's weight.
WEIGHT = (
    Parameter("newer", "recency", -0.15, 0.4),
    Parameter("age", "recency", -0.03, 0.2),
    Parameter("hours", "recency", 0.0, 0.1),
    Parameter("lag", "recency", -0.2, 0.8),
    Parameter("stale", "recency", 0.0, 0.8),
    Parameter("newest", "recency", 0.1, 0.3),
    Parameter("surge", "recency", 0.0, 0.15),
    Parameter("moved", "recency", 0.0, 0.2),
    Parameter("worth", "skill", 0.4, 0.5),
    Parameter("relative", "skill", 0.2, 0.3),
    Parameter("slope", "skill", 0.0, 0.4),
    Parameter("record", "skill", 0.0, 0.3),
    Parameter("fine", "skill", 0.0, 0.5),
    Parameter("apart", "skill", 0.0, 0.3),
    Parameter("updates", "habit", 0.1, 0.4),
    Parameter("distance", "habit", 0.0, 0.2),
    Parameter("extremity", "habit", 0.0, 0.2),
    Parameter("half", "habit", 0.0, 0.5),
    Parameter("opener", "habit", 0.0, 0.4),
    Parameter("tenth", "habit", 0.0, 0.2),
)
# On a member's log-odds, before they are weighed.
CORRECTION = (
    Parameter("slope", "skill", 0.3, 0.4),
    Parameter("bias", "skill", 0.3, 0.4),
    Parameter("curvature", "habit", 0.0, 0.03),
    Parameter("movement", "recency", 0.0, 0.15),
)
# On the logarithm of the extremising factor.
FACTOR = (
    Parameter("constant", "always", 0.0, 0.3),
    Parameter("number", "n", 0.0, 0.3),
    Parameter("dispersion", "habit", 0.0, 0.12),
    Parameter("variety", "habit", 0.0, 0.2),
    Parameter("extremity", "habit", 0.0, 0.06),
    Parameter("worth", "skill", 0.1, 0.3),
    Parameter("relative", "skill", 0.0, 0.15),
    Parameter("record", "skill", 0.0, 0.1),
    Parameter("span", "recency", 0.0, 0.05),
    Parameter("elapsed", "recency", 0.0, 0.4),
    Parameter("age", "recency", 0.0, 0.05),
    Parameter("newest", "recency", 0.0, 0.05),
)
# How far the weighted mean is drawn to other pools of the same log-odds (below 0: away from).
RIVAL = (
    Parameter("mean", "recency", 0.0, 0.25),
    Parameter("median", "habit", 0.0, 0.25),
    Parameter("linear", "habit", 0.0, 0.25),
    Parameter("newest", "recency", 0.0, 0.25),
)
# Added to the pooled log-odds.
SHIFT = (
    Parameter("constant", "always", 0.0, 0.15),
    Parameter("number", "n", 0.0, 0.1),
    Parameter("extremity", "habit", 0.0, 0.05),
    Parameter("span", "recency", 0.0, 0.05),
    Parameter("elapsed", "recency", 0.0, 0.3),
)
# The log-odds that the pool is pushed away from, and the logit of the members' overlap rho.
WHOLE = (Parameter("base", "always", 0.0, 0.5), Parameter("overlap", "n", 2.3, 1.3))

BLOCKS = {
    "weight": WEIGHT,
    "correction": CORRECTION,
    "factor": FACTOR,
    "rival": RIVAL,
    "shift": SHIFT,
    "whole": WHOLE,
}
NAMES = tuple(f"{block}.{each.name}" for block, rows in BLOCKS.items() for each in rows)
# The logit of an overlap that leaves the number of members no say.
ALL_SHARED = 30.0


@dataclass(frozen=True, slots=True)
class Prior:
    """Means and spreads of all parameters; a spread of 0 keeps a parameter at its mean."""

    mean: FloatArray
    spread: FloatArray

    def widened(self, times: float) -> "Prior":
        """Give the prior with all spreads multiplied."""
        return Prior(self.mean, self.spread * times)


def prior(without: frozenset[str], base: float) -> Prior:
    """Give the prior with the parts left out held at nothing, and the base rate's log-odds."""
    rows = [each for block in BLOCKS.values() for each in block]
    mean = np.array([0.0 if each.part in without else each.mean for each in rows])
    spread = np.array([0.0 if each.part in without else each.spread for each in rows])
    mean[NAMES.index("whole.base")] = base
    if "n" in without:
        mean[NAMES.index("whole.overlap")] = ALL_SHARED
    return Prior(mean, spread)


def split(theta: FloatArray) -> list[FloatArray]:
    """Cut all parameters into their blocks, in the order of `BLOCKS`."""
    ends = np.cumsum([len(rows) for rows in BLOCKS.values()])[:-1]
    return np.split(theta, ends)


def columns(rows: tuple[Parameter, ...], values: dict[str, FloatArray]) -> FloatArray:
    """Set features side by side in the order of their parameters."""
    return np.column_stack([values[each.name].astype(np.float64) for each in rows])
