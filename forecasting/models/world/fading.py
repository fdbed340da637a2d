"""Reports as steps: on each move one grid, on which the log ratio of every item is constant."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.models.world.values import NEVER, Report

#: Below this log ratio an item ends.
LEAST = 0.02
#: Moments nearer than this (days) are one.
SAME = 1e-6


class Fading(NamedTuple):
    """The reports of every move in arrays; the value of item i in cell c is value[at[i] + c]."""

    ptr: IntArray  # (M + 1,) items of each move, one source after another
    known: FloatArray
    source: IntArray
    bound: FloatArray
    at: IntArray
    value: FloatArray
    cell: IntArray  # (M,) the cell at the origin, -1: none
    day: FloatArray  # when a later cell begins
    move: IntArray
    place: IntArray


def lasts(report: Report) -> float:
    """Give how many days after `known` a report ends, in whole halves of its half-life."""
    if abs(report.log_ratio) < LEAST:
        return 0.0
    if not np.isfinite(report.half_life):
        return NEVER
    halves = np.ceil(2 * np.log2(abs(report.log_ratio) / LEAST) - 1e-9)
    return float(max(halves, 1.0)) * report.half_life / 2


def grid_of(reports: Sequence[Report], horizon: float) -> FloatArray:
    """Give the days at which a cell of the grid that some reports share begins.

    A cell lasts half of the shortest half-life that acts, from the first report on; it is cut
    where another report becomes known and where one ends.
    """
    spans = [(r.known, r.known + lasts(r), r.half_life) for r in reports]
    cuts = sorted({edge for known, end, _ in spans for edge in (known, end)})
    days: list[float] = []
    day = cuts[0]
    while day <= horizon:
        days.append(day)
        acting = [half_life for known, end, half_life in spans if known <= day < end - SAME]
        following = next((cut for cut in cuts if cut > day + SAME), NEVER)
        step = day + min(acting, default=NEVER) / 2
        day = step if step < following - SAME else following
    return np.array(days)


def values_on(report: Report, days: FloatArray) -> FloatArray:
    """Give a report's log ratio in each cell: the mean of what is left of it over the cell."""
    ends = np.append(days[1:], NEVER)
    acts = (days >= report.known - SAME) & (days < report.known + lasts(report) - SAME)
    if not np.isfinite(report.half_life):
        return np.where(acts, report.log_ratio, 0.0)
    begin = (days - report.known) / report.half_life
    # The last cell within the horizon is as long as half a half-life.
    length = np.minimum((ends - days) / report.half_life, 0.5)
    rest = np.exp2(-np.maximum(begin, 0.0))
    mean = rest * -np.expm1(-np.log(2) * length) / (np.log(2) * length)
    return np.where(acts, report.log_ratio * mean, 0.0)


def fading(
    reports: Sequence[Report], places: Mapping[tuple[int, int], int], moves: int, horizon: float
) -> Fading:
    """Give the reports of a world in arrays."""
    of: list[list[Report]] = [[] for _ in range(moves)]
    for report in reports:
        if not report.half_life > 0:
            message = f"report {report.key}: half-life {report.half_life:g}: above 0."
            raise InvalidInput(message)
        if report.known <= horizon and lasts(report) > 0:
            of[places[report.process, report.move]].append(report)
    ptr = [0]
    items: list[tuple[float, int, float]] = []
    at, values = [], [np.zeros(0)]
    cells = np.full(moves, -1, dtype=np.int64)
    later: list[tuple[float, int, int]] = []
    size = 0
    for k, mine in enumerate(of):
        if not mine:
            ptr.append(len(items))
            continue
        mine.sort(key=lambda r: (r.source, r.known, r.key, r.log_ratio))
        days = grid_of(mine, horizon)
        bounds: dict[str, float] = {}
        for r in mine:
            bounds[r.source] = max(bounds.get(r.source, 0.0), r.bound)
        order = {source: place for place, source in enumerate(sorted(bounds))}
        for r in mine:
            items.append((r.known, order[r.source], bounds[r.source]))
            at.append(size)
            values.append(values_on(r, days))
            size += len(days)
        ptr.append(len(items))
        cells[k] = int(np.searchsorted(days, 0.0, side="right")) - 1
        later += [(float(day), k, c) for c, day in enumerate(days) if day > 0]
    return Fading(
        ptr=np.array(ptr, dtype=np.int64),
        known=np.array([item[0] for item in items], dtype=np.float64),
        source=np.array([item[1] for item in items], dtype=np.int64),
        bound=np.array([item[2] for item in items], dtype=np.float64),
        at=np.array(at, dtype=np.int64),
        value=np.concatenate(values),
        cell=cells,
        day=np.array([each[0] for each in later], dtype=np.float64),
        move=np.array([each[1] for each in later], dtype=np.int64),
        place=np.array([each[2] for each in later], dtype=np.int64),
    )
