"""A world as the flat arrays that the event loop walks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.errors import InvalidInput
from forecasting.models.world.chance import number, uniforms
from forecasting.models.world.fading import Fading, fading
from forecasting.models.world.values import NEVER, Do, FloatArray, Known, Move, Process, World

IntArray = NDArray[np.int64]
#: What happens at a fixed moment, in the order in which it happens within one.
KNOWN, FREE, FORCED, FADED = range(4)
#: What chance is drawn for.
USES = ("budget", "share", "size", "whole")
#: Knots of a tabulated size; even in the arc sine of the root, so that both ends are fine.
KNOTS = 65


class Plan(NamedTuple):
    """A world in arrays; columns are (flat values, offset, step) with value = flat[offset + step*d].

    Moves are numbered through all processes; ``own``, ``out``, ``child`` and ``item`` are lists in
    (pointer, index) form.
    """

    draws: int
    owner: IntArray
    start: IntArray
    end: IntArray
    counted: NDArray[np.bool_]
    renews: NDArray[np.bool_]
    dated: NDArray[np.bool_]
    shared: NDArray[np.bool_]
    # parameters of moves and links, and the gain
    values: FloatArray
    at: IntArray  # (6, M) offsets: rate, shape, at_once, for_good, date, whole
    step: IntArray  # (6, M)
    beta_at: IntArray
    beta_step: IntArray
    gain: FloatArray
    # chance
    salt: NDArray[np.uint64]  # (M, uses)
    first: FloatArray  # first budgets, shares and sizes of each move, flat
    first_at: IntArray  # (3, M) offsets, -1 where there are none
    # sizes
    size_at: IntArray  # offset of a move's table, -1: no size
    size_every: IntArray  # draws that share a row of the table; 0: one row for all
    table: FloatArray
    # processes
    own_ptr: IntArray
    own: IntArray
    state: IntArray
    since: FloatArray
    free: FloatArray
    goal: FloatArray
    total: FloatArray
    done: IntArray
    barred_until: FloatArray  # (P, states)
    barred_from: FloatArray
    base: FloatArray  # (M,) day from which the age of a move counts
    ended: FloatArray  # (M,) when a move last fired or its state was left
    # links
    out_ptr: IntArray
    out: IntArray
    child_ptr: IntArray
    child: IntArray
    acts: NDArray[np.bool_]  # (L, states)
    once: NDArray[np.bool_]
    on_event: NDArray[np.bool_]  # once an event of the parent fell
    ever: NDArray[np.bool_]
    fading: Fading
    # what happens at fixed moments
    clock: FloatArray
    kind: IntArray
    subject: IntArray  # a process, or the move that a report is on
    into: IntArray  # the state, or the cell of a report's grid
    part: FloatArray
    event: NDArray[np.bool_]


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
        days = [max(each.day, 0.0) for each in do if each.process == place and each.state is not None]
        free = min([process.free, *days])
        processes.append(replace(process, free=free, known=_known(process, free)))
    return replace(world, processes=tuple(processes))


def _known(process: Process, free: float) -> tuple[Known, ...]:
    if not process.known:
        message = f"{process.name}: its record is empty; the first entry gives its state."
        raise InvalidInput(message)
    kept = [process.known[0]]
    total = process.total
    for entry in process.known[1:]:
        if entry.day < kept[-1].day:
            message = f"{process.name}: an entry of day {entry.day:g} follows {kept[-1].day:g}."
            raise InvalidInput(message)
        if entry.day > free or (not entry.counted and entry.state == kept[-1].state):
            continue
        total += entry.amount
        kept.append(entry)
        if process.done >= 0 and total >= process.goal * (1 - 1e-12) != entry.state == process.done:
            kept.append(Known(entry.day, process.done))
    return tuple(kept)


def planned(
    world: World,
    horizon: float,
    seed: int,
    do: Sequence[Do],
    tilt: Mapping[tuple[int, int], float],
) -> tuple[Plan, FloatArray]:
    """Give the arrays of a settled world, and the log weight of each draw.

    Parameters
    ----------
    tilt : mapping
        (process, move) to how much oftener its first budget shall be used up, in a part of the
        draws.
    """
    moves = [(p, move) for p, process in enumerate(world.processes) for move in process.moves]
    _check(world, moves)
    names, owner = names_of(world), [p for p, _ in moves]
    places = {pair: k for k, pair in enumerate(_pairs(world))}
    values, at, step = _columns(
        world.draws,
        [
            [move.rate for _, move in moves],
            [move.shape for _, move in moves],
            [move.at_once for _, move in moves],
            [move.for_good for _, move in moves],
            [0.0 if move.at is None else move.at for _, move in moves],
            [0.0 if move.size is None else move.size.whole for _, move in moves],
            [link.beta for link in world.links],
        ],
    )
    first, first_at, weight = _first(world, moves, names, seed, places, tilt)
    table, size_at, size_every = _sizes(world, moves)
    own_ptr, own = _lists([[k for k, p in enumerate(owner) if p == i] for i in _span(world)])
    out_ptr, out = _lists(
        [[j for j, link in enumerate(world.links) if link.parent == i] for i in _span(world)]
    )
    child_ptr, child = _lists([[places[pair] for pair in link.children] for link in world.links])
    at_start = [_at_start(process) for process in world.processes]
    until, since_day = _bars(world, do)
    faded = fading(world.reports, places, len(moves), horizon)
    clock = _clock(world, do, faded, horizon)
    base, ended = _ages(moves, world)
    width = until.shape[1]
    acts = np.zeros((len(world.links), width), dtype=np.bool_)
    for j, link in enumerate(world.links):
        acts[j, list(link.states)] = True
    return Plan(
        draws=world.draws,
        owner=np.array(owner, dtype=np.int64),
        start=np.array([move.start for _, move in moves], dtype=np.int64),
        end=np.array([move.end for _, move in moves], dtype=np.int64),
        counted=np.array([move.start == move.end for _, move in moves], dtype=np.bool_),
        renews=np.array([move.renews for _, move in moves], dtype=np.bool_),
        dated=np.array([move.at is not None for _, move in moves], dtype=np.bool_),
        shared=np.array([_shares(move) for _, move in moves], dtype=np.bool_),
        values=values,
        at=np.array(at[:6], dtype=np.int64).reshape(6, -1),
        step=np.array(step[:6], dtype=np.int64).reshape(6, -1),
        beta_at=np.array(at[6], dtype=np.int64),
        beta_step=np.array(step[6], dtype=np.int64),
        gain=np.broadcast_to(np.asarray(world.gain, dtype=np.float64), world.draws).copy(),
        salt=np.array(
            [[number(seed, use, name) for use in USES] for name in names], dtype=np.uint64
        ).reshape(-1, len(USES)),
        first=first,
        first_at=first_at,
        size_at=size_at,
        size_every=size_every,
        table=table,
        own_ptr=own_ptr,
        own=own,
        state=np.array([state for state, _, _ in at_start], dtype=np.int64),
        since=np.array([since for _, since, _ in at_start], dtype=np.float64),
        free=np.array([process.free for process in world.processes], dtype=np.float64),
        goal=np.array([process.goal for process in world.processes], dtype=np.float64),
        total=np.array([total for _, _, total in at_start], dtype=np.float64),
        done=np.array([process.done for process in world.processes], dtype=np.int64),
        barred_until=until,
        barred_from=since_day,
        base=base,
        ended=ended,
        out_ptr=out_ptr,
        out=out,
        child_ptr=child_ptr,
        child=child,
        acts=acts,
        once=np.array([link.once for link in world.links], dtype=np.bool_),
        on_event=np.array([link.once and not link.states for link in world.links], dtype=np.bool_),
        ever=np.array([_ever(world, j) for j in range(len(world.links))], dtype=np.bool_),
        fading=faded,
        clock=np.array([each[0] for each in clock], dtype=np.float64),
        kind=np.array([each[1] for each in clock], dtype=np.int64),
        subject=np.array([each[2] for each in clock], dtype=np.int64),
        into=np.array([each[3] for each in clock], dtype=np.int64),
        part=np.array([each[4] for each in clock], dtype=np.float64),
        event=np.array([each[5] for each in clock], dtype=np.bool_),
    ), weight


def _span(world: World) -> range:
    return range(len(world.processes))


def _pairs(world: World) -> list[tuple[int, int]]:
    return [(p, m) for p in _span(world) for m in range(len(world.processes[p].moves))]


def _shares(move: Move) -> bool:
    return bool(np.any(np.asarray(move.at_once) > 0) or np.any(np.asarray(move.for_good) > 0))


def _check(world: World, moves: Sequence[tuple[int, Move]]) -> None:
    if len(world.index) < len(world.processes):
        raise InvalidInput("world: two processes have one name.")
    if world.draws < 1 or world.repeats < 1 or world.draws % world.repeats:
        message = f"draws ({world.draws}): a multiple of the repeats ({world.repeats})."
        raise InvalidInput(message)
    if max((len(process.states) for process in world.processes), default=0) > 127:
        raise InvalidInput("world: a process has more than 127 states.")
    for place, move in moves:
        process = world.processes[place]
        if move.size is not None and not np.isfinite(process.goal):
            message = f"{process.name}: a move with a size needs a finite goal."
            raise InvalidInput(message)
        for value in (move.rate, move.shape):
            found = np.asarray(value)
            if not np.all(np.isfinite(found)) or np.any(found < 0):
                message = f"{process.name}: rates and shapes are finite and not negative."
                raise InvalidInput(message)


def _columns(
    draws: int, groups: Sequence[Sequence[FloatArray | float]]
) -> tuple[FloatArray, list[list[int]], list[list[int]]]:
    """Lay scalars and arrays over draws end to end."""
    parts: list[FloatArray] = []
    at: list[list[int]] = []
    step: list[list[int]] = []
    place = 0
    for group in groups:
        at.append([])
        step.append([])
        for value in group:
            part = np.atleast_1d(np.asarray(value, dtype=np.float64))
            if part.shape not in {(1,), (draws,)}:
                message = f"parameter of shape {part.shape}: a number or one a draw ({draws})."
                raise InvalidInput(message)
            parts.append(part)
            at[-1].append(place)
            step[-1].append(0 if len(part) == 1 else 1)
            place += len(part)
    return np.concatenate([np.zeros(0), *parts]), at, step


def _lists(lists: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    ends = np.cumsum([0, *(len(each) for each in lists)], dtype=np.int64)
    return ends, np.array([k for each in lists for k in each], dtype=np.int64)


def _first(
    world: World,
    moves: Sequence[tuple[int, Move]],
    names: Sequence[str],
    seed: int,
    places: Mapping[tuple[int, int], int],
    tilt: Mapping[tuple[int, int], float],
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Draw the first budget, share and size of each move, evenly spread."""
    rows: list[FloatArray] = []
    at = np.full((3, len(moves)), -1, dtype=np.int64)
    for k, (_, move) in enumerate(moves):
        for use, wanted in enumerate((move.at is None, _shares(move), move.size is not None)):
            if wanted:
                at[use, k] = len(rows) * world.draws
                u = uniforms(world.draws, seed, USES[use], names[k])
                rows.append(-np.log1p(-u) if use == 0 else u)
    weight = np.zeros(world.draws)
    groups: dict[int, list[tuple[int, float]]] = {}
    for (process, place), factor in sorted(tilt.items()):
        k = places[process, place]
        if at[0, k] >= 0 and factor != 1.0:
            groups.setdefault(process, []).append((k, factor))
    if groups:
        part = (uniforms(world.draws, seed, "tilt") * 2 * len(groups)).astype(np.int64)
        ratio = np.full(world.draws, 0.5)
        for j, group in enumerate(groups.values()):
            log_ratio = np.zeros(world.draws)
            for k, factor in group:
                row = at[0, k] // world.draws
                rows[row] = np.where(part == j, rows[row] / factor, rows[row])
                log_ratio += np.log(factor) - (factor - 1.0) * rows[row]
            ratio += np.exp(log_ratio) / (2 * len(groups))
        weight = -np.log(ratio)
    return np.concatenate([np.zeros(0), *rows]), at, weight


