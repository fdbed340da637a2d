"""Answers of the base-rate family: rates, shares, options, rungs."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.models.base_rate import BaseRate
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.closed import exact
from forecasting.models.encoding.priors import PriorBook, rate_data, trial_counts
from forecasting.models.forecaster_record import Judgement
from forecasting.models.protocol import PriorSpec, prior_arrays

if TYPE_CHECKING:
    from forecasting.models.encoding.fits import FitCache

Inputs = dict[str, NDArray[np.float64]]
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)
#: Draws a chain, where a joint model asks for them; the answer itself needs none.
DRAWS = 250


@dataclass(frozen=True, slots=True)
class Case:
    """One question as of one moment: what is known, under which priors.

    `as_of` is at most the moment up to which the question's process was watched.

    Attributes
    ----------
    own
        The truce or package that the question is about; empty where it is about neither.
    ask
        The model's answer on another question as of the same moment, under the same worldview.
    timed
        Whether the time that passed since the opening counts as evidence: quiet weeks, an age
        reached, a wait. An explanation asks for the answer without it.
    judgements
        What people say of the question, and their record; only for a family that reads them.
    """

    question: Question
    facts: tuple[Evidence, ...]
    as_of: dt.datetime
    own: str
    priors: Mapping[str, Mapping[str, PriorSpec]]
    book: PriorBook
    fits: "FitCache"
    ask: Callable[[str], Answer]
    timed: bool = True
    judgements: tuple[Judgement, ...] = ()

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
    settings = question.model.settings
    more = (settings.get("rungs", ()), settings.get("classes", ()))
    others = (name for names in more if isinstance(names, tuple) for name in names)
    return (question.model.reference, *others)


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
    _, data, priors = _encode(case, with_data=True)
    return {**data, **prior_arrays(priors, priors), "weeks": np.array(case.weeks_left)}


def _answer(case: Case, *, with_data: bool) -> Answer:
    family, data, priors = _encode(case, with_data=with_data)
    found = family.closed_form(data, priors, [case.weeks_left])
    # States below the one that stood at the opening are past.
    past = (0.0,) * (len(case.question.space.options) - len(found) if len(found) > 1 else 0)
    numbers = (*past, *(s.mean for s in found))

    def draw() -> NDArray[np.float64]:
        fitted = family.fit(data, priors, case.fits.seed, draws=DRAWS)
        p = family.predict(fitted.draws, [case.weeks_left])
        return np.hstack([np.zeros((len(p), len(past))), p])

    return exact(family.family, numbers, found[0], data, priors, draw)


def _encode(case: Case, *, with_data: bool) -> tuple[BaseRate, Inputs, Mapping[str, PriorSpec]]:
    """Give the base rate of the class's kind, the data since the opening, and the priors.

    Rates are in events a week. What was known before the opening is in the prior.
    """
    kind = case.book.reference(case.reference).kind
    given = case.priors[case.reference]
    if kind == "rate":
        count, weeks = _since_opening(case, case.reference) if with_data else (0.0, 0.0)
        data = {"events": np.array(count), "exposure": np.array(weeks)}
        return BaseRate("rate"), data, {"rate": given["rate"]}
    if kind == "share":
        new = _new_trials(case) if with_data else {}
        yes, no = new.get("yes", 0), new.get("no", 0)
        data = {"successes": np.array(float(yes)), "trials": np.array(float(yes + no))}
        return BaseRate("share"), data, {"chance": given["chance"]}
    if kind == "dirichlet":
        counts = np.array(_options(case, with_data=with_data))
        return BaseRate("dirichlet", len(counts)), {"counts": counts}, {"share": given["share"]}
    if kind == "rungs":
        return _rungs(case, with_data=with_data)
    msg = f"class ({case.reference}): the base rate has no kind {kind}"
    raise InvalidInput(msg)


def _before(case: Case) -> list[Evidence]:
    """Give what was known before the question opened: the prior's history."""
    return [item for item in case.facts if item.known_at < case.question.opens]


def _since_opening(case: Case, reference: str) -> tuple[float, float]:
    """Count a class's events and weeks since the question opened."""
    known_class = case.book.reference(reference)
    count_now, weeks_now = rate_data(known_class, case.facts, case.as_of)
    count_then, weeks_then = rate_data(known_class, _before(case), case.question.opens)
    watched = max(0.0, weeks_now - weeks_then) if case.timed else 0.0
    return float(count_now - count_then), watched


def _new_trials(case: Case) -> dict[str, int]:
    known_class = case.book.reference(case.reference)
    then = trial_counts(known_class, _before(case), case.own)
    now = trial_counts(known_class, case.facts, case.own)
    return {name: count - then.get(name, 0) for name, count in now.items()}


def _options(case: Case, *, with_data: bool) -> list[float]:
    """Count the class's cases by option; the class is all history, so the prior alone is flat."""
    known_class = case.book.reference(case.reference)
    seen = trial_counts(known_class, case.facts if with_data else _before(case), case.own)
    return [float(seen.get(name, 0)) for name in case.question.space.options]


def _rungs(case: Case, *, with_data: bool) -> tuple[BaseRate, Inputs, Mapping[str, PriorSpec]]:
    """Encode ordered states: each rung above the one reached has a class and a rate of its own."""
    higher = classes_of(case.question)[1:]
    options = case.question.space.options
    floor = options.index(case.setting("floor"))
    if len(higher) != len(options) - 1 - floor:
        msg = f"rungs ({len(higher)} classes): one for each of the {len(options) - 1 - floor} above"
        raise InvalidInput(msg)
    new = [_since_opening(case, name) if with_data else (0.0, 0.0) for name in higher]
    specs = [case.priors[name]["rate"] for name in higher]
    shape, rate = (
        tuple(float(np.asarray(spec.value(key))) for spec in specs) for key in ("shape", "rate")
    )
    prior = PriorSpec.of(
        "rate", "gamma", shape, rate, source=specs[0].source, known_by=specs[0].known_by
    )
    data = {
        "events": np.array([count for count, _ in new]),
        "exposure": np.array([weeks for _, weeks in new]),
    }
    return BaseRate("rungs", len(higher)), data, {"rate": prior}
