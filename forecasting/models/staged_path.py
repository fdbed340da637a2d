"""What is seen of one staged path: the arrays, and a path by chance."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["followed", "no_data"]

FloatArray = NDArray[np.float64]


def no_data(stages: int) -> dict[str, FloatArray]:
    """Return the arrays of a path that was not watched at all.

    Examples
    --------
    >>> no_data(2)["exposure"].tolist()
    [0.0, 0.0]
    """
    found = {name: np.zeros(stages) for name in ("advances", "collapses", "exposure")}
    return found | {"jumps": np.array(0.0)}


def followed(
    rng: np.random.Generator,
    advance: FloatArray,
    collapse: FloatArray,
    direct: float,
    *,
    watched: float,
) -> dict[str, FloatArray]:
    """Follow a path from its beginning to its end, or to the end of the watch.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    advance : ndarray, shape (K,)
        Rates from the states 0 to K - 1 to the next.
    collapse : ndarray, shape (K - 1,)
        Rates from the states 1 to K - 1 back to 0.
    direct : float
        Rate of coming to the end at once.
    watched : float
        Time for which it is watched.

    Returns
    -------
    dict of str to ndarray
        As `no_data` names them.
    """
    last = len(advance)
    seen, state, left = no_data(last), 0, watched
    while state < last:
        rates = np.array([advance[state], collapse[state - 1] if state else 0.0, direct])
        wait = rng.exponential(1.0 / rates.sum())
        seen["exposure"][state] += min(wait, left)
        left -= wait
        if left <= 0:
            break
        after = (state + 1, 0, last)[rng.choice(3, p=rates / rates.sum())]
        if after == last and state < last - 1:
            seen["jumps"] += 1.0
        else:
            seen["collapses" if after == 0 else "advances"][state] += 1
        state = after
    return seen
