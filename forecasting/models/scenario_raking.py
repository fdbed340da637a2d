"""Reconcile a graph with what the models of single questions say of their probabilities.

Raking (iterative proportional fitting) gives, of all joints that have the wanted marginals, the one
nearest to the graph's by Kullback-Leibler divergence (Csiszar 1975, doi:10.1214/aop/1176996454). It
only multiplies by a factor for each state of each reconciled node, so every odds ratio that the
links express stays as it was. Because of that, the nearest joint over all nodes is found on the
reconciled nodes alone: rake their joint table, and hang the factors on the graph.

A cross-impact matrix (what analysts think of pairs) is an input of the same kind: `maximum_entropy`
gives the least committed joint with the stated marginals and pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.models.scenario_joint import Joint

__all__ = ["Shortfall", "frechet_bounds", "maximum_entropy", "rake", "shortfall"]

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-11
ROUNDS = 5_000
#: A marginal that misses by more than this cannot be had; by less, it is rounding.
SHORT = 1e-7


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A pair of marginals that no joint with the graph's impossible combinations has.

    Attributes
    ----------
    first, second
        Positions of the two nodes.
    states
        States of `first` whose probability has nowhere to go.
    by
        How much probability is left over.
    """

    first: int
    second: int
    states: tuple[int, ...]
    by: float


