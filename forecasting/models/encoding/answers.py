"""Answers of every family from evidence that already passed the as-of filter.

`model` is the family with its priors and all data; `prior` is the same with no data since the
question opened; `base_rate` is the plain reference class. A fit is shared by every question,
rung and forecaster that asks for the same data under the same priors.
"""

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit
from forecasting.models import registry
from forecasting.models.encoding import rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.priors import (
    PriorBook,
    class_priors,
    process_of,
    question_target,
    with_worldview,
)
from forecasting.models.protocol import PriorSpec

CACHE = 256
Priors = Mapping[str, PriorSpec]


class FitCache:
    """Fits by what went into them, so that none is made twice."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._fits: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def of(self, key: tuple[str, ...], make: Callable[[int], Any]) -> Any:
        """Give the fit of a key, made with a seed that depends on the key and not on the order."""
        if key not in self._fits:
            digest = hashlib.sha256("\0".join([str(self.seed), *key]).encode()).digest()
            self._fits[key] = make(int.from_bytes(digest[:4], "big") >> 1)
            if len(self._fits) > CACHE:
                self._fits.popitem(last=False)
        self._fits.move_to_end(key)
        return self._fits[key]


class Answers:
    """Answers questions from evidence; holds the priors and the cache of fits."""

    def __init__(
        self,
        book: PriorBook,
        evidence: Sequence[Evidence],
        *,
        seed: int,
        questions: Mapping[str, Question] | None = None,
    ) -> None:
        self.book = book
        self.questions = {} if questions is None else questions
        self.evidence = tuple(evidence)
        self.fits = FitCache(seed)
        self._priors: dict[tuple[str, dt.datetime, str], dict[str, PriorSpec]] = {}
        self._facts: Sequence[Evidence] | None = None
        self._said: dict[tuple[str, dt.datetime, str, bool, float], Answer] = {}

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
        """Answer from the family with its priors (or a worldview's) and all data as of a moment.

        A worldview that leaves the question's priors alone says what the model says. `timed` is
        whether the passing of time counts; `scale` widens every prior by that factor.
        """
        if facts is not self._facts:
            self._facts, self._said = facts, {}
        classes = rates.classes_of(question)
        touched = worldview is not None and any(c.reference in classes for c in worldview.changes)
        key = (question.id, as_of, worldview.id if worldview and touched else "", timed, scale)
        if key not in self._said:
            chosen = worldview if touched else None
            case = self._case(question, facts, as_of, chosen, timed=timed, scale=scale)
            self._said[key] = answering(question.model.fitted).model(case)
        return self._said[key]

    def inputs(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        worldview: Worldview | None = None,
    ) -> "rates.Inputs":
        """Give the arrays that the model's answer is computed from."""
        case = self._case(question, facts, as_of, worldview)
        return answering(question.model.fitted).inputs(case)

    def prior(self, question: Question, as_of: dt.datetime) -> Answer:
        """Answer from the family's prior alone: nothing learned since the question opened."""
        case = self._case(question, (), as_of, None)
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
        if as_of <= question.opens:
            # The first forecast knows what was known before the opening, not at it.
            facts = [item for item in facts if item.known_at < question.opens]
        return rates.Case(
            question=question,
            facts=tuple(facts),
            as_of=self._seen_until(question, facts, as_of),
            own=question_target(question),
            priors=priors,
            book=self.book,
            fits=self.fits,
            ask=lambda name: self.model(
                self.questions[name], facts, as_of, worldview, timed=timed, scale=scale
            ),
            timed=timed,
        )

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
    """Give what answers questions for a family: a module here, or a plug-in's attribute `answers`.

    Raises
    ------
    InvalidInput
        The family answers no question.
    """
    if name in _ENCODINGS:
        return cast("Family", import_module(f"{__package__}.{_ENCODINGS[name]}"))
    found = getattr(registry.get(name), "answers", None)
    if found is None:
        msg = f"family ({name}): answers no question"
        raise InvalidInput(msg, hint=", ".join(_ENCODINGS))
    return cast("Family", found)


__all__ = ["Answers", "Fit", "FitCache", "answering"]