def _sizes(
    world: World, moves: Sequence[tuple[int, Move]]
) -> tuple[FloatArray, IntArray, IntArray]:
    """Tabulate the quantiles of each move's part, one row a parameter point."""
    from scipy.special import betaincinv

    theta = np.linspace(0.0, np.pi / 2, KNOTS)
    u = np.sin(theta) ** 2
    tables: list[FloatArray] = []
    at, every = np.full(len(moves), -1, dtype=np.int64), np.zeros(len(moves), dtype=np.int64)
    place = 0
    for k, (_, move) in enumerate(moves):
        if move.size is None:
            continue
        both = np.stack(
            np.broadcast_arrays(np.atleast_1d(move.size.mean), np.atleast_1d(move.size.precision))
        ).astype(np.float64)
        if both.shape[1] > 1:
            points = both[:, :: world.repeats]
            alike = np.array_equal(np.repeat(points, world.repeats, axis=1), both)
            both, every[k] = (points, world.repeats) if alike else (both, 1)
        mean, precision = both
        rows = betaincinv((mean * precision)[:, None], ((1 - mean) * precision)[:, None], u)
        rows = np.asarray(rows, dtype=np.float64)
        if not np.all(np.isfinite(rows)):
            message = f"{world.processes[moves[k][0]].name}: a size is a mean share in (0, 1)."
            raise InvalidInput(message)
        at[k] = place
        place += rows.size
        tables.append(rows.ravel())
    return np.concatenate([np.zeros(0), *tables]), at, every