def frechet_bounds(p: ArrayLike, q: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the least and the greatest P(A and B) that P(A) and P(B) leave room for.

    max(0, p + q - 1) <= P(A and B) <= min(p, q)  (Frechet 1935).

    Parameters
    ----------
    p, q : array_like
        Probabilities, broadcast against each other.

    Returns
    -------
    (lower, upper) : ndarray

    Examples
    --------
    >>> low, high = frechet_bounds(0.7, 0.6)
    >>> round(float(low), 4), float(high)
    (0.3, 0.6)
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    return np.maximum(0.0, first + second - 1.0), np.minimum(first, second)


def shortfall(possible: ArrayLike, p: ArrayLike, q: ArrayLike) -> tuple[float, tuple[int, ...]]:
    """Return how much of P(A) finds no room beside P(B), and for which states of A.

    A joint with marginals p and q that is 0 where `possible` is false exists if and only if every
    set of states of A is at most as likely as the states of B that can go with it (Strassen 1965).
    For two yes-no questions these are the Frechet bounds.

    Parameters
    ----------
    possible : array_like of bool, shape (K, L)
        Which combinations can be.
    p, q : array_like, shapes (K,) and (L,)
        Marginals, or (S, K) and (S, L): then the worst draw counts.

    Returns
    -------
    (by, states)
        0 and no states where there is room.

    Examples
    --------
    >>> by, states = shortfall([[False, True], [True, True]], [0.7, 0.3], [0.6, 0.4])
    >>> round(by, 4), states
    (0.3, (0,))
    """
    room = np.asarray(possible, dtype=bool)
    first = np.atleast_2d(np.asarray(p, dtype=np.float64))
    second = np.atleast_2d(np.asarray(q, dtype=np.float64))
    worst = 0.0
    worst_states: tuple[int, ...] = ()
    for chosen in product((False, True), repeat=room.shape[0]):
        mask = np.array(chosen)
        if not mask.any():
            continue
        over = first[:, mask].sum(axis=1) - second[:, room[mask].any(axis=0)].sum(axis=1)
        if float(over.max()) > max(worst, SHORT):
            worst, worst_states = float(over.max()), tuple(int(i) for i in np.flatnonzero(mask))
    return worst, worst_states


def rake(
    joint: Joint, wanted: Mapping[int, ArrayLike], *, names: Sequence[str] | None = None
) -> Joint:
    """Give the joint nearest to a graph's that has the wanted marginals, in every draw.

    Parameters
    ----------
    joint : Joint
        The graph's.
    wanted : mapping of int to array_like, shape (S, states)
        Node to its marginal; each row sums to one.
    names : sequence of str, optional
        What errors call the nodes; default their positions.

    Returns
    -------
    Joint
        With one more tilt for each node in `wanted`.

    Raises
    ------
    InvalidInput
        If no joint has these marginals: which two nodes, and by how much.

    Examples
    --------
    >>> from forecasting.models.scenario_joint import joint
    >>> net = joint([(), (0,)], [[[0.3, 0.7]], [[[0.2, 0.8], [0.6, 0.4]]]])
    >>> near = rake(net, {1: [[0.5, 0.5]]})
    >>> near.marginal([1]).round(6).tolist()
    [[0.5, 0.5]]
    """
    if not wanted:
        return joint
    nodes = sorted(wanted)
    targets = [_marginal(joint, node, wanted[node]) for node in nodes]
    table = joint.marginal(nodes)
    called = [names[node] if names else str(node) for node in nodes]
    _check_room(called, table, targets)
    axes = [tuple(i for i in range(1, len(nodes) + 1) if i != k + 1) for k in range(len(nodes))]
    shapes = [
        (joint.draws, *(joint.states[node] if i == k else 1 for i in range(len(nodes))))
        for k, node in enumerate(nodes)
    ]
    tilts = [np.ones_like(target) for target in targets]
    fitted = table.copy()
    missed = np.inf
    for _ in range(ROUNDS):
        missed = max(
            float(np.abs(fitted.sum(axis=rest) - target).max())
            for rest, target in zip(axes, targets, strict=True)
        )
        if missed < TOLERANCE:
            break
        for k, target in enumerate(targets):
            have = fitted.sum(axis=axes[k])
            step = np.divide(target, have, out=np.zeros_like(target), where=have > 0)
            tilts[k] = tilts[k] * step
            fitted = fitted * step.reshape(shapes[k])
    if missed > SHORT:
        message = (
            f"marginals ({', '.join(called)}): no joint over the graph has all of them together "
            f"(off by {missed:.2g})."
        )
        raise InvalidInput(message, hint="rows without a probability of 0")
    added = tuple(((node,), tilt) for node, tilt in zip(nodes, tilts, strict=True))
    return replace(joint, tilts=(*joint.tilts, *added))


def _marginal(joint: Joint, node: int, given: ArrayLike) -> FloatArray:
    target = np.asarray(given, dtype=np.float64)
    wanted = (joint.draws, joint.states[node])
    if target.ndim != 2 or target.shape[1] != wanted[1] or target.shape[0] not in (1, wanted[0]):
        message = f"wanted[{node}]: shape {target.shape}, must be {wanted}."
        raise InvalidInput(message)
    if np.any(target < 0) or not np.allclose(target.sum(axis=1), 1.0, atol=1e-9):
        message = f"wanted[{node}]: each row must be probabilities that sum to 1."
        raise InvalidInput(message)
    return np.broadcast_to(target / target.sum(axis=1, keepdims=True), wanted)


def _check_room(names: Sequence[str], table: FloatArray, targets: Sequence[FloatArray]) -> None:
    every = range(1, len(names) + 1)
    alone = []
    for i, target in enumerate(targets):
        never = ~(table.sum(axis=tuple(k for k in every if k != i + 1)) > 0).any(axis=0)
        alone.append((float(target[:, never].sum(axis=1).max()), names[i]))
    by, name = max(alone)
    if by > SHORT:
        message = f"marginal ({name}): {by:.3g} of it lies on states that the graph excludes."
        raise InvalidInput(message, hint="rows without a probability of 0")
    worst = Shortfall(0, 0, (), 0.0)
    for i, j in combinations(range(len(names)), 2):
        rest = tuple(k for k in every if k not in (i + 1, j + 1))
        possible = (table.sum(axis=rest) > 0).any(axis=0)
        by, states = shortfall(possible, targets[i], targets[j])
        if by > worst.by:
            worst = Shortfall(i, j, states, by)
    if worst.by > 0.0:
        message = (
            f"marginals ({names[worst.first]}, {names[worst.second]}): no joint has both; states "
            f"{list(worst.states)} of {names[worst.first]} are {worst.by:.3g} too likely for what "
            "can go with them (Frechet bounds)."
        )
        raise InvalidInput(message, hint="change one of the two, or the row that excludes the pair")


def maximum_entropy(
    marginals: Sequence[ArrayLike], pairs: Mapping[tuple[int, int], ArrayLike]
) -> FloatArray:
    """Give the least committed joint with stated marginals and stated pairs.

    The joint is log-linear with no interaction beyond the stated pairs (Jaynes 1957); it is found
    by iterative proportional fitting from the uniform one.

    Parameters
    ----------
    marginals : sequence of array_like, shape (K_i,)
        For each variable.
    pairs : mapping of (int, int) to array_like, shape (K_i, K_j)
        P(i and j) for the pairs that somebody stated: a cross-impact matrix as probabilities.

    Returns
    -------
    ndarray, shape (K_0, K_1, ...)
        Sums to one.

    Raises
    ------
    InvalidInput
        If a pair does not fit its marginals (Frechet bounds: which, by how much), or if each pair
        is possible and all together are not.

    Examples
    --------
    >>> p = maximum_entropy([[0.3, 0.7], [0.5, 0.5]], {(0, 1): [[0.2, 0.1], [0.3, 0.4]]})
    >>> p.round(4).tolist()
    [[0.2, 0.1], [0.3, 0.4]]
    """
    single = [np.asarray(each, dtype=np.float64) for each in marginals]
    stated = {pair: np.asarray(table, dtype=np.float64) for pair, table in pairs.items()}
    for (i, j), table in stated.items():
        _check_pair(i, j, table, single[i], single[j])
    fitted = np.ones([each.size for each in single])
    fitted /= fitted.sum()
    every = range(len(single))
    wanted: list[tuple[tuple[int, ...], FloatArray]] = [((i,), single[i]) for i in every]
    wanted += [((i, j), t) if i < j else ((j, i), t.T) for (i, j), t in stated.items()]
    missed = np.inf
    for _ in range(ROUNDS):
        missed = 0.0
        for axes, target in wanted:
            rest = tuple(k for k in every if k not in axes)
            have = fitted.sum(axis=rest)
            missed = max(missed, float(np.abs(have - target).max()))
            step = np.divide(target, have, out=np.zeros_like(target), where=have > 0)
            fitted = fitted * np.expand_dims(step, rest)
        if missed < TOLERANCE:
            return fitted
    message = (
        f"pairs ({', '.join(f'{i}-{j}' for i, j in stated)}): each is possible, all together are "
        f"not (off by {missed:.2g})."
    )
    raise InvalidInput(message, hint="take the weakest pair out")


def _check_pair(i: int, j: int, table: FloatArray, p: FloatArray, q: FloatArray) -> None:
    if table.shape != (p.size, q.size):
        message = f"pair {i}-{j}: shape {table.shape}, must be {(p.size, q.size)}."
        raise InvalidInput(message)
    low, high = frechet_bounds(p[:, None], q[None, :])
    over = np.maximum(table - high, low - table)
    worst = tuple(int(k) for k in np.unravel_index(int(over.argmax()), over.shape))
    if over[worst] > SHORT:
        message = (
            f"pair {i}-{j}: P({i}={worst[0]} and {j}={worst[1]}) = {table[worst]:.4g} lies outside "
            f"[{low[worst]:.4g}, {high[worst]:.4g}] by {over[worst]:.3g} (Frechet bounds)."
        )
        raise InvalidInput(message, hint="a pair that its two marginals leave room for")
    off = max(
        float(np.abs(table.sum(axis=1) - p).max()), float(np.abs(table.sum(axis=0) - q).max())
    )
    if off > SHORT:
        message = f"pair {i}-{j}: its sums miss the marginals by {off:.3g}."
        raise InvalidInput(message, hint="P(i and j) whose rows and columns add up to them")
