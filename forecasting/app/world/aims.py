"""Numbers of people and of markets as targets of a what-if: paths weighed to agree with them.

Of all weights under which each event has its number, those that differ least from the model's
(minimal relative entropy) are found by proportional fitting: each number in turn is put right by
one factor on the paths that say yes and one on the others.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from forecasting.errors import InvalidInput
from forecasting.models.world.model import Run

#: What was said, on which paths it comes true, and with which probability it shall.
type Aim = tuple[str, NDArray[np.bool_], float]
ROUNDS = 2_000
CLOSE = 1e-9


def aimed(run: Run, aims: Sequence[Aim]) -> Run:
    """Give the simulation with its paths weighed so that each event has its number.

    Raises
    ------
    InvalidInput
        When no weights give an event its number, or not two of them together: the pair is named.

    Notes
    -----
    Csiszar 1975 (doi:10.1214/aop/1176996454): proportional fitting converges to the projection
    wherever one exists.
    """
    weights = run.paths.weights()
    for text, truth, p in aims:
        has = (truth[weights > 0].any(), not truth[weights > 0].all())
        if (p > 0.0 and not has[0]) or (p < 1.0 and not has[1]):
            msg = f"target ({text}): {'every' if has[0] else 'no'} path says yes"
            raise InvalidInput(msg, hint="forecast scenario show")
    for (one, a, p), (other, b, q) in combinations(aims, 2):
        if not _together(a, b, weights > 0, p, q):
            msg = f"targets ({one}, {other}): no weights of the paths give both"
            raise InvalidInput(msg, hint="take one of them")
    found = weights
    for _ in range(ROUNDS):
        off = 0.0
        for _, truth, p in aims:
            yes = float(np.sum(found[truth]))
            off = max(off, abs(yes - p))
            up = p / yes if yes > 0.0 else 0.0
            down = (1.0 - p) / (1.0 - yes) if yes < 1.0 else 0.0
            found = found * np.where(truth, up, down)
            found = found / found.sum()
        if off < CLOSE:
            break
    else:
        msg = f"targets ({', '.join(text for text, _, _ in aims)}): no weights give all of them"
        raise InvalidInput(msg, hint="take fewer")
    with np.errstate(divide="ignore"):
        return replace(run, paths=replace(run.paths, log_weight=np.log(found)))


def _together(
    a: NDArray[np.bool_], b: NDArray[np.bool_], there: NDArray[np.bool_], p: float, q: float
) -> bool:
    """Say whether two events can have these numbers on the paths that there are.

    With x = P(both), the four shares are x, p - x, q - x and 1 - p - q + x: each at least 0, and 0
    where there is no path.
    """
    low, high = max(0.0, p + q - 1.0), min(p, q)
    fixed = [
        value
        for value, some in (
            (0.0, a & b),
            (p, a & ~b),
            (q, ~a & b),
            (p + q - 1.0, ~a & ~b),
        )
        if not (some & there).any()
    ]
    within = all(low - CLOSE <= value <= high + CLOSE for value in fixed)
    return within and (not fixed or max(fixed) - min(fixed) <= CLOSE)
