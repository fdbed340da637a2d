"""Draw the paths of a world."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecasting.errors import InvalidInput
from forecasting.models.world.known import names_of, settled
from forecasting.models.world.paths import BoolArray, Paths, Rows
from forecasting.models.world.values import Do, Way, World

if TYPE_CHECKING:
    from forecasting.models.world.plan import Plan

#: Rows of one block; a block holds at least one draw of the longest path.
BLOCK = 1 << 18


def simulate(
    world: World,
    horizon: float,
    *,
    seed: int = 0,
    do: Sequence[Do] = (),
    tilt: Sequence[Way] = (),
    only: BoolArray | None = None,
) -> Paths:
    """Simulate one path a draw, from the world's origin to a horizon.

    Parameters
    ----------
    horizon : float
        In days from the origin.
    seed : int
        The same seed gives the same bytes; a process more changes no other's chance.
    do : sequence of Do
        Interventions: at its day the process is set to the state, and by chance it cannot get
        there before; barred states cannot be entered from the day on.
    tilt : sequence of (share, mapping)
        Ways towards a rare condition: the way's share of half the draws, and from (process, move)
        to a factor by which its first budget is used up sooner there; weights (at most 2) undo it.
    only : array (S,), optional
        The draws to simulate; nothing moves in the others, and nobody may ask them.

    Returns
    -------
    Paths

    Raises
    ------
    InvalidInput
        When links drive each other without end, or the world contradicts itself.

    Examples
    --------
    >>> import datetime as dt
    >>> from forecasting.models.world.values import Known, Move, Process
    >>> strike = Process("strike", ("waiting",), (Move(0, 0, 0.1, counted=True),),
    ...     (Known(0.0, 0),), free=0.0)
    >>> world = World((strike,), (), (), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), draws=1024)
    >>> paths = simulate(world, 30.0)
    >>> round(len(paths.rows.time) / 1024)
    3
    """
    if not 0.0 <= horizon < np.inf:
        message = f"horizon ({horizon:g}): days from the origin, at least 0."
        raise InvalidInput(message)
    from forecasting.models.world.plan import planned  # imports numba

    world = settled(world, do)
    plan, log_weight = planned(world, float(horizon), seed, do, tilt)
    wanted = np.ones(world.draws, dtype=np.bool_) if only is None else only
    rows = _rows(plan, float(horizon), wanted, names_of(world))
    return Paths(world, float(horizon), rows, log_weight)


def _rows(plan: "Plan", horizon: float, wanted: BoolArray, names: Sequence[str]) -> Rows:
    from forecasting.models.world.loop import DONE, LOOP, MOST_MOVES, run

    blocks, draw, end = [], 0, -1
    while end != DONE:
        block = Rows.empty(BLOCK)
        draw, size, end, move = run(plan, horizon, wanted, draw, *block)
        if end == LOOP:
            message = (
                f"{names[move]}: more than {MOST_MOVES:,} moves in one path, most of them of this "
                "one: a loop of links."
            )
            raise InvalidInput(message, hint="make its links smaller, or leave one out.")
        blocks.append(block.of(slice(0, size)))
    return blocks[0] if len(blocks) == 1 else Rows.joined(blocks)
