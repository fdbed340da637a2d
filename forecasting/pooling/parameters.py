"""The learned pool's parameters: what each says, and what is believed of it before any record.

A spread is how far a record may carry. On a crowd of 28,000 forecasts, learned up to five dates
and scored after them, these earn all that forty-seven did and more: with three people or more the
Brier score rises by the figure beside each (in 1e-4, and its standard error) without it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from forecasting.scoring.checks import FloatArray

type Part = Literal["n", "skill", "recency"]

PARTS: tuple[str, ...] = get_args(Part.__value__)
# The logit of an overlap that leaves the number of members no say.
ALL_SHARED = 30.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A coefficient with its normal prior, and the part of the pool that it belongs to."""

    name: str
    part: str
    mean: float
    spread: float


PARAMETERS = (
    # On the logarithm of a member's weight: how many members are newer (4.8 +- 5.3; at five
    # people 15.7 +- 8.3), the log of its age (6.7 +- 3.7), how far its forecaster usually stands
    # apart from the others (5.2 +- 1.6).
    Parameter("newer", "recency", -0.4, 0.5),
    Parameter("age", "recency", -0.1, 0.2),
    Parameter("apart", "habit", 0.0, 0.3),
    # On a member's log-odds: its forecaster's slope beside the common one (12.7 +- 3.6).
    Parameter("slope", "skill", 0.5, 0.5),
    # On the logarithm of the extremising factor: 1/2 - 1/n, bounded so that no number of members
    # carries the pool to certainty (33.4 +- 7.4).
    Parameter("number", "n", 0.0, 0.5),
    # The logit of the members' overlap (0.9 +- 0.7; made-up crowds of independent members need
    # it), and the pool's shift in log-odds, for yes is said too often (15.9 +- 11.2; at two
    # people 23.2 +- 9.7).
    Parameter("overlap", "n", 2.5, 1.3),
    Parameter("shift", "always", 0.0, 0.3),
)
NAMES = tuple(each.name for each in PARAMETERS)


@dataclass(frozen=True, slots=True)
class Prior:
    """Means and spreads of all parameters; a spread of 0 keeps a parameter at its mean."""

    mean: FloatArray
    spread: FloatArray


def prior(without: frozenset[str]) -> Prior:
    """Give the prior with the parts left out held at nothing."""
    out = np.array([each.part in without for each in PARAMETERS])
    mean = np.where(out, 0.0, [each.mean for each in PARAMETERS])
    if "n" in without:
        mean[NAMES.index("overlap")] = ALL_SHARED
    return Prior(mean, np.where(out, 0.0, [each.spread for each in PARAMETERS]))
