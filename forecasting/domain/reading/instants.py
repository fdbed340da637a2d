"""Moments and days: ISO 8601 in all its spellings, days with a month's name, dates in figures."""

import datetime as dt
import re
from calendar import monthrange
from functools import lru_cache
from typing import Literal

from forecasting.domain.instants import (
    DEFAULT_ZONE,
    UncertainTime,
    day_begins,
    day_ends,
    local_day,
    utc,
)
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.reading.manner import Ambiguous, Manner, plainly, refused
from forecasting.domain.reading.numbers import tidied
from forecasting.errors import InvalidInput

Days = Literal["begins", "noon", "ends", ""]
HINT = "2026-12-31 or 2026-05-09T12:00Z"
#: Days as a spreadsheet counts them, from 1982 to 2036, and the day before its first.
_SERIAL, _BEFORE_THE_FIRST = re.compile(r"[34][0-9]{4}([.,][0-9]+)?"), dt.date(1899, 12, 30)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[-/. ]([0-9]{1,2}|[A-Za-z]{3,9})[-/. ][0-9]{2}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december"), start=1,
    )
    for name in (names, names[:3])
} | {"sept": 9}  # fmt: skip
_MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
_WEEKDAY = r"(?:(?P<named>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?(?:, ?| ))?"
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATES = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<figures>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<figures>\d{2})(?P<day>\d{2})",
        rf"{_WEEKDAY}{_NTH}[ -]{_MONTH},?[ -](?P<year>\d{{4}})",
        rf"{_WEEKDAY}{_MONTH} {_NTH},? (?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})[ -]{_MONTH}[ -]{_NTH}",
        r"(?P<year>\d{4})-(?P<ordinal>\d{3})",
        r"(?P<year>\d{4})-?W(?P<week>\d{2})-?(?P<weekday>[1-7])",
        r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4})",
    )
)
_FIGURES = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)\d{4}\b", re.ASCII
)
_OFFSET = (
    r"(?P<offset>[+-]\d{2}(?::?\d{2})?"
    r"|[A-Za-z][A-Za-z_]*(?:/[A-Za-z_+-]+)*(?:[+-]\d{2}:?(?:\d{2})?)?)"
)
_CLOCK = re.compile(
    r"(?P<date>.+?)(?:(?P<t>T)|,? (?:at )?)(?:"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?"
    r"|(?P<bhour>\d{2})(?:(?P<bminute>\d{2})(?:(?P<bsecond>\d{2})(?:[.,](?P<bfraction>\d{1,12}))?)?)?"
    r"|(?P<ohour>\d{1,2})(?= ?[ap]\.?m)"
    r")(?: ?(?P<half>[ap])\.?m\.?)?"
    rf"(?: ?{_OFFSET})?",
    re.ASCII | re.IGNORECASE,
)
#: The names that RFC 822 gives to offsets; in the dates of mail and feeds they mean one thing.
_COMMENT = re.compile(r" ?\([^()]*\)$")
_MAIL = {
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_WORDS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def moment(
    value: str | dt.date,
    *,
    name: str = "time",
    days: Days = "begins",
    zone: str = "",
    local: bool = False,
    mail: bool = False,
    manner: Manner | None = None,
) -> dt.datetime:
    """Read a moment, or a day, as aware UTC.

    `days` says what a day means: openings begin with it, deadlines and facts end with it, a
    forecast known to the day stands at its noon; empty: a day is no moment. It is a day of `zone`,
    by default the manner's, else the bank's. Where the manner has a `now`, what is said of today
    stands from now, not from an hour that is still to come. `local`: a time without an offset is
    read in that zone, not refused. `mail`: the zones of RFC 822 (``EST``) are understood.

    Raises
    ------
    UncertainTime
        A local time that the zone skips or has twice, with both readings.
    Ambiguous
        A date in figures with two meanings, or a time whose zone is missing.
    InvalidInput
        No moment.

    Examples
    --------
    >>> str(moment("2025-03-14 22:12:07.763148+00"))
    '2025-03-14 22:12:07.763148+00:00'
    >>> str(moment("31 Jan 2027", days="ends", zone="UTC"))
    '2027-02-01 00:00:00+00:00'
    """
    how = manner or Manner()
    zone, local = zone or how.zone or DEFAULT_ZONE, local or bool(how.zone)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            return utc(value)
        value = value.isoformat()
    elif isinstance(value, dt.date):
        value = value.isoformat()
    _met(value, how)
    return _moment(value, name, days, zone, local, mail, how.dates, how.now)


def exact(text: str) -> dt.datetime | None:
    """Read the spellings that programs write, at a tenth of what all cost; None for any other."""
    try:
        if text[10] != "T" or text[13] != ":" or not text[4] == text[7] == "-" or "," in text:
            return None
        if text[-1] == "Z":
            return dt.datetime.fromisoformat(text) if len(text) in (17, 20, 27) else None
        if len(text) in (25, 32) and text[-6] in "+-" and text[-3] == ":" and text[-2] < "6":
            instant = dt.datetime.fromisoformat(text)
            if dt.MINYEAR < instant.year < dt.MAXYEAR:
                return instant if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC)
    except (IndexError, ValueError, OverflowError):
        pass  # the reading of all spellings says what is wrong
    return None


