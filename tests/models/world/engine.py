"""Small worlds for the tests of the engine."""

import datetime as dt

import numpy as np

from forecasting.domain.predicate import At, Entered, Moment
from forecasting.evidence.reports import CodedReport
from forecasting.models.world.values import Known, Move, Process, World

ORIGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CLOSE = Moment()


def day(days):
    return ORIGIN + dt.timedelta(days=days)


def process(name, states, *moves, state=0, age=0.0, free=0.0, known=(), **more):
    entries = (Known(-age, state), *known)
    return Process(name, tuple(states), moves, entries, free, **more)


def flip(name, up, down=0.0, **more):
    """A process that is off, and goes on and off."""
    moves = (Move(0, 1, up), Move(1, 0, down))
    return process(name, ("off", "on"), *moves, **more)


def event(name, rate, **more):
    return process(name, ("waiting",), Move(0, 0, rate), **more)


def world(*processes, links=(), reports=(), draws=4096, repeats=16, gain=1.0):
    return World(processes, tuple(links), tuple(reports), ORIGIN, draws, repeats, gain)


def report(way, known, log_ratio, *, half_life, source="a", bound=10.0, key=""):
    """What one item says of a move, written ``("A", "off > on")``."""
    more = {"half_life": half_life, "source": source, "bound": bound, "key": key}
    return CodedReport(*way, day(known), log_ratio, **more, story=key, grade="B")


def ask(paths, truth, close, opens=0.0):
    return paths.truth(truth, day(opens), day(close))


def entered(paths, name, state, close):
    return ask(paths, Entered(name, (state,), CLOSE), close)


def at(paths, name, state, close):
    return ask(paths, At(name, (state,), CLOSE), close)


def mean_and_error(values):
    """Give the mean of a run's answers over seeds and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
