"""The scoring rules by name: what each scores, its range, its title, where it is offered."""

import math
from dataclasses import dataclass

_OPTIONS = ("binary", "categorical")
#: The types of question that a calibration reads.
CALIBRATED = ("binary", "numeric")


@dataclass(frozen=True, slots=True)
class ScoreName:
    """A rule as tables name it; the functions stand in :mod:`forecasting.scoring.rules`.

    `types` of question are scored by it, from `lower` to `upper` under the half convention.
    `ranks`: its scores are finite. `crowd`: it compares with everybody in force, so is not proper.
    `in_units`: a score is in the unit of its question, so that other units are no part of a mean.
    """

    types: tuple[str, ...]
    lower: float
    upper: float
    title: str = ""
    full_title: str = ""
    ranks: bool = False
    crowd: bool = False
    in_units: bool = False


SCORES = {
    "brier": ScoreName(_OPTIONS, 0.0, 1.0, "half Brier score", "full Brier score", ranks=True),
    "log": ScoreName(_OPTIONS, 0.0, math.inf, "log score, in nats"),
    "spherical": ScoreName(_OPTIONS, 0.0, 1.0, "spherical score", ranks=True),
    "rps": ScoreName(("ordered",), 0.0, math.inf, "ranked probability score (RPS)", ranks=True),
    "crps": ScoreName(
        ("numeric",),
        0.0,
        math.inf,
        "continuous ranked probability score (CRPS)",
        ranks=True,
        in_units=True,
    ),
    "baseline": ScoreName((*_OPTIONS, "numeric"), -math.inf, 100.0),
    "peer": ScoreName(_OPTIONS, -math.inf, math.inf, crowd=True),
    "relative": ScoreName(_OPTIONS, -1.0, 1.0, crowd=True),
}
#: The rule that each type of question is scored by unless one is asked for.
NATURAL = {"binary": "brier", "categorical": "brier", "ordered": "rps", "numeric": "crps"}
#: Two forecasters are compared by these.
COMPARED = ("brier", "log", "spherical", "rps", "crps")
RANKED = tuple(name for name, one in SCORES.items() if one.ranks)
#: Squares of differences, which the full convention doubles.
_SQUARES = ("brier", "relative")


def score_range(rule: str, convention: str = "half") -> tuple[float, float]:
    """Give the least and the largest score of a rule; infinite for a score without a bound."""
    one = SCORES[rule]
    factor = 2.0 if convention == "full" and rule in _SQUARES else 1.0
    return factor * one.lower, factor * one.upper


def score_title(rule: str, convention: str = "half") -> str:
    """Name a rule and its convention; a rule without a title by its own name."""
    if (one := SCORES.get(rule)) is None:
        return rule
    return (convention == "full" and one.full_title) or one.title or rule
