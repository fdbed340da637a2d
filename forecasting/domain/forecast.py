"""A forecast: a probability (or several) of a question, with who, when and how."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from forecasting.domain import reading
from forecasting.domain.instants import DAYS, dated
from forecasting.domain.ladder import falls
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import Manner
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput

Kind = Literal["live", "replay", "backdated", "imported"]
KINDS: tuple[Kind, ...] = ("live", "replay", "backdated", "imported")
#: The words that a ledger keeps and hashes where they are not the words that are shown. A hash
#: stands for its bytes for good, so the stored word never changes; it is still accepted.
STORED_KINDS = {"backdated": "elicited"}
SHOWN_KINDS: dict[str, Any] = {stored: shown for shown, stored in STORED_KINDS.items()}
#: A forecast logged at most this long after it was made is live.
LIVE_WITHIN = dt.timedelta(minutes=15)
SUM_TOLERANCE = 1e-9
#: More quantiles than anybody types: a CDF, which is shown by a few of them.
DENSE = 21
#: No level that somebody types has more characters; those of a CDF of few steps have.
_TYPED = 8
#: The levels, in percent, by which such a forecast is shown.
SHOWN = (5.0, 25.0, 50.0, 75.0, 95.0)


def kind_named[Word: str](word: Word) -> Word:
    """Give the kind that a word names; what a ledger calls elicited is shown as backdated."""
    kind: Word = SHOWN_KINDS.get(word, word)
    return kind


class Quantiles(dict[str, Any]):
    """Quantiles by their level in percent; what is printed for a person says so."""

    @property
    def middle(self) -> Any:
        """The median, a number or a date; who stated none has it between the levels beside it.

        Examples
        --------
        >>> Quantiles({"10": 2500.0, "90": 12000.0}).middle
        7250.0
        >>> Quantiles({"10": "2027-01-01", "90": "2027-01-04"}).middle
        '2027-01-02'
        """
        levels, values = [float(level) for level in self], list(self.values())
        if not isinstance(values[0], str):
            return _quantile(levels, values, 50.0)
        days = [dt.date.fromisoformat(each).toordinal() for each in values]
        return str(dt.date.fromordinal(int(_quantile(levels, days, 50.0))))


def _quantile(own: Sequence[float], values: Sequence[float], level: float) -> float:
    """Read a quantile, linearly between its neighbours; beyond the levels it is the last one."""
    place = bisect_left(own, level)
    if place == len(own) or place == 0 or own[place] == level:
        return values[min(place, len(own) - 1)]
    share = (level - own[place - 1]) / (own[place] - own[place - 1])
    return values[place - 1] + share * (values[place] - values[place - 1])


@dataclass(frozen=True, slots=True)
class Value:
    """What a forecast says: decimal strings exactly as entered, and their labels.

    `shape` is ``binary`` (the probability of yes), ``options`` (one per option, in order) or
    ``quantiles`` (numbers at rising levels in percent). `entered` is hashed into the ledger;
    `stated` is what the person typed, where it was not the decimal (``35%``, ``1:3``, ``likely``).
    """

    shape: Literal["binary", "options", "quantiles"]
    labels: tuple[str, ...]
    entered: tuple[str, ...]
    stated: str = ""

    @property
    def numbers(self) -> tuple[float, ...]:
        """The entered decimals as floats, in the order of the labels."""
        return tuple(map(float, self.entered))

    @property
    def probability(self) -> float | None:
        """The probability of yes, for a binary forecast."""
        return float(self.entered[0]) if self.shape == "binary" else None

    @property
    def plain(self) -> float | dict[str, float]:
        """The contract's JSON shape: a number, or labels with numbers; of a CDF a few quantiles."""
        if self.shape == "binary":
            return float(self.entered[0])
        computed = len(self.labels) > len(SHOWN) and any(len(one) > _TYPED for one in self.labels)
        if self.shape == "quantiles" and (len(self.labels) > DENSE or computed):
            return Quantiles({decimal_text(level): v for level, v in self.at(SHOWN).items()})
        by_label = dict(zip(self.labels, self.numbers, strict=True))
        return Quantiles(by_label) if self.shape == "quantiles" else by_label

    def plain_of(self, space: OutcomeSpace) -> Any:
        """Give `plain` as a reader has it: quantiles of a day are dates."""
        plain = self.plain
        if space.unit != DAYS or not isinstance(plain, Quantiles):
            return plain
        return Quantiles({level: dated(value) for level, value in plain.items()})

    def at(self, levels: Sequence[float]) -> dict[float, float]:
        """Give quantiles at some levels in percent: linear between its own, level beyond them.

        Examples
        --------
        >>> Value("quantiles", ("10", "50", "90"), ("1", "3", "9")).at((5, 30, 90))
        {5: 1.0, 30: 2.0, 90: 9.0}
        """
        own = [float(label) for label in self.labels]
        return {level: _quantile(own, self.numbers, level) for level in levels}


