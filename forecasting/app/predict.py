"""From evidence as of a moment to each forecaster's answer on each question.

One path serves the live `update` and the `replay`: the evidence is filtered first, then each
family answers from what is left. Forecasters: the model, its prior alone, the base rate, each
worldview that exists by then, their weighted pool, the uniform forecast and the running
climatology.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.effects import moved
from forecasting.app.worldviews import Spoken, weights_at
from forecasting.bank import Bank
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.forecast import Forecast, Kind, Spread, Value, model_value
from forecasting.domain.provenance import ModelRun, in_batch
from forecasting.domain.question import ANNULLED, Question
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.domain.sealed import as_shown
from forecasting.evidence import known, retracted
from forecasting.evidence.reliability import Reliabilities, learned
from forecasting.models.encoding.answer import LEVELS, Answer
from forecasting.models.encoding.answers import Answers
from forecasting.models.encoding.facts import redirect
from forecasting.models.encoding.fits import FitCache
from forecasting.models.encoding.priors import PriorBook, process_of
from forecasting.models.encoding.reports import reports_on
from forecasting.models.forecaster_record import Judgement, judgements_known
from forecasting.store import Ledger

MODEL, PRIOR, BASE_RATE = "model", "prior", "base-rate"
POOL, UNIFORM, HALF, CLIMATOLOGY = "pool:worldviews", "uniform", "always-0.5", "climatology"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The model's last forecast on a question; `seq` where entries since then count as new."""

    issued_at: dt.datetime
    numbers: Sequence[float]
    seq: int | None = None

    def knew(self, item: Evidence) -> bool:
        """Whether the forecast could know an item."""
        recorded = self.seq is None or (item.seq is not None and item.seq <= self.seq)
        return recorded and item.known_at <= self.issued_at


@dataclass(frozen=True, slots=True)
class Said:
    """One forecaster's answer on one question, with the fit behind it where there is one."""

    question: Question
    forecaster: str
    value: Value | None
    answer: Answer | None = None
    worldview: str = ""
    spread: Spread | None = None
    moved: tuple[tuple[str, list[float]], ...] = ()


