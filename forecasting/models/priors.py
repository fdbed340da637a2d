"""The priors of the three graphs, each with its source and the day by which it was known."""

from dataclasses import dataclass
from datetime import date
from math import log

from forecasting.domain.prior import DELIVERY_PRIORS, PriorSpec

_2003, _2019, _2021, _2022 = (date(year, 12, 31) for year in (2003, 2019, 2021, 2022))
_ETHPRIO = "ETH/PRIO civil ceasefires 1989-2020"
_ETHPRIO_BY = f"{_ETHPRIO} (Clayton, Nygaard, Strand, Rustad et al. 2021)"
_FORTNA = "Fortna 2003, International Organization 57; numbers by judgement"

#: Moves that state nothing: once in two years, 90 % once in 62 days to once in 24 years.
TWO_YEARS = 730.5
_STEPS = (
    "21 % of conflict-years 1989-2020 have a ceasefire, one in four years, and steps short of one "
    "(talks, partial truces, offers) come more often: Clayton, Nygaard, Strand, Rustad et al. "
    "2023, doi:10.1177/00220027221129195; once in two years, spread by judgement"
)
_APART = (
    "rates of different events of one conflict differ by a factor e, 90 % by 1.6 to 10: between "
    "all civil ceasefires (median 12 d) and those that ended by a dated end (45 d) alone it is a "
    f"factor 4: {_ETHPRIO}; by judgement"
)
RATES = (
    PriorSpec("mu", "normal", (log(1.0 / TWO_YEARS), 1.5), _STEPS, _2022),
    PriorSpec("sigma", "lognormal", (0.0, 0.5), _APART, _2021),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One definition of the end of a spell.

    Theta is the log cumulative hazard at age `t0` in days; the predictive check counts ends by
    `ages`. With a prior of `lasting` a share of spells never ends, which changes the graph.
    """

    t0: float
    ages: tuple[float, ...]
    priors: tuple[PriorSpec, ...]

    @property
    def lasting(self) -> bool:
        """Whether a share of spells never ends."""
        return any(prior.name == "lasting" for prior in self.priors)


_HALF_BY_30_DAYS = (
    f"half of truces without a fixed term over by 30 d: {_ETHPRIO_BY}, dated endings only; spread "
    "by judgement"
)
_MOST_WITHIN_A_DAY = (
    "72 % of the dated truces of one war of 2014-20 over within a day, n = 18: "
    f"{_ETHPRIO_BY}; spread by judgement"
)
_HALF_WITHIN_A_YEAR = (
    "of agreements that fail, about half within a year; wide, for use with UCDP agreements "
    "1975-2021 as rows; by judgement"
)
_FALLS = f"hazard falls with age: {_FORTNA}"
_FALLS_STEEPLY = f"hazard falls steeply with age: {_FORTNA}"
_FALLS_BY_BOOK = (
    "hazard falls with age: Fortna 2003, Scraps of Paper?, International Organization 57; numbers "
    "by judgement"
)
_NEVER_END = "share of agreements that never end: wide around a half; by judgement"
SETTINGS: dict[str, Setting] = {
    "formal-end": Setting(
        t0=30.0,
        ages=(1.0, 7.0, 30.0),
        priors=(
            PriorSpec("theta", "normal", (log(-log(0.5)), 0.8), _HALF_BY_30_DAYS, _2021),
            PriorSpec("k", "lognormal", (log(0.8), 0.25), _FALLS_BY_BOOK, _2003),
        ),
    ),
    "first-claim": Setting(
        t0=1.0,
        ages=(1 / 24, 1.0, 7.0),
        priors=(
            PriorSpec("theta", "normal", (log(-log(0.3)), 0.8), _MOST_WITHIN_A_DAY, _2021),
            PriorSpec("k", "lognormal", (log(0.6), 0.5), _FALLS_STEEPLY, _2003),
        ),
    ),
    # A Weibull alone puts the five-year share at .26 where Kaplan-Meier has .32 (UCDP, n = 368):
    # most of these agreements never end, so a share that lasts is part of the model.
    "peace-agreement": Setting(
        t0=365.0,
        ages=(30.0, 90.0, 365.0, 1825.0),
        priors=(
            PriorSpec("theta", "normal", (log(-log(0.5)), 1.0), _HALF_WITHIN_A_YEAR, _2019),
            PriorSpec("k", "lognormal", (log(0.8), 0.4), _FALLS, _2003),
            PriorSpec("lasting", "beta", (2.0, 2.0), _NEVER_END, _2019),
        ),
    ),
}
_MONITORING = (
    "monitoring: weak, because published effects (Fortna 2003; Clayton, Sticher 2021, "
    "International Studies Quarterly 65) are for other wars; by judgement"
)
_AT_ONCE = "share of truces broken at the instant of their start: by judgement"
_OTHER_WARS = (
    "how far one settlement may lie from its class in log hazard, since civil wars stand in for a "
    "war between states: of 48 wars between states that ended in a ceasefire the effects of one "
    "term of the agreement are about half a log unit, Fortna 2003, doi:10.1017/S0020818303572046; "
    "by judgement"
)
BETA = PriorSpec("beta", "normal", (0.0, 0.5), _MONITORING, _2021)
INSTANT = PriorSpec("pi", "beta", (1.0, 4.0), _AT_ONCE, _2021)
CASE = PriorSpec("case", "normal", (0.0, 0.5), _OTHER_WARS, _2003)

_KNOWN = date(2025, 2, 28)


def _wide(name: str, a: float, b: float, why: str) -> PriorSpec:
    """Give a prior that weighs no more than one or two parts of one's own."""
    source = f"by judgement, wide, for a delivery of any kind: {why}"
    return PriorSpec(name, DELIVERY_PRIORS[name], (a, b), source, _KNOWN)


_MEDIAN_OF_FIRST = (
    "half of those that are begun begin within two months, 90 % of such medians within 5 to 700 "
    "days"
)
DELIVERIES = (
    _wide("w", 0.5, 0.5, "nothing is known of whether what was agreed is begun (Jeffreys)"),
    _wide("stall", 0.25, 1.75, "one part in eight is the last, with the weight of two parts"),
    _wide("whole", 0.5, 1.5, "one part in four brings all, with the weight of two parts"),
    _wide("mean", 0.5, 1.5, "a part is a quarter of the whole, with the weight of two parts"),
    _wide("delta", 0.5, 2.0, "half a part in two days; 90 % from 500 days to one day"),
    _wide("theta", log(log(2.0) * 14.0 / 60.0), 1.5, _MEDIAN_OF_FIRST),
    _wide("first", 0.0, 0.5, "the hazard of a first part may rise or fall with its age"),
    _wide("later", 0.0, 0.5, "parts may bunch or come at even intervals"),
    _wide("precision", log(6.0), 1.0, "shares of parts may be alike or not, sd .07 to .3"),
)
_AFTER_A_STALL = (
    "by judgement, with the weight of one case: a delivery that both sides say has stalled goes on "
    "after two months, give or take a factor"
)
#: A delivery that is stated to have stalled goes on: not learned, since no package says so.
RESUME = PriorSpec("resume", "gamma", (1.0, 60.0), _AFTER_A_STALL, _KNOWN)
