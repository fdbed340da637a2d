"""Mend a set of probabilities that no world can have, and say where it breaks.

A set of forecasts on related events is coherent if it is a mixture of possible worlds, each world
a vector of zeros and ones (de Finetti). Anything else can be improved without knowing the outcome:
its Euclidean projection onto the mixtures has a Brier score that is no worse in any world (Predd,
Osherson, Kulkarni and Poor 2008, doi:10.1109/TIT.2009.2027573; arXiv cs/0601131). On a ladder of
deadlines the projection is isotonic regression, on options that exclude each other the projection
onto the simplex.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["Breach", "breaches", "nearest_coherent", "nearest_ladder", "nearest_options"]

FloatArray = NDArray[np.float64]
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Breach:
    """Two forecasts that cannot stand together.

    Attributes
    ----------
    first, second
        Positions in the set.
    by
        By how much they miss what the possible worlds allow.
    rule
        ``implies`` (the first event brings the second), ``exclude`` (never both) or ``cover``
        (always one of them).
    """

    first: int
    second: int
    by: float
    rule: str


def nearest_coherent(p: ArrayLike, worlds: ArrayLike) -> FloatArray:
    """Project a set of probabilities onto the mixtures of possible worlds.

    The nearest mixture is the point of least norm of the worlds moved by -p; non-negative least
    squares on these with a row of ones gives it exactly.

    Parameters
    ----------
    p : array_like, shape (n,)
        Probabilities of n events.
    worlds : array_like, shape (m, n)
        One row of zeros and ones for each possible world.

    Returns
    -------
    ndarray, shape (n,)
        The coherent set nearest to `p`.

    Raises
    ------
    InvalidInput
        If `p` is no set of probabilities, or `worlds` no rows of zeros and ones.

    Examples
    --------
    Known answer 13: three events of which exactly one comes true.

    >>> nearest_coherent([0.6, 0.3, 0.3], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).round(4).tolist()
    [0.5333, 0.2333, 0.2333]
    """
    from scipy.optimize import nnls

    stated, corners = _checked(p, worlds)
    moved = corners.T - stated[:, None]
    system = np.vstack([moved, np.ones(len(corners))])
    aim = np.zeros(len(stated) + 1)
    aim[-1] = 1.0
    weights, _ = nnls(system, aim)
    weights /= weights.sum()
    return np.asarray(np.clip(corners.T @ weights, 0.0, 1.0))


def nearest_ladder(p: ArrayLike) -> FloatArray:
    """Project nested probabilities so that they never fall: pool adjacent violators.

    Parameters
    ----------
    p : array_like, shape (n,)
        P(by d_1), P(by d_2), ... with rising deadlines.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> nearest_ladder([0.2, 0.5, 0.3]).round(4).tolist()
    [0.2, 0.4, 0.4]
    """
    from scipy.optimize import isotonic_regression

    stated = _probabilities(p)
    return np.asarray(isotonic_regression(stated).x, dtype=np.float64)


def nearest_options(p: ArrayLike) -> FloatArray:
    """Project the probabilities of options that exclude each other so that they sum to one.

    Parameters
    ----------
    p : array_like, shape (n,)
        One for each option.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> nearest_options([0.6, 0.3, 0.3]).round(4).tolist()
    [0.5333, 0.2333, 0.2333]
    """
    stated = _probabilities(p)
    falling = np.sort(stated)[::-1]
    over = (np.cumsum(falling) - 1.0) / np.arange(1, len(stated) + 1)
    # Held, Wolfe and Crowder 1974: the last option that stays positive sets the common cut.
    cut = over[np.flatnonzero(falling > over)[-1]]
    return np.asarray(np.maximum(stated - cut, 0.0))


def breaches(p: ArrayLike, worlds: ArrayLike) -> list[Breach]:
    """List the pairs of forecasts that break a Frechet bound, the worst first.

    Of two events the possible worlds may say that the first brings the second, that they exclude
    each other, or that one of them always happens; then P(first) <= P(second), P + Q <= 1 or
    P + Q >= 1 must hold.

    Parameters
    ----------
    p, worlds : array_like
        As in `nearest_coherent`.

    Returns
    -------
    list of Breach
        Empty where every pair fits; a set can still be incoherent as a whole.

    Examples
    --------
    >>> breaches([0.5, 0.3], [[0, 0], [0, 1], [1, 1]])
    [Breach(first=0, second=1, by=0.2, rule='implies')]
    """
    stated, corners = _checked(p, worlds)
    seen = corners.astype(bool)
    found = []
    for i in range(len(stated)):
        for j in range(len(stated)):
            if i == j:
                continue
            a, b = seen[:, i], seen[:, j]
            if not np.any(a & ~b):
                found.append(Breach(i, j, float(stated[i] - stated[j]), "implies"))
            if i < j and not np.any(a & b):
                found.append(Breach(i, j, float(stated[i] + stated[j] - 1.0), "exclude"))
            if i < j and not np.any(~a & ~b):
                found.append(Breach(i, j, float(1.0 - stated[i] - stated[j]), "cover"))
    broken = [Breach(b.first, b.second, round(b.by, 12), b.rule) for b in found if b.by > TOLERANCE]
    return sorted(broken, key=lambda breach: (-breach.by, breach.first, breach.second))


def worlds_of_ladder(n: int) -> FloatArray:
    """Return the possible worlds of n nested deadlines: the event comes at one, or never.

    Parameters
    ----------
    n : int
        Number of deadlines.

    Returns
    -------
    ndarray, shape (n + 1, n)

    Examples
    --------
    >>> worlds_of_ladder(2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    return np.array([[float(j >= n - i) for j in range(n)] for i in range(n + 1)])


def _probabilities(p: Sequence[float] | ArrayLike) -> FloatArray:
    stated = np.asarray(p, dtype=np.float64)
    if stated.ndim != 1 or stated.size == 0 or not np.all((stated >= 0) & (stated <= 1)):
        message = f"p ({stated}): must be probabilities from 0 to 1."
        raise InvalidInput(message)
    return stated


def _checked(p: ArrayLike, worlds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    stated, corners = _probabilities(p), np.asarray(worlds, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != len(stated) or not len(corners):
        message = f"worlds: shape {corners.shape}, must be (m, {len(stated)}) with m of 1 or more."
        raise InvalidInput(message)
    if not np.all((corners == 0) | (corners == 1)):
        message = "worlds: must be rows of zeros and ones."
        raise InvalidInput(message)
    return stated, corners
