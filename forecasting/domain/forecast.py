"""A forecast: a probability (or several) of a question, with who, when and how."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.verbal import BANDS, band
from forecasting.errors import InvalidInput

Kind = Literal["live", "replay", "elicited", "imported"]
KINDS: tuple[Kind, ...] = ("live", "replay", "elicited", "imported")
#: A forecast logged at most this long after it was made is live.
LIVE_WITHIN = dt.timedelta(minutes=15)
SUM_TOLERANCE = 1e-9
_DECIMAL = re.compile(r"[-+]?([0-9]{1,15}(\.[0-9]{0,30})?|\.[0-9]{1,30})")
_ODDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]+)?)\s*:\s*([0-9]{1,9}(?:\.[0-9]+)?)")
_PROBABILITY_HINT = "0.35, 35%, 1:3 or a verbal band such as likely"


@dataclass(frozen=True, slots=True)
class Value:
    """What a forecast says: decimal strings exactly as entered, and their labels.

    Attributes
    ----------
    shape
        ``binary`` (the probability of yes), ``options`` (one per option), ``quantiles`` (numbers
        at levels in percent).
    labels
        ``("yes",)``, the options in order, or the levels in rising order.
    entered
        The decimal strings that are hashed into the ledger.
    stated
        What the person typed, where it was not the decimal (``35%``, ``1:3``, ``likely``).
    """

    shape: Literal["binary", "options", "quantiles"]
    labels: tuple[str, ...]
    entered: tuple[str, ...]
    stated: str = ""

    @property
    def numbers(self) -> tuple[float, ...]:
        """The entered decimals as floats, in the order of the labels."""
        return tuple(float(text) for text in self.entered)

    @property
    def probability(self) -> float | None:
        """The probability of yes, for a binary forecast."""
        return float(self.entered[0]) if self.shape == "binary" else None

    @property
    def plain(self) -> float | dict[str, float]:
        """The contract's JSON shape: a number, or labels with numbers."""
        if self.shape == "binary":
            return self.numbers[0]
        return dict(zip(self.labels, self.numbers, strict=True))


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
    meta: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sealed: int | None = None


