"""Paths: what happened in each draw, and what a question asks of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.domain.predicate import Choice, Moment, Total, Truth
from forecasting.inference.estimate import quantiles
from forecasting.models.world import asking
from forecasting.models.world.values import World

if TYPE_CHECKING:
    import pandas as pd

#: The most moves of a story.
STEPS = 4
#: Quantiles of a fan of totals, in percent.
FAN = (5.0, 25.0, 50.0, 75.0, 95.0)


class Rows(NamedTuple):
    """One row a move that chance (or an intervention) made.

    Of processes that links join: draw by draw, in order of time; one such part after the other.
    """

    draw: NDArray[np.int32]
    process: NDArray[np.int16]
    time: FloatArray
    before: NDArray[np.int8]
    state: NDArray[np.int8]
    amount: NDArray[np.float32]

    @classmethod
    def empty(cls, size: int) -> "Rows":
        """Give room for so many rows."""
        kinds = (np.int32, np.int16, np.float64, np.int8, np.int8, np.float32)
        columns: list[Any] = [np.empty(size, kind) for kind in kinds]
        return cls(*columns)

    def of(self, key: slice | IntArray) -> "Rows":
        """Give the rows of a range or of positions, copied."""
        columns: list[Any] = [column[key].copy() for column in self]
        return Rows(*columns)

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """Give the rows of several parts, one after the other."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Story:
    """An order in which processes first move, how likely it is, the median day of each step."""

    steps: tuple[str, ...]
    share: float
    days: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths of a world, one a draw.

    In `world`, as simulated, what is known of a process ends where its watch, or an intervention,
    ends it; `rows` are what came after. `reach`: how far each process is simulated, in days from
    the origin. `log_weight`: (S,), 0 unless the first budgets were tilted.
    """

    world: World
    reach: tuple[float, ...]
    rows: Rows
    log_weight: FloatArray
    _of: dict[int, Rows] = field(default_factory=dict, init=False, repr=False)

    @property
    def horizon(self) -> float:
        """How far every process is simulated."""
        return min(self.reach, default=0.0)

    def of(self, process: int) -> Rows:
        """Give the rows of one process."""
        if not self._of:
            order = np.argsort(self.rows.process, kind="stable")
            counts = np.bincount(self.rows.process, minlength=len(self.world.processes))
            ends = np.cumsum(counts)
            for place, (end, count) in enumerate(zip(ends, counts, strict=True)):
                self._of[place] = self.rows.of(order[end - count : end])
        return self._of[process]

    def truth(self, event: Truth, opens: dt.datetime, closes: dt.datetime) -> BoolArray:
        """Say in which draws an event happens, (S,); what came up to `opens` counts for states."""
        return asking.truth(self, event, self.world.day(opens), closes)

    def choice(
        self, event: Choice, options: Sequence[str], opens: dt.datetime, closes: dt.datetime
    ) -> IntArray:
        """Give the position of the option that comes true in each draw, (S,)."""
        return asking.choice(self, event, options, self.world.day(opens), closes)

    def number(self, event: Total, opens: dt.datetime, closes: dt.datetime) -> FloatArray:
        """Give the number that is asked for in each draw, (S,)."""
        return asking.number(self, event, self.world.day(opens), closes)

    def weights(self, given: BoolArray | None = None) -> FloatArray:
        """Give the weight of each draw, summing to 1; 0 where the condition does not hold."""
        log = self.log_weight if given is None else np.where(given, self.log_weight, -np.inf)
        top = log.max(initial=-np.inf)
        if not np.isfinite(top):
            return np.zeros(len(log))
        weight = np.exp(log - top)
        return np.asarray(weight / weight.sum(), dtype=np.float64)

    def event_times(self) -> "pd.DataFrame":
        """Give one row a move: draw, process, time (UTC), before, state, amount."""
        import pandas as pd

        world = self.world
        rows = self.rows.of(np.lexsort((self.rows.time, self.rows.draw)))
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

    def states_at(self, moments: Sequence[dt.datetime]) -> "pd.DataFrame":
        """Give the state of each process, one a column; index (moment, draw)."""
        import pandas as pd

        draws = np.arange(self.world.draws)
        columns = {}
        for process in self.world.processes:
            codes = [asking.state_at(self, process.name, self.world.day(at)) for at in moments]
            flat = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)
            columns[process.name] = pd.Categorical.from_codes(flat, pd.Index(process.states))
        index = pd.MultiIndex.from_product([list(moments), draws], names=["moment", "draw"])
        return pd.DataFrame(columns, index=index)

    def stories(
        self,
        n: int = 10,
        *,
        processes: Sequence[str] | None = None,
        since: float = -np.inf,
    ) -> list[Story]:
        """Give the most frequent orders in which processes first move after a day.

        A counted move of a process with several states, as of a delivery under way, is written
        ``PROCESS=next-part``: it enters no state.
        """
        world = self.world
        w = self.weights()
        chosen = [world.index[name] for name in (world.index if processes is None else processes)]
        width = max((len(each.states) for each in world.processes), default=1) + 1
        base = len(world.processes) * width + 1
        length = min(STEPS, int(62 / np.log2(base)))
        when = np.full((len(chosen), world.draws), np.inf)
        code = np.zeros((len(chosen), world.draws), dtype=np.int64)
        for k, process in enumerate(chosen):
            rows = self.of(process)
            rows = rows.of(np.flatnonzero(rows.time > since))
            first = np.flatnonzero(np.diff(rows.draw, prepend=-1))
            when[k, rows.draw[first]] = rows.time[first]
            after = rows.state[first].astype(np.int64)
            on_the_way = (rows.before[first] == after) & (len(world.processes[process].states) > 1)
            into = np.where(on_the_way, width - 1, after)
            code[k, rows.draw[first]] = process * width + into + 1
        order = np.argsort(when, axis=0, kind="stable")[:length]
        sequence = np.take_along_axis(code, order, axis=0)
        times = np.take_along_axis(when, order, axis=0)
        key = (sequence * base ** np.arange(len(sequence))[:, None]).sum(axis=0)
        keys, place = np.unique(key, return_inverse=True)
        share = np.bincount(place, w, len(keys))
        stories = []
        for k in np.argsort(-share, kind="stable")[:n]:
            steps, rest = [], int(keys[k])
            while rest:
                rest, each = divmod(rest, base)
                owner_of, state = divmod(each - 1, width)
                name = world.processes[owner_of]
                if len(name.states) == 1:
                    steps.append(name.name)
                else:
                    entered = "next-part" if state == width - 1 else name.states[state]
                    steps.append(f"{name.name}={entered}")
            days = np.median(times[: len(steps), place == k], axis=1)
            stories.append(Story(tuple(steps), float(share[k]), tuple(float(day) for day in days)))
        return stories

    def fan(self, process: str, moments: Sequence[dt.datetime]) -> FloatArray:
        """Give shares of the states, or quantiles of a total, at some moments."""
        world, w = self.world, self.weights()
        subject = world.processes[world.index[process]]
        if np.isfinite(subject.goal):
            event = [Total(process, Moment(at)) for at in moments]
            totals = [self.number(each, world.origin, world.origin) for each in event]
            return np.array([quantiles(total, w, FAN) for total in totals])
        if len(subject.states) == 1:
            numbers = [asking.counts(self, process, -np.inf, world.day(at)) for at in moments]
            return np.array([quantiles(each.astype(np.float64), w, FAN) for each in numbers])
        states = [asking.state_at(self, process, world.day(at)) for at in moments]
        return np.array([np.bincount(each, w, len(subject.states)) for each in states])
