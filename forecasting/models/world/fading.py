"""Reports as steps: on each move one grid, on which the log ratio of every item is constant."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecasting.arrays import FloatArray, IntArray
from forecasting.evidence.leads import Way
from forecasting.evidence.reports import CodedReport
from forecasting.models.world.values import NEVER, World

#: Below this log ratio an item ends.
LEAST = 0.02
#: Moments nearer than this (days) are one.
SAME = 1e-6


class Fading(NamedTuple):
    """The reports of every move in arrays; of one source after another, an item each."""

    of: IntArray  # (M, 3) where the items of each move begin and end; the cell at the origin or -1
    item: IntArray  # (I, 2) the source of an item, and where its values begin, one a cell
    item_size: FloatArray  # (I, 2) from when it is known, and its bound
    value: FloatArray
    later: list[tuple[float, int, int]]  # when a later cell begins, of which move, and which cell


#: A report with the day from which it is known.
type Dated = tuple[float, CodedReport]


def lasts(report: CodedReport) -> float:
    """Give how many days after it is known a report ends, in whole halves of its half-life."""
    if abs(report.log_ratio) < LEAST:
        return 0.0
    if not np.isfinite(report.half_life):
        return NEVER
    halves = np.ceil(2 * np.log2(abs(report.log_ratio) / LEAST) - 1e-9)
    return float(max(halves, 1.0)) * report.half_life / 2


def grid_of(reports: Sequence[Dated], horizon: float) -> FloatArray:
    """Give the days at which the cells begin of the grid that some reports share."""
    spans = [(known, known + lasts(r), r.half_life) for known, r in reports]
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


def values_on(known: float, report: CodedReport, days: FloatArray) -> FloatArray:
    """Give a report's log ratio in each cell: the mean of what is left of it over the cell."""
    ends = np.append(days[1:], NEVER)
    acts = (days >= known - SAME) & (days < known + lasts(report) - SAME)
    if not np.isfinite(report.half_life):
        return np.where(acts, report.log_ratio, 0.0)
    begin = (days - known) / report.half_life
    # The last cell within the horizon is as long as half a half-life.
    length = np.minimum((ends - days) / report.half_life, 0.5)
    rest = np.exp2(-np.maximum(begin, 0.0))
    mean = rest * -np.expm1(-np.log(2) * length) / (np.log(2) * length)
    return np.where(acts, report.log_ratio * mean, 0.0)


def fading(world: World, horizon: float) -> Fading:
    """Give the reports of a world in arrays; those on what it does not hold are left out."""
    by_way: dict[Way, list[Dated]] = {}
    for report in world.reports:
        known = world.day(report.known_at)
        if known <= horizon and lasts(report) > 0:
            by_way.setdefault((report.process, report.move), []).append((known, report))
    of = [
        by_way.get((process.name, process.move_name(move)), []) if move.at is None else []
        for process in world.processes
        for move in process.moves
    ]
    begins: list[tuple[int, int, int]] = []
    items: list[tuple[int, int]] = []
    sizes: list[tuple[float, float]] = []
    values, later = [np.zeros(0)], list[tuple[float, int, int]]()
    for k, mine in enumerate(of):
        first, cell = len(items), -1
        if mine:
            mine.sort(key=lambda each: (each[1].source, each[0], each[1].key, each[1].log_ratio))
            days = grid_of(mine, horizon)
            bounds: dict[str, float] = {}
            for _, r in mine:
                bounds[r.source] = max(bounds.get(r.source, 0.0), r.bound)
            order = {source: place for place, source in enumerate(sorted(bounds))}
            at = sum(map(len, values))
            for known, r in mine:
                items.append((order[r.source], at))
                sizes.append((known, bounds[r.source]))
                values.append(values_on(known, r, days))
                at += len(days)
            cell = int(np.searchsorted(days, 0.0, side="right")) - 1
            later += [(float(day), k, c) for c, day in enumerate(days) if day > 0]
        begins.append((first, len(items), cell))
    return Fading(
        np.array(begins, dtype=np.int64),
        np.array(items, dtype=np.int64).reshape(-1, 2),
        np.array(sizes, dtype=np.float64).reshape(-1, 2),
        np.concatenate(values),
        later,
    )
