"""When a replay forecasts: which local midnights, and at which noons the texts speak."""

import datetime as dt
from collections.abc import Iterable, Sequence

from forecasting.domain.instants import DEFAULT_ZONE, day_begins, local_day
from forecasting.domain.question import Question

SHORT_WINDOW_DAYS = 14
ONE_DAY = dt.timedelta(days=1)


def midnight_from(moment: dt.datetime, zone: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the first local midnight at or after a moment.

    Examples
    --------
    >>> midnight_from(dt.datetime(2025, 3, 18, 22, tzinfo=dt.UTC)).isoformat()
    '2025-03-19T00:00:00+00:00'
    """
    begins = day_begins(local_day(moment, zone), zone)
    return begins if begins == moment else day_begins(local_day(moment, zone) + ONE_DAY, zone)


def steps(
    questions: Sequence[Question],
    ends: Sequence[dt.datetime],
    known: Iterable[dt.datetime],
    *,
    start: dt.datetime,
    until: dt.datetime,
    every: int = 7,
    zone: str = DEFAULT_ZONE,
) -> list[dt.datetime]:
    """Give the moments of a replay: local midnights at which some question is open.

    Each question's opening; each day of windows up to 14 days; every `every` days beyond; and each
    day on which evidence arrived (the midnight by which it was known).

    Parameters
    ----------
    ends : sequence of datetime
        Per question, when it stopped being open: its close, or its resolution if earlier.
    known : iterable of datetime
        When each item of evidence was known.
    zone : str
        Of the midnights: the bank's.
    """
    first, last = local_day(start, zone), local_day(until, zone)
    days: set[dt.date] = set()
    grid = range(0, (last - first).days + 1, every)
    days.update(first + dt.timedelta(days=offset) for offset in grid)
    for question, end in zip(questions, ends, strict=True):
        opening = local_day(question.opens, zone)
        days.add(opening)
        closing = local_day(question.closes, zone)
        if (closing - opening).days <= SHORT_WINDOW_DAYS:
            days.update(
                opening + ONE_DAY * i for i in range((local_day(end, zone) - opening).days + 1)
            )
    days.update(local_day(midnight_from(moment, zone), zone) for moment in known)
    moments = sorted(day_begins(day, zone) for day in days if first <= day <= last)
    return [
        moment
        for moment in moments
        if start <= moment <= until
        and any(q.opens <= moment < end for q, end in zip(questions, ends, strict=True))
    ]
