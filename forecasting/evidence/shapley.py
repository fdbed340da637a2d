"""Share a total effect among its causes so that it adds up and no order matters."""

from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np

from forecasting.arrays import FloatArray

Value = Callable[[frozenset[int]], FloatArray]

#: Up to so many players every coalition is evaluated; beyond, orders are drawn.
EXACT = 8
ORDERS = 64


def shapley(players: int, value: Value, *, seed: int = 0) -> FloatArray:
    r"""Share v(all) - v(none) among players: each one's mean contribution over all orders.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|! (n - 1 - |S|)!}{n!} (v(S + i) - v(S))

    Exact up to `EXACT` players; beyond, the mean over about `ORDERS` seeded orders, in which each
    stands at each place equally often. `value` gives an array of shape (K,) for a coalition of
    players 0 to n - 1; the result has shape (n, K). Shapley 1953, doi:10.1515/9781400881970-018.
    """
    seen: dict[frozenset[int], FloatArray] = {}

    def v(coalition: frozenset[int]) -> FloatArray:
        if coalition not in seen:
            seen[coalition] = np.atleast_1d(np.asarray(value(coalition), dtype=np.float64))
        return seen[coalition]

    width = len(v(frozenset()))
    if players == 0:
        return np.zeros((0, width))
    shares = _exact(players, v) if players <= EXACT else _sampled(players, v, seed)
    # Rounding aside, the shares add up already; the last digit goes where most is.
    rest = v(frozenset(range(players))) - v(frozenset()) - shares.sum(axis=0)
    shares[np.abs(shares).argmax(axis=0), np.arange(width)] += rest
    return shares


def _exact(players: int, v: Value) -> FloatArray:
    shares = np.zeros((players, len(v(frozenset()))))
    for size in range(players):
        weight = factorial(size) * factorial(players - 1 - size) / factorial(players)
        for inside in combinations(range(players), size):
            before = v(frozenset(inside))
            for player in set(range(players)) - set(inside):
                shares[player] += weight * (v(frozenset({*inside, player})) - before)
    return shares


def _sampled(players: int, v: Value, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    shares = np.zeros((players, len(v(frozenset()))))
    drawn = [rng.permutation(players) for _ in range(max(1, ORDERS // (2 * players)))]
    # All rotations of an order, and their reverses, put each player once at each place.
    orders = [
        np.roll(order, turn)[::way] for order in drawn for turn in range(players) for way in (1, -1)
    ]
    for order in orders:
        inside: frozenset[int] = frozenset()
        for player in order.tolist():
            joined = inside | {player}
            shares[player] += v(joined) - v(inside)
            inside = joined
    return shares / len(orders)
