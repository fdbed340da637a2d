"""Answers of the staged family: how far along its path a negotiation has come by a deadline.

A question names its path in `stages`: classes in order, the last its own. What happened up to the
opening says which stage stood then (`floor`, if the question's own words say so); what happened
since is data: advances, collapses, time at each stage. A binary question asks whether the last
stage is reached. An ordered question has an option for the beginning and for each stage; or, with
`rungs` that may be skipped, each rung has a path of its own, named by a setting called like its
class. Where the first step is a competing risk (a class of kind `states`), `guarantees` answers.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.summary import Summary
from forecasting.models.conjugate import gamma_poisson, rung_chances
from forecasting.models.encoding import facts, guarantees, rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.closed import QUANTILES, exact
from forecasting.models.encoding.priors import LOST
from forecasting.models.encoding.rates import WEEK, Case, Inputs
from forecasting.models.encoding.truces import answer_of_draws
from forecasting.models.protocol import PriorSpec, prior_arrays
from forecasting.models.staged import StagedProcess
from forecasting.models.staged_path import no_data

#: How an event of a stage's class is called that says the stage was reached, or lost again.
REACHED = frozenset({"", "yes", "begun", "completed"})
CERTAIN = Summary(mean=1.0, sd=0.0, p05=1.0, p50=1.0, p95=1.0, mcse=0.0)


@dataclass(frozen=True, slots=True)
class Path:
    """Where a path stands, and what was seen of it since the question opened."""

    stages: tuple[str, ...]
    reached: int
    data: Inputs
    priors: Mapping[str, PriorSpec]

    @property
    def family(self) -> StagedProcess:
        """The model of a path of this length."""
        return StagedProcess(len(self.stages))

    @property
    def done(self) -> bool:
        """Whether the last stage was reached since the opening."""
        return self.reached == len(self.stages)


@dataclass(frozen=True, slots=True)
class _Move:
    """A stage reached (or lost) at a moment; ordered by time, then by stage."""

    at: dt.datetime
    stage: int
    lost: bool


def model(case: Case) -> Answer:
    """Answer from where the path stands, its moves since the opening and the time watched."""
    if _first_step_competes(case):
        return guarantees.model(case)
    return _answer(case, with_data=True)


def prior(case: Case) -> Answer:
    """Answer from where the path stood at the opening, with no data since."""
    if _first_step_competes(case):
        return guarantees.prior(case)
    return _answer(case, with_data=False)


def base_rate(case: Case) -> Answer | None:
    """Answer from the plain rate of the class, as if there were no stages.

    None for an ordered question that is one path: its class has one rate and no options.
    """
    if _first_step_competes(case):
        return guarantees.base_rate(case)
    if case.question.type == "ordered" and not _rungs(case):
        return None
    return rates.base_rate(case)


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    if _first_step_competes(case):
        return guarantees.inputs(case)
    found: Inputs = {"weeks": np.array(case.weeks_left)}
    for path in _paths(case, with_data=True):
        arrays = {**path.data, **prior_arrays(path.priors, path.priors)}
        arrays["reached"] = np.array(float(path.reached))
        found |= {f"{path.stages[-1]} {name}": array for name, array in arrays.items()}
    return found


def _first_step_competes(case: Case) -> bool:
    return case.book.reference(case.reference).kind == "states"


def _answer(case: Case, *, with_data: bool) -> Answer:
    paths = _paths(case, with_data=with_data)
    if _rungs(case):
        return _of_rungs(case, paths)
    (path,) = paths
    if case.question.type == "ordered":
        return _of_options(case, path)
    fit = None if path.done else _fit(case, path)
    if fit is not None and fit.method == "nuts":
        return answer_of_draws(_by_deadline(case, path)[:, 0], fit, path.family.family)
    if path.done:
        spread = CERTAIN
    elif len(path.stages) == 1:
        # The plain rate has a closed form, the one of the base rate.
        shape, weeks = (float(np.asarray(path.priors["rate"].value(k))) for k in ("shape", "rate"))
        weeks += float(path.data["exposure"][0])
        spread = gamma_poisson(shape, weeks, case.weeks_left)
    else:
        spread = _spread(_by_deadline(case, path)[:, 0])
    return exact(
        path.family.family,
        (spread.mean,),
        spread,
        path.data,
        path.priors,
        lambda: _by_deadline(case, path),
    )


def _of_options(case: Case, path: Path) -> Answer:
    """Answer an ordered question whose options are the beginning and the stages of one path."""
    if len(path.stages) != len(case.question.space.options) - 1:
        msg = f"stages ({len(path.stages)}): one for each option above the lowest"
        raise InvalidInput(msg, hint=" < ".join(case.question.space.options))
    fit = _fit(case, path)
    at_least = path.family.predict(fit.draws, [case.weeks_left], reached=path.reached)[:, 0]
    edges = np.hstack([np.ones((len(at_least), 1)), at_least, np.zeros((len(at_least), 1))])
    return _of_states(path.family.family, -np.diff(edges, axis=1), path.data, path.priors)


def _of_rungs(case: Case, paths: Sequence[Path]) -> Answer:
    """Answer which rung is the highest: each has a path of its own, and rungs may be skipped."""
    missed = np.column_stack([1.0 - _by_deadline(case, path)[:, 0] for path in paths])
    chances = rung_chances(missed, 0)
    past = np.zeros((len(chances), len(case.question.space.options) - chances.shape[1]))
    data: Inputs = {}
    priors: dict[str, PriorSpec] = {}
    for path in paths:
        name = path.stages[-1]
        data |= {f"{name} {key}": values for key, values in path.data.items()}
        data[f"{name} reached"] = np.array(float(path.reached))
        priors |= {f"{name} {key}": spec for key, spec in path.priors.items()}
    return _of_states(paths[0].family.family, np.hstack([past, chances]), data, priors)


def _of_states(
    family: str, p: NDArray[np.float64], data: Inputs, priors: Mapping[str, PriorSpec]
) -> Answer:
    means = np.clip(p.mean(axis=0), 0.0, 1.0)
    return exact(family, [float(mean) for mean in means], None, data, priors, lambda: p)


def _spread(p: NDArray[np.float64]) -> Summary:
    """Summarise the quadrature's draws; as if they were independent, the error is overstated."""
    low, middle, high = (float(value) for value in np.quantile(p, QUANTILES))
    sd = float(p.std(ddof=1))
    return Summary(float(p.mean()), sd, low, middle, high, sd / len(p) ** 0.5)


