"""Watch: record that somebody looked at processes and nothing more had happened up to a moment."""

import datetime as dt
import difflib
from collections.abc import Sequence
from typing import Any

from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.instants import iso
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import normalised
from forecasting.domain.watch import Watch, watched, watched_until
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger

__all__ = ["Watch", "rows", "watch", "watched", "watched_until", "world_of_the_bank"]

_LONGEST_REASON = 20_000


def world_of_the_bank(ledger: Ledger) -> WorldSpec:
    """Give the processes and links of a ledger's bank, and the processes of its own."""
    return bank_of(ledger).world


def watch(
    ledger: Ledger,
    processes: Sequence[str],
    *,
    until: dt.datetime,
    now: dt.datetime,
    every: bool = False,
    who: str,
    because: str = "",
    world: WorldSpec | None = None,
) -> list[dict[str, Any]]:
    """Record that somebody looked at processes, and nothing more had happened up to a moment.

    All in one transaction; never later than now, never earlier than a watch of the same process.
    """
    known = world_of_the_bank(ledger) if world is None else world
    names = _named(known, processes, every=every)
    if until > now:
        msg = f"until ({iso(until)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out until=TIME")
    if len(because) > _LONGEST_REASON:
        msg = f"because ({len(because)} characters): at most {_LONGEST_REASON}"
        raise InvalidInput(msg)
    latest = _latest(ledger)
    for name in names:
        earlier = latest.get(name)
        if earlier is not None and until < earlier.until:
            msg = (
                f"until ({iso(until)}): {name} is watched until {iso(earlier.until)}, "
                "and a watch does not go backwards"
            )
            raise InvalidInput(msg, hint="forecast watch")
    drafts = [Watch(name, until, because=normalised(because), watcher=who) for name in names]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "process": draft.process,
            "until": draft.until,
            "recorded_at": entry.recorded_at,
            "watcher": draft.watcher,
            "because": draft.because,
        }
        for draft, entry in zip(drafts, recorded, strict=True)
    ]


def _named(world: WorldSpec, processes: Sequence[str], *, every: bool) -> list[str]:
    if every and processes:
        msg = f"watch ({', '.join(processes)}): name processes or watch all of them, not both"
        raise InvalidInput(msg, hint="forecast watch --all")
    if not world.processes:
        msg = "watch: the bank has no process to watch"
        raise InvalidInput(msg, hint="forecast questions check")
    if every:
        return list(world.processes)
    if not processes:
        msg = "watch: name the processes that you looked at"
        raise InvalidInput(msg, hint="forecast watch --all")
    for name in processes:
        if name not in world.processes:
            near = difflib.get_close_matches(name, list(world.processes), n=1, cutoff=0.5)
            msg = f"no process named {name}"
            raise NotFound(msg, hint=near[0] if near else "forecast watch")
    return list(dict.fromkeys(processes))


def _latest(ledger: Ledger) -> dict[str, Watch]:
    """Give the watch of each process that reaches furthest; of two alike the later one."""
    found: dict[str, Watch] = {}
    for one in ledger.watches():
        if one.process not in found or one.until >= found[one.process].until:
            found[one.process] = one
    return found


def rows(
    ledger: Ledger, *, now: dt.datetime, world: WorldSpec | None = None
) -> list[dict[str, Any]]:
    """Give one row a process: until when it is watched, by whom, and how long ago that was.

    The bank's own record covers a process until somebody has watched it; it has no ``recorded_at``,
    and ``bank`` for a watcher. The longest unwatched come first.
    """
    known = world_of_the_bank(ledger) if world is None else world
    latest = _latest(ledger)
    found = []
    for name in [*known.processes, *(other for other in latest if other not in known.processes)]:
        process, said = known.processes.get(name), latest.get(name)
        stream = None if process is None else process.watched
        if stream is not None and (said is None or stream > said.until):
            said = Watch(name, stream, watcher="bank")
        found.append(
            {
                "process": name,
                "title": "" if process is None else process.title,
                "until": None if said is None else said.until,
                "recorded_at": None if said is None else said.recorded_at,
                "days": None if said is None else (now - said.until).days,
                "watcher": "" if said is None else said.watcher,
                "because": "" if said is None else said.because,
                "seq": None if said is None else said.seq,
            }
        )
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda row: row["until"] or never)