def _met(text: str, manner: Manner) -> None:
    if ("/" in text or "." in text) and (match := _FIGURES.match(tidied(text))):
        one, other = int(match["one"]), int(match["other"])
        if max(one, other) > 12 >= min(one, other):
            manner.met("dmy" if one > 12 else "mdy", text)


@lru_cache(maxsize=65536)
def _moment(
    text: str,
    name: str,
    days: Days,
    zone: str,
    local: bool,
    mail: bool,
    order: str,
    now: dt.datetime | None,
) -> dt.datetime:
    if (instant := exact(text)) is not None:
        return instant
    cell = tidied(text).replace("\u2212", "-")
    if mail:
        cell = _COMMENT.sub("", cell)
    if not cell:
        raise InvalidInput(f"{name}: is empty", hint=HINT)
    if cell.casefold() == "now" and now is not None:
        return utc(now)
    whole = _date(cell, cell, name, order, zone, now)
    if whole is not None:
        instant = _of_day(whole, cell, name, days, zone)
        to_come = now is not None and instant > now and days != "begins"
        return utc(now) if now and to_come and whole == local_day(now, zone) else instant
    clock = _CLOCK.fullmatch(cell)
    date = _date(clock["date"].rstrip(","), cell, name, order, zone, now) if clock else None
    if clock is None or date is None or (clock["bhour"] and not clock["t"]):
        raise refused(name, cell, "is not a day or a moment", _meant(cell))
    naive = _naive(clock, date, cell, name)
    return _aware(naive, clock["offset"] or "", cell, name, zone, local, mail)


def _meant(cell: str) -> str:
    """Give the way out of a cell that is no day: what a spreadsheet writes in the place of one."""
    if _SERIAL.fullmatch(cell):
        counted = _BEFORE_THE_FIRST + dt.timedelta(days=int(cell[:5]))
        return f"{counted}, if a spreadsheet counted days: show the column as dates"
    if _SHORT_YEAR.fullmatch(cell):
        return f"the year in four digits: {cell[:-2]}20{cell[-2:]}"
    return HINT


def day(
    value: str | dt.date, *, name: str = "day", zone: str = "", manner: Manner | None = None
) -> dt.date:
    """Read a calendar day, however it is written.

    Examples
    --------
    >>> day("31 Jan 2027"), day("2027-01-31") == day("Jan 31, 2027") == day("31/01/2027")
    (datetime.date(2027, 1, 31), True)
    """
    how = manner or Manner()
    zone = zone or how.zone or DEFAULT_ZONE
    if isinstance(value, dt.datetime):
        return local_day(value, zone) if value.tzinfo else value.date()
    if isinstance(value, dt.date):
        return value
    cell = tidied(value).replace("\u2212", "-")
    _met(value, how)
    date = _date(cell, cell, name, how.dates, zone, how.now)
    if date is not None:
        return date
    if not cell:
        raise InvalidInput(f"{name}: is empty", hint="2026-12-31")
    read = _moment(cell, name, "begins", zone, True, False, how.dates, how.now)
    raise refused(name, cell, "is a moment; a day is needed", local_day(read, zone).isoformat())


