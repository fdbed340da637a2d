"""What counts as the end of a spell, and the priors that go with each definition."""

from dataclasses import dataclass
from datetime import date
from math import log

from forecasting.domain.prior import PriorSpec

__all__ = ["BETA", "CASE", "INSTANT", "SETTINGS", "Setting"]

ETHPRIO = "ETH/PRIO civil ceasefires 1989-2020 (Clayton, Nygaard, Strand, Rustad et al. 2021)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One definition of the end of a spell.

    Theta is the log cumulative hazard at age `t0` in days; the predictive check counts ends by
    `ages`. With `lasting` a share of spells never ends, which changes the graph and has a prior of
    its own.
    """

    t0: float
    ages: tuple[float, ...]
    lasting: bool
    priors: tuple[PriorSpec, ...]


SETTINGS: dict[str, Setting] = {
    "formal-end": Setting(
        t0=30.0,
        ages=(1.0, 7.0, 30.0),
        lasting=False,
        priors=(
            PriorSpec.of(
                "theta",
                "normal",
                log(-log(0.5)),
                0.8,
                source=f"half of truces without a fixed term over by 30 d: {ETHPRIO}, dated "
                "endings only; spread by judgement",
                known_by=date(2021, 12, 31),
            ),
            PriorSpec.of(
                "k",
                "lognormal",
                log(0.8),
                0.25,
                source="hazard falls with age: Fortna 2003, Scraps of Paper?, International "
                "Organization 57; numbers by judgement",
                known_by=date(2003, 12, 31),
            ),
        ),
    ),
    "first-claim": Setting(
        t0=1.0,
        ages=(1 / 24, 1.0, 7.0),
        lasting=False,
        priors=(
            PriorSpec.of(
                "theta",
                "normal",
                log(-log(0.3)),
                0.8,
                source="72 % of the dated truces of one war of 2014-20 over within a day, n = 18: "
                f"{ETHPRIO}; spread by judgement",
                known_by=date(2021, 12, 31),
            ),
            PriorSpec.of(
                "k",
                "lognormal",
                log(0.6),
                0.5,
                source="hazard falls steeply with age: Fortna 2003, International Organization "
                "57; numbers by judgement",
                known_by=date(2003, 12, 31),
            ),
        ),
    ),
    # A Weibull alone puts the five-year share at .26 where Kaplan-Meier has .32 (UCDP, n = 368):
    # most of these agreements never end, so a share that lasts is part of the model.
    "peace-agreement": Setting(
        t0=365.0,
        ages=(30.0, 90.0, 365.0, 1825.0),
        lasting=True,
        priors=(
            PriorSpec.of(
                "theta",
                "normal",
                log(-log(0.5)),
                1.0,
                source="of agreements that fail, about half within a year; wide, for use with "
                "UCDP agreements 1975-2021 as rows; by judgement",
                known_by=date(2019, 12, 31),
            ),
            PriorSpec.of(
                "k",
                "lognormal",
                log(0.8),
                0.4,
                source="hazard falls with age: Fortna 2003, International Organization 57; "
                "numbers by judgement",
                known_by=date(2003, 12, 31),
            ),
            PriorSpec.of(
                "lasting",
                "beta",
                2.0,
                2.0,
                source="share of agreements that never end: wide around a half; by judgement",
                known_by=date(2019, 12, 31),
            ),
        ),
    ),
}

BETA = PriorSpec.of(
    "beta",
    "normal",
    0.0,
    0.5,
    source="monitoring: weak, because published effects (Fortna 2003; Clayton, Sticher 2021, "
    "International Studies Quarterly 65) are for other wars; by judgement",
    known_by=date(2021, 12, 31),
)
INSTANT = PriorSpec.of(
    "pi",
    "beta",
    1.0,
    4.0,
    source="share of truces broken at the instant of their start: by judgement",
    known_by=date(2021, 12, 31),
)
CASE = PriorSpec.of(
    "case",
    "normal",
    0.0,
    0.5,
    source="how far one settlement may lie from its class in log hazard, since civil wars stand "
    "in for a war between states: of 48 wars between states that ended in a ceasefire the effects "
    "of one term of the agreement are about half a log unit, Fortna 2003, doi:10.1017/"
    "S0020818303572046; by judgement",
    known_by=date(2003, 12, 31),
)
