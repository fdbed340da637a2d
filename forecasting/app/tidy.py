"""What a notebook gives and takes: tidy frames, moments as text, numbers as decimals."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from forecasting.domain.reading.instants import Days
    from forecasting.store import Ledger

type When = str | dt.date | dt.datetime | None


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


def listed(
    rows: Sequence[Mapping[str, Any]], times: Sequence[str] = (), columns: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Give rows as they are."""
    return [dict(row) for row in rows]


def warned(note: str) -> None:
    """Tell a note as a warning of Python."""
    import warnings

    warnings.warn(note, stacklevel=3)


def when(moment: When, *, days: "Days" = "begins", zone: str = "") -> dt.datetime | None:
    """Read a moment or a day, as text or as Python or pandas has it; None stays None.

    With a zone a text without an offset is read in it; a datetime without one is refused.
    """
    from forecasting import clock
    from forecasting.domain.instants import utc
    from forecasting.domain.reading import Manner
    from forecasting.domain.reading import moment as read

    if moment is None:
        return None
    if isinstance(moment, dt.datetime):
        return utc(moment)
    return read(moment, days=days, zone=zone, local=bool(zone), manner=Manner(now=clock.now()))


def on(ledger: "Ledger", question: str, moment: When, *, days: "Days") -> dt.datetime | None:
    """Read a moment in the zone of a question or ladder."""
    from forecasting.app.catalog import Catalog

    if moment is None or isinstance(moment, dt.datetime):
        return when(moment)
    return when(moment, days=days, zone=Catalog.about(ledger, question).find(question)[0].zone)


def text(value: "float | str | np.generic") -> str:
    """Write a number as a door reads it: 1.0 is certainty, True is yes; text stays as it is."""
    from forecasting.domain.forecast import decimal_text

    if isinstance(value, str):
        return value
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool | int):
        return str(plain)
    number = float(plain)
    if number - number != 0:
        # A number that is not finite has no decimal; as text it meets the rule that it breaks.
        return str(number)
    written = decimal_text(number)
    return f"{written}.0" if written == "1" else written
