"""Quantities and quantiles: numbers with the question's unit, levels in percent."""

import re
from decimal import Decimal

from forecasting.domain.reading.manner import Manner, plainly
from forecasting.domain.reading.numbers import number, tidied
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput

_LEVEL = re.compile(r"(?:[pPqQ])?([^%]*?)\s?%?")
LEVELS = "5, 50 and 95"


def quantity(
    text: str, *, unit: str = "", name: str = "quantile value", manner: Manner | None = None
) -> str:
    """Read a quantity, with or without the unit of its question after it.

    Examples
    --------
    >>> quantity("1 200 people", unit="people"), quantity("-0,5")
    ('1200', '-0.5')
    """
    cell = tidied(text)
    if unit and cell.casefold().endswith(unit.casefold()):
        cell = cell[: -len(unit)].strip()
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
    found = _LEVEL.fullmatch(cell)
    plain = Decimal(
        number(found[1] if found else cell, name="quantile level", hint=LEVELS, manner=manner)
    )
    if not 0 < plain < 100:
        msg = f"quantile level ({plainly(cell)}): must lie above 0 and below 100 percent"
        raise InvalidInput(msg, hint=LEVELS)
    return decimal(plain)
