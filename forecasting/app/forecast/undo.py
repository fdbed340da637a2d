"""What would undo a change: the ratio at which what leads to yes had to go on from now."""

import datetime as dt
from dataclasses import replace
from math import log
from typing import cast

import numpy as np

from forecasting.domain.predicate import Predicate, Truth
from forecasting.domain.question import Question
from forecasting.evidence.leads import Signs
from forecasting.evidence.relevant import moments
from forecasting.inference.estimate import LEAST, MOST, log_odds
from forecasting.models.world.conditions import towards
from forecasting.models.world.model import Run
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Known, Link, Move, Process, World

#: The largest ratio that is looked for, and how exact its logarithm is.
FARTHEST, EXACT = log(1_000.0), 2e-3
#: A state that no process has: from a moment on, what it acts on goes at another pace.
PACE = "\0pace"


def undoing(
    run: Run,
    predicate: Predicate,
    question: Question,
    signs: Signs,
    *,
    target: float,
    draws: int,
    seed: int,
) -> float | None:
    """Give the ratio r that takes the probability of yes to a target, or None if none does.

    From the run's moment on the moves that lead to yes come r times as fast, and those that lead
    away 1/r times: r is what lasting news on the question would have to weigh. Each r is simulated
    on the same chances, so that the mean over uncertain rates is the model's own: 1 - E exp(-r H),
    which is not 1 - (1 - P)^r.
    """
    from scipy.optimize import brentq

    if not LEAST < target < MOST:
        return None
    points = run.world.draws // run.world.repeats
    repeats = max(1, draws // points)
    world = replace(run.world, draws=points * repeats, repeats=repeats)
    wanted = float(log_odds(target))

    def off(log_ratio: float) -> float:
        paced = at_pace(world, signs, run.as_of, log_ratio)
        reach = (*run.paths.reach, max(run.paths.reach))
        window, given, tilt = (question.opens, question.closes), None, []
        if predicate.given is not None:
            met = paced.day(max(moments(predicate.given, question.closes)))
            tilt = towards(paced, predicate.given, min(max(met, 0.0), max(reach)))
        paths = simulate(paced, reach, seed=seed, tilt=tilt)
        if predicate.given is not None:
            given = paths.truth(predicate.given, *window)
        weights = paths.weights(given)
        yes = paths.truth(cast("Truth", predicate.event), *window)
        return float(log_odds(float(np.sum(weights[yes])))) - wanted

    now = off(0.0)
    far = -now
    while abs(far) < FARTHEST and off(far) * now > 0.0:
        far *= 2.0
    far = float(np.clip(far, -FARTHEST, FARTHEST))
    if now == 0.0 or off(far) * now > 0.0:
        return None
    return float(np.exp(brentq(off, 0.0, far, xtol=EXACT)))


def at_pace(world: World, signs: Signs, since: dt.datetime, log_ratio: float) -> World:
    """Give a world whose moves come faster by their sign from a moment on.

    It is a link from a process that has a date and no chance: all that is simulated stays as it is.
    """
    day = world.day(since)
    known = (Known(min(day, 0.0), 0), *((Known(day, 1),) if day <= 0.0 else ()))
    moves = (Move(0, 1, at=np.full(1, day)),) if day > 0.0 else ()
    pace = Process(PACE, ("before", "since"), moves, known, 0.0)
    place = len(world.processes)
    links = []
    for sign in (1, -1):
        ways = {way for way, each in signs.items() if each == sign}
        children = tuple(
            (p, m)
            for p, process in enumerate(world.processes)
            for m, move in enumerate(process.moves)
            if move.at is None
            and (process.name, f"{process.states[move.start]} > {process.states[move.end]}") in ways
        )
        if children:
            links.append(Link(f"{PACE}{sign}", place, (1,), children, sign * log_ratio))
    return replace(world, processes=(*world.processes, pace), links=(*world.links, *links))
