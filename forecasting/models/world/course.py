"""The course of one process in every draw: facts, which all draws share, joined to what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.models.world.values import NEVER, Process


class Rows(NamedTuple):
    """One row a move of chance (or an intervention); of linked processes draw by draw, in time."""

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
        return parts[0] if len(parts) == 1 else cls(*map(np.concatenate, zip(*parts, strict=True)))

    def within(self, after: float, until: float) -> BoolArray:
        """Say which rows fall in (after, until]."""
        return np.asarray((self.time > after) & (self.time <= until), dtype=np.bool_)


def facts_of(process: Process) -> Rows:
    """Give what is known of a process, after its first state, as the rows of one draw."""
    rows = Rows.empty(len(process.known) - 1)
    rows.time[:] = [entry.day for entry in process.known[1:]]
    rows.before[:] = [entry.state for entry in process.known[:-1]]
    rows.state[:] = [entry.state for entry in process.known[1:]]
    rows.amount[:] = [entry.amount for entry in process.known[1:]]
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One process in every draw: its facts, and the rows that came after."""

    process: Process
    facts: Rows
    rows: Rows
    draws: int

    def among(self, states: Sequence[str]) -> BoolArray:
        """Say which of the process's states are among some."""
        wanted = np.zeros(len(self.process.states), dtype=np.bool_)
        wanted[[self.process.states.index(state) for state in states]] = True
        return wanted

    def hits(self, rows: Rows, states: Sequence[str]) -> BoolArray:
        """Say which rows enter one of some states."""
        process = self.process
        if states:
            hit = self.among(states)[rows.state] & (rows.before != rows.state)
            if process.done >= 0 and "begun" in states:
                begun = process.states.index("begun")
                hit |= (rows.state == process.done) & (rows.before != begun)
            return np.asarray(hit, dtype=np.bool_)
        if np.isfinite(process.goal):
            return np.asarray(rows.amount > 0)
        if any(move.start == move.end for move in process.moves):
            return np.asarray(rows.before == rows.state)
        return np.ones(len(rows.time), dtype=np.bool_)

    def entries(self, states: Sequence[str], after: float) -> FloatArray:
        """Give the day on which each draw first enters a state after a day (never: inf)."""
        facts, rows = self.facts, self.rows
        known = facts.time[self.hits(facts, states) & (facts.time > after)]
        if known.size:
            return np.full(self.draws, known[0])
        hit = self.hits(rows, states) & (rows.time > after)
        first = np.full(self.draws, NEVER)
        first[rows.draw[hit][::-1]] = rows.time[hit][::-1]  # the earliest is written last
        return first

    def counts(self, after: float, until: float) -> IntArray:
        """Give how many events fall in (after, until]."""
        facts, rows = (
            each.draw[self.hits(each, ()) & each.within(after, until)]
            for each in (self.facts, self.rows)
        )
        return len(facts) + np.bincount(rows, minlength=self.draws)

    def state_at(self, day: float) -> IntArray:
        """Give each draw's state on a day, what happens at that moment included."""
        known = [self.process.known[0].state, *self.facts.state[self.facts.time <= day]]
        state = np.full(self.draws, known[-1], dtype=np.int64)
        by = self.rows.time <= day
        state[self.rows.draw[by]] = self.rows.state[by]  # the last is written last
        return state

    def through(self, states: Sequence[str], opens: float, until: float) -> BoolArray:
        """Say which draws are in one of some states at the opening, and leave them by no moment."""
        wanted = self.among(states)
        facts, rows = (
            each.draw[each.within(opens, until) & ~wanted[each.state]]
            for each in (self.facts, self.rows)
        )
        inside = wanted[self.state_at(opens)] & (len(facts) == 0)
        inside[rows] = False
        return inside

    def highest(self, opens: float, until: float) -> IntArray:
        """Give the highest state of each draw, that at the opening included."""
        facts, rows = self.facts, self.rows
        known = facts.state[facts.within(opens, until)].max(initial=0)
        highest = np.maximum(self.state_at(opens), known)
        within = rows.within(opens, until)
        np.maximum.at(highest, rows.draw[within], rows.state[within].astype(np.int64))
        return highest

    def total(self, after: float, until: float) -> FloatArray:
        """Give what a delivery brought in (after, until], with what came before its record."""
        process, rows = self.process, self.rows
        known = [each.amount for each in process.known[1:] if after < each.day <= until]
        within = rows.within(after, until)
        drawn = np.bincount(rows.draw[within], rows.amount[within], self.draws)
        before = process.total if after == -NEVER else 0.0
        return np.asarray(sum([*known, before]) + drawn, dtype=np.float64)