def day_word(text: str, *, zone: str, now: dt.datetime) -> str:
    """Give the day that `today`, `tomorrow` or `yesterday` means now; any other text as it is.

    Examples
    --------
    >>> day_word("Tomorrow", zone="Asia/Tokyo", now=dt.datetime(2026, 12, 31, 16, tzinfo=dt.UTC))
    '2027-01-02'
    """
    ahead = _WORDS.get(tidied(text).casefold())
    return text if ahead is None else str(local_day(now, zone) + dt.timedelta(days=ahead))


def local_clock(text: str) -> bool:
    """Tell whether a text is a time of day without an offset, which needs a zone.

    Examples
    --------
    >>> local_clock("2026-05-09T12:00"), local_clock("2026-05-09T12:00Z"), local_clock("2026-05-09")
    (True, False, False)
    """
    cell = tidied(text).replace("\u2212", "-")
    clock = _CLOCK.fullmatch(cell)
    return (
        clock is not None
        and not clock["offset"]
        and any(pattern.fullmatch(clock["date"].rstrip(",")) for pattern in _DATES)
        and not any(pattern.fullmatch(cell) for pattern in _DATES)
    )


def _date(
    cell: str, shown: str, name: str, order: str, zone: str, now: dt.datetime | None
) -> dt.date | None:
    if cell.casefold() in _WORDS and now is not None:
        return local_day(now, zone) + dt.timedelta(days=_WORDS[cell.casefold()])
    for pattern in _DATES:
        if (match := pattern.fullmatch(cell)) is None:
            continue
        parts = match.groupdict()
        if parts.get("month") and parts["month"].casefold() not in _MONTHS:
            continue
        try:
            date = _of_parts(parts, shown, name, order)
        except ValueError as wrong:
            if isinstance(wrong, InvalidInput):
                raise
            break
        # The midnight that begins or ends any other year lies in some zone outside of time.
        if dt.MINYEAR < date.year < dt.MAXYEAR:
            return date
        break
    else:
        return None
    raise refused(name, shown, "must be a calendar day", _last_of_month(parts) or "2026-12-31")


def _last_of_month(parts: dict[str, str | None]) -> str:
    """Give the last day of the month that a day such as 31 November lies just beyond."""
    named = parts.get("month")
    one, other = int(parts.get("one") or 0), int(parts.get("other") or 0)
    month = _MONTHS[named.casefold()] if named else int(parts.get("figures") or min(one, other))
    day, year = int(parts.get("day") or max(one, other)), int(parts["year"] or 0)
    if not (1 <= month <= 12 and 28 < day <= 31 and dt.MINYEAR < year < dt.MAXYEAR):
        return ""
    return dt.date(year, month, monthrange(year, month)[1]).isoformat()


def _of_parts(parts: dict[str, str | None], cell: str, name: str, order: str) -> dt.date:
    year = int(parts["year"] or 0)
    if parts.get("ordinal"):
        date = dt.date(year, 1, 1) + dt.timedelta(days=int(parts["ordinal"] or 0) - 1)
        if date.year != year:
            raise ValueError(cell)
        return date
    if parts.get("week"):
        return dt.date.fromisocalendar(year, int(parts["week"] or 0), int(parts["weekday"] or 0))
    if parts.get("one"):
        one, other = int(parts["one"] or 0), int(parts["other"] or 0)
        if not order and max(one, other) <= 12 and one != other:
            both = sorted(
                dt.date(year, *parts).isoformat() for parts in ((other, one), (one, other))
            )
            msg = f"{name} ({plainly(cell)}): is {both[0]} or {both[1]}"
            raise Ambiguous(msg, hint=" or ".join(both), whole="dates=dmy or dates=mdy")
        dmy = order == "dmy" or (not order and other <= 12)
        return dt.date(year, other, one) if dmy else dt.date(year, one, other)
    named = parts.get("month")
    month = _MONTHS[named.casefold()] if named else int(parts["figures"] or 0)
    date = dt.date(year, month, int(parts["day"] or 0))
    if (weekday := parts.get("named")) and _WEEK.index(weekday.casefold()) != date.weekday():
        raise refused(name, cell, f"that day is a {date:%A}", date.isoformat())
    return date


