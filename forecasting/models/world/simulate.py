"""Draw the paths of a world."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.models.world.course import Rows
from forecasting.models.world.known import names_of, settled
from forecasting.models.world.paths import Paths
from forecasting.models.world.values import Do, Way, World

if TYPE_CHECKING:
    from forecasting.models.world.plan import Plan

#: Rows of one block; a block holds at least one draw of the longest path.
BLOCK = 1 << 18
#: Each core has so many draws at least.
SPREAD = 16_384


def simulate(
    world: World,
    horizon: float | Sequence[float],
    *,
    seed: int = 0,
    do: Sequence[Do] = (),
    tilt: Sequence[Way] = (),
    only: BoolArray | None = None,
) -> Paths:
    """Simulate one path a draw, from the world's origin to a horizon.

    `horizon` is in days from the origin, for all or for each process; what is linked goes as far as
    its farthest. The same `seed` gives the same bytes; a process more changes no other's chance.
    Of `tilt` each way has its share of half the draws, where its moves' first budgets are used up
    sooner by their factors; weights (at most 2) undo it. Draws out of `only` stay and weigh 0.
    """
    reach = np.array(np.broadcast_to(horizon, len(world.processes)), dtype=np.float64)
    from forecasting.models.world.plan import planned  # imports numba

    world = settled(world, do)
    plan, log_weight = planned(world, float(reach.max(initial=0.0)), seed, do, tilt)
    wanted = np.ones(world.draws, dtype=np.bool_) if only is None else only
    log_weight = np.where(wanted, log_weight, -np.inf)
    return Paths(world, tuple(reach.tolist()), _rows(plan, reach, wanted, world), log_weight)


def _parts(world: World) -> list[IntArray]:
    """Give the positions of the processes of each part: what links join, directly or not."""
    root = list(range(len(world.processes)))
    for link in world.links:
        for child, _ in link.children:
            one, other = root[link.parent], root[child]
            if one != other:
                root = [min(one, other) if each in (one, other) else each for each in root]
    return [np.flatnonzero(np.equal(root, first)) for first in dict.fromkeys(root)]


def _rows(plan: "Plan", reach: FloatArray, wanted: BoolArray, world: World) -> Rows:
    """Simulate each part of a world as far as it is asked for, many draws on every core."""
    from forecasting.models.world.loop import FADED, KIND, OWNER, SUBJECT

    owner = plan.tick[:, SUBJECT].copy()
    fades = plan.tick[:, KIND] == FADED
    owner[fades] = plan.move[owner[fades], OWNER]
    names = names_of(world)
    tasks = []
    threads = max(1, min(os.cpu_count() or 1, world.draws // SPREAD))
    cuts = np.linspace(0, world.draws, 1 + threads).astype(int)
    for part in _parts(world):
        horizon = float(reach[part].max())
        mine = np.isin(owner, part) & (plan.clock[:, 0] <= horizon)
        of_part = plan._replace(tick=plan.tick[mine], clock=plan.clock[mine])
        tasks += [(of_part, part, horizon, wanted, a, b, names) for a, b in pairwise(cuts.tolist())]
    with ThreadPoolExecutor(threads) as pool:
        # Draws depend on nothing but their number, so threads change no byte.
        return Rows.joined(list(pool.map(lambda task: _draws(*task), tasks)))


def _draws(
    plan: "Plan",
    part: IntArray,
    horizon: float,
    wanted: BoolArray,
    draw: int,
    stop: int,
    names: Sequence[str],
) -> Rows:
    from forecasting.models.world.loop import DONE, LOOP, MOST_MOVES, run

    blocks, end = [], -1
    while end != DONE:
        block = Rows.empty(BLOCK)
        draw, size, end, move = run(plan, part, horizon, wanted, draw, stop, *block)
        if end == LOOP:
            message = (
                f"{names[move]}: more than {MOST_MOVES:,} moves in one path, most of them of this "
                f"one: {'a loop of links' if len(part) > 1 else 'its rate is too high'}."
            )
            hint = "make its links smaller, or leave one out." if len(part) > 1 else "a lower rate."
            raise InvalidInput(message, hint=hint)
        blocks.append(block.of(slice(0, size)))
    return Rows.joined(blocks)
