"""Instants: aware UTC inside, a zone only at the edge.

Three conventions hold everywhere. A deadline named by a day is the local midnight that *ends*
it (half-open windows); an opening named by a day is the local midnight that *begins* it; a fact
known only to the day is known at the midnight that ends it.
"""

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forecasting.errors import InvalidInput

#: Of days where neither a workspace nor a bank states a zone.
DEFAULT_ZONE = "UTC"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s*(Z|[+-]\d{2}:?\d{2})?"
)


class UncertainTime(InvalidInput):
    """A local time that its zone skips or has twice; only the user can say which is meant.

    `readings` are the two moments that it may be, the earlier one first.
    """

    def __init__(self, message: str, *, readings: tuple[dt.datetime, dt.datetime]) -> None:
        super().__init__(message, hint=" or ".join(iso(reading) for reading in readings))
        self.readings = readings


def utc(moment: dt.datetime) -> dt.datetime:
    """Give an aware moment in UTC; refuse a naive one.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> utc(dt.datetime(2026, 3, 29, tzinfo=ZoneInfo("Africa/Cairo"))).isoformat()
    '2026-03-28T22:00:00+00:00'
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        msg = f"time ({moment.isoformat()}): must carry a zone"
        raise InvalidInput(msg, hint=f"{moment.isoformat()}Z")
    return moment.astimezone(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """Write a moment as ISO 8601 in UTC with ``Z``, without empty fractions.

    Examples
    --------
    >>> iso(dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC))
    '2026-01-02T03:04:00Z'
    """
    return utc(moment).isoformat().replace("+00:00", "Z")


def zone(name: str) -> ZoneInfo:
    """Look up an IANA zone by name; an unknown one is bad input."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        msg = f"zone ({name}): not an IANA time zone"
        raise InvalidInput(msg, hint="Africa/Khartoum") from unknown


def day_begins(day: dt.date, zone_name: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the local midnight that begins a day, in UTC.

    Examples
    --------
    >>> iso(day_begins(dt.date(2025, 3, 21), "Africa/Khartoum"))
    '2025-03-20T22:00:00Z'
    """
    return utc(dt.datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)))


def day_ends(day: dt.date, zone_name: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the local midnight that ends a day, in UTC: the half-open deadline of that day.

    Examples
    --------
    The clocks change on 30 March 2025 in Berlin, so that day has 23 hours.

    >>> day = dt.date(2025, 3, 30)
    >>> day_ends(day, "Europe/Berlin") - day_begins(day, "Europe/Berlin")
    datetime.timedelta(seconds=82800)
    """
    return day_begins(day + dt.timedelta(days=1), zone_name)


def parse_day(text: str) -> dt.date:
    """Read ``YYYY-MM-DD``; anything else is bad input."""
    if _DAY.fullmatch(text):
        try:
            day = dt.date.fromisoformat(text)
            # The midnight that begins or ends any other year lies in some zone outside of time.
            if dt.MINYEAR < day.year < dt.MAXYEAR:
                return day
        except ValueError:
            pass
    msg = f"day ({text}): must be a calendar day as YYYY-MM-DD"
    raise InvalidInput(msg, hint="2026-12-31")


def parse_instant(text: str, *, zone_name: str | None = None) -> dt.datetime:
    """Read an ISO 8601 moment as aware UTC.

    Parameters
    ----------
    text : str
        ``2026-05-09T12:00Z``, ``2026-05-09 12:00+03:00``; with `zone_name` also without an offset.
    zone_name : str, optional
        The zone to read a moment without an offset in. Moments that this zone skips or has twice
        (clock changes) are refused, because only the user can say which is meant.

    Raises
    ------
    InvalidInput
        No moment, or no zone.
    UncertainTime
        A local time that the zone skips or has twice, with both readings.

    Examples
    --------
    >>> iso(parse_instant("2026-05-09T12:00+03:00"))
    '2026-05-09T09:00:00Z'
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        msg = f"time ({text}): must be a moment in ISO 8601"
        raise InvalidInput(msg, hint="2026-05-09T12:00Z")
    day, clock, offset = match.groups()
    try:
        naive = dt.datetime.fromisoformat(f"{day}T{clock}")
        if offset is not None:
            return utc(dt.datetime.fromisoformat(f"{day}T{clock}{offset}"))
    except (ValueError, OverflowError) as broken:
        msg = f"time ({text}): {broken}"
        raise InvalidInput(msg, hint="2026-05-09T12:00Z") from broken
    if zone_name is None:
        msg = f"time ({text}): must carry a zone"
        raise InvalidInput(msg, hint=f"{text.strip()}Z")
    return _local(naive, zone_name, text)


def _local(naive: dt.datetime, zone_name: str, text: str) -> dt.datetime:
    there = zone(zone_name)
    try:
        readings = sorted(utc(naive.replace(tzinfo=there, fold=fold)) for fold in (0, 1))
    except OverflowError as broken:
        msg = f"time ({text}): {broken}"
        raise InvalidInput(msg, hint="2026-05-09T12:00Z") from broken
    if readings[0] == readings[1]:
        return readings[0]
    if readings[0].astimezone(there).replace(tzinfo=None) == naive:
        msg = f"time ({text}): occurs twice in {zone_name} (the clocks are set back)"
    else:
        msg = f"time ({text}): does not exist in {zone_name} (the clocks skip it)"
    raise UncertainTime(msg, readings=(readings[0], readings[1]))


def is_local(text: str) -> bool:
    """Say whether a text is a moment without an offset, which needs a zone to be one.

    Examples
    --------
    >>> is_local("2026-05-09T12:00"), is_local("2026-05-09T12:00Z"), is_local("2026-05-09")
    (True, False, False)
    """
    match = _INSTANT.fullmatch(text.strip())
    return match is not None and match.group(3) is None


def parse_when(
    text: str, *, zone_name: str = DEFAULT_ZONE, day_means: str = "begins"
) -> dt.datetime:
    """Read a day or a moment; a day means its beginning or its end in the zone.

    Parameters
    ----------
    day_means : {"begins", "ends"}
        Openings begin with their day; deadlines and facts known to the day end it.

    Examples
    --------
    >>> iso(parse_when("2026-08-22", day_means="ends"))
    '2026-08-23T00:00:00Z'
    """
    stripped = text.strip()
    if _DAY.fullmatch(stripped):
        day = parse_day(stripped)
        return day_ends(day, zone_name) if day_means == "ends" else day_begins(day, zone_name)
    return parse_instant(stripped)


def local_day(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> dt.date:
    """Give the calendar day of a moment in a zone."""
    return utc(moment).astimezone(zone(zone_name)).date()


def deadline(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> str:
    """Say a half-open deadline in words: the local moment, the zone, UTC, and that it is outside.

    Examples
    --------
    >>> there = "Africa/Khartoum"
    >>> deadline(day_ends(dt.date(2026, 12, 31), there), there)
    'by the midnight that ends 2026-12-31 Africa/Khartoum = 2026-12-31T22:00:00Z, exclusive'
    >>> deadline(dt.datetime(2026, 5, 9, 9, tzinfo=dt.UTC), there)
    'before 2026-05-09T11:00:00+02:00 Africa/Khartoum = 2026-05-09T09:00:00Z, exclusive'
    """
    there = utc(moment).astimezone(zone(zone_name))
    last = there.date() - dt.timedelta(days=1)
    if day_ends(last, zone_name) == utc(moment):
        said = f"by the midnight that ends {last.isoformat()} {zone_name}"
    else:
        said = f"before {there.isoformat()} {zone_name}"
    return f"{said} = {iso(moment)}, exclusive"
