"""Priors of the deliveries, with where they come from; argued without an exchange after 2024."""

from datetime import date
from math import log

from forecasting.models.prior import PriorSpec

__all__ = ["BETAS", "GAMMAS", "PRIORS", "RESUME", "STANDARD", "SUBJECT"]

# Parameters by the distribution of their prior: sampled as blocks, which halves compilation.
BETAS = ("w", "stall", "whole", "mean")
GAMMAS = ("delta",)
STANDARD = ("theta", "first", "later", "precision")

#: What they were judged on, for who uses them of other deliveries.
SUBJECT = "the prisoner exchanges of the bundled example up to 2024"
JUDGED = f"by judgement on {SUBJECT}: "
KNOWN = date(2025, 2, 28)
# Rows of the example bank, which name their sources.
SEPTEMBER = "events/exchanges.csv, 2022-09-21"
EASTER = "reference/exchange_totals.csv, 2023-04-10"


def _judged(name: str, distribution: str, *values: float, why: str) -> PriorSpec:
    return PriorSpec.of(name, distribution, *values, source=JUDGED + why, known_by=KNOWN)


PRIORS: tuple[PriorSpec, ...] = (
    _judged(
        "w",
        "beta",
        2.0,
        4.0,
        why="one announced package in three is carried out as such; large exchanges had been "
        f"made, none of a thousand ({SEPTEMBER})",
    ),
    _judged(
        "stall",
        "beta",
        1.0,
        12.0,
        why="once parts arrive, about one in thirteen is followed by none",
    ),
    _judged(
        "whole",
        "beta",
        1.0,
        5.0,
        why=f"exchanges of up to 215 were made in one go ({SEPTEMBER}), one of a thousand could "
        "not be",
    ),
    _judged("mean", "beta", 3.0, 7.0, why="about three or four parts to a package"),
    _judged(
        "delta",
        "gamma",
        2.0,
        2.0,
        why=f"parts follow each other within days, as at Easter 2023 ({EASTER})",
    ),
    _judged(
        "theta",
        "normal",
        log(log(2.0)),
        1.0,
        why="of packages that are carried out half begin within a fortnight, 90 % of such medians "
        "within 5 to 35 days: lists, transport and third parties",
    ),
    _judged(
        "first",
        "lognormal",
        log(1.8),
        0.3,
        why="the hazard of a first part rises: lists and transport take days before any can come",
    ),
    _judged(
        "later",
        "lognormal",
        log(0.8),
        0.3,
        why="parts bunch: the longer the silence, the rarer the next",
    ),
    _judged(
        "precision",
        "lognormal",
        log(6.0),
        0.4,
        why="shares of parts spread by about .17 around their mean",
    ),
)

#: A delivery that is stated to have stalled goes on: not learned, since no package says so.
RESUME = _judged(
    "resume",
    "gamma",
    1.0,
    60.0,
    why="a delivery that both sides say has stalled goes on after two months, give or take a "
    "factor",
)
