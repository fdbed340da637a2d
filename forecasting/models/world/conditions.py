"""Rare conditions: which moves lead towards one, and how much oftener they shall be drawn.

``simulate(world, horizon, tilt=towards(world, condition, horizon))`` draws the first budgets of
these moves from a mixture, one part for each way that leads there, so that more paths satisfy the
condition; weights undo it.
"""

from collections.abc import Iterable
from math import factorial, prod, sqrt

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.predicate import (
    And,
    At,
    Entered,
    Event,
    Not,
    Occurred,
    Or,
    Through,
    Truth,
    Within,
)
from forecasting.domain.process import DELIVERY_ENDS
from forecasting.models.world.values import Move, Process, Way, World

#: The most by which a budget is used up sooner.
MOST = 300.0
#: So many ways are drawn more often at most: each gets its part of half the draws.
MOST_WAYS = 6
#: Hazard over the horizon that a tilted move is given on average.
AIM = 1.0


def towards(world: World, condition: Truth, horizon: float) -> list[Way]:
    """Give the ways that lead towards a condition, each as its moves with their factors."""
    candidates: list[tuple[float, dict[tuple[int, int], FloatArray | float]]] = []
    for name, targets, counted in _targets(world, condition):
        place = world.index[name]
        process = world.processes[place]
        span = horizon - max(process.free, 0.0)
        if span <= 0:
            continue
        ways = [[m] for m in _events(process)] if counted else _ways(process, targets)
        for way in ways:
            factors = {(place, m): _factor(process.moves[m], span, len(way)) for m in way}
            middle = {key: float(np.median(factor)) for key, factor in factors.items()}
            tilted = {key: factors[key] for key, factor in middle.items() if factor > 1.0}
            if tilted and all(tilted.keys() != other.keys() for _, other in candidates):
                likely = prod(AIM / middle[key] for key in tilted) / factorial(len(way))
                candidates.append((sqrt(likely), tilted))
    chosen = sorted(candidates, key=lambda each: -each[0])[:MOST_WAYS]
    total = sum(size for size, _ in chosen)
    return [(size / total, tilted) for size, tilted in chosen]


def leads(world: World, event: Event) -> bool:
    """Say whether any way leads on to an event, or it is of another kind than to enter a state."""
    if not isinstance(event, Entered):
        return True
    process = world.processes[world.index[event.process]]
    if process.done >= 0:  # parts lead there, and no move of their own
        return process.states[process.known[-1].state] not in DELIVERY_ENDS
    places = _places(world, event.process, event.states)
    return process.known[-1].state in places or bool(_ways(process, places))


def _factor(move: Move, span: float, steps: int) -> FloatArray | float:
    """Give how much oftener a move shall come in each draw, by the draw's own rate."""
    if move.at is not None:
        return 1.0
    used = np.asarray(move.rate) * span ** np.asarray(move.shape)
    factor = np.clip(steps * AIM / np.maximum(used, 1e-300), 1.0, MOST)
    return factor if factor.ndim else float(factor)


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


def _ways(process: Process, targets: frozenset[int]) -> list[list[int]]:
    """Give the ways without a detour from the present state to a target, short ones first."""
    ways: list[list[int]] = []
    ahead: list[tuple[list[int], list[int]]] = [([], [process.known[-1].state])]
    while ahead:
        way, been = ahead.pop(0)
        if been[-1] in targets:
            if way:
                ways.append(way)
            continue
        ahead += [
            ([*way, m], [*been, move.end])
            for m, move in enumerate(process.moves)
            if move.start == been[-1] and move.end not in been
        ]
    return ways
