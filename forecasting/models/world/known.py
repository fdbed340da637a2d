"""What is known when chance begins: states, ages, what has ended, by which name chance goes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.evidence.reports import CodedReport
from forecasting.models.world.values import NEVER, Do, Known, Link, Process, Report, World


def names_of(world: World) -> list[str]:
    """Give each move's name, by which its chance is keyed; equal ones are numbered."""
    names: list[str] = []
    for process in world.processes:
        seen: dict[str, int] = {}
        for move in process.moves:
            name = f"{process.name}:{process.states[move.start]}>{process.states[move.end]}"
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def settled(world: World, do: Sequence[Do]) -> World:
    """Give the world with what is known in plain order, cut where an intervention begins.

    A state repeated is no entry; a delivery whose parts reach its goal is done.
    """
    processes = []
    for place, process in enumerate(world.processes):
        days = [
            max(each.day, 0.0) for each in do if each.process == place and each.state is not None
        ]
        free = min([process.free, *days])
        processes.append(replace(process, free=free, known=_known(process, free)))
    return replace(world, processes=tuple(processes))


def _known(process: Process, free: float) -> tuple[Known, ...]:
    if not process.known:
        message = f"{process.name}: its record is empty; the first entry gives its state."
        raise InvalidInput(message)
    entries = [process.known[0]]
    total = process.total
    for entry in process.known[1:]:
        if entry.day < entries[-1].day:
            message = f"{process.name}: an entry of day {entry.day:g} follows {entries[-1].day:g}."
            raise InvalidInput(message)
        if entry.day > free or (not entry.counted and entry.state == entries[-1].state):
            continue
        total += entry.amount
        entries.append(entry)
        full = total >= process.goal * (1 - 1e-12)
        if process.done >= 0 and full and entry.state != process.done:
            entries.append(Known(entry.day, process.done))
    return tuple(entries)


def at_start(process: Process) -> tuple[int, float, float]:
    """Give the state at the origin, since when, and the total by then."""
    state, since, total = process.known[0].state, process.known[0].day, process.total
    for entry in process.known[1:]:
        if entry.day > 0:
            break
        total += entry.amount
        if entry.state != state:
            state, since = entry.state, entry.day
    return state, since, total


def ages(world: World) -> FloatArray:
    """Give from when each move's age counts, and when its reports last ended, at the origin."""
    moves = [(process.known, move) for process in world.processes for move in process.moves]
    base, ended = np.zeros(len(moves)), np.full(len(moves), -NEVER)
    for k, (known, move) in enumerate(moves):
        state, base[k] = known[0].state, known[0].day
        for entry in known[1:]:
            if entry.day > 0:
                break
            if entry.state != state:
                if state == move.start:
                    ended[k] = entry.day
                state, base[k] = entry.state, entry.day
            elif move.start == move.end == state:
                ended[k] = entry.day
                if move.renews:
                    base[k] = entry.day
    return np.stack([base, ended], axis=1)


def ever(world: World, link: Link) -> bool:
    """Say whether a ``once`` link was on by the origin."""
    known = [entry for entry in world.processes[link.parent].known if entry.day <= 0]
    known = known or list(world.processes[link.parent].known[:1])
    if link.once and not link.states:
        return any(entry.counted for entry in known)
    return link.once and any(entry.state in link.states for entry in known)


def to_values(coded: Iterable[CodedReport], world: World) -> tuple[Report, ...]:
    """Give reports in days and positions of a world; what it does not hold is left out."""
    places = {
        (process.name, f"{process.states[move.start]} > {process.states[move.end]}"): (p, m)
        for p, process in enumerate(world.processes)
        for m, move in enumerate(process.moves)
        if move.at is None
    }
    return tuple(
        Report(
            *places[report.process, report.move],
            known=world.day(report.known_at),
            log_ratio=report.log_ratio,
            half_life=report.half_life,
            source=report.source,
            bound=report.bound,
            key=report.key,
        )
        for report in coded
        if (report.process, report.move) in places
    )
