"""Quantities and quantiles: numbers with the question's unit, levels in percent."""

import re
from dataclasses import replace
from decimal import Decimal

from forecasting.domain.instants import DAYS, days_since
from forecasting.domain.reading.instants import moment
from forecasting.domain.reading.manner import Ambiguous, Manner, plainly, refused
from forecasting.domain.reading.numbers import number, tidied, unmistakable
from forecasting.domain.reading.probabilities import decimal

_LEVEL = re.compile(r"(?:[pPqQ])?([^%]*?)\s?%?")
#: What a count of days never has: letters, or two marks between figures.
_DATED = re.compile(r"[^\W\d_]{3}|\d[-/.]\d+[-/.]\d")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
LEVELS = "5, 50 and 95"
#: What a marked number of a file is kept under, for the file's note.
THOUSANDS = "thousands"


def quantity(
    text: str,
    *,
    unit: str = "",
    name: str = "quantile value",
    manner: Manner | None = None,
    within: tuple[float, float] | None = None,
) -> str:
    """Read a quantity, with or without the unit of its question after it, or the date it is.

    Where a person types it, ``1.200`` may be 1200: it is refused if that lies `within` the bounds
    of what is asked, or 1.2 does not. In a file it is 1.2, and its `manner` notes it.

    Examples
    --------
    >>> quantity("1 200 people", unit="people"), quantity("-0,5")
    ('1200', '-0.5')
    >>> quantity("15 June 2025", unit="days since 1970-01-01")
    '20254'
    >>> quantity("1.200"), quantity("1.200", within=(0, 10)), quantity("1.2", within=(0, 5000))
    ('1.200', '1.200', '1.2')
    """
    cell = tidied(text)
    if unit and cell.casefold().endswith(unit.casefold()):
        cell = cell[: -len(unit)].strip()
    if unit == DAYS and _DATED.search(cell):
        # The day itself: of today too, where a file's manner would say from now on.
        order = replace(manner, now=None) if manner else None
        count = days_since(moment(cell, name=name, zone="UTC", local=True, manner=order))
        return format(Decimal(repr(count)).normalize(), "f")
    if within and _THOUSANDS.fullmatch(cell) and not (manner and manner.decimal):
        plain, whole = unmistakable(cell.lstrip("+")), cell.replace(".", "").lstrip("+")
        low, high = within
        if low <= float(whole) <= high or not low <= float(plain) <= high:
            if manner is None:
                shown = plain.rstrip("0")
                msg = f"{name} ({plainly(text.strip())}): is {shown} or {whole}"
                raise Ambiguous(msg, hint=f"{whole} or {plain}")
            manner.seen.setdefault(THOUSANDS, cell)
    return number(cell, name=name, shown=text, manner=manner)


def level(text: str, *, manner: Manner | None = None) -> str:
    """Read the level of a quantile in percent, above 0 and below 100.

    Examples
    --------
    >>> level("5"), level("97.50 %"), level("p50"), level("median")
    ('5', '97.5', '50', '50')
    """
    cell = tidied(text)
    if cell.casefold() == "median":
        return "50"
    match = _LEVEL.fullmatch(cell)
    plain = Decimal(
        number(match[1] if match else cell, name="quantile level", hint=LEVELS, manner=manner)
    )
    if not 0 < plain < 100:
        raise refused("quantile level", cell, "must lie above 0 and below 100 percent", LEVELS)
    return decimal(plain)
