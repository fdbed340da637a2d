"""A watch: somebody looked at a process, and nothing more had happened up to a moment.

Up to a watch silence is evidence; beyond it nothing is known, and chance runs from there.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forecasting.domain.instants import day_of
from forecasting.domain.process import WorldSpec, unlisted
from forecasting.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Watch:
    """The `watcher` looked: what the record says of a process is all that happened `until` then."""

    process: str
    until: dt.datetime
    because: str = ""
    recorded_at: dt.datetime | None = None
    seq: int | None = None
    watcher: str = ""

    def __post_init__(self) -> None:
        if not self.process.strip():
            msg = "process: a watch must name the process that was looked at"
            raise InvalidInput(msg, hint="forecast watch")


def watched(watches: Iterable[Watch], as_of: dt.datetime, *, live: bool) -> dict[str, dt.datetime]:
    """Give the moment up to which each process was watched, as of a moment.

    Live, a watch counts once recorded; else always, as who was asked then would have looked.
    """
    ends: dict[str, dt.datetime] = {}
    for watch in watches:
        if live and (watch.recorded_at is None or watch.recorded_at > as_of):
            continue
        until = min(watch.until, as_of)
        ends[watch.process] = max(ends.get(watch.process, until), until)
    return ends


def without_list(world: WorldSpec, among: Iterable[str] = ()) -> dict[str, dt.datetime]:
    """Give the processes of which nobody keeps a list, and since when; `among`: these alone."""
    wanted = set(among) or set(world.processes)
    return {
        name: process.watched
        for name, process in world.processes.items()
        if name in wanted and unlisted(process) and process.watched is not None
    }


def no_list(since_of: Mapping[str, dt.datetime], zone: str) -> str:
    """Say what a watch claims of processes of which nobody keeps a list."""
    if not since_of:
        return ""
    since = day_of(min(since_of.values()), zone)
    return (
        f"nobody keeps a list of {', '.join(since_of)}: this says that you looked for "
        f"{'it' if len(since_of) == 1 else 'them'} too, and none came since {since}"
    )
