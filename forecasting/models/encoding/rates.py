"""Answers of the base-rate family: rates, shares, options, rungs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.models.encoding import closed
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.priors import PriorBook, rate_data, trial_counts
from forecasting.models.protocol import PriorSpec

if TYPE_CHECKING:
    from forecasting.models.encoding.answers import FitCache

Inputs = dict[str, NDArray[np.float64]]
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One question as of one moment: what is known, under which priors."""

    question: Question
    facts: tuple[Evidence, ...]
    as_of: dt.datetime
    own: str
    priors: Mapping[str, Mapping[str, PriorSpec]]
    book: PriorBook
    fits: "FitCache"

    @property
    def reference(self) -> str:
        """The question's reference class."""
        return self.question.model.reference

    @property
    def weeks_left(self) -> float:
        """Weeks from now to the deadline."""
        return max(0.0, (self.question.closes - self.as_of) / WEEK)

    def setting(self, name: str) -> str:
        """Give a setting of the question's model as text."""
        return str(self.question.model.settings.get(name, ""))


def classes_of(question: Question) -> tuple[str, ...]:
    """Give the reference classes whose priors a question uses."""
    rungs = question.model.settings.get("rungs", ())
    return (question.model.reference, *(rungs if isinstance(rungs, tuple) else ()))


def model(case: Case) -> Answer:
    """Answer with everything known as of the moment."""
    return _answer(case, with_data=True)


def prior(case: Case) -> Answer:
    """Answer with what was known at the opening alone."""
    return _answer(case, with_data=False)


def base_rate(case: Case) -> Answer:
    """Answer from the class: for this family the model is the base rate."""
    return _answer(case, with_data=True)


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    kind = case.book.reference(case.reference).kind
    if kind == "share":
        return {"posterior": np.array(_share(case, with_data=True))}
    if kind == "dirichlet":
        return {"posterior": np.array(_options(case, with_data=True))}
    classes = _higher(case) if kind == "rungs" else (case.reference,)
    posterior = [_rate(case, name, with_data=True) for name in classes]
    return {"posterior": np.array(posterior), "weeks": np.array(case.weeks_left)}


def _answer(case: Case, *, with_data: bool) -> Answer:
    kind = case.book.reference(case.reference).kind
    if kind == "rate":
        shape, rate = _rate(case, case.reference, with_data=with_data)
        return closed.rate(shape, rate, case.weeks_left)
    if kind == "share":
        a, b = _share(case, with_data=with_data)
        return closed.share(a, b)
    if kind == "dirichlet":
        return closed.dirichlet(_options(case, with_data=with_data))
    if kind == "rungs":
        return _rungs(case, with_data=with_data)
    msg = f"class ({case.reference}): the base rate has no kind {kind}"
    raise InvalidInput(msg)


def _rate(case: Case, reference: str, *, with_data: bool) -> tuple[float, float]:
    """Give the Gamma posterior of a weekly rate; data since the opening add to the prior."""
    spec = case.priors[reference]["rate"]
    shape, rate = (float(np.asarray(value)) for _, value in spec.parameters)
    if not with_data:
        return shape, rate
    known_class = case.book.reference(reference)
    count_now, weeks_now = rate_data(known_class, case.facts, case.as_of)
    opened = [item for item in case.facts if item.known_at < case.question.opens]
    count_then, weeks_then = rate_data(known_class, opened, case.question.opens)
    return shape + count_now - count_then, rate + weeks_now - weeks_then


def _share(case: Case, *, with_data: bool) -> tuple[float, float]:
    spec = case.priors[case.reference]["share"]
    a, b = (float(np.asarray(value)) for _, value in spec.parameters)
    if not with_data:
        return a, b
    new = _since_opening(case)
    return a + new.get("yes", 0), b + new.get("no", 0)


def _options(case: Case, *, with_data: bool) -> list[float]:
    spec = case.priors[case.reference]["shares"]
    counts = [float(x) for x in np.atleast_1d(spec.value("a"))]
    known_class = case.book.reference(case.reference)
    opened = [item for item in case.facts if item.known_at < case.question.opens]
    seen = trial_counts(known_class, case.facts if with_data else opened, case.own)
    names = [name.lower().replace(" ", "-") for name in case.question.space.options]
    return [count + seen.get(name, 0) for name, count in zip(names, counts, strict=True)]


def _since_opening(case: Case) -> dict[str, int]:
    known_class = case.book.reference(case.reference)
    opened = [item for item in case.facts if item.known_at < case.question.opens]
    then = trial_counts(known_class, opened, case.own)
    now = trial_counts(known_class, case.facts, case.own)
    return {name: count - then.get(name, 0) for name, count in now.items()}


def _rungs(case: Case, *, with_data: bool) -> Answer:
    """Answer on ordered states: each rung above the one reached has a rate of its own.

    The floor is the state that stood when the question opened; states below it are past.
    """
    options = case.question.space.options
    posteriors = [_rate(case, name, with_data=with_data) for name in _higher(case)]
    floor = options.index(case.setting("floor"))
    return closed.rungs(posteriors, case.weeks_left, floor=floor, options=len(options))


def _higher(case: Case) -> tuple[str, ...]:
    """Name the classes of the rungs above the floor, from low to high."""
    return classes_of(case.question)[1:]
