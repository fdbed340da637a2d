"""From sorted forecasts to what the learned pool sees: members in force at moments of questions."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import FloatArray, IntArray
from forecasting.pooling.events import Events, ends_of_instants
from forecasting.pooling.records import Records


@dataclass(frozen=True, slots=True)
class Panel:
    """Members in force, contiguous by moment.

    Of shape (M,): `start` and `number`, the first member of each moment and how many there are. Of
    shape (n,): each member's `event`, `log_odds` and `slope`; `weight` (n, 4) is what the weights
    depend on: newer members, age, standing apart, slope. `base`: log-odds of the base rate.
    """

    start: IntArray
    number: IntArray
    event: IntArray
    log_odds: FloatArray
    slope: FloatArray
    weight: FloatArray
    base: float


@dataclass(frozen=True, slots=True)
class Books:
    """The forecasters' records at several times; `moment` and `forecaster` say which one holds."""

    books: list[Records]
    moment: IntArray
    forecaster: IntArray


def moments(events: Events, questions: IntArray, count: int) -> tuple[IntArray, FloatArray]:
    """Choose moments of the `questions`: after the last forecast, and `count` at equal steps."""
    size = events.last[questions] - events.first[questions] + 1
    steps = np.ceil(size[:, None] * np.arange(1, count + 1) / (count + 1)).astype(np.int64)
    early = events.first[questions][:, None] + steps - 1
    pair = np.column_stack([early, events.last[questions]])
    weight = np.full(pair.shape, 0.5 / max(count, 1))
    weight[:, -1] = 0.5 if count else 1.0
    event, place = np.unique(ends_of_instants(events)[pair.ravel()], return_inverse=True)
    return event, np.bincount(place, weights=weight.ravel())


def panel(events: Events, at: IntArray, books: Books, base: float) -> Panel:
    """Lay out the members in force after each event of `at`, with their features."""
    question = events.question[at]
    seen = at - events.first[question] + 1
    moment = np.repeat(np.arange(len(at)), seen)
    event = np.arange(seen.sum()) - np.repeat(np.cumsum(seen) - seen, seen)
    event += events.first[question][moment]
    in_force = events.next[event] > at[moment]
    moment, event = moment[in_force], event[in_force]
    number = np.bincount(moment, minlength=len(at))
    start = np.cumsum(number) - number
    place = books.moment[moment], books.forecaster[events.forecaster[event]]
    slope, apart = (
        np.stack([getattr(book, name) for book in books.books])[place]
        for name in ("slope", "apart")
    )
    time = events.time[event]
    age = np.log1p(events.time[at][moment] - time)
    newer = np.log1p(_newer(time, moment, start))
    weight = np.column_stack([newer, age, 2 * apart, slope / 0.3])
    return Panel(start, number, event, events.log_odds[event], slope, weight, base)


def _newer(time: FloatArray, moment: IntArray, start: IntArray) -> FloatArray:
    """Count the members of the same moment whose forecast is later."""
    order = np.lexsort((-time, moment))
    t, m = time[order], moment[order]
    fresh = np.ones(len(t), dtype=bool)
    fresh[1:] = (np.diff(m) != 0) | (np.diff(t) != 0)
    position = np.arange(len(t)) - start[m]
    rank = np.empty(len(t))
    rank[order] = position[np.flatnonzero(fresh)[np.cumsum(fresh) - 1]]
    return rank
