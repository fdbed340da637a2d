"""Times as people type them: a local time is read in a zone, said so, and asked about in doubt."""

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from forecasting.cli.output import say, settings
from forecasting.domain.instants import (
    UncertainTime,
    is_local,
    iso,
    parse_instant,
    parse_when,
)

if TYPE_CHECKING:
    from forecasting.store import Ledger


def moment(
    text: str, *, zone_name: str | None = None, day_means: str | None = "begins"
) -> dt.datetime:
    """Read an option that names a time.

    A time without an offset is read in the zone, which is said on stderr. One that the zone skips
    or has twice is asked about on a terminal; elsewhere both readings are in the hint.

    Parameters
    ----------
    zone_name : str, optional
        The question's zone where there is one question, else that of :func:`here`.
    day_means : {"begins", "ends"}, optional
        What a day means; None: a day is no moment.

    Raises
    ------
    InvalidInput
        No time, or one with two readings and nobody to ask.
    """
    zone_name = zone_name or here()
    if not is_local(text):
        if day_means is None:
            return parse_instant(text)
        return parse_when(text, zone_name=zone_name, day_means=day_means)
    try:
        found = parse_instant(text, zone_name=zone_name)
    except UncertainTime as doubt:
        if not _somebody_there():
            raise
        found = _ask(doubt, zone_name)
    say(f"{text.strip()} read in {zone_name}: {iso(found)}")
    return found


def here() -> str:
    """Give the zone of days and local times: the workspace's, else that of the database's bank."""
    from forecasting import config
    from forecasting.app.banks import zone_of
    from forecasting.domain.instants import DEFAULT_ZONE
    from forecasting.errors import ForecastingError
    from forecasting.store import Ledger

    chosen = config.database(settings().db)
    if chosen.origin == "workspace" and (stated := config.zone()):
        return stated
    try:
        with Ledger.open(chosen.value) as ledger:
            return zone_of(ledger)
    except ForecastingError:
        return DEFAULT_ZONE


def optional(
    text: str, *, zone_name: str | None = None, day_means: str | None = "begins"
) -> dt.datetime | None:
    """Read such an option where it was given."""
    return moment(text, zone_name=zone_name, day_means=day_means) if text else None


def on(
    ledger: "Ledger", question: str, text: str, *, day_means: str | None = "begins"
) -> dt.datetime | None:
    """Read such an option, where it was given, in the zone of a question or ladder."""
    if not text:
        return None
    from forecasting.app.catalog import Catalog

    asked = Catalog.of(ledger).find(question)[0]
    return moment(text, zone_name=asked.zone, day_means=day_means)


def _somebody_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(doubt: UncertainTime, zone_name: str) -> dt.datetime:
    from forecasting.domain.instants import zone

    say(doubt.message)
    for number, reading in enumerate(doubt.readings, start=1):
        local = reading.astimezone(zone(zone_name)).isoformat()
        say(f"  {number}  {iso(reading)} ({local})")
    chosen = click.prompt("which", type=click.IntRange(1, len(doubt.readings)), err=True)
    return doubt.readings[chosen - 1]
