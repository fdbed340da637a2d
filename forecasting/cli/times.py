"""Times as people type them: a local time is read in a zone, said so, and asked about in doubt."""

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from forecasting import clock
from forecasting.cli.output import opened, say, settings
from forecasting.domain import reading
from forecasting.domain.instants import UncertainTime, iso
from forecasting.domain.reading import Manner
from forecasting.domain.reading.instants import Days

if TYPE_CHECKING:
    from forecasting.app.book import Book

#: Columns of moments that a person gives as days.
KNOWN = ("known_at", "event_at", "resolved_at")


def moment(text: str, *, zone_name: str | None = None, day_means: Days = "begins") -> dt.datetime:
    """Read an option that names a time.

    A time without an offset is read in the zone (of the question where there is one, else of
    :func:`here`), which is said on stderr. One that the zone skips or has twice is asked about on a
    terminal; elsewhere both readings are in the hint.
    """
    zone_name = zone_name or here()
    manner = Manner(now=clock.now())
    try:
        instant = reading.moment(text, zone=zone_name, local=True, days=day_means, manner=manner)
    except UncertainTime as doubt:
        if not somebody_there():
            raise
        instant = _ask(doubt, zone_name)
    if reading.local_clock(text):
        say(f"{text.strip()} read in {zone_name}: {iso(instant)}")
    return instant


def named_days(rows: Iterable[Mapping[str, Any]], zone_name: str) -> list[Any]:
    """Give rows for a person: what was known to the day is called by the day that it ended."""
    return (
        list(rows)
        if settings().format != "table"
        else [_with_day_names(dict(row), zone_name) for row in rows]
    )


def _with_day_names(value: Any, zone_name: str, key: str = "") -> Any:
    """Name the days of a row, also in the rows that it holds."""
    from forecasting.domain.instants import last_day

    # Quantiles are a mapping of their own, and stay what they are.
    if type(value) is dict:
        return {name: _with_day_names(each, zone_name, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_day_names(each, zone_name) for each in value]
    if key not in KNOWN or not isinstance(value, dt.datetime):
        return value
    day = last_day(value, zone_name)
    return day if len(day) == len("2027-01-31") else value


def here(book: "Book[Any] | None" = None) -> str:
    """Give the zone of days and local times: the workspace's, else that of the database's bank."""
    from forecasting import config
    from forecasting.domain.instants import DEFAULT_ZONE
    from forecasting.errors import ForecastingError

    chosen = config.database(settings().db)
    if chosen.origin == "workspace" and (stated := config.zone()):
        return stated
    if book is not None:
        return book.zone()
    try:
        with opened() as own:
            return own.zone()
    except ForecastingError:
        return DEFAULT_ZONE


def optional(
    text: str, *, zone_name: str | None = None, day_means: Days = "begins"
) -> dt.datetime | None:
    """Read such an option where it was given."""
    return moment(text, zone_name=zone_name, day_means=day_means) if text else None


def somebody_there() -> bool:
    """Tell whether a question would reach a person."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(doubt: UncertainTime, zone_name: str) -> dt.datetime:
    from forecasting.domain.instants import zone

    say(doubt.message)
    for number, instant in enumerate(doubt.readings, start=1):
        local = instant.astimezone(zone(zone_name)).isoformat()
        say(f"  {number}  {iso(instant)} ({local})")
    chosen = click.prompt("which", type=click.IntRange(1, len(doubt.readings)), err=True)
    return doubt.readings[chosen - 1]
