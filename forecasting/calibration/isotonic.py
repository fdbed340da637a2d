"""Pooling equal forecasts, and the isotonic fit (PAV) of one or of many sets of outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.scoring import checks

# Few enough numbers that a pass over them finds them still in the processor's cache.
_CHUNK = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Distinct forecasts, rising, with how many of each and how many came true (or means), (D,)."""

    value: FloatArray
    n: IntArray | FloatArray
    events: IntArray | FloatArray

    @property
    def total(self) -> float:
        """Number of forecasts."""
        return self.n.sum().item()


def pool(forecast: ArrayLike, outcome: ArrayLike) -> Pooled:
    """Pool equal forecasts, without which the isotonic fit would depend on the order of rows."""
    probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
    # The bits of numbers from 0 to 1 rise with them and leave the topmost one free: with the
    # outcome put below, one sort of plain integers replaces an order and three look-ups by it.
    key = (probability + 0.0).view(np.int64)
    key <<= 1
    key |= happened.astype(bool)
    key.sort()
    hit, key = key & 1, key >> 1
    new = np.empty(len(key), dtype=bool)
    new[0] = True
    np.not_equal(key[1:], key[:-1], out=new[1:])
    if new.all():
        return Pooled(key.view(np.float64), np.ones_like(key), hit)
    first = np.flatnonzero(new)
    n = np.diff(first, append=len(key))
    return Pooled(key[first].view(np.float64), n, np.add.reduceat(hit, first))


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Cut many rows into parts that are small enough to be worked on in one go."""
    step = max(1, _CHUNK // width)
    return (slice(start, start + step) for start in range(0, rows, step))


def isotonic(events: ArrayLike, n: ArrayLike) -> FloatArray:
    """Fit rising rates to sets of outcomes, (D,) or (R, D); where n is 0 it is interpolated."""
    counts = np.atleast_2d(np.asarray(events, dtype=np.float64))
    sizes = np.broadcast_to(np.asarray(n, dtype=np.float64), counts.shape)
    fitted = np.empty_like(counts)
    for part in chunks(*counts.shape):
        fitted[part] = _fit(counts[part], sizes[part])
    return fitted.reshape(np.shape(events))


def _fit(events: FloatArray, n: FloatArray) -> FloatArray:
    """Fit all rows as one long one: each is lifted by 2, so that no block spans two rows."""
    lift = 2.0 * np.arange(len(events))[:, None]
    if (n == 1).all():
        # The usual case, in two thirds of the time.
        return _blocks((events + lift).ravel(), events.ravel(), None).reshape(events.shape)
    there = n > 0
    if there.all():
        lifted = (events / n + lift).ravel()
        return _blocks(lifted, events.ravel(), n.ravel()).reshape(events.shape)
    count, size = events[there], n[there]
    fit = np.full(events.shape, np.nan)
    fit[there] = _blocks(count / size + 2.0 * np.nonzero(there)[0], count, size)
    return _interpolated(fit, there)


def _blocks(lifted: FloatArray, count: FloatArray, size: FloatArray | None) -> FloatArray:
    from scipy.optimize import isotonic_regression

    blocks = isotonic_regression(lifted, weights=size).blocks
    width = np.diff(blocks)
    total = width if size is None else np.add.reduceat(size, blocks[:-1])
    # The rates come from the counts of each block, so the lift costs no digit.
    return np.repeat(np.add.reduceat(count, blocks[:-1]) / total, width)


def _interpolated(
    fit: FloatArray, there: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"
) -> FloatArray:
    width = fit.shape[1]
    place = np.arange(width)
    left = np.maximum.accumulate(np.where(there, place, -1), axis=1)
    right = np.minimum.accumulate(np.where(there, place, width)[:, ::-1], axis=1)[:, ::-1]
    low = np.where(left < 0, right, left)
    high = np.where(right >= width, left, right)
    row = np.arange(len(fit))[:, None]
    return (fit[row, low] + fit[row, high]) / 2
