"""Instants: aware UTC inside, a zone only at the edge.

Three conventions hold everywhere. A deadline named by a day is the local midnight that *ends*
it (half-open windows); an opening named by a day is the local midnight that *begins* it; a fact
known only to the day is known at the midnight that ends it.
"""

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from forecasting.errors import InvalidInput

#: Of days where neither a workspace nor a bank states a zone.
DEFAULT_ZONE = "UTC"
#: The unit of a number that is a day: it is kept as this count, and read and shown as a date.
DAYS = "days since 1970-01-01"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class UncertainTime(InvalidInput):
    """A local time that its zone skips or has twice, with its two `readings`, the earlier first."""

    def __init__(self, message: str, *, readings: tuple[dt.datetime, dt.datetime]) -> None:
        super().__init__(message, hint=" or ".join(iso(reading) for reading in readings))
        self.readings = readings


def utc(moment: dt.datetime) -> dt.datetime:
    """Give an aware moment in UTC; refuse a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        msg = f"time ({moment.isoformat()}): must carry a zone"
        raise InvalidInput(msg, hint=f"{moment.isoformat()}Z")
    return moment.astimezone(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """Write a moment as ISO 8601 in UTC with ``Z``, without empty fractions."""
    return utc(moment).isoformat().replace("+00:00", "Z")


def zone(name: str) -> ZoneInfo:
    """Look up an IANA zone by name; an unknown one is bad input."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        msg = f"zone ({name}): not an IANA time zone"
        hint = _zone_like(name) or "the city that names its zone, such as Africa/Khartoum"
        raise InvalidInput(msg, hint=hint) from unknown


def _zone_like(name: str) -> str:
    """Give the zone that a misspelled name means: of its own region, for most towns have none."""
    from difflib import get_close_matches

    region, _, city = name.strip().rpartition("/")
    cities = {
        one.rpartition("/")[2].casefold(): one
        for one in sorted(available_timezones())
        if not region or one.startswith(f"{region}/")
    }
    near = get_close_matches(city.replace(" ", "_").casefold(), cities, n=1, cutoff=0.75)
    return cities[near[0]] if near else ""


def day_begins(day: dt.date, zone_name: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the local midnight that begins a day, in UTC."""
    return utc(dt.datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)))


def day_ends(day: dt.date, zone_name: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the local midnight that ends a day, in UTC: the half-open deadline of that day."""
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
            pass  # refused below, like every other text
    raise InvalidInput(f"day ({text}): must be a calendar day as YYYY-MM-DD", hint="2026-12-31")


def parse_instant(text: str, *, zone_name: str | None = None) -> dt.datetime:
    """Read a moment, in `zone_name` where it has no offset; a day is none."""
    from forecasting.domain.reading import moment

    return moment(text, days="", zone=zone_name or "", local=zone_name is not None)


def parse_when(
    text: str, *, zone_name: str = DEFAULT_ZONE, day_means: str = "begins"
) -> dt.datetime:
    """Read a day or a moment as :func:`forecasting.domain.reading.moment` does."""
    from forecasting.domain.reading import moment

    return moment(text, zone=zone_name, days="ends" if day_means == "ends" else "begins")


def local_day(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> dt.date:
    """Give the calendar day of a moment in a zone."""
    return utc(moment).astimezone(zone(zone_name)).date()


def day_of(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> dt.date:
    """Give the day that a fact is of: the one that its moment ends, where it ends one."""
    return local_day(moment - dt.timedelta.resolution, zone_name)


def days_since(moment: dt.datetime) -> float:
    """Give a moment as days since 1970 began in UTC.

    Examples
    --------
    >>> days_since(dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC))
    20254.5
    """
    return (utc(moment) - _EPOCH) / dt.timedelta(days=1)


def dated(days: float) -> str:
    """Give the date of a count of days since 1970, in UTC; beyond the calendar its last or first.

    Examples
    --------
    >>> dated(20254.5), dated(1e9)
    ('2025-06-15', '9999-12-31')
    """
    ordinal = min(max(days + _EPOCH.toordinal(), 1), dt.date.max.toordinal())
    return str(dt.date.fromordinal(int(ordinal)))


def last_day(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> str:
    """Name the day that a half-open deadline ends, or else its local moment to the minute."""
    there = utc(moment).astimezone(zone(zone_name))
    last = there.date() - dt.timedelta(days=1)
    return str(last) if day_ends(last, zone_name) == utc(moment) else f"{there:%Y-%m-%d %H:%M}"


def deadline(moment: dt.datetime, zone_name: str = DEFAULT_ZONE) -> str:
    """Say a half-open deadline: the day that it ends, or the local moment, and the zone.

    >>> deadline(dt.datetime(2027, 2, 1, tzinfo=dt.UTC), "UTC")
    'end of 2027-01-31 UTC'
    >>> deadline(dt.datetime(2027, 2, 1, 16, tzinfo=dt.UTC), "Africa/Khartoum")
    'before 2027-02-01 18:00+02:00 Africa/Khartoum'
    """
    end = last_day(moment, zone_name)
    if len(end) == len("2027-01-31"):
        return f"end of {end} {zone_name}"
    offset = utc(moment).astimezone(zone(zone_name)).isoformat()[-6:]
    return f"before {end}{offset} {zone_name}"
