"""Priors of a staged process, the same for each of its stages."""

from datetime import date

from forecasting.models.protocol import PriorSpec

__all__ = ["PRIORS"]

KNOWN = date(2025, 2, 28)

#: ``rate`` (a week), and for more than one stage ``pace, collapse, direct``.
PRIORS = (
    PriorSpec.of(
        "rate",
        "gamma",
        1.0,
        26.0,
        source="one path in half a year, worth one event: by judgement",
        known_by=KNOWN,
    ),
    PriorSpec.of(
        "pace",
        "lognormal",
        0.0,
        0.8,
        source="stages take like shares of the time, within a factor of two: by judgement",
        known_by=KNOWN,
    ),
    PriorSpec.of(
        "collapse",
        "beta",
        2.0,
        6.0,
        source="a stage under way fails about once in four: by judgement",
        known_by=KNOWN,
    ),
    PriorSpec.of(
        "direct",
        "beta",
        1.0,
        9.0,
        source="one path in ten ends without its steps having been seen: by judgement",
        known_by=KNOWN,
    ),
)