def decimal_text(number: float) -> str:
    """Write a float as the shortest decimal that reads back as the same float.

    Examples
    --------
    >>> decimal_text(1e-05), decimal_text(0.35), decimal_text(1.0)
    ('0.00001', '0.35', '1')
    """
    text = format(Decimal(repr(float(number))), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _decimal(text: str, *, name: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        msg = f"{name} ({text}): must be a plain decimal number"
        raise InvalidInput(msg, hint=_PROBABILITY_HINT if name == "probability" else "12.5")
    return Decimal(text)


def parse_probability(text: str) -> tuple[str, str]:
    """Read a probability as a person writes it; give the decimal and what was stated.

    Parameters
    ----------
    text : str
        ``0.35``, ``35%``, ``1:3`` (odds for : against) or a verbal band.

    Raises
    ------
    InvalidInput
        Not a probability, or outside [0, 1].

    Examples
    --------
    >>> parse_probability("35%"), parse_probability("1:3"), parse_probability("likely")
    (('0.35', '35%'), ('0.25', '1:3'), ('0.675', 'likely'))
    """
    stated = text.strip()
    if odds := _ODDS.fullmatch(stated):
        for_it, against = (Decimal(part) for part in odds.groups())
        if for_it + against == 0:
            msg = f"odds ({stated}): one side must be above 0"
            raise InvalidInput(msg, hint="1:3")
        return decimal_text(float(for_it / (for_it + against))), stated
    if stated.endswith("%"):
        share = _decimal(stated[:-1].strip(), name="probability") / 100
    elif stated[:1].isalpha() and stated.lower() not in {"nan", "inf", "infinity"}:
        try:
            return decimal_text(band(stated).middle), band(stated).name
        except InvalidInput as unknown:
            msg = f"probability ({stated}): must be a number from 0 to 1 or a verbal band"
            bands = ", ".join(b.name for b in BANDS)
            raise InvalidInput(msg, hint=f"0.35, 35%, 1:3, or one of {bands}") from unknown
    else:
        share = _decimal(stated, name="probability")
    if not 0 <= share <= 1:
        msg = f"probability ({stated}): must lie from 0 to 1"
        raise InvalidInput(msg, hint=_PROBABILITY_HINT)
    plain = format(share.normalize(), "f")
    entered = "0" if plain in {"-0", ""} else plain
    return entered, "" if entered == stated else stated


def binary_value(text: str) -> Value:
    """Read a binary forecast as typed."""
    entered, stated = parse_probability(text)
    return Value("binary", ("yes",), (entered,), stated)


def options_value(space: OutcomeSpace, given: Mapping[str, str]) -> Value:
    """Read a forecast over options as typed; it must name each option and sum to 1."""
    unknown = [name for name in given if name not in space.options]
    missing = [name for name in space.options if name not in given]
    if unknown or missing:
        what = f"unknown {', '.join(unknown)}" if unknown else f"missing {', '.join(missing)}"
        msg = f"options ({what}): a forecast names each of {', '.join(space.options)} once"
        raise InvalidInput(msg)
    entered = tuple(parse_probability(given[name])[0] for name in space.options)
    total = sum((Decimal(text) for text in entered), Decimal(0))
    if abs(total - 1) > Decimal(str(SUM_TOLERANCE)):
        msg = f"probabilities (sum {float(total):.6g}): the options must sum to 1"
        raise InvalidInput(msg, hint=f"add {float(1 - total):+.6g} somewhere")
    stated = ", ".join(f"{name}={given[name]}" for name in space.options)
    return Value("options", space.options, entered, stated)


def quantiles_value(space: OutcomeSpace, given: Mapping[str, str]) -> Value:
    """Read quantiles as typed: levels in percent, values within the bounds, never falling."""
    levels = {level: _decimal(level, name="quantile level") for level in given}
    if len(set(levels.values())) < 2 or len(set(levels.values())) != len(levels):
        msg = f"quantiles ({', '.join(given)}): give two levels or more, each once"
        raise InvalidInput(msg, hint="--quantile 5=.. --quantile 50=.. --quantile 95=..")
    if outside := [level for level, number in levels.items() if not 0 < number < 100]:
        msg = f"quantile level ({', '.join(outside)}): must lie above 0 and below 100 percent"
        raise InvalidInput(msg, hint="--quantile 50=..")
    ordered = sorted(given, key=lambda level: levels[level])
    values = [_decimal(given[level].strip(), name="quantile value") for level in ordered]
    low, high = Decimal(repr(space.lower)), Decimal(repr(space.upper))
    if any(not low <= value <= high for value in values):
        msg = f"quantile values ({', '.join(map(str, values))}): must lie in [{low}, {high}]"
        raise InvalidInput(msg)
    if any(later < earlier for earlier, later in pairwise(values)):
        msg = f"quantile values ({', '.join(map(str, values))}): must not fall as the level rises"
        raise InvalidInput(msg)
    labels = tuple(format(levels[level].normalize(), "f") for level in ordered)
    return Value("quantiles", labels, tuple(format(v, "f") for v in values))


def model_value(
    space: OutcomeSpace, numbers: Sequence[float], levels: Sequence[float] = ()
) -> Value:
    """Build a forecast from computed numbers: one, one per option, or one per level in percent.

    Numbers are kept to 15 decimals; a positive probability never becomes 0.
    """
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
    ordered = sorted(rungs, key=lambda rung: rung[0])
    for (day, early), (later_day, late) in pairwise(ordered):
        if Decimal(late.entered[0]) < Decimal(early.entered[0]):
            msg = (
                f"ladder ({day}={early.entered[0]}, {later_day}={late.entered[0]}): "
                "a later deadline cannot be less likely than an earlier one"
            )
            raise InvalidInput(msg, hint=f"--ladder {later_day}={early.entered[0]} or more")
