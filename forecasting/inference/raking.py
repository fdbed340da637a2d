"""Raking: weights of paths under which events have given shares, with the least change.

Of all weights that do, they are those that differ least (minimal relative entropy), by proportional
fitting: each share in turn is put right by one factor on the paths that say yes and one on those
that say no. It converges wherever such weights exist (Csiszar 1975, doi:10.1214/aop/1176996454).
"""

from collections.abc import Sequence

import numpy as np

from forecasting.arrays import BoolArray, FloatArray

#: Rounds of proportional fitting, and how close each share must come.
ROUNDS, CLOSE = 2_000, 1e-9

#: On which paths something is so, and on which it is not; where neither, it is not asked.
type Sides = tuple[BoolArray, BoolArray]
#: Two sides, and the share of the first among both.
type Aim = tuple[Sides, float]


def raked(weights: FloatArray, aims: Sequence[Aim]) -> FloatArray | None:
    """Weigh paths so that each aim is met; None where no weights meet all.

    >>> a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    >>> raked(np.full(4, 0.25), [((a, ~a), 0.2), ((a & b, a & ~b), 0.9)]).round(3).tolist()
    [0.18, 0.02, 0.4, 0.4]
    """
    for _ in range(ROUNDS):
        off = 0.0
        for (met, unmet), p in aims:
            asked = float(np.sum(weights[met | unmet]))
            if asked == 0.0:
                return None
            yes = float(np.sum(weights[met])) / asked
            off = max(off, abs(yes - p))
            up = p / yes if yes > 0.0 else 0.0
            down = (1.0 - p) / (1.0 - yes) if yes < 1.0 else 0.0
            weights = weights * np.where(met, up, np.where(unmet, down, 1.0))
            weights = weights / weights.sum()
        if off < CLOSE:
            return weights
    return None


def pull(aim: Aim) -> FloatArray:
    """Give what has mean 0 under weights that meet an aim, (S,)."""
    (met, unmet), p = aim
    return np.asarray(met * (1.0 - p) - unmet * p, dtype=np.float64)


def compatible(one: Aim, other: Aim, there: BoolArray) -> bool:
    """Say whether two events can have their shares on the paths there are: none is below 0."""
    ((a, not_a), p), ((b, not_b), q) = one, other
    if not (a | not_a).all() or not (b | not_b).all():
        return True  # shares of a part leave its size open: the fitting says
    shares = ((0.0, a & b), (p, a & ~b), (q, ~a & b), (p + q - 1.0, ~a & ~b))
    fixed = [x for x, some in shares if not (some & there).any()]
    low, high = max(0.0, p + q - 1.0), min(p, q)
    within = all(low - CLOSE <= x <= high + CLOSE for x in fixed)
    return within and (not fixed or max(fixed) - min(fixed) <= CLOSE)
