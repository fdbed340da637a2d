"""Paths: what happened in each draw, and what a question asks of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.domain.predicate import Choice, Total, Truth
from forecasting.models.world.values import World

if TYPE_CHECKING:
    import pandas as pd


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
        from forecasting.models.world.asking import truth

        return truth(self, event, self.world.day(opens), opens, closes)

    def choice(
        self, event: Choice, options: Sequence[str], opens: dt.datetime, closes: dt.datetime
    ) -> IntArray:
        """Give the position of the option that comes true in each draw, (S,)."""
        from forecasting.models.world.asking import choice

        return choice(self, event, options, self.world.day(opens), closes)

    def number(self, event: Total, opens: dt.datetime, closes: dt.datetime) -> FloatArray:
        """Give the number that is asked for in each draw, (S,)."""
        from forecasting.models.world.asking import number

        return number(self, event, self.world.day(opens), closes)

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
        from forecasting.models.world.tables import event_times

        return event_times(self)

    def states_at(self, moments: Sequence[dt.datetime]) -> "pd.DataFrame":
        """Give the state of each process at some moments: one row a draw and moment."""
        from forecasting.models.world.tables import states_at

        return states_at(self, moments)

    def stories(self, n: int = 10, **options: object) -> "list[Story]":
        """Give the `n` most frequent orders of first moves; see ``tables.stories``."""
        from forecasting.models.world.tables import stories

        return stories(self, n, **options)  # type: ignore[arg-type]

    def fan(self, process: str, moments: Sequence[dt.datetime]) -> FloatArray:
        """Give the share of each state at some moments, (moments, states).

        Of a delivery, or of an event's count since the record began: the quantiles at `FAN`.
        """
        from forecasting.models.world.tables import fan

        return fan(self, process, moments)


@dataclass(frozen=True, slots=True)
class Story:
    """An order in which processes first move, how likely it is, the median day of each step."""

    steps: tuple[str, ...]
    share: float
    days: tuple[float, ...] = ()
