"""The processes as they stand, and the links between them, as the page shows them."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import day_begins, local_day
from forecasting.domain.process import (
    MoveSpec,
    ProcessSpec,
    WorldSpec,
    is_over,
    stated_moves,
    unlisted,
)
from forecasting.evidence.history import Record, records
from forecasting.review import data as page
from forecasting.review import words


def world_page(
    world: WorldSpec,
    items: Iterable[Evidence],
    as_of: dt.datetime,
    *,
    watched: Mapping[str, dt.datetime] | None = None,
    learned: Mapping[str, tuple[float, float, float]] | None = None,
    fans: Sequence[page.Fan] = (),
) -> page.WorldPage:
    """Give the processes and links of a world as of a moment, as plain rows."""
    known = [item for item in items if item.known_at <= as_of]
    record_of = records(world, known, as_of, watched=watched or {}, made={})
    links = []
    for link in world.links:
        middle, low, high = (learned or {}).get(link.name, (None, None, None))
        stated = (link.name, link.parent, link.child, link.median, link.low, link.high)
        because = " ".join(link.because.split())
        links.append(page.LinkRow(*stated, middle, low, high, because, link.source))
    processes = [_process(process, record_of[name]) for name, process in world.processes.items()]
    return page.WorldPage(processes, links, fans)


def _process(process: ProcessSpec, record: Record) -> page.ProcessRow:
    steps, state = record.steps, record.state
    entered = record.entered
    since: dt.datetime | dt.date | None = entered
    day = local_day(entered, process.zone)
    if entered == process.since and day_begins(day, process.zone) == entered:
        # A fact ends its day; the day from which a process was watched is begun.
        since = day
    # Silence is "no event" only where somebody looked.
    stated = process.watched is not None and not unlisted(process)
    looked = bool(steps) or stated or record.free > record.since
    if process.kind == "event":
        none = "no event so far" if looked else "not watched"
        state = words.plural(len(steps), "event") if steps else none
        since = steps[-1].at if steps else None
    elif process.delivery is not None:
        agreed = words.amount(process.delivery.agreed, process.delivery.unit)
        state = f"{record.state}: {words.amount(record.total)} of {agreed}"
    return page.ProcessRow(
        process.name,
        process.title or process.name,
        state,
        since,
        record.free if looked or process.kind != "event" else None,
        _base_rate(process),
        process.source or next((m.source for m in process.moves if m.source), ""),
        is_over(process, record.state),
    )


def _base_rate(process: ProcessSpec) -> str:
    if process.at is not None:
        first, last = (words.Days(process.zone).known(moment) for moment in process.at)
        return f"planned for {last}" + (f", {first} at the earliest" if first != last else "")
    phrases = [(move.name, words.phrase(prior_of(process, move))) for move in process.moves]
    if process.kind == "event":
        return "; ".join(phrase for _, phrase in phrases)
    return "; ".join(f"{words.move(name)}: {phrase}" for name, phrase in phrases)


def prior_of(process: ProcessSpec, move: MoveSpec) -> str:
    """Say what the pace of a move is drawn from before its own past is read."""
    if process.delivery is None or move in stated_moves(process):
        return move.phrase.text or "its own history, pooled with the others"
    if move.name == "stalled > begun":
        return "the delivery prior (resume)"
    if move.name not in {"agreed > begun", "begun > begun"}:
        return "never by chance: facts alone"
    if process.delivery.reference:
        return f"the priors of class {process.delivery.reference}, with its cases and own parts"
    return "wide priors of any delivery, with its own parts alone"
