"""A world as the flat arrays that the event loop walks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray, IntArray, by_value
from forecasting.errors import InvalidInput
from forecasting.models.world import loop
from forecasting.models.world.chance import exponentials, number, uniforms
from forecasting.models.world.fading import Fading, fading
from forecasting.models.world.known import Standing, names_of, standing
from forecasting.models.world.values import NEVER, Do, Move, Size, Way, World

#: The day; what happens, to whom, into what; whether it is an event; an amount.
Tick = tuple[float, int, int, int, bool, float]
#: How far from 0 and 1 the outer knots of a size are.
ENDS = 2e-4


class Plan(NamedTuple):
    """A world in few arrays, so that the loop compiles fast.

    Moves are numbered through all processes.
    """

    draws: int
    repeats: int
    value: FloatArray  # parameters, first chance, sizes, reports: flat
    move: IntArray  # (M, columns)
    age: FloatArray  # (M, 2): from when its age counts, when its reports last ended
    salt: NDArray[np.uint64]  # (M, uses)
    process: IntArray  # (P, columns)
    stand: FloatArray  # (P, columns): since when, its watch, its goal, its total
    bars: FloatArray  # (3, P, states): until when, and from when to when, a state is barred
    link: IntArray  # (L, columns)
    acts: NDArray[np.bool_]  # (L, states)
    lists: IntArray  # links out of a process, and moves that a link hastens: flat
    item: IntArray  # (I, 2): the source of a report, and where its steps begin
    item_size: FloatArray  # (I, 2): known, bound
    gain: FloatArray  # (S,)
    tick: IntArray  # (T, columns): what happens at a fixed moment
    clock: FloatArray  # (T, 2): the day, an amount


def planned(
    world: World, horizon: float, seed: int, do: Sequence[Do], tilt: Sequence[Way]
) -> tuple[Plan, FloatArray]:
    """Give the arrays of a settled world, and the log weight of each draw."""
    pairs = [(p, m) for p, process in enumerate(world.processes) for m in range(len(process.moves))]
    moves = [(p, world.processes[p].moves[m]) for p, m in pairs]
    _check(world, moves)
    names, places = names_of(world), {pair: k for k, pair in enumerate(pairs)}
    flat = _Flat(world.draws, world.draws // world.repeats)
    move = np.zeros((len(moves), loop.WHOLE + 2), dtype=np.int64)
    for k, (p, each) in enumerate(moves):
        move[k, : loop.SHARED + 1] = (
            p, each.start, each.end, each.start == each.end, each.renews, each.at is not None,
            np.any(np.asarray(each.at_once) > 0) or np.any(np.asarray(each.for_good) > 0),
        )  # fmt: skip
        date = 0.0 if each.at is None else each.at
        whole = 0.0 if each.size is None else each.size.whole
        numbers = (each.rate, each.shape, each.at_once, each.for_good, date, whole)
        move[k, loop.RATE :] = [column for value in numbers for column in flat.add(value)]
        if each.size is not None:
            table, move[k, loop.EVERY] = _sizes(world, p, each.size)
            move[k, loop.SIZE] = flat.put(table)
    budgets, weight = _budgets(world, moves, names, seed, places, tilt)
    for k, (_, each) in enumerate(moves):
        if each.at is None:
            move[k, loop.FIRST_BUDGET] = flat.put(budgets.pop(k))
        if move[k, loop.SHARED]:
            move[k, loop.FIRST_SHARE] = flat.put(uniforms(world.draws, seed, "share", names[k]))
        if each.size is not None:
            move[k, loop.FIRST_SIZE] = flat.put(uniforms(world.draws, seed, "size", names[k]))
        else:
            move[k, loop.SIZE] = -1
    faded = fading(world, horizon)
    steps = flat.put(faded.value)
    move[:, loop.ITEMS : loop.CELL + 1] = faded.of
    stands = [standing(process) for process in world.processes]
    process, stand, link, acts, lists = _structure(world, stands, places, flat)
    clock = _clock(world, do, faded, horizon)
    salt = [[number(seed, use, name) for use in loop.USES] for name in names]
    return Plan(
        draws=world.draws,
        repeats=world.repeats,
        value=flat.all(),
        move=move,
        age=np.concatenate([each.age for each in stands]),
        salt=np.array(salt, dtype=np.uint64).reshape(-1, len(loop.USES)),
        process=process,
        stand=stand,
        bars=_bars(world, do),
        link=link,
        acts=acts,
        lists=lists,
        item=faded.item + np.array([0, steps]),
        item_size=faded.item_size,
        gain=np.broadcast_to(_each(world, world.gain), world.draws).copy(),
        tick=np.array([each[1:5] for each in clock], dtype=np.int64).reshape(-1, 4),
        clock=np.array([(each[0], each[5]) for each in clock], dtype=np.float64).reshape(-1, 2),
    ), weight


def _each(world: World, value: FloatArray | float) -> FloatArray:
    """Give what is known a parameter point to each of its draws."""
    array = np.asarray(value, dtype=np.float64)
    points = array.ndim == 1 and array.size == world.draws // world.repeats
    return np.repeat(array, world.repeats) if points else array


class _Flat:
    """Numbers and arrays laid end to end."""

    def __init__(self, draws: int, points: int) -> None:
        self.kinds, self.size = {1: loop.ONE, points: loop.POINT, draws: loop.DRAW}, 0
        self.parts: list[FloatArray] = []

    def put(self, part: FloatArray) -> int:
        """Add an array; give where it begins."""
        self.parts.append(part)
        self.size += part.size
        return self.size - part.size

    def add(self, value: FloatArray | float) -> tuple[int, int]:
        """Add a parameter (a number, one a point or a draw); give where it begins, and its kind."""
        part = np.atleast_1d(np.asarray(value, dtype=np.float64))
        return self.put(part), self.kinds[part.size]

    def all(self) -> FloatArray:
        """Give everything as one array."""
        return np.concatenate([np.zeros(0), *self.parts])


def _structure(
    world: World, stands: Sequence[Standing], places: Mapping[tuple[int, int], int], flat: _Flat
) -> tuple[IntArray, FloatArray, IntArray, NDArray[np.bool_], IntArray]:
    """Give processes, links, and who is linked to whom."""
    lists: list[int] = []

    def listed(numbers: Sequence[int]) -> tuple[int, int]:
        lists.extend(numbers)
        return len(lists) - len(numbers), len(lists)

    process, stand, first = [], [], 0
    for p, (each, now) in enumerate(zip(world.processes, stands, strict=True)):
        out = listed([j for j, link in enumerate(world.links) if link.parent == p])
        process.append((now.state, each.done, first, first + len(each.moves), *out))
        stand.append((now.since, each.free, each.goal, now.total))
        first += len(each.moves)
    width = max((len(each.states) for each in world.processes), default=1)
    acts = np.zeros((len(world.links), width), dtype=np.bool_)
    links = []
    for j, link in enumerate(world.links):
        acts[j, list(link.states)] = True
        children = listed([places[pair] for pair in link.children])
        on_event = link.once and not link.states
        ever = stands[link.parent].ever(link)
        links.append((link.once, on_event, ever, *children, *flat.add(link.beta)))
    return (
        np.array(process, dtype=np.int64).reshape(-1, loop.OUT_END + 1),
        np.array(stand, dtype=np.float64).reshape(-1, loop.TOTAL + 1),
        np.array(links, dtype=np.int64).reshape(-1, loop.BETA + 2),
        acts,
        np.array(lists, dtype=np.int64),
    )


def _check(world: World, moves: Sequence[tuple[int, Move]]) -> None:
    if max((len(process.states) for process in world.processes), default=0) > 127:
        raise InvalidInput("world: a process has more than 127 states.")
    for place, move in moves:
        process = world.processes[place]
        if move.size is not None and not np.isfinite(process.goal):
            raise InvalidInput(f"{process.name}: a move with a size needs a finite goal.")


def _budgets(
    world: World,
    moves: Sequence[tuple[int, Move]],
    names: Sequence[str],
    seed: int,
    places: Mapping[tuple[int, int], int],
    tilt: Sequence[Way],
) -> tuple[dict[int, FloatArray], FloatArray]:
    """Draw the first budget of each move, evenly spread; give the log weights of the draws."""
    budgets = {
        k: exponentials(world.draws, seed, "budget", names[k])
        for k, (_, move) in enumerate(moves)
        if move.at is None
    }
    if not tilt:
        return budgets, np.zeros(world.draws)
    # Half of the draws are as they are; the ways share the other half.
    ends = 0.5 + 0.5 * np.cumsum([share for share, _ in tilt])
    level = uniforms(world.draws, seed, "tilt")
    part = np.searchsorted(ends, level, side="right")
    ways: list[tuple[float, list[tuple[int, FloatArray]]]] = []
    for share, way in tilt:
        known = ((places[key], _each(world, by)) for key, by in way.items())
        ways.append((share, [(k, factor) for k, factor in known if k in budgets]))
    for j, (_, factors) in enumerate(ways):
        mine = (part == j) & (level >= 0.5)
        for k, factor in factors:
            budgets[k] = np.where(mine, budgets[k] / factor, budgets[k])
    ratio = np.full(world.draws, 0.5)
    for share, factors in ways:  # ways may share a move: every budget is drawn by now
        log_ratio = [np.log(factor) - (factor - 1.0) * budgets[k] for k, factor in factors]
        ratio += 0.5 * share * np.exp(np.sum(log_ratio, axis=0))
    return budgets, -np.log(ratio)


def _sizes(world: World, place: int, size: Size) -> tuple[FloatArray, int]:
    """Tabulate the quantiles of a part by parameter point; give the draws of a row."""
    both = np.stack(np.broadcast_arrays(np.atleast_1d(size.mean), np.atleast_1d(size.precision)))
    every = {1: 0, world.draws // world.repeats: world.repeats}.get(both.shape[1], 1)
    mean, precision = both.astype(np.float64)
    if not (np.all(mean > 0) and np.all(mean < 1) and np.all(precision > 0)):
        raise InvalidInput(f"{world.processes[place].name}: a part has a mean share in (0, 1).")
    return _beta_table(mean, precision), every


@by_value(16)
def _beta_table(mean: FloatArray, precision: FloatArray) -> FloatArray:
    """Tabulate Beta quantiles with the right mean; what-ifs on one world ask for the same again."""
    from scipy.special import betaincinv

    theta = np.linspace(0.0, np.pi / 2, loop.KNOTS)
    u = np.clip(np.sin(theta) ** 2, ENDS, 1.0 - ENDS)  # at 0 and 1 there is nothing to see
    share, size = mean[:, None], precision[:, None]
    rows = np.asarray(betaincinv(share * size, (1 - share) * size, u), dtype=np.float64)
    # The loop is linear between knots: what it gives on average over a uniform.
    fine = np.arcsin(np.sqrt((np.arange(8192) + 0.5) / 8192)) / theta[1]
    left = np.minimum(fine.astype(np.int64), loop.KNOTS - 2)
    weight = np.bincount(left, left + 1 - fine, loop.KNOTS) + np.bincount(
        left + 1, fine - left, loop.KNOTS
    )
    right: FloatArray = np.minimum(rows * share / (rows @ weight / 8192)[:, None], 1.0)
    return right.ravel()


def _bars(world: World, do: Sequence[Do]) -> FloatArray:
    """Give the day until which, and from which to which, no state can be entered by chance."""
    width = max((len(process.states) for process in world.processes), default=1)
    until, since, end = bars = np.full((3, len(world.processes), width), -NEVER)
    since[:] = NEVER
    for each in do:
        if each.state is not None:
            until[each.process, each.state] = max(until[each.process, each.state], each.day)
        for state in each.barred:
            since[each.process, state] = min(since[each.process, state], each.day)
            end[each.process, state] = max(end[each.process, state], each.until)
    return bars


def _clock(world: World, do: Sequence[Do], faded: Fading, horizon: float) -> list[Tick]:
    """Give what happens at fixed moments: known facts, watches that end, interventions, fading."""
    ticks: list[Tick] = []
    for p, process in enumerate(world.processes):
        ticks += [
            (entry.day, loop.KNOWN, p, entry.state, entry.counted, entry.amount)
            for entry in process.known[1:]
            if entry.day > 0
        ]
        if process.free > 0:
            ticks.append((process.free, loop.FREE, p, 0, False, 0.0))
    for each in do:
        if each.state is not None:
            ticks.append(
                (max(each.day, loop.MOMENT), loop.FORCED, each.process, each.state, False, 0.0)
            )
        elif each.until < NEVER:  # what was barred may come again: chance is drawn anew
            ticks.append((each.until, loop.FREE, each.process, 0, False, 0.0))
    ticks += [(day, loop.FADED, move, cell, False, 0.0) for day, move, cell in faded.later]
    return sorted((each for each in ticks if each[0] <= horizon), key=lambda each: each[:2])
