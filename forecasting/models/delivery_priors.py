"""Priors of the deliveries: wide, for any delivery of whose class a bank states nothing."""

from datetime import date
from math import log

from forecasting.domain.prior import DELIVERY_PRIORS, PriorSpec

__all__ = ["BETAS", "GAMMAS", "PRIORS", "RESUME", "STANDARD"]

# Parameters by the distribution of their prior: sampled as blocks, which halves compilation.
BETAS = tuple(name for name, kind in DELIVERY_PRIORS.items() if kind == "beta")
GAMMAS = tuple(name for name, kind in DELIVERY_PRIORS.items() if kind == "gamma")
STANDARD = tuple(name for name in DELIVERY_PRIORS if name not in BETAS + GAMMAS)

#: Wide priors weigh no more than one or two parts of one's own, so these soon count for more.
WIDE = "by judgement, wide, for a delivery of any kind: "
KNOWN = date(2025, 2, 28)


def _wide(name: str, *values: float, why: str) -> PriorSpec:
    distribution = DELIVERY_PRIORS[name]
    return PriorSpec.of(name, distribution, *values, source=WIDE + why, known_by=KNOWN)


PRIORS: tuple[PriorSpec, ...] = (
    _wide("w", 0.5, 0.5, why="nothing is known of whether what was agreed is begun (Jeffreys)"),
    _wide("stall", 0.25, 1.75, why="one part in eight is the last, with the weight of two parts"),
    _wide("whole", 0.5, 1.5, why="one part in four brings all, with the weight of two parts"),
    _wide("mean", 0.5, 1.5, why="a part is a quarter of the whole, with the weight of two parts"),
    _wide("delta", 0.5, 2.0, why="half a part in two days; 90 % from 500 days to one day"),
    _wide(
        "theta",
        log(log(2.0) * 14.0 / 60.0),
        1.5,
        why="half of those that are begun begin within two months, 90 % of such medians within 5 "
        "to 700 days",
    ),
    _wide("first", 0.0, 0.5, why="the hazard of a first part may rise or fall with its age"),
    _wide("later", 0.0, 0.5, why="parts may bunch or come at even intervals"),
    _wide("precision", log(6.0), 1.0, why="shares of parts may be alike or not, sd .07 to .3"),
)

#: A delivery that is stated to have stalled goes on: not learned, since no package says so.
RESUME = PriorSpec.of(
    "resume",
    "gamma",
    1.0,
    60.0,
    source="by judgement, with the weight of one case: a delivery that both sides say has stalled "
    "goes on after two months, give or take a factor",
    known_by=KNOWN,
)