def _fit(case: Case, path: Path) -> Fit:
    family = path.family
    arrays = prior_arrays(path.priors, family.default_priors())
    key = (family.family, str(family.stages), array_hash(path.data), array_hash(arrays))
    found: Fit = case.fits.of(key, lambda seed: family.fit(path.data, path.priors, seed))
    return found


def _by_deadline(case: Case, path: Path) -> NDArray[np.float64]:
    """Give P(the last stage is reached by the deadline) for every draw, shape (S, 1)."""
    fit = _fit(case, path)
    if path.done:
        return np.ones((len(fit.draws["rate"]), 1))
    last = (len(path.stages),)
    found = path.family.predict(fit.draws, [case.weeks_left], reached=path.reached, stages=last)
    return found[:, 0]


def _paths(case: Case, *, with_data: bool) -> list[Path]:
    rungs = _rungs(case)
    if rungs:
        floor = case.question.space.options.index(case.setting("floor"))
        if len(rungs) != len(case.question.space.options) - 1 - floor:
            msg = f"rungs ({len(rungs)} classes): one for each option above the floor"
            raise InvalidInput(msg, hint=", ".join(case.question.space.options[floor + 1 :]))
        return [_path(case, rung, _names(case, rung), 0, with_data=with_data) for rung in rungs]
    stages = _names(case, "stages") or (case.reference,)
    floor_name = case.setting("floor")
    if floor_name and floor_name not in stages[:-1]:
        msg = f"floor ({floor_name}): must be a stage before the last"
        raise InvalidInput(msg, hint=", ".join(stages[:-1]))
    floor = stages.index(floor_name) + 1 if floor_name else 0
    return [_path(case, case.reference, stages, floor, with_data=with_data)]


def _path(case: Case, reference: str, named: Sequence[str], floor: int, *, with_data: bool) -> Path:
    stages = tuple(named) or (reference,)
    if stages[-1] != reference:
        msg = f"stages ({', '.join(stages)}): the last must be the class itself, {reference}"
        raise InvalidInput(msg)
    given = case.priors[reference]
    wanted = StagedProcess(len(stages)).default_priors()
    if missing := sorted(set(wanted) - set(given)):
        msg = f"class ({reference}): has no prior of {', '.join(missing)}"
        raise InvalidInput(msg, hint="questions/reference/priors.csv")
    priors = {name: given[name] for name in wanted}
    if not with_data:
        return Path(stages, floor, no_data(len(stages)), priors)
    return _walked(case, stages, floor, priors)


def _walked(
    case: Case, stages: tuple[str, ...], floor: int, priors: Mapping[str, PriorSpec]
) -> Path:
    """Walk the known moves in order: those up to the opening place the path, the rest are data."""
    last, opens = len(stages), case.question.opens
    data = no_data(last)
    moves = _moves(case, stages)
    state = 0
    for move in moves:
        if move.at <= opens:
            # A path that was completed before has begun anew.
            state = _after(state, move, last) % last
    state = max(state, floor)
    since = opens
    for move in moves:
        after = _after(state, move, last)
        if move.at <= opens or after == state or state == last:
            continue
        at = min(move.at, max(case.as_of, since))
        data["exposure"][state] += (at - since) / WEEK
        if after < state:
            data["collapses"][state] += 1
        elif after == last and state < last - 1:
            data["jumps"] += 1.0
        else:
            data["advances"][state:after] += 1
        state, since = after, at
    if state < last and case.timed:
        data["exposure"][state] += max(0.0, (case.as_of - since) / WEEK)
    return Path(stages, state, data, priors)


def _after(state: int, move: _Move, last: int) -> int:
    """Give the stage that stands after a move; the loss of one that does not stand is none."""
    if not move.lost:
        return max(state, move.stage)
    # What is entered on the question itself ends the attempt, wherever it stood.
    return 0 if move.stage in {*range(1, state + 1), last} else state


def _moves(case: Case, stages: Sequence[str]) -> list[_Move]:
    found = []
    for position, name in enumerate(stages, start=1):
        begins = case.book.reference(name).observed_from
        for event in facts.occurrences(case.facts, name):
            if event.at >= begins and event.value in REACHED | LOST:
                found.append(_Move(event.at, position, event.value in LOST))
    return sorted(found, key=lambda move: (move.at, move.stage, move.lost))


def _names(case: Case, setting: str) -> tuple[str, ...]:
    named = case.question.model.settings.get(setting, ())
    return named if isinstance(named, tuple) else (str(named),)


def _rungs(case: Case) -> tuple[str, ...]:
    return _names(case, "rungs")
