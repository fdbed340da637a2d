"""What is known when chance begins: how each process stands, and by which name chance goes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.models.world.values import NEVER, Do, Link, Process, World


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
    """Give the world with what is known of a process cut where an intervention begins."""
    processes = list(world.processes)
    for each in do:
        if each.state is not None:
            process = processes[each.process]
            free = min(process.free, max(each.day, 0.0))
            later = tuple(entry for entry in process.known[1:] if entry.day <= free)
            processes[each.process] = replace(process, free=free, known=(process.known[0], *later))
    return replace(world, processes=tuple(processes))


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How a process stands at the origin: its state, since when, and the total by then.

    `age`, (moves, 2): from when each move's age counts, and when its reports last ended. `been`:
    the states since the record began; `counted`: whether an event fell.
    """

    state: int
    since: float
    total: float
    age: FloatArray
    been: frozenset[int]
    counted: bool

    def ever(self, link: Link) -> bool:
        """Say whether a ``once`` link out of the process was on by the origin."""
        on = bool(self.been & set(link.states)) if link.states else self.counted
        return link.once and on


def standing(process: Process) -> Standing:
    """Walk through what is known of a process up to the origin."""
    state, since, total = process.known[0].state, process.known[0].day, process.total
    age = np.tile(np.array([since, -NEVER]), (len(process.moves), 1))
    been, counted = {state}, False
    for entry in process.known[1:]:
        if entry.day > 0:
            break
        entered = entry.state != state
        for m, move in enumerate(process.moves):
            if move.start == state and (entered or move.end == state):
                age[m, 1] = entry.day
            if entered or (move.renews and move.start == state):
                age[m, 0] = entry.day
        total += entry.amount
        counted |= entry.counted
        been.add(entry.state)
        if entered:
            state, since = entry.state, entry.day
    return Standing(state, since, total, age, frozenset(been), counted)
