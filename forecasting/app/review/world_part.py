"""The world as the review page shows it: where each process stands, and its links."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from forecasting.domain.evidence import Evidence
from forecasting.domain.process import LinkSpec, MoveSpec, ProcessSpec, WorldSpec
from forecasting.evidence.history import Record, records
from forecasting.review import data as page
from forecasting.review import words

#: A link's hazard ratio after the past was taken into account: median, and the 90 % range.
type Learned = tuple[float, float, float]


def world_page(
    world: WorldSpec,
    items: Iterable[Evidence],
    as_of: dt.datetime,
    *,
    watched: Mapping[str, dt.datetime] | None = None,
    learned: Mapping[str, Learned] | None = None,
    fans: Sequence[page.Fan] = (),
) -> page.WorldPage:
    """Give the processes and links of a world as of a moment, as plain rows.

    Parameters
    ----------
    items : iterable of Evidence
        What stands; only what was known by `as_of` is used.
    watched : mapping, optional
        Until when somebody looked, by process.
    learned : mapping, optional
        By link (``LinkSpec.name``), from the fits.
    fans : sequence of Fan
        From a simulation.
    """
    known = [item for item in items if item.known_at <= as_of]
    stands = records(world, known, as_of, watched=watched or {}, made={})
    return page.WorldPage(
        [_process(process, stands[name]) for name, process in world.processes.items()],
        [_link(link, (learned or {}).get(link.name)) for link in world.links],
        fans,
    )


def _process(process: ProcessSpec, record: Record) -> page.ProcessRow:
    steps = record.steps
    since = steps[-1].at if process.kind == "event" and steps else record.entered
    return page.ProcessRow(
        process.name,
        process.title or process.name,
        _state(process, record),
        None if process.kind == "event" and not steps else since,
        record.free,
        _base_rate(process),
        process.source or next((m.source for m in process.moves if m.source), ""),
    )


def _state(process: ProcessSpec, record: Record) -> str:
    """Say where a process stands, in the words of its kind."""
    if process.kind == "event":
        n = len(record.steps)
        return words.plural(n, "event") if n else "no event so far"
    if process.delivery is not None:
        agreed = words.amount(process.delivery.agreed, process.delivery.unit)
        return f"{record.state}: {words.amount(record.total)} of {agreed}"
    return record.state


def _base_rate(process: ProcessSpec) -> str:
    if process.at is not None:
        first, last = (words.Days(process.zone).known(moment) for moment in process.at)
        return f"planned for {last}" + (f", {first} at the earliest" if first != last else "")
    if process.kind == "event":
        return "; ".join(_phrase(move) for move in process.moves)
    return "; ".join(f"{move.name}: {_phrase(move)}" for move in process.moves)


def _phrase(move: MoveSpec) -> str:
    return move.phrase.text or "from its own history"


def _link(link: LinkSpec, learned: Learned | None) -> page.LinkRow:
    middle, low, high = learned if learned is not None else (None, None, None)
    return page.LinkRow(
        link.name,
        link.parent,
        link.child,
        link.median,
        link.low,
        link.high,
        middle,
        low,
        high,
        " ".join(link.because.split()),
        link.source,
    )
