"""Small worlds for the tests of the engine."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from forecasting.domain.predicate import At, Entered, Moment, Truth
from forecasting.models.world.paths import Paths
from forecasting.models.world.values import Known, Link, Move, Process, Report, World

ORIGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CLOSE = Moment()


def day(days: float) -> dt.datetime:
    return ORIGIN + dt.timedelta(days=days)


def process(
    name: str,
    states: Sequence[str],
    *moves: Move,
    state: int = 0,
    age: float = 0.0,
    free: float = 0.0,
    known: Sequence[Known] = (),
    **more: float,
) -> Process:
    entries = (Known(-age, state), *known)
    return Process(name, tuple(states), moves, entries, free, **more)  # type: ignore[arg-type]


def flip(name: str, up: object, down: object = 0.0, **more: object) -> Process:
    """A process that is off, and goes on and off."""
    moves = (Move(0, 1, up), Move(1, 0, down))  # type: ignore[arg-type]
    return process(name, ("off", "on"), *moves, **more)  # type: ignore[arg-type]


def event(name: str, rate: object, **more: object) -> Process:
    return process(name, ("waiting",), Move(0, 0, rate, counted=True), **more)  # type: ignore[arg-type]


def world(
    *processes: Process,
    links: Sequence[Link] = (),
    reports: Sequence[Report] = (),
    draws: int = 4096,
    repeats: int = 16,
    gain: object = 1.0,
) -> World:
    return World(
        processes,
        tuple(links),
        tuple(reports),
        ORIGIN,
        draws,
        repeats,
        gain,  # type: ignore[arg-type]
    )


def ask(paths: Paths, truth: Truth, close: float, opens: float = 0.0) -> np.ndarray:
    return paths.truth(truth, day(opens), day(close))


def entered(paths: Paths, name: str, state: str, close: float) -> np.ndarray:
    return ask(paths, Entered(name, (state,), CLOSE), close)


def at(paths: Paths, name: str, state: str, close: float) -> np.ndarray:
    return ask(paths, At(name, (state,), CLOSE), close)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Give the mean of a run's answers over seeds and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