class Predictor:
    """Answers questions from one body of evidence; fits are shared and never repeated.

    Parameters
    ----------
    catalog : Catalog
        Questions and standing outcomes.
    evidence : sequence of Evidence
        Everything that may count (a replay: up to one ledger head; live: recorded by then); each
        call filters by its own `as_of`.
    bank : Bank
        Priors, reference classes and worldviews.
    accept_because : str
        Why a forecast that the gate refuses is logged all the same; recorded with its fit.
    fits : FitCache, optional
        Where fits come from; by default each is sampled from its own data and seed alone.
    spoken : Spoken, optional
        What the worldviews had said before: their weights in the pool follow from it.
    judged : callable, optional
        From a moment to what people said and how right they had been by then, for questions that
        are answered from judgements.
    """

    def __init__(
        self,
        catalog: Catalog,
        evidence: Sequence[Evidence],
        bank: Bank,
        *,
        seed: int,
        accept_because: str = "",
        fits: FitCache | None = None,
        spoken: Spoken | None = None,
        judged: Callable[[dt.datetime], tuple[Judgement, ...]] | None = None,
    ) -> None:
        self.catalog = catalog
        self.bank = bank
        self.accept_because = accept_because
        self.spoken = Spoken() if spoken is None else spoken
        processes: dict[str, str] = {}
        for question in catalog.questions.values():
            processes[question.id] = process_of(question)
            if question.ladder:
                processes[question.ladder] = process_of(question)
        self.evidence = redirect(evidence, processes)
        self.answers = Answers(
            prior_book(bank),
            self.evidence,
            seed=seed,
            questions=catalog.questions,
            fits=fits,
            reliability=self.reliability,
            judged=judged,
        )
        self._reliability: dict[dt.datetime, Reliabilities] = {}

    def say(
        self,
        questions: Sequence[Question],
        as_of: dt.datetime,
        before: Mapping[str, Earlier] | None = None,
    ) -> list[Said]:
        """Give every forecaster's answer on some questions as of a moment.

        Parameters
        ----------
        before : mapping, optional
            The model's earlier forecast on each question: what moved it since is recorded.
        """
        facts = self.facts(as_of)
        said: list[Said] = []
        own = self._from_models(questions, facts, as_of, MODEL, None)
        said += [self._with_moves(item, facts, as_of, before or {}) for item in own]
        said += self._from_models(questions, facts, as_of, PRIOR, None)
        said += self._from_models(questions, facts, as_of, BASE_RATE, None)
        members: list[Said] = []
        for worldview in self.bank.worldviews:
            if worldview.speaks_from <= as_of:
                name = worldview.forecaster
                members += self._from_models(questions, facts, as_of, name, worldview)
        said += members
        said += self._pools(questions, members, as_of)
        said += [self._uniform(question) for question in questions]
        said += self._climatology(questions, as_of)
        return said

    def facts(self, as_of: dt.datetime) -> tuple[Evidence, ...]:
        """Give the items that count as of a moment; what was retracted by then does not."""
        return retracted(known(self.evidence, as_of))

    def reliability(self, as_of: dt.datetime) -> Reliabilities:
        """Give what resolved claims had taught about each source by a moment."""
        if as_of not in self._reliability:
            self._reliability = {
                as_of: learned(self.evidence, self.catalog.questions, self.catalog.outcomes, as_of)
            }
        return self._reliability[as_of]

    def answer(
        self,
        question: Question,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        *,
        worldview: Worldview | None = None,
        timed: bool = True,
        scale: float = 1.0,
    ) -> Answer:
        """Give the model's answer on one question from some facts, coded reports included.

        Parameters
        ----------
        facts : sequence of Evidence
            Known as of the moment; not filtered again.
        worldview, timed, scale
            As in `Answers.model`.
        """
        return self.answers.model(question, facts, as_of, worldview, timed=timed, scale=scale)

    def inputs(
        self, question: Question, facts: Sequence[Evidence], as_of: dt.datetime
    ) -> tuple[Mapping[str, Any], tuple[Any, ...]]:
        """Give what the answer is computed from: the model's arrays, and the coded reports."""
        names: set[str] = set()
        for name in (question.id, *self.answers.linked(question, facts, as_of)):
            asked = self.catalog.questions[name]
            names |= {rung.id for rung in self.answers.together(asked, as_of)}
            names |= {asked.ladder} if asked.ladder else set()
        seen = self.answers.seen(question, facts, as_of)
        return self.answers.inputs(question, facts, as_of), tuple(reports_on(seen, names))

    def _with_moves(
        self,
        said: Said,
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        before: Mapping[str, Earlier],
    ) -> Said:
        earlier = before.get(said.question.id)
        if earlier is None or said.value is None:
            return said
        old = [item for item in facts if earlier.knew(item)]
        rows = moved(self, said.question, as_of, old, facts, earlier.numbers)
        return replace(said, moved=tuple(rows))

    def _from_models(
        self,
        questions: Sequence[Question],
        facts: Sequence[Evidence],
        as_of: dt.datetime,
        name: str,
        worldview: Worldview | None,
    ) -> list[Said]:
        answers: dict[str, Answer] = {}
        for question in questions:
            found: Answer | None
            if name == PRIOR:
                found = self.answers.prior(question, as_of)
            elif name == BASE_RATE:
                found = self.answers.base_rate(question, facts, as_of)
            else:
                found = self.answers.model(question, facts, as_of, worldview)
            if found is not None:
                answers[question.id] = found
        said = []
        for question in questions:
            answer = answers.get(question.id)
            if answer is None:
                continue
            if answer.gate.startswith("refused") and self.accept_because:
                answer = replace(answer, gate=f"overridden: {self.accept_because}; {answer.gate}")
            passed = not answer.gate.startswith("refused")
            value = model_value(question.space, answer.numbers, LEVELS) if passed else None
            world = worldview.id if worldview else ""
            said.append(Said(question, name, value, answer, world, answer.spread))
        return said

    def _pools(
        self, questions: Sequence[Question], members: Sequence[Said], as_of: dt.datetime
    ) -> list[Said]:
        names = [w.forecaster for w in self.bank.worldviews if w.speaks_from <= as_of]
        ensemble = weights_at(self.catalog, self.spoken, as_of, names)
        pooled = []
        for question in questions:
            said = {
                member.forecaster: member.value.numbers
                for member in members
                if member.question.id == question.id and member.value is not None
            }
            if said:
                numbers = ensemble.pool(question, said, LEVELS)
                pooled.append(Said(question, POOL, model_value(question.space, numbers, LEVELS)))
        return pooled

    def _uniform(self, question: Question) -> Said:
        space = question.space
        if question.type == "binary":
            return Said(question, HALF, model_value(space, [0.5]))
        if question.type == "numeric":
            low, high = space.lower or 0.0, space.upper or 0.0
            numbers = [low + (high - low) * level / 100 for level in LEVELS]
            return Said(question, UNIFORM, model_value(space, numbers, LEVELS))
        share = 1 / len(space.options)
        return Said(question, UNIFORM, model_value(space, [share] * len(space.options)))

    def _climatology(self, questions: Sequence[Question], as_of: dt.datetime) -> list[Said]:
        yes, total = outcomes_known(self.catalog, as_of)
        share = (1 + yes) / (2 + total)
        return [
            Said(question, CLIMATOLOGY, model_value(question.space, [share]))
            for question in questions
            if question.type == "binary"
        ]


