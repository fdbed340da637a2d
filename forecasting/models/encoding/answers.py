"""Answers of every family from evidence that already passed the as-of filter.

`model` is the family with its priors and all data; `prior` is the same with no data since the
question opened; `base_rate` is the plain reference class. A fit is shared by every question,
rung and forecaster that asks for the same data under the same priors.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence import known, retracted
from forecasting.evidence.likelihood import ReliabilityOf
from forecasting.inference.fit import Fit
from forecasting.models import registry
from forecasting.models.encoding import own, rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.fits import FitCache
from forecasting.models.encoding.priors import (
    MOMENT,
    PriorBook,
    class_priors,
    process_of,
    question_target,
    with_worldview,
)
from forecasting.models.encoding.reports import with_reports
from forecasting.models.forecaster_record import Judgement
from forecasting.models.protocol import PriorSpec

Priors = Mapping[str, PriorSpec]
#: The family whose questions are answered from what people say of them.
READS_JUDGEMENTS = "forecaster"


class Answers:
    """Answers questions from evidence; holds the priors and the cache of fits."""

    def __init__(
        self,
        book: PriorBook,
        evidence: Sequence[Evidence],
        *,
        seed: int,
        questions: Mapping[str, Question] | None = None,
        fits: FitCache | None = None,
        reliability: Callable[[dt.datetime], ReliabilityOf] | None = None,
        judged: Callable[[dt.datetime], tuple[Judgement, ...]] | None = None,
    ) -> None:
        self.book = book
        self.judged = judged
        self.reliability = reliability
        self.questions = {} if questions is None else questions
        self.evidence = tuple(evidence)
        self.fits = FitCache(seed) if fits is None else fits
        self._priors: dict[tuple[str, dt.datetime, str], dict[str, PriorSpec]] = {}
        self._before: dict[dt.datetime, tuple[Evidence, ...]] = {}
        self._facts: Sequence[Evidence] | None = None
        self._said: dict[tuple[str, dt.datetime, str, bool, float], Answer] = {}
        self._fitted: dict[tuple[str, dt.datetime, str, bool, float], Answer] = {}

    def model(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        worldview: Worldview | None = None,
        *,
        timed: bool = True,
        scale: float = 1.0,
    ) -> Answer:
        """Answer from the family under its priors (or a worldview's) and all evidence by a moment.

        A worldview that leaves the question's priors alone says what the model says. `timed` is
        whether the passing of time counts; `scale` widens every prior by that factor. The data are
        in the fit; the coded reports then move it, and with it the rungs of its ladder together.
        """
        if facts is not self._facts:
            self._facts, self._said, self._fitted = facts, {}, {}
        # A worldview that leaves the priors alone asks for nothing new: the rungs share a model.
        worldview = _touching(worldview, question)
        key = (question.id, as_of, worldview.id if worldview else "", timed, scale)
        if key not in self._said:
            rungs = self.together(question, as_of)
            answers = {
                rung.id: self._from_data(rung, facts, as_of, worldview, timed=timed, scale=scale)
                for rung in rungs
            }
            known_of = None if self.reliability is None else self.reliability(as_of)
            seen = self.seen(question, facts, as_of)
            moved = with_reports(rungs, answers, seen, reliability=known_of)
            self._said.update({(rung.id, *key[1:]): moved[rung.id] for rung in rungs})
        return self._said[key]

    def together(self, question: Question, as_of: dt.datetime) -> tuple[Question, ...]:
        """Give the rungs that a report moves together with a question, itself among them."""
        if question.ladder is None:
            return (question,)
        others = [
            rung
            for rung in self.questions.values()
            if rung.ladder == question.ladder and rung.closes > as_of and rung.id != question.id
        ]
        return tuple(sorted([question, *others], key=lambda rung: rung.closes))

    def _from_data(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        worldview: Worldview | None,
        *,
        timed: bool,
        scale: float,
    ) -> Answer:
        key = (question.id, as_of, worldview.id if worldview else "", timed, scale)
        if key not in self._fitted:
            case = self._case(question, facts, as_of, worldview, timed=timed, scale=scale)
            self._fitted[key] = answering(question.model.fitted).model(case)
        return self._fitted[key]

    def inputs(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        worldview: Worldview | None = None,
    ) -> "rates.Inputs":
        """Give the arrays that the model's answer is computed from, linked questions' included."""
        case = self._case(question, facts, as_of, worldview)
        found = dict(answering(question.model.fitted).inputs(case))
        for name in self.linked(question, facts, as_of):
            arrays = self.inputs(self.questions[name], facts, as_of, worldview)
            found |= {f"{name} {key}": array for key, array in arrays.items()}
        return found

    def linked(
        self, question: Question, facts: Sequence[Evidence], as_of: dt.datetime
    ) -> tuple[str, ...]:
        """Give the questions whose models an answer rests on: the nodes of a scenario."""
        of = getattr(answering(question.model.fitted), "linked", None)
        names = () if of is None else of(self._case(question, facts, as_of, None))
        return tuple(n for n in names if n in self.questions and n != question.id)

    def prior(self, question: Question, as_of: dt.datetime) -> Answer:
        """Answer from the family's prior alone: nothing learned since the question opened."""
        if question.opens not in self._before:
            self._before[question.opens] = retracted(known(self.evidence, question.opens - MOMENT))
        case = self._case(question, self._before[question.opens], as_of, None)
        return answering(question.model.fitted).prior(case)

    def base_rate(
        self, question: Question, facts: Sequence[Evidence], as_of: dt.datetime
    ) -> Answer | None:
        """Answer from the reference class alone; None where the class has nothing to say."""
        case = self._case(question, facts, as_of, None)
        return answering(question.model.fitted).base_rate(case)

    def prior_specs(
        self, question: Question, worldviews: Sequence[Worldview]
    ) -> Iterator[tuple[str, str, PriorSpec, str]]:
        """Give (class, parameter, prior, worldview) for a question, changes by worldviews too."""
        for reference in rates.classes_of(question):
            shared = self._class_priors(question, reference)
            for parameter, spec in shared.items():
                yield reference, parameter, spec, ""
            for worldview in worldviews:
                for parameter, spec in with_worldview(shared, worldview, reference).items():
                    if spec != shared[parameter]:
                        yield reference, parameter, spec, worldview.id

    def _case(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        worldview: Worldview | None,
        *,
        timed: bool = True,
        scale: float = 1.0,
    ) -> "rates.Case":
        priors = {
            reference: with_worldview(self._class_priors(question, reference), worldview, reference)
            for reference in rates.classes_of(question)
        }
        if scale != 1.0:
            priors = {
                reference: {name: spec.scaled(scale) for name, spec in given.items()}
                for reference, given in priors.items()
            }
        facts = self.seen(question, facts, as_of)
        return rates.Case(
            question=question,
            facts=facts,
            as_of=self._seen_until(question, facts, as_of),
            own=question_target(question),
            priors=priors,
            book=self.book,
            fits=self.fits,
            ask=lambda name: self.model(
                self.questions[name], facts, as_of, worldview, timed=timed, scale=scale
            ),
            timed=timed,
            judgements=self.judged(as_of)
            if self.judged is not None and question.model.fitted == READS_JUDGEMENTS
            else (),
        )

    def seen(
        self, question: Question, facts: Sequence[Evidence], as_of: dt.datetime
    ) -> tuple[Evidence, ...]:
        """Give what a forecast may use: the first one only what was known before the opening."""
        if as_of > question.opens:
            return facts if isinstance(facts, tuple) else tuple(facts)
        return tuple(item for item in facts if item.known_at < question.opens)

    def _seen_until(
        self, question: Question, facts: Sequence[Evidence], as_of: dt.datetime
    ) -> dt.datetime:
        """Give the moment up to which the question's process was watched, at most `as_of`.

        Time after the streams end is unobserved, not quiet: an answer is then given as from their
        end, or from the last datum that a user entered on the process.
        """
        end = self.book.reference(question.model.reference).observed_until
        process = process_of(question)
        entered = [
            item.known_at
            for item in facts
            if item.stream == "news"
            and any(
                effect.form == "datum" and f"{effect.target}/".startswith(f"{process}/")
                for effect in item.effects
            )
        ]
        watched = max([end, *entered])
        return min(as_of, max(watched, question.opens))

    def _class_priors(self, question: Question, reference: str) -> dict[str, PriorSpec]:
        own = question_target(question)
        key = (reference, question.opens, own)
        if key not in self._priors:
            self._priors[key] = class_priors(
                self.book, reference, self.evidence, question.opens, without=own
            )
        return self._priors[key]


def _touching(worldview: Worldview | None, question: Question) -> Worldview | None:
    classes = rates.classes_of(question)
    changes = worldview.changes if worldview is not None else ()
    return worldview if any(change.reference in classes for change in changes) else None


class Family(Protocol):
    """What the module of a family offers."""

    def model(self, case: rates.Case, /) -> Answer:
        """Answer with everything known."""

    def prior(self, case: rates.Case, /) -> Answer:
        """Answer from the prior alone."""

    def base_rate(self, case: rates.Case, /) -> Answer | None:
        """Answer from the reference class."""

    def inputs(self, case: rates.Case, /) -> rates.Inputs:
        """Give what the model's answer is computed from."""


#: Where the built-in families turn evidence into answers.
_ENCODINGS = {
    "base-rate": "rates",
    "competing-risks": "guarantees",
    "exchange-count": "exchanges",
    "forecaster": "judgements",
    "news-log-odds": "stances",
    "scenario": "scenarios",
    "staged": "stages",
    "survival": "truces",
}


def answering(name: str) -> Family:
    """Give what answers questions for a family: a module here, or the methods of a user's class.

    Raises
    ------
    InvalidInput
        The family answers no question.
    """
    if name in _ENCODINGS:
        return cast("Family", import_module(f"{__package__}.{_ENCODINGS[name]}"))
    found = own.answers_of(registry.get(name))
    if found is None:
        msg = f"family ({name}): answers no question, for it lacks encode(case) or predict(...)"
        raise InvalidInput(msg, hint=f"one of {', '.join(_ENCODINGS)}, or add the methods")
    return found


__all__ = ["Answers", "Fit", "FitCache", "answering"]
