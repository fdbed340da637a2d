"""Rare conditions: which moves lead towards one, and how much oftener they shall be drawn.

``simulate(world, horizon, tilt=towards(world, condition, horizon))`` draws the first budgets of
these moves from a mixture, so that more paths satisfy the condition; weights undo it.
"""

from collections.abc import Iterable

import numpy as np

from forecasting.domain.predicate import And, At, Entered, Not, Occurred, Or, Through, Truth, Within
from forecasting.models.world.values import Process, World

#: The most by which a budget is used up sooner.
MOST = 300.0
#: Hazard over the horizon that a tilted move is given on average.
AIM = 1.0


def towards(world: World, condition: Truth, horizon: float) -> dict[tuple[int, int], float]:
    """Give the moves that lead towards a condition, each with its factor.

    Parameters
    ----------
    condition : Truth
        What is given. A condition that something does not happen needs no help, save that a
        state is left.
    horizon : float
        In days from the origin.

    Returns
    -------
    dict
        (process, move) to the factor for ``simulate(..., tilt=...)``; moves that are likely
        anyway are absent.
    """
    found: dict[tuple[int, int], float] = {}
    for name, targets, counted in _targets(world, condition):
        place = world.index[name]
        process = world.processes[place]
        span = horizon - max(process.free, 0.0)
        moves = _events(process) if counted else _ways(process, targets)
        for m in moves:
            move = process.moves[m]
            if move.at is not None or span <= 0:
                continue
            used = float(np.median(np.asarray(move.rate) * span ** np.asarray(move.shape)))
            factor = min(AIM / used, MOST) if used > 0 else MOST
            if factor > 1.0:
                found[place, m] = factor
    return found


def _targets(world: World, condition: Truth) -> Iterable[tuple[str, frozenset[int], bool]]:
    """Give (process, states to be reached, whether events are meant) of a condition."""
    match condition:
        case And(left=left, right=right) | Or(left=left, right=right):
            return [*_targets(world, left), *_targets(world, right)]
        case Entered(process=name, states=states) | At(process=name, states=states):
            return [(name, _places(world, name, states), False)]
        case Occurred(process=name):
            return [(name, frozenset(), True)]
        case Within(process=name, states=states, cause=cause, cause_states=cause_states):
            return [
                (name, _places(world, name, states), not states),
                (cause, _places(world, cause, cause_states), not cause_states),
            ]
        case Not(of=Through(process=name, states=states)):
            process = world.processes[world.index[name]]
            inside = _places(world, name, states)
            return [(name, frozenset(range(len(process.states))) - inside, False)]
        case _:
            return []


def _places(world: World, name: str, states: Iterable[str]) -> frozenset[int]:
    known = world.processes[world.index[name]].states
    return frozenset(known.index(state) for state in states)


def _events(process: Process) -> list[int]:
    counted = [m for m, move in enumerate(process.moves) if move.start == move.end]
    return counted or list(range(len(process.moves)))


def _ways(process: Process, targets: frozenset[int]) -> list[int]:
    """Give the moves of shortest ways from the present state to one of the targets."""
    steps = dict.fromkeys(targets, 0)
    ring = set(targets)
    while ring:
        ring = {
            move.start for move in process.moves if move.end in ring and move.start not in steps
        }
        depth = max(steps.values()) + 1
        steps.update(dict.fromkeys(ring, depth))
    nearer = [
        m
        for m, move in enumerate(process.moves)
        if steps.get(move.end, -1) == steps.get(move.start, -1) - 1 >= 0
    ]
    found: list[int] = []
    here = {process.known[-1].state}
    while here:
        onward = [m for m in nearer if process.moves[m].start in here]
        found += onward
        here = {process.moves[m].end for m in onward}
    return sorted(set(found))
