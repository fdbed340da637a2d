"""A world in numbers: what the event loop simulates.

Times are days from the world's origin (`World.origin`), which is the earliest moment at which one
of its processes runs free. Every array over draws has shape (S,), or is a scalar that is the same
in each draw. Draw d belongs to the parameter point ``d // World.repeats``: the draws of one point
share every parameter and differ by chance alone.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.evidence.reports import CodedReport

NEVER = np.inf
#: A way towards what is rare: its share of the tilted draws, and its moves' factors.
type Way = tuple[float, Mapping[tuple[int, int], FloatArray | float]]


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """How much one part brings: ``min(goal x share, what remains)``, share ~ Beta.

    Of this mean and precision; with probability `whole` it is all that remains.
    """

    mean: FloatArray | float
    precision: FloatArray | float
    whole: FloatArray | float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A way from one state to another, with cumulative hazard ``rate * age ** shape`` (days).

    `at` fixes its moment instead (NaN in a draw: never). `at_once` is the probability that it
    fires the moment its state is entered, `for_good` that it never fires in a stay. A counted move
    leads back into its own state: the state, and for an event its age, go on, the hazard of the
    next one starting at the event when `renews`.
    """

    start: int
    end: int
    rate: FloatArray | float = 0.0
    shape: FloatArray | float = 1.0
    at_once: FloatArray | float = 0.0
    for_good: FloatArray | float = 0.0
    at: FloatArray | None = None
    renews: bool = False
    size: Size | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One thing known to have happened: an event or a part (`counted`), or a new state."""

    day: float
    state: int
    amount: float = 0.0
    counted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """One process: states, moves, what is known of it, and from when it runs free.

    `known` is in order of time; its first entry gives the state at the start of the record. From
    `free` on chance decides (the watch); before it only `known` moves. Of a delivery: `goal` was
    agreed, `total` had arrived before the first known part, `done` is the state at the goal.
    """

    name: str
    states: tuple[str, ...]
    moves: tuple[Move, ...]
    known: tuple[Known, ...]
    free: float
    goal: float = np.inf
    total: float = 0.0
    done: int = -1

    def move_name(self, move: Move) -> str:
        """Give a move as it is written: ``none > on``."""
        return f"{self.states[move.start]} > {self.states[move.end]}"


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """While (or once) process `parent` is in a state of `states`, the moves come exp(beta) as fast.

    `children` are (process, move) positions. `ever` is whether a `once` link was on before the
    origin.
    """

    name: str
    parent: int
    states: tuple[int, ...]
    children: tuple[tuple[int, int], ...]
    beta: FloatArray | float
    once: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Do:
    """An intervention: the process is set to a state at a day, and what leads to it is cut before.

    `state` None with `barred`: moves into `barred` are barred from the day on, to the day `until`.
    """

    process: int
    day: float
    state: int | None = None
    barred: tuple[int, ...] = ()
    until: float = NEVER


@dataclass(frozen=True, eq=False)
class World:
    """Everything that one simulation needs."""

    processes: tuple[Process, ...]
    links: tuple[Link, ...]
    reports: tuple[CodedReport, ...]
    origin: dt.datetime
    draws: int
    repeats: int = 16
    gain: FloatArray | float = 1.0

    @cached_property
    def index(self) -> dict[str, int]:
        """The place of each process by name."""
        return {process.name: place for place, process in enumerate(self.processes)}

    def day(self, moment: dt.datetime) -> float:
        """Give a moment in days from the origin."""
        return (moment - self.origin) / dt.timedelta(days=1)

    def thinned(self, repeats: int) -> "World":
        """Give the world with the first so many draws of each parameter point."""

        def fewer(move: Move) -> Move:
            if move.at is None or move.at.size < self.draws:
                return move
            return replace(move, at=move.at.reshape(-1, self.repeats)[:, :repeats].ravel())

        return replace(
            self,
            processes=tuple(replace(p, moves=tuple(map(fewer, p.moves))) for p in self.processes),
            draws=self.draws // self.repeats * repeats,
            repeats=repeats,
        )