def judgements_of(
    ledger: Ledger, catalog: Catalog, *, head: int | None = None, recorded: bool = False
) -> Callable[[dt.datetime], tuple[Judgement, ...]]:
    """Give what finds the judgements known as of a moment; the ledger is read at the first call."""

    @cache
    def entries() -> tuple[Sequence[Forecast], Sequence[Withdrawal]]:
        return as_shown(
            ledger.forecasts(head=head), ledger.seals(head=head), ledger.withdrawals(head=head)
        )

    def judged(as_of: dt.datetime) -> tuple[Judgement, ...]:
        forecasts, withdrawals = entries()
        return judgements_known(
            forecasts,
            withdrawals,
            catalog.questions,
            catalog.outcomes,
            as_of,
            recorded=recorded,
        )

    return judged


def outcomes_known(catalog: Catalog, as_of: dt.datetime) -> tuple[int, int]:
    """Count the binary questions that had resolved by a moment: yes, and all."""
    resolved: list[Resolution] = [
        outcome
        for name, outcome in catalog.outcomes.items()
        if outcome.resolved_at <= as_of
        and outcome.outcome != ANNULLED
        and catalog.questions[name].type == "binary"
    ]
    return sum(outcome.outcome == "yes" for outcome in resolved), len(resolved)


def drafts(
    said: Iterable[Said],
    as_of: dt.datetime,
    *,
    kind: Kind,
    run: str = "",
) -> list[ModelRun | Forecast]:
    """Turn answers into ledger entries: each distinct fit once, then the forecasts that rest on it.

    A refused answer leaves its fit with the reasons, and no forecast.
    """
    entries: list[ModelRun | Forecast] = []
    fits: dict[tuple[str, ...], int] = {}
    for item in said:
        reference: int | None = None
        if item.answer is not None:
            fit = _model_run(item.answer, item, as_of, run)
            key = (
                fit.fitted,
                fit.worldview,
                fit.priors_hash,
                fit.evidence_hash,
                fit.method,
                fit.gate,
            )
            if key not in fits:
                fits[key] = len(entries)
                entries.append(fit)
            reference = in_batch(fits[key])
        if item.value is None:
            continue
        entries.append(
            Forecast(
                question=item.question.id,
                question_hash=item.question.wording_hash,
                forecaster=item.forecaster,
                value=item.value,
                issued_at=as_of,
                kind=kind,
                spread=item.spread,
                model_run=reference,
                run=run,
                gate=item.answer.fit if item.answer else "",
                meta={"moved": json.dumps(item.moved)} if item.moved else {},
            )
        )
    return entries


def _model_run(answer: Answer, item: Said, as_of: dt.datetime, run: str) -> ModelRun:
    return ModelRun(
        family=item.question.model.family,
        fitted=answer.family,
        priors_hash=answer.priors_hash,
        evidence_hash=answer.evidence_hash,
        as_of=as_of,
        seed=answer.seed,
        method=answer.method,
        gate=answer.gate,
        worldview=item.worldview,
        diagnostics=answer.diagnostics,
        versions=answer.versions,
        run=run,
    )


def prior_book(bank: Bank) -> PriorBook:
    """Give what the bank says of priors."""
    scenarios = {graph.id: graph for graph in bank.scenarios}
    return PriorBook(bank.priors, bank.classes, bank.shares, scenarios)
