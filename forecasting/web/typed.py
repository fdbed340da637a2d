"""Numbers as they are typed: beside a percent sign, or one number for a whole curve."""

import re
from decimal import Decimal, InvalidOperation
from statistics import NormalDist

from forecasting.errors import InvalidInput

_BARE = re.compile(r"\d+([.,]\d+)?", re.ASCII)


def percent_typed(text: str) -> str:
    """Spell out what was typed beside a percent sign: bare numbers are per cent.

    A bare number below 1 with a point may be a share that was meant as it is: neither is taken.
    """
    typed = text.strip()
    if not typed:
        msg = "probability: type a number from 0 to 100, odds such as 1:3, or a word such as likely"
        raise InvalidInput(msg)
    if not _BARE.fullmatch(typed.rstrip("% ").removeprefix("-")):
        return typed
    value = float(typed.rstrip("% ").replace(",", "."))
    if not 0 <= value <= 100:
        msg = f"probability ({typed}): must lie from 0 to 100"
        raise InvalidInput(msg, hint="35")
    if typed.endswith("%"):
        return typed
    if 0 < value < 1:
        share = f"{100 * value:g}%"
        msg = f"probability ({typed}): is {share} meant, or less than 1 %?"
        raise InvalidInput(msg, hint=f"{100 * value:g}, or {typed}%")
    return f"{typed}%"


#: The levels that the form asks for, in percent.
LEVELS = ("5", "25", "50", "75", "95")
#: How far the middle 90 % reach to each side, as a share of the number itself.
SURE = {"quite": 0.1, "fairly": 0.25, "hardly": 0.5}


def spread_around(text: str, sure: str, *, low: float, high: float) -> dict[str, str]:
    """Give quantiles around one number, within its bounds, to be looked at before they are logged.

    A normal curve around the number whose middle 90 % reach as far to each side as `sure` says, cut
    at the bounds.
    """
    try:
        middle = float(Decimal(text.replace(" ", "").replace(",", "")))
    except InvalidOperation:
        msg = f"one ({text}): must be a number" if text else "one: type one number"
        raise InvalidInput(msg) from None
    if not low <= middle <= high:
        msg = f"one ({text}): must lie from {low:g} to {high:g}"
        raise InvalidInput(msg)
    reach = SURE.get(sure, SURE["fairly"]) * (abs(middle) or (high - low) / 10)
    curve = NormalDist(middle, reach / NormalDist().inv_cdf(0.95))
    found = {}
    for level in LEVELS:
        value = min(max(curve.inv_cdf(float(level) / 100), low), high)
        found[level] = f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return found
