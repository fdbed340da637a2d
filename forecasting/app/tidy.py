"""What a notebook gives and takes: tidy frames, moments as text, numbers as decimals."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

type When = str | dt.datetime | None


def frame(
    rows: Sequence[Mapping[str, Any]], times: Sequence[str] = (), columns: Sequence[str] = ()
) -> "pd.DataFrame":
    """Give rows as a frame, some of whose columns are aware UTC times.

    With `columns` a frame without rows has them too, and others have them first.
    """
    import pandas as pd

    made = pd.DataFrame(list(rows))
    made = made.reindex(columns=list(dict.fromkeys((*columns, *made.columns))))
    for column in times:
        if column in made:
            made[column] = pd.to_datetime(made[column], utc=True)
    return made


def when(moment: When) -> dt.datetime | None:
    """Read a moment as ISO 8601 or as an aware datetime; None stays None."""
    from forecasting.domain.instants import parse_instant, utc

    if moment is None:
        return None
    return parse_instant(moment) if isinstance(moment, str) else utc(moment)


def text(value: float | str) -> str:
    """Write a number as the decimal that is hashed; text stays as it is."""
    from forecasting.domain.forecast import decimal_text

    if isinstance(value, str):
        return value
    number = float(value)
    # A number that is not finite has no decimal; as text it meets the rule that it breaks.
    return decimal_text(number) if number - number == 0 else str(number)


def is_number(key: object) -> bool:
    """Tell whether a key is a level in percent rather than an option."""
    try:
        float(str(key))
    except ValueError:
        return False
    return True