def _at_start(process: Process) -> tuple[int, float, float]:
    """Give the state at the origin, since when, and the total by then."""
    state, since, total = process.known[0].state, process.known[0].day, process.total
    for entry in process.known[1:]:
        if entry.day > 0:
            break
        total += entry.amount
        if entry.state != state:
            state, since = entry.state, entry.day
    return state, since, total


def _ages(moves: Sequence[tuple[int, Move]], world: World) -> tuple[FloatArray, FloatArray]:
    """Give from when each move's age counts, and when its reports last ended, at the origin."""
    base, ended = np.zeros(len(moves)), np.full(len(moves), -NEVER)
    for k, (place, move) in enumerate(moves):
        known = world.processes[place].known
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
    return base, ended


def _ever(world: World, j: int) -> bool:
    """Say whether a ``once`` link was on by the origin."""
    link = world.links[j]
    known = [entry for entry in world.processes[link.parent].known if entry.day <= 0]
    known = known or list(world.processes[link.parent].known[:1])
    if link.once and not link.states:
        return any(entry.counted for entry in known)
    return link.once and any(entry.state in link.states for entry in known)


def _bars(world: World, do: Sequence[Do]) -> tuple[FloatArray, FloatArray]:
    """Give the day until which, and from which, each state cannot be entered by chance."""
    width = max((len(process.states) for process in world.processes), default=1)
    until = np.full((len(world.processes), width), -NEVER)
    since = np.full((len(world.processes), width), NEVER)
    for each in do:
        if each.state is not None:
            until[each.process, each.state] = max(until[each.process, each.state], each.day)
        for state in each.barred:
            since[each.process, state] = min(since[each.process, state], each.day)
    return until, since


def _clock(
    world: World, do: Sequence[Do], faded: Fading, horizon: float
) -> list[tuple[float, int, int, int, float, bool]]:
    """Give what happens at fixed moments: known facts, watches that end, interventions, fading."""
    found: list[tuple[float, int, int, int, float, bool]] = []
    for p, process in enumerate(world.processes):
        found += [
            (entry.day, KNOWN, p, entry.state, entry.amount, entry.counted)
            for entry in process.known[1:]
            if entry.day > 0
        ]
        if process.free > 0:
            found.append((process.free, FREE, p, 0, 0.0, False))
    for each in do:
        if each.state is not None:
            found.append((max(each.day, 0.0), FORCED, each.process, each.state, 0.0, False))
    found += [
        (float(day), FADED, int(move), int(cell), 0.0, False)
        for day, move, cell in zip(faded.day, faded.move, faded.place, strict=True)
    ]
    return sorted((each for each in found if each[0] <= horizon), key=lambda each: each[:2])