@dataclass(frozen=True, slots=True)
class Spread:
    """How uncertain a model is about its own probability, and how that was computed.

    `sd`, `p05`, `p50`, `p95` describe P(outcome | parameters) over the posterior; `mcse` is the
    Monte Carlo standard error of its mean, which is the number that is scored.
    """

    sd: float
    p05: float
    p50: float
    p95: float
    mcse: float
    method: Literal["conjugate", "psis", "nuts", "pool", "fixed", "simulated"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """One forecast, before or after it was recorded.

    `sealed` is the number of the sealed entry that it opens: it was fixed at `issued_at` and shown
    at `recorded_at`.
    """

    question: str
    question_hash: str
    forecaster: str
    value: Value
    issued_at: dt.datetime
    kind: Kind
    because: str = ""
    spread: Spread | None = None
    model_run: int | None = None
    run: str = ""
    claim: str = ""
    recorded_at: dt.datetime | None = None
    seq: int | None = None
    hash: str = ""
    gate: str = ""
    meta: Mapping[str, str] = MappingProxyType({})
    sealed: int | None = None


class BriefForecast(NamedTuple):
    """What a forecast says and when, without the rest of its entry: all that a list needs."""

    question: str
    value: Value
    issued_at: dt.datetime
    seq: int
    sealed: int | None
    kind: Kind


class ForecastRow(NamedTuple):
    """A forecast as a table shows it, without building the whole value."""

    question: str
    forecaster: str
    kind: str
    labels: tuple[str, ...]
    entered: tuple[str, ...]
    stated: str
    issued_at: dt.datetime
    because: str


class Imported(NamedTuple):
    """A forecast of a track record, of which a file holds a million: who, on what, what and when.

    All else about it is what a :class:`Forecast` has by default, and its kind is ``imported``.
    """

    question: str
    question_hash: str
    forecaster: str
    value: Value
    issued_at: dt.datetime
    because: str = ""

    @property
    def forecast(self) -> Forecast:
        """The same forecast with every field."""
        return Forecast(*self[:5], "imported", self.because)


def decimal_text(number: float) -> str:
    """Write a float as the shortest decimal that reads back as the same float."""
    return decimal(Decimal(repr(float(number))))


def binary_value(text: str) -> Value:
    """Read a binary forecast as typed."""
    entered, stated = reading.probability(text, name="probability")
    return Value("binary", ("yes",), (entered,), stated)


def options_value(
    space: OutcomeSpace, typed: Mapping[str, str], *, manner: Manner | None = None
) -> Value:
    """Read a forecast over options as typed; it must name each option and sum to 1."""
    named: dict[str, str] = {}
    unknown = []
    for label, text in typed.items():
        try:
            name = reading.option(space.options, label)
        except InvalidInput:
            unknown.append(label)
            continue
        if name in named:
            raise InvalidInput(f"option ({name}): is given twice")
        named[name] = text
    missing = [name for name in space.options if name not in named]
    if unknown or missing:
        what = f"unknown {', '.join(unknown)}" if unknown else f"missing {', '.join(missing)}"
        msg = f"options ({what}): a forecast names each of {', '.join(space.options)} once"
        raise InvalidInput(msg)
    entered = tuple(
        reading.probability(named[name], name="probability", manner=manner, sums=True)[0]
        for name in space.options
    )
    total = sum((Decimal(text) for text in entered), Decimal(0))
    if abs(total - 1) > Decimal(str(SUM_TOLERANCE)):
        msg = f"probabilities (sum {float(total):.6g}): the options must sum to 1"
        raise InvalidInput(msg, hint=f"add {float(1 - total):+.6g} somewhere")
    stated = ", ".join(f"{name}={named[name]}" for name in space.options)
    return Value("options", space.options, entered, stated)


def quantiles_value(
    space: OutcomeSpace, typed: Mapping[str, str], *, manner: Manner | None = None
) -> Value:
    """Read quantiles as typed: levels in percent, values within the bounds, never falling."""
    levels = {label: Decimal(reading.level(label, manner=manner)) for label in typed}
    if len(set(levels.values())) < 2 or len(set(levels.values())) != len(levels):
        msg = f"quantiles ({', '.join(typed)}): give two levels or more, each once"
        raise InvalidInput(msg, hint="5=.., 50=.. and 95=..")
    if max(levels.values()) < 1:
        msg = f"quantile levels ({', '.join(typed)}): are in percent, and all lie below 1 %"
        raise InvalidInput(msg, hint=", ".join(plain_decimal(100 * one) for one in levels.values()))
    ordered = sorted(typed, key=lambda label: levels[label])
    values = [
        Decimal(reading.quantity(typed[label], unit=space.unit, manner=manner, within=space.bounds))
        for label in ordered
    ]
    low, high = Decimal(repr(space.lower)), Decimal(repr(space.upper))
    if any(not low <= value <= high for value in values):
        stated = ", ".join(typed[label] for label in ordered)
        msg = f"quantile values ({stated}): must lie in the range, {space.span}"
        raise InvalidInput(msg)
    if any(later < earlier for earlier, later in pairwise(values)):
        stated = ", ".join(space.shown(str(value)) for value in values)
        msg = f"quantile values ({stated}): must not fall as the level rises"
        raise InvalidInput(msg)
    labels = tuple(plain_decimal(levels[label]) for label in ordered)
    return Value("quantiles", labels, tuple(format(v, "f") for v in values))


def plain_decimal(number: Decimal) -> str:
    """Write a decimal without an exponent and without closing zeros."""
    return format(number.normalize(), "f")


def model_value(
    space: OutcomeSpace, numbers: Sequence[float], levels: Sequence[float] = ()
) -> Value:
    """Build a forecast from computed numbers: one, one per option, or one per level in percent."""
    entered = tuple(decimal_text(_to_15_decimals(number)) for number in numbers)
    if space.type == "binary":
        return Value("binary", ("yes",), entered)
    if space.type == "numeric":
        return Value("quantiles", tuple(decimal_text(level) for level in levels), entered)
    return Value("options", space.options, entered)


def _to_15_decimals(number: float) -> float:
    rounded = round(float(number), 15)
    return 1e-15 if rounded == 0.0 < number else rounded


def check_ladder(rungs: Sequence[tuple[dt.date, Value]]) -> None:
    """Refuse probabilities that fall from an earlier deadline to a later one."""
    now = dt.datetime.min
    ordered = sorted(rungs, key=lambda rung: rung[0])
    steps = {str(day): [(now, Decimal(value.entered[0]))] for day, value in ordered}
    for fall in falls(steps):
        raise fall.refused()