def _of_day(date: dt.date, cell: str, name: str, days: Days, zone: str) -> dt.datetime:
    if days == "ends":
        return day_ends(date, zone)
    if days == "noon":
        return _local(dt.datetime.combine(date, dt.time(12)), zone, cell, name)
    if days == "begins":
        return day_begins(date, zone)
    raise refused(name, cell, "is a day; a moment is needed", f"{date.isoformat()}T12:00Z")


def _naive(clock: re.Match[str], date: dt.date, cell: str, name: str) -> dt.datetime:
    def part(which: str) -> str:
        return clock[which] or clock[f"b{which}"] or ""

    hour = int(part("hour") or clock["ohour"])
    minute, second = int(part("minute") or 0), int(part("second") or 0)
    micro = int((part("fraction") + "000000")[:6])
    half = (clock["half"] or "").casefold()
    try:
        if half:
            if not 1 <= hour <= 12:
                raise ValueError("hour must be in 1..12")
            hour = hour % 12 + (12 if half == "p" else 0)
        if (hour, minute, second, micro) == (24, 0, 0, 0):
            return dt.datetime.combine(date + dt.timedelta(days=1), dt.time())
        return dt.datetime.combine(date, dt.time(hour, minute, second, micro))
    except (ValueError, OverflowError) as broken:
        raise refused(name, cell, str(broken), HINT) from broken


def _aware(
    naive: dt.datetime, offset: str, cell: str, name: str, zone: str, local: bool, mail: bool
) -> dt.datetime:
    if not offset:
        if local:
            return _local(naive, zone, cell, name)
        msg = f"{name} ({plainly(cell)}): must carry a zone"
        raise Ambiguous(msg, hint=f"{naive.isoformat()}Z, or zone=Europe/Paris")
    word = offset.upper()
    for prefix in ("UTC", "GMT"):
        if word.startswith(prefix):
            word = word.removeprefix(prefix) or "Z"
            break
    try:
        if word in ("Z", "UT"):
            return naive.replace(tzinfo=dt.UTC)
        if word[0] in "+-":
            hours, minutes = int(word[1:3]), int(word[3:].removeprefix(":") or 0)
            if hours > 23 or minutes > 59:
                _no_offset(word)
            ahead = dt.timedelta(hours=hours, minutes=minutes)
            return utc(naive.replace(tzinfo=dt.timezone(-ahead if word[0] == "-" else ahead)))
        if mail and word in _MAIL:
            return utc(naive.replace(tzinfo=dt.timezone(dt.timedelta(hours=_MAIL[word]))))
    except (ValueError, OverflowError) as broken:
        raise refused(name, cell, str(broken), HINT) from broken
    if "/" in offset:
        return _local(naive, known_zone(offset).key, cell, name)
    raise refused(name, cell, f"zone {offset} is ambiguous", "an offset such as +03:00, or Z")


def _no_offset(word: str) -> None:
    raise ValueError(f"{word} is not an offset")


def _local(naive: dt.datetime, zone_name: str, text: str, name: str) -> dt.datetime:
    there = known_zone(zone_name)
    try:
        readings = sorted(utc(naive.replace(tzinfo=there, fold=fold)) for fold in (0, 1))
    except OverflowError as broken:
        raise refused(name, text, str(broken), HINT) from broken
    if readings[0] == readings[1]:
        return readings[0]
    if readings[0].astimezone(there).replace(tzinfo=None) == naive:
        msg = f"{name} ({plainly(text)}): occurs twice in {zone_name} (the clocks are set back)"
    else:
        msg = f"{name} ({plainly(text)}): does not exist in {zone_name} (the clocks skip it)"
    raise UncertainTime(msg, readings=(readings[0], readings[1]))
