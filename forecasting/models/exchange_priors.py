"""Priors of the exchange model, with where they come from."""

from datetime import date
from math import log

from forecasting.models.protocol import PriorSpec

__all__ = ["BETAS", "GAMMAS", "PRIORS", "STANDARD"]

# Parameters by the distribution of their prior: sampled as blocks, which halves compilation.
BETAS = ("w", "final", "share")
GAMMAS = ("mu", "lam", "delta", "stall")
STANDARD = ("m", "nu")

RECORD = (
    "63 exchanges and 4,552 returned from 24 Feb 2022 to 19 Apr 2025 (164 weeks, one side's "
    "count), discounted to the weight of "
)
RECORD_KNOWN = date(2025, 4, 19)
PACKAGE = "by judgement, argued without the exchange of May 2025: "
PACKAGE_KNOWN = date(2025, 2, 28)

PRIORS: tuple[PriorSpec, ...] = (
    PriorSpec.of(
        "w",
        "beta",
        2.0,
        4.0,
        source=PACKAGE + "one announced package in three is carried out as such",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of(
        "mu",
        "gamma",
        2.0,
        13.0,
        source=PACKAGE + "one that is carried out begins after weeks, not months",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of("lam", "gamma", 6.0, 15.6, source=RECORD + "6 exchanges", known_by=RECORD_KNOWN),
    PriorSpec.of(
        "m",
        "lognormal",
        log(72.0),
        0.4,
        source=RECORD + "6 exchanges; spread by judgement",
        known_by=RECORD_KNOWN,
    ),
    PriorSpec.of(
        "nu",
        "lognormal",
        log(2.0),
        0.3,
        source="sizes of 75 to 277 on record before May 2025; spread by judgement",
        known_by=RECORD_KNOWN,
    ),
    PriorSpec.of(
        "delta",
        "gamma",
        2.0,
        2.0,
        source=PACKAGE + "tranches of one package follow each other within days",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of(
        "stall",
        "gamma",
        2.0,
        40.0,
        source=PACKAGE + "a package under way stalls after weeks, if at all",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of(
        "final",
        "beta",
        2.0,
        4.0,
        source=PACKAGE + "about three tranches to a package",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of(
        "share",
        "beta",
        4.0,
        6.0,
        source=PACKAGE + "a tranche is about two fifths of what remains",
        known_by=PACKAGE_KNOWN,
    ),
    PriorSpec.of(
        "share_precision",
        "constant",
        6.0,
        source=PACKAGE + "spread of those shares about .18",
        known_by=PACKAGE_KNOWN,
    ),
)
