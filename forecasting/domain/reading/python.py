"""What Python, pandas and NumPy hold as moments, days and numbers, read as the same in text."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.domain.forecast import decimal_text
from forecasting.domain.instants import utc
from forecasting.domain.reading import Manner, unmistakable
from forecasting.domain.reading import moment as read
from forecasting.domain.reading.instants import Days
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np


type When = str | dt.date | dt.datetime | None


def when(
    moment: Any, *, days: Days = "begins", zone: str = "", now: dt.datetime | None = None
) -> dt.datetime | None:
    """Read a moment or a day, as text or as Python, pandas or NumPy has it; None stays None."""
    if moment is None:
        return None
    plain = _python(moment)
    if isinstance(plain, dt.datetime) and not _is_midnight(plain):
        return utc(plain)
    now = now or clock.now()
    manner = Manner(now=now)
    instant = read(_words(plain), days=days, zone=zone, local=bool(zone), manner=manner)
    if days != "begins" and instant > now:
        today = read("today", days=days, zone=zone, local=bool(zone), manner=manner)
        instant = now if instant == today else instant
    return instant


def day(value: Any) -> str:
    """Write a day as text, whatever holds it; text stays as it is.

    Examples
    --------
    >>> day(dt.date(2027, 1, 31)), day("31 Jan 2027")
    ('2027-01-31', '31 Jan 2027')
    """
    plain = _python(value)
    # The day is that of the datetime's own zone, because deadlines are days.
    return plain.date().isoformat() if isinstance(plain, dt.datetime) else str(_words(plain))


def stated(forecast: Any) -> Any:
    """Write what is forecast as a door reads it: one number as text, several by their names."""
    if forecast is None or isinstance(forecast, str):
        return forecast
    return named(forecast) if by_name(forecast) else text(forecast)


def by_name(forecast: Any) -> bool:
    """Whether a forecast has several numbers by their names: a mapping, or a Series of pandas."""
    return isinstance(forecast, Mapping) or (
        hasattr(forecast, "items") and hasattr(forecast, "index")
    )


def named(values: Any) -> dict[str, str]:
    """Write numbers by their names: options, levels of quantiles, or the days of a ladder.

    >>> named({"egypt": 0.2, 95: 3, dt.date(2027, 1, 31): "4%"})
    {'egypt': '0.2', '95': '3', '2027-01-31': '4%'}
    """
    numbers: dict[str, str] = {}
    for key, value in values.items():
        name = key if isinstance(key, str) else day(key) if _is_day(key) else str(key)
        if name in numbers:
            raise InvalidInput(f"forecast ({name}): is given twice")
        numbers[name] = text(value)
    return numbers


def as_in_file(value: Any) -> Any:
    """Give the fields of a mapping as a file has them: days as text, plain numbers."""
    if isinstance(value, Mapping):
        return {key: as_in_file(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_in_file(item) for item in value]
    if _is_day(value):
        return _words(_python(value))
    return value.item() if hasattr(value, "item") else value


def _is_day(value: Any) -> bool:
    return isinstance(value, dt.date) or type(value).__name__ == "datetime64"


def _python(value: Any) -> Any:
    """Give what NumPy has as a date as Python's; refuse what stands for no moment."""
    plain = value.item() if type(value).__name__ == "datetime64" else value
    if isinstance(plain, str | dt.date) and plain == plain:
        return plain
    if plain is not value and isinstance(plain, int):
        # NumPy gives nanoseconds as a number, which Python's datetimes do not hold.
        return dt.datetime.fromisoformat(str(value.astype("datetime64[us]")))
    msg = f"time ({value}): is no moment"
    raise InvalidInput(msg, hint="2026-11-22, 2026-11-22T12:00Z, a date or a datetime")


def _is_midnight(plain: dt.datetime) -> bool:
    return plain.tzinfo is None and plain.time() == dt.time()


def _words(plain: str | dt.date) -> str | dt.date:
    if isinstance(plain, dt.datetime):
        return plain.date().isoformat() if _is_midnight(plain) else plain.isoformat()
    return plain.isoformat() if isinstance(plain, dt.date) else plain


def text(value: "float | str | np.generic") -> str:
    """Write a number as a door reads it: 1.0 is certainty, True is yes; text stays as it is."""
    if isinstance(value, str):
        return value
    plain: Any = value
    if getattr(value, "ndim", 1) == 0:
        plain = plain.item()
    if not isinstance(plain, bool | int | float):
        msg = f"value ({value}): is neither a number nor text"
        raise InvalidInput(msg, hint="0.35, '35%', 'yes' or True")
    if isinstance(plain, bool | int):
        return str(plain)
    number = float(plain)
    if number - number != 0:
        # A number that is not finite has no decimal; as text it meets the rule that it breaks.
        return str(number)
    # A number is no text, so its point can only be a decimal point.
    written = unmistakable(decimal_text(number))
    return f"{written}.0" if written == "1" else written
