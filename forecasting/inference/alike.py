"""Draws in an order in which neighbours are alike: strata, a comb over weights, octiles shared out.

What depends on a parameter then depends on it smoothly, whatever else is drawn beside it.
"""

import numpy as np

from forecasting.arrays import FloatArray, IntArray, by_value

#: Points in a row, by an order, that share out the octiles of another number.
BLOCK = 8


def in_order(first: FloatArray, second: FloatArray, strata: int) -> list[IntArray]:
    """Put draws in order by strata of one number and, within each, by another."""
    by = np.argsort(first, kind="stable")
    return [
        stratum[np.argsort(second[stratum], kind="stable")][:: 1 if k % 2 == 0 else -1]
        for k, stratum in enumerate(np.array_split(by, strata))
    ]


def representative(first: FloatArray, second: FloatArray, strata: int) -> IntArray:
    """Thin draws to the square of `strata` that stand for all, in the order of `in_order`."""
    middle = (np.arange(strata) + 0.5) / strata
    ordered = in_order(first, second, strata)
    return np.concatenate([each[(middle * each.size).astype(np.int64)] for each in ordered])


def comb(log_weight: FloatArray, along: IntArray, level: FloatArray) -> IntArray:
    """Take places by weight at given levels along an order, so that neighbours are alike."""
    reached = np.cumsum(np.exp(log_weight - log_weight.max())[along])
    places: IntArray = along[
        np.minimum(np.searchsorted(reached, level * reached[-1]), along.size - 1)
    ]
    return places


@by_value(96)
def stratified(u: FloatArray, order: FloatArray) -> FloatArray:
    """Spread uniforms so that points near each other in an order share out the octiles."""
    size = u.size
    if size % BLOCK:
        return u
    by = np.argsort(order, kind="stable").reshape(-1, BLOCK)
    ranks = np.argsort(np.argsort(u[by], axis=1), axis=1)
    spread = np.empty(size)
    within = (u * size) % 1.0
    for octile in range(BLOCK):
        who = by[ranks == octile]
        place = np.argsort(np.argsort(u[who]))
        spread[who] = (octile * who.size + place + within[who]) / size
    return np.clip(spread, 2.0**-53, 1.0 - 2.0**-53)
