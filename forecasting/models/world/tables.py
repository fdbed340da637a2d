"""Paths as tables: times, states, typical stories, fans."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray
from forecasting.models.world.asking import counts, state_at
from forecasting.models.world.paths import Paths, Story

if TYPE_CHECKING:
    import pandas as pd

#: Quantiles of a fan of totals, in percent.
FAN = (5.0, 25.0, 50.0, 75.0, 95.0)


def event_times(paths: Paths) -> "pd.DataFrame":
    """Give one row a move: draw, process, time (UTC), before, state, amount."""
    import pandas as pd

    world = paths.world
    rows = paths.rows.of(np.lexsort((paths.rows.time, paths.rows.draw)))
    names = [process.name for process in world.processes]
    labels = sorted({state for process in world.processes for state in process.states})
    width = max((len(process.states) for process in world.processes), default=1)
    code = np.zeros((len(names), width), dtype=np.int16)
    for place, process in enumerate(world.processes):
        code[place, : len(process.states)] = [labels.index(state) for state in process.states]
    origin = pd.Timestamp(world.origin).tz_convert("UTC")
    after = np.rint(rows.time * 86_400e6).astype("timedelta64[us]")

    def named(states: NDArray[np.int8]) -> "pd.Categorical[str]":
        return pd.Categorical.from_codes(code[rows.process, states], pd.Index(labels))

    return pd.DataFrame(
        {
            "draw": rows.draw,
            "process": pd.Categorical.from_codes(rows.process, pd.Index(names)),
            "time": origin + pd.to_timedelta(after),
            "before": named(rows.before),
            "state": named(rows.state),
            "amount": rows.amount,
        }
    )


def states_at(paths: Paths, moments: Sequence[dt.datetime]) -> "pd.DataFrame":
    """Give the state of each process at some moments: index (moment, draw), a column a process."""
    import pandas as pd

    draws = np.arange(paths.world.draws)
    columns = {}
    for process in paths.world.processes:
        codes = [state_at(paths, process.name, paths.world.day(at)) for at in moments]
        flat = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)
        columns[process.name] = pd.Categorical.from_codes(flat, pd.Index(process.states))
    index = pd.MultiIndex.from_product([list(moments), draws], names=["moment", "draw"])
    return pd.DataFrame(columns, index=index)


def stories(
    paths: Paths,
    n: int = 10,
    *,
    processes: Sequence[str] | None = None,
    length: int = 4,
    since: float = -np.inf,
    weights: FloatArray | None = None,
) -> list[Story]:
    """Give the most frequent orders in which processes first move after a day."""
    world = paths.world
    w = paths.weights() if weights is None else weights
    chosen = [world.index[name] for name in (world.index if processes is None else processes)]
    width = max((len(each.states) for each in world.processes), default=1)
    base = len(world.processes) * width + 1
    length = min(length, int(62 / np.log2(base)))
    when = np.full((len(chosen), world.draws), np.inf)
    code = np.zeros((len(chosen), world.draws), dtype=np.int64)
    for k, process in enumerate(chosen):
        rows = paths.of(process)
        rows = rows.of(np.flatnonzero(rows.time > since))
        first = np.flatnonzero(np.diff(rows.draw, prepend=-1))
        when[k, rows.draw[first]] = rows.time[first]
        code[k, rows.draw[first]] = process * width + rows.state[first].astype(np.int64) + 1
    order = np.argsort(when, axis=0, kind="stable")[:length]
    told = np.take_along_axis(code, order, axis=0)
    times = np.take_along_axis(when, order, axis=0)
    key = (told * base ** np.arange(len(told))[:, None]).sum(axis=0)
    keys, place = np.unique(key, return_inverse=True)
    share = np.bincount(place, w, len(keys))
    found = []
    for k in np.argsort(-share, kind="stable")[:n]:
        steps, rest = [], int(keys[k])
        while rest:
            rest, each = divmod(rest, base)
            owner_of, state = divmod(each - 1, width)
            name = world.processes[owner_of]
            counted = len(name.states) == 1
            steps.append(name.name if counted else f"{name.name}={name.states[state]}")
        days = np.median(times[: len(steps), place == k], axis=1)
        found.append(Story(tuple(steps), float(share[k]), tuple(float(day) for day in days)))
    return found


def fan(paths: Paths, process: str, moments: Sequence[dt.datetime]) -> FloatArray:
    """Give shares of the states, or quantiles of a total, at some moments."""
    from forecasting.domain.predicate import Moment, Total
    from forecasting.models.world.answers import quantiles

    world, w = paths.world, paths.weights()
    found = world.processes[world.index[process]]
    if np.isfinite(found.goal):
        event = [Total(process, Moment(at)) for at in moments]
        totals = [paths.number(each, world.origin, world.origin) for each in event]
        return np.array([quantiles(total, w, FAN) for total in totals])
    if len(found.states) == 1:
        numbers = [counts(paths, process, -np.inf, world.day(at)) for at in moments]
        return np.array([quantiles(each.astype(np.float64), w, FAN) for each in numbers])
    states = [state_at(paths, process, world.day(at)) for at in moments]
    return np.array([np.bincount(each, w, len(found.states)) for each in states])
