"""Numbers as they are typed: beside a percent sign, or one number for a whole curve."""

from collections.abc import Mapping
from decimal import Decimal
from statistics import NormalDist

from forecasting.domain.instants import DAYS
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import (
    Ambiguous,
    Damaged,
    number,
    plainly,
    quantity,
    tidied,
    unmistakable,
)
from forecasting.errors import InvalidInput


def percent_typed(text: str) -> str:
    """Spell out what was typed beside a percent sign: bare numbers are per cent.

    A bare number between 0 and 1 may be a share that was meant as it is: neither is taken.

    >>> percent_typed("35"), percent_typed("2,5"), percent_typed("0.5%"), percent_typed("1:3")
    ('35%', '2,5%', '0.5%', '1:3')
    """
    typed = tidied(text)
    if not typed:
        msg = "probability: type a number from 0 to 100, odds such as 1:3, or a word such as likely"
        raise InvalidInput(msg)
    percent, bare = typed.removesuffix("%").strip(), not typed.endswith("%")
    try:
        value = Decimal(number(percent, name="probability", hint="35", shown=typed))
    except (Ambiguous, Damaged):
        raise
    except InvalidInput:
        return typed  # odds and words are read where they are recorded
    if not 0 <= value <= 100:
        raise InvalidInput(f"probability ({plainly(typed)}): must lie from 0 to 100", hint="35")
    if not bare:
        return typed
    if 0 < value < 1:
        share, small = (f"{each:f}".rstrip("0").rstrip(".") for each in (100 * value, value))
        msg = f"probability ({plainly(typed)}): is {share}% meant, or less than 1 %?"
        raise InvalidInput(msg, hint=f"{share}%, or {small}%")
    return f"{typed}%"


def percent(text: str) -> float:
    """Read a bare number beside a percent sign, to compute with it before it is logged."""
    typed = percent_typed(text)
    return float(number(typed.removesuffix("%"), name="probability", hint="35", shown=text.strip()))


#: The levels that the form asks for, in percent.
LEVELS = ("5", "25", "50", "75", "95")
#: How far the middle 90 % reach to each side, as a share of the number itself.
SURE = {"quite": 0.1, "fairly": 0.25, "hardly": 0.5}


def spread_around(text: str, sure: str, space: OutcomeSpace) -> dict[str, str]:
    """Give quantiles of a normal curve around a number, cut at its bounds, to be looked at."""
    low, high = space.bounds
    plain = quantity(text, unit=space.unit, name="one", within=space.bounds)
    middle = float(plain)
    if not low <= middle <= high:
        raise InvalidInput(f"one ({plainly(text)}): must lie from {space.span}")
    share = SURE.get(sure, SURE["fairly"])
    # A day has no size: its reach is a share of the range.
    days = space.unit == DAYS
    reach = share * (high - low if days else abs(middle) or (high - low) / 10)
    curve = NormalDist(middle, reach / NormalDist().inv_cdf(0.95))
    quantiles = {}
    for level in LEVELS:
        value = min(max(curve.inv_cdf(float(level) / 100), low), high)
        quantiles[level] = f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return {level: typed_again(text, space) for level, text in (quantiles | {"50": plain}).items()}


def typed_again(text: str, space: OutcomeSpace) -> str:
    """Write a number as a person types it: so that it has one reading, and a day as its date."""
    return space.shown(text) if space.unit == DAYS else unmistakable(text)


def drawn(typed: Mapping[str, str], space: OutcomeSpace) -> dict[float, float]:
    """Give the quantiles among what is typed that can be read, by level, to draw them."""
    quantiles = {}
    for level, value in typed.items():
        try:
            quantiles[float(level)] = float(quantity(value, unit=space.unit))
        except ValueError:
            continue
    return dict(sorted(quantiles.items()))
