"""Probabilities: decimals, percentages, odds, words; never a bare number that may be either."""

import re
from decimal import Decimal
from fractions import Fraction

from forecasting.domain.reading.manner import Ambiguous, Manner, plainly, refused
from forecasting.domain.reading.numbers import number, tidied
from forecasting.domain.verbal import BANDS, band
from forecasting.errors import InvalidInput

HINT = "0.35, 35%, 1:3 or a verbal band such as likely"
UNITS = "unit=percent or unit=probability"
_PERCENT = re.compile(r"(.*?)\s?(?:%|percent|per cent|pct)", re.IGNORECASE)
#: One in twenty; as a fraction a bookmaker would mean odds of 20 to 1 by it.
_FREQUENCY = re.compile(r"([\d.,]+) in ([\d.,]+)", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(r"([0-9]{1,6})\s*/\s*([0-9]{1,6})")
_ABOUT = re.compile(r"(?:~|\u2248|ca\.?\s|about\s|approx\.?\s)\s*(\d.*)", re.IGNORECASE)
_ODDS = re.compile(r"([\d.,]+)\s?:\s?([\d.,]+)", re.ASCII)
_TENTHS = re.compile(r"[.,]\d", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z _-]*")


def probability(
    text: str, *, name: str = "forecast", manner: Manner | None = None, sums: bool = False
) -> tuple[str, str]:
    r"""Read a probability; give the decimal from 0 to 1, and what was typed where that differs.

    Bare numbers are read in the manner's unit: 4 is 0.04 in percent. `sums`: it is one of several
    that must sum to 1, which tells a bare 1 from 1 %.

    Raises
    ------
    Ambiguous
        A bare 1, or a bare number above 1: per cent, or not?
    InvalidInput
        No probability, or outside [0, 1].

    Examples
    --------
    >>> probability("35\u00a0%"), probability("1:3"), probability("likely"), probability("1e-5")
    (('0.35', '35 %'), ('0.25', '1:3'), ('0.675', 'likely'), ('0.00001', '1e-5'))
    >>> probability("1 in 4")
    ('0.25', '1 in 4')
    >>> probability("4", manner=Manner(unit="percent"))
    ('0.04', '4')
    """
    stated = tidied(text)
    unit = manner.unit if manner else ""
    if odds := _ODDS.fullmatch(stated):
        share = _of_odds(odds[1], odds[2], stated, name)
    elif frequency := _FREQUENCY.fullmatch(stated):
        share = _of_frequency(frequency[1], frequency[2], stated, name)
    elif about := _ABOUT.fullmatch(stated):
        raise refused(name, stated, "is not a number; a forecast is one, however rough", about[1])
    elif percent := _PERCENT.fullmatch(stated):
        read = number(percent[1], name=name, hint=HINT, shown=stated, manner=manner)
        share = Decimal(read) / 100
    elif _WORD.fullmatch(stated) and stated.casefold() not in {"nan", "inf", "infinity"}:
        return _band(stated, name)
    elif (part := _FRACTION.fullmatch(stated)) and 0 < int(part[1]) < int(part[2]):
        often = f"{part[1]} in {part[2]}"
        odds_on = f"{part[2]}:{part[1]}"
        msg = (
            f"{name} ({plainly(stated)}): is not a number; a share is {often}, and a bookmaker's "
            f"odds so written are {odds_on}"
        )
        raise InvalidInput(msg, hint=often)
    else:
        share = Decimal(number(text, name=name, hint=HINT, manner=manner))
        if manner and unit == "percent":
            if 0 < share < 1:
                manner.seen.setdefault("below 1 %", stated)
            share /= 100
        elif not unit:
            _check_unit(share, stated, name, sums)
    if not 0 <= share <= 1:
        raise refused(name, stated, "must lie from 0 to 1", HINT)
    entered = decimal(share)
    return entered, "" if entered == stated else stated


def decimal(share: Decimal) -> str:
    """Write a decimal plainly, without closing zeros, as it is recorded."""
    plain = format(share, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain


def _check_unit(share: Decimal, stated: str, name: str, sums: bool) -> None:
    if share == 1 and not _TENTHS.search(stated) and not sums:
        msg = f"{name} ({plainly(stated)}): means certainty, or 1 %"
        raise Ambiguous(msg, hint="100% or 1.0 for certainty, 1% or 0.01", whole=UNITS)
    if 1 < share <= 100:
        shown = plainly(stated)
        way_out = f"{shown}% or {'1.0' if share == 100 else decimal(share / 100)}"
        msg = f"{name} ({shown}): a probability lies from 0 to 1; is {shown} % meant?"
        raise Ambiguous(msg, hint=way_out, whole=UNITS)


def _of_odds(one: str, other: str, stated: str, name: str) -> Decimal:
    sides = [
        Fraction(Decimal(number(part, name=name, hint="1:3", shown=stated)))
        for part in (one, other)
    ]
    total = sum(sides)
    if not total:
        raise InvalidInput(f"{name} ({stated}): one side of the odds must be above 0", hint="1:3")
    return Decimal(repr(float(sides[0] / total)))


def _of_frequency(one: str, of: str, stated: str, name: str) -> Decimal:
    often, times = (
        Fraction(Decimal(number(part, name=name, hint="1 in 4", shown=stated)))
        for part in (one, of)
    )
    if not 0 <= often <= times or not times:
        raise refused(name, stated, "must lie from 0 to 1", "1 in 4")
    return Decimal(repr(float(often / times)))


def _band(stated: str, name: str) -> tuple[str, str]:
    try:
        verbal = band(stated)
    except InvalidInput:
        msg = f"{name} ({plainly(stated)}): must be a number from 0 to 1 or a verbal band"
        bands = ", ".join(b.name for b in BANDS)
        raise InvalidInput(msg, hint=f"0.35, 35%, 1:3, or one of {bands}") from None
    return decimal(Decimal(repr(verbal.middle))), verbal.name
