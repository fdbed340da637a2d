"""The learned pool's parameters: what each says, and what is believed of it before any record.

A spread is how far a record may carry. What each earned was measured on a public crowd of 28,000
forecasts, learned up to five dates and scored on questions after them: by how much the Brier
score rises without it (in 1e-4, with its standard error) at three people or more, n = 2,149.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from forecasting.arrays import FloatArray

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
    # On the logarithm of a member's weight: how many members are newer (7.2, 5.4; at five people
    # 20.2, 8.4), the log of its age in days (5.9, 4.4), how far its forecaster usually stands
    # apart from the others (1.7, 0.8), and its forecaster's slope (2.7, 4.5; 7.1, 6.5 at five).
    Parameter("newer", "recency", -0.2, 0.7),
    Parameter("age", "recency", -0.05, 0.3),
    Parameter("apart", "habit", 0.0, 0.3),
    Parameter("steep", "skill", 0.3, 0.4),
    # On a member's log-odds: its forecaster's slope beside the common one (7.5, 3.2).
    Parameter("slope", "skill", 0.5, 0.5),
    # On the logarithm of the extremising factor: 1/2 - 1/n, bounded so that no number of members
    # carries the pool to certainty (28.0, 8.1).
    Parameter("number", "n", 0.0, 0.5),
    # The logit of the members' overlap: nothing on that crowd (0.0, 0.2), a fifth of the score of
    # made-up members who each know something of their own.
    Parameter("overlap", "n", 2.5, 2.5),
    # The pool's shift in log-odds, for yes is said too often (29.2, 10.8).
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
