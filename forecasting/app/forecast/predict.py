"""From evidence as of a moment to each forecaster's answer on each question.

One path serves the live `update` and the `replay`: the evidence is filtered first, then one world
is simulated for each forecaster, and every question is read off its paths. Forecasters: the model,
the model without links and without news, its prior, the base rate, each worldview that exists by
then, their weighted pool, the uniform forecast and the running climatology.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from forecasting.app.forecast.worldviews import weights_at
from forecasting.app.ledger.log import kind_of
from forecasting.app.upkeep.banks import bank_of
from forecasting.arrays import Recent
from forecasting.bank import Bank
from forecasting.domain.catalog import Catalog
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence, retractions, takes_place
from forecasting.domain.forecast import Forecast, Kind, Spread, Value, model_value
from forecasting.domain.forecasters import (
    BASE_RATE,
    CLIMATOLOGY,
    HALF,
    MODEL,
    POOL,
    PRIOR,
    UNIFORM,
    WITHOUT_LINKS,
    WITHOUT_NEWS,
)
from forecasting.domain.provenance import ModelRun, in_batch, world_run
from forecasting.domain.question import ANNULLED, Question
from forecasting.domain.watch import Watch, watched
from forecasting.evidence import known, without_retracted
from forecasting.evidence.predicates import predicates
from forecasting.evidence.relevant import asked
from forecasting.evidence.reliability import Reliabilities, learned
from forecasting.evidence.steps import TIME, steps_after
from forecasting.inference.fits import Wanted
from forecasting.models.world.climatology import climatology
from forecasting.models.world.model import AsOf, Variant, WorldModel
from forecasting.models.world.reading import LEVELS, Answer, on_scale
from forecasting.pooling.worldview_weights import Spoken
from forecasting.store import Ledger

#: Draws of a live update, and of one step of a replay.
LIVE_DRAWS, REPLAY_DRAWS = 32_768, 8_192
#: What moved a number, each cause with its change on the scale of the answer.
type _Moves = tuple[tuple[str, list[float]], ...]
#: The items that count as of a moment, and those among them that were known before it.
type _Items = tuple[tuple[Evidence, ...], tuple[Evidence, ...]]
MOMENT = dt.timedelta.resolution
OWN = (
    Variant(MODEL),
    Variant(WITHOUT_LINKS, links=False),
    Variant(WITHOUT_NEWS, news=False),
    Variant(BASE_RATE, links=False, news=False, pooled=False),
)
WITHOUT_EVIDENCE = Variant(PRIOR, news=False, history=False)


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
class ForecasterAnswer:
    """One forecaster's answer on one question, with the simulation behind it where there is one."""

    question: Question
    forecaster: str
    value: Value | None
    answer: Answer | None = None
    worldview: str = ""
    moved: _Moves = ()

    @property
    def spread(self) -> Spread | None:
        """How sure the simulation is of the answer."""
        return None if self.answer is None else self.answer.spread


class Predictor:
    """Answers questions from one body of evidence, with so many paths a simulation.

    Evidence and watches are everything that may count (a replay: up to one ledger head; live:
    recorded by then); each call filters by its own `as_of`. From what the worldviews had `spoken`
    before, their weights in the pool follow. `accept_because` says why a forecast that the gate
    refuses is logged anyway, and is recorded with its run. `ahead` holds answers that a replay
    simulated before, by forecaster, moment and question. `wanted` collects the inputs of the fits
    that are not stored, and then no fit is made.
    """

    def __init__(
        self,
        catalog: Catalog,
        evidence: Sequence[Evidence],
        bank: Bank,
        *,
        seed: int,
        watches: Sequence[Watch] = (),
        draws: int = LIVE_DRAWS,
        accept_because: str = "",
        spoken: Spoken | None = None,
        ahead: Mapping[tuple[str, dt.datetime, str], Answer] | None = None,
        wanted: dict[str, Wanted] | None = None,
    ) -> None:
        from forecasting.inference.compile import library_versions
        from forecasting.inference.fits import stored_fits
        from forecasting.models.world.classes import SpellClasses
        from forecasting.models.world.delivery import DeliveryClasses
        from forecasting.models.world.learning import Learner

        self.catalog = catalog
        self.bank = bank
        self.seed = seed
        self.accept_because = accept_because
        self.spoken = Spoken() if spoken is None else spoken
        self.evidence = tuple(evidence)
        self.watches = tuple(watches)
        self._ahead = {} if ahead is None else ahead
        self._priors: dict[str, Answer] = {}
        self.asks, self.silent = predicates(catalog.questions.values(), bank)
        openings: dict[str, dt.datetime] = {}
        for name, predicate in self.asks.items():
            for process in asked(predicate):
                opens = catalog.questions[name].opens
                openings[process] = min(opens, openings.get(process, opens))
        fits = stored_fits(seed, wanted)
        learner = Learner(
            fits,
            openings,
            seed,
            SpellClasses(bank.classes, bank.priors, fits),
            DeliveryClasses(bank.classes, bank.priors, fits),
        )
        self.model = WorldModel(
            bank.world,
            self.asks,
            catalog.questions,
            learner,
            openings,
            seed,
            draws,
            bank.digest,
            self.reliability,
            dict(library_versions()),
        )

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything that may count; to set it forgets what followed from another."""
        return self._evidence

    @evidence.setter
    def evidence(self, evidence: tuple[Evidence, ...]) -> None:
        self._evidence = evidence
        self._reliability_at = Recent[dt.datetime, Reliabilities](1)
        self._items_at = Recent[dt.datetime, _Items](1)

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        catalog: Catalog,
        as_of: dt.datetime,
        now: dt.datetime,
        *,
        bank: Bank | None = None,
        **options: Any,
    ) -> "Predictor":
        """Read what may count as of a moment: live, only what was recorded by then."""
        live = kind_of(as_of, now) == "live"
        return cls(
            catalog,
            known(ledger.evidence(), as_of, recorded=live),
            bank or bank_of(ledger),
            watches=watches_of(ledger, as_of, live=live),
            **options,
        )

    def say(
        self,
        questions: Sequence[Question],
        as_of: dt.datetime,
        before: Mapping[str, Earlier] | None = None,
    ) -> list[ForecasterAnswer]:
        """Give every answer on some questions, and what moved the model since `before`."""
        world_answers = self.answers(questions, as_of)
        moves = self.moves(questions, as_of, before or {}, world_answers)
        answers = [
            item
            for name in (*(v.name for v in OWN), PRIOR)
            for item in self._answers_of(
                questions, world_answers, name, moves=moves if name == MODEL else {}
            )
        ]
        members = [
            item
            for view in self._views(as_of)
            for item in self._answers_of(questions, world_answers, view.forecaster, view.id)
        ]
        answers += members
        answers += self._pools(questions, members, as_of)
        answers += [self._uniform(question) for question in questions]
        answers += self._climatology(questions, as_of)
        return answers

    def answers(
        self, questions: Sequence[Question], as_of: dt.datetime
    ) -> dict[tuple[str, str], Answer]:
        """Give what each forecaster that rests on the world says, by forecaster and question."""
        answers: dict[tuple[str, str], Answer] = {}
        for variant in self.variants(as_of):
            for name, answer in self.one(variant, questions, as_of).items():
                answers[variant.name, name] = answer
        for question in questions:
            if question.id in self.asks and (prior := self.prior(question)) is not None:
                answers[PRIOR, question.id] = prior
        return answers

    def variants(self, as_of: dt.datetime) -> list[Variant]:
        """Give the forecasters that rest on the world and exist at a moment, the prior apart."""
        return [*OWN, *(Variant(w.forecaster, worldview=w) for w in self._views(as_of))]

    def _views(self, as_of: dt.datetime) -> list[Worldview]:
        """Give the worldviews that exist at a moment."""
        return [w for w in self.bank.worldviews if w.speaks_from <= as_of]

    def one(
        self,
        variant: Variant,
        questions: Sequence[Question],
        as_of: dt.datetime,
        *,
        watched: Mapping[str, dt.datetime] | None = None,
    ) -> dict[str, Answer]:
        """Give one forecaster's answers by question; questions without a predicate have none."""
        able = [question for question in questions if question.id in self.asks]
        answers: dict[str, Answer] = {}
        for group, items in self.parts(able, as_of):
            key = (variant.name, as_of)
            if all((*key, q.id) in self._ahead for q in group):
                answers |= {q.id: self._ahead[(*key, q.id)] for q in group}
                continue
            at = self.at(as_of, items, watched)
            answers |= self.model.answers(variant, group, at)
        return answers

    def parts(
        self, questions: Sequence[Question], as_of: dt.datetime
    ) -> list[tuple[list[Question], tuple[Evidence, ...]]]:
        """Split questions by evidence: a first forecast sees only what was known at the opening."""
        facts, earlier = self._items(as_of)
        if len(earlier) == len(facts):
            return [(list(questions), facts)] if questions else []
        new = [question for question in questions if question.opens >= as_of]
        old = [question for question in questions if question.opens < as_of]
        return [(group, items) for group, items in ((old, facts), (new, earlier)) if group]

    def prior(self, question: Question) -> Answer | None:
        """Give the model's answer without history or evidence: from the opening, as then known."""
        if question.id not in self._priors:
            every = self.catalog.questions.values()
            together = [q for q in every if q.opens == question.opens and q.id in self.asks]
            self._priors |= self.model.answers(WITHOUT_EVIDENCE, together, self._opening(question))
        return self._priors.get(question.id)

    def _opening(self, question: Question) -> AsOf:
        """Give what was known before a question opened, every process watched until then."""
        looked = dict.fromkeys(self.bank.world.processes, question.opens)
        items = without_retracted(known(self.evidence, question.opens - MOMENT))
        return AsOf(question.opens, items, looked)

    def facts(self, as_of: dt.datetime) -> tuple[Evidence, ...]:
        """Give the items that count as of a moment; what was retracted by then does not."""
        return self._items(as_of)[0]

    def _items(self, as_of: dt.datetime) -> _Items:
        def read() -> _Items:
            facts = without_retracted(known(self.evidence, as_of))
            return facts, tuple(item for item in facts if item.known_at < as_of)

        return self._items_at.of(as_of, read)

    def watched(self, as_of: dt.datetime) -> dict[str, dt.datetime]:
        """Give until when each process was watched, by the watches that count."""
        return watched(self.watches, as_of, live=False)

    def at(
        self,
        as_of: dt.datetime,
        items: Sequence[Evidence] | None = None,
        watched: Mapping[str, dt.datetime] | None = None,
    ) -> AsOf:
        """Give what counts as of a moment: all that is known and watched by then, or as given."""
        return AsOf(
            as_of,
            self.facts(as_of) if items is None else items,
            self.watched(as_of) if watched is None else watched,
        )

    def reliability(self, as_of: dt.datetime) -> Reliabilities:
        """Give what resolved claims had taught about each source by a moment."""
        questions, outcomes = self.catalog.questions, self.catalog.outcomes
        return self._reliability_at.of(
            as_of, lambda: learned(self.evidence, questions, outcomes, as_of)
        )

    def moves(
        self,
        questions: Sequence[Question],
        as_of: dt.datetime,
        before: Mapping[str, Earlier],
        answers: Mapping[tuple[str, str], Answer],
    ) -> dict[str, _Moves]:
        """Say what moved the model's forecasts since their last ones, on the scale of effects."""
        # In the order of an explanation: time, with what was learned of the past and the watch that
        # all items bring with them; what was taken back; the facts of new items, as they became
        # known; their reports, so that one which a fact has ended moved nothing. Of several reports
        # each has the mean of what it changes in that order and in the opposite one, which is its
        # mean over all orders unless three act on one another.
        moves: dict[str, _Moves] = {}
        answered = [q for q in questions if (now := answers.get((MODEL, q.id))) and now.numbers]
        for (new, undone), asking in self._new(answered, as_of, before).items():
            causes = (*new, *undone, TIME)
            begun = {q.id: on_scale(q, before[q.id].numbers) for q in asking}
            rows = {q.id: dict.fromkeys(causes, 0.0 * begun[q.id]) for q in asking}
            orders = self._orders(new, undone, as_of)
            for steps in orders:
                current = dict(begun)
                for place, (key, at) in enumerate(steps, 1):
                    if place == len(steps):
                        step_answers = {q.id: answers[MODEL, q.id] for q in asking}
                    else:
                        step_answers = self.model.answers(OWN[0], asking, at)
                    for question in asking:
                        if question.id not in step_answers or not step_answers[question.id].numbers:
                            continue
                        value = on_scale(question, step_answers[question.id].numbers)
                        change = (value - current[question.id]) / len(orders)
                        rows[question.id][key] = rows[question.id][key] + change
                        current[question.id] = value
            corrections = self._corrections(new, undone, as_of)
            for name, changes in rows.items():
                for entry, key in corrections.items():
                    changes[key] = changes[key] + changes.pop(entry)
                moves[name] = tuple((cause, change.tolist()) for cause, change in changes.items())
        return moves

    def _orders(
        self, new: Sequence[str], undone: Sequence[str], as_of: dt.datetime
    ) -> list[list[tuple[str, AsOf]]]:
        """Give the steps from one forecast to the next: as reports came, and the reverse."""
        facts, back = self.facts(as_of), self._taken_back(as_of)
        gone = {key: back[key] for key in undone}
        # All are watched as all items together say: silence is time's and no report's.
        watched = self.model.watched_until(list(self.bank.world.processes), self.at(as_of))
        reports = sum(item.reports for item in facts if item.key in new)
        return [
            [
                (key, self.at(as_of, items, watched))
                for key, items in steps_after(facts, new, gone, latest_first=latest_first)
            ]
            for latest_first in ((False, True) if reports > 1 else (False,))
        ]

    def _corrections(
        self, new: Sequence[str], undone: Sequence[str], as_of: dt.datetime
    ) -> dict[str, str]:
        """Give the new item that stands in the place of one taken back, by what took that back."""
        items = known(self.evidence, as_of)
        taken_back, entry_of = retractions(items), {item.key: item for item in items}
        corrections: dict[str, str] = {}
        for key in undone:
            last, entry = None, entry_of.get(key)
            while entry and (last := next((i for i in items if takes_place(entry, i)), None)):
                entry = taken_back.get(last.key)
            if last is not None and last.key in new:
                corrections[key] = last.key
        return corrections

    def learn(
        self, questions: Sequence[Question], as_of: dt.datetime, before: Mapping[str, Earlier]
    ) -> None:
        """Make the fits that `say` needs as of a moment; worldviews shift these and need none."""
        able = [question for question in questions if question.id in self.asks]
        for _, items in self.parts(able, as_of):
            for variant in OWN:
                self.model.learn(variant, self.at(as_of, items))
        for new, undone in self._new(able, as_of, before):
            for steps in self._orders(new, undone, as_of):
                for _, at in steps[:-1]:
                    self.model.learn(OWN[0], at)
        for question in able:
            if question.id not in before:
                self.model.learn(WITHOUT_EVIDENCE, self._opening(question))

    def _new(
        self, questions: Sequence[Question], as_of: dt.datetime, before: Mapping[str, Earlier]
    ) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[Question]]:
        """Group questions by what is new since their last forecast: items, and retractions."""
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Question]] = {}
        facts, back = self.facts(as_of), self._taken_back(as_of)
        entry_of = {item.key: item for item in self.evidence if item.key in back}
        for question in questions:
            earlier = before.get(question.id)
            if earlier is None or question.opens >= as_of:
                continue
            touching = self.model.touching(question, facts)
            new = tuple(item.key for item in touching if not earlier.knew(item))
            undone = tuple(
                key
                for key, item in back.items()
                if earlier.knew(item) and not earlier.knew(entry_of[key])
                if self.model.touching(question, [item])
            )
            if new or undone:
                groups.setdefault((new, undone), []).append(question)
        return groups

    def _taken_back(self, as_of: dt.datetime) -> dict[str, Evidence]:
        """Give the items that count no more as of a moment, by the key of what took each back."""
        items = known(self.evidence, as_of)
        entry_of = retractions(items)
        return {entry_of[item.key].key: item for item in items if item.key in entry_of}

    def _answers_of(
        self,
        questions: Sequence[Question],
        world_answers: Mapping[tuple[str, str], Answer],
        name: str,
        worldview: str = "",
        moves: Mapping[str, _Moves] = MappingProxyType({}),
    ) -> list[ForecasterAnswer]:
        answers = []
        for question in questions:
            answer = world_answers.get((name, question.id))
            if answer is None:
                continue
            if answer.gate.startswith("refused") and self.accept_because:
                answer = replace(answer, gate=f"overridden: {self.accept_because}; {answer.gate}")
            passed = not answer.gate.startswith("refused")
            value = model_value(question.space, answer.numbers, LEVELS) if passed else None
            moved = moves.get(question.id, ())
            answers.append(ForecasterAnswer(question, name, value, answer, worldview, moved))
        return answers

    def _pools(
        self, questions: Sequence[Question], members: Sequence[ForecasterAnswer], as_of: dt.datetime
    ) -> list[ForecasterAnswer]:
        names = [view.forecaster for view in self._views(as_of)]
        ensemble = weights_at(self.catalog, self.spoken, as_of, names)
        pooled = []
        for question in questions:
            by_worldview = {
                member.forecaster: member.value.numbers
                for member in members
                if member.question.id == question.id and member.value is not None
            }
            if by_worldview:
                numbers = ensemble.pool(question, by_worldview, LEVELS)
                pooled.append(
                    ForecasterAnswer(question, POOL, model_value(question.space, numbers, LEVELS))
                )
        return pooled

    def _uniform(self, question: Question) -> ForecasterAnswer:
        space = question.space
        if question.type == "binary":
            return ForecasterAnswer(question, HALF, model_value(space, [0.5]))
        if question.type == "numeric":
            low, high = space.lower or 0.0, space.upper or 0.0
            numbers = [low + (high - low) * level / 100 for level in LEVELS]
        else:
            numbers = [1 / len(space.options)] * len(space.options)
        return ForecasterAnswer(question, UNIFORM, model_value(space, numbers, LEVELS))

    def _climatology(
        self, questions: Sequence[Question], as_of: dt.datetime
    ) -> list[ForecasterAnswer]:
        yes, total = outcomes_known(self.catalog, as_of)
        share = (1 + yes) / (2 + total)
        answers = [
            ForecasterAnswer(question, CLIMATOLOGY, model_value(question.space, [share]))
            for question in questions
            if question.type == "binary"
        ]
        numeric = [q for q in questions if q.type == "numeric" and q.id in self.asks]
        for group, items in self.parts(numeric, as_of):
            records = self.model.records(self.at(as_of, items))
            for question in group:
                predicate = self.asks[question.id]
                if any(self.model.unknown(name, as_of) for name in asked(predicate)):
                    continue
                record = records[min(asked(predicate))]
                numbers = climatology(question, predicate, self.bank.world, record, items, as_of)
                if numbers is not None:
                    value = model_value(question.space, numbers, LEVELS)
                    answers.append(ForecasterAnswer(question, CLIMATOLOGY, value))
        return answers


def outcomes_known(catalog: Catalog, as_of: dt.datetime) -> tuple[int, int]:
    """Count the binary questions answered and past their close by a moment: yes, and all."""
    # Early answers wait for the scheduled close: they would come in ahead of the others.
    questions = catalog.questions
    counted = [
        standing.outcome
        for name, standing in catalog.outcomes.items()
        if max(standing.resolved_at, questions[name].closes) <= as_of
        and standing.outcome != ANNULLED
        and questions[name].type == "binary"
    ]
    return counted.count("yes"), len(counted)


def watches_of(ledger: Ledger, as_of: dt.datetime, *, live: bool) -> tuple[Watch, ...]:
    """Give the watches that may count as of a moment: live, those recorded by then."""
    return tuple(
        watch
        for watch in ledger.watches()
        if not live or (watch.recorded_at is not None and watch.recorded_at <= as_of)
    )


def drafts(
    answers: Iterable[ForecasterAnswer], as_of: dt.datetime, *, kind: Kind, run: str = ""
) -> list[ModelRun | Forecast]:
    """Turn answers into ledger entries: each simulation once, then what rests on it and passed."""
    entries: list[ModelRun | Forecast] = []
    runs: dict[tuple[str, ...], int] = {}
    for item in answers:
        reference: int | None = None
        if item.answer is not None:
            model_run = _model_run(item, item.answer, as_of, run)
            key = (item.forecaster, model_run.priors_hash, model_run.evidence_hash, model_run.gate)
            if key not in runs:
                runs[key] = len(entries)
                entries.append(model_run)
            reference = in_batch(runs[key])
        if item.value is None:
            continue
        meta = {"moved": json.dumps(item.moved)} if item.moved else {}
        if item.answer is not None and item.answer.intervals:
            meta["intervals"] = json.dumps(item.answer.intervals)
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
                meta=meta,
            )
        )
    return entries


def _model_run(item: ForecasterAnswer, answer: Answer, as_of: dt.datetime, run: str) -> ModelRun:
    model_run = world_run(
        bank_hash=answer.priors_hash,
        evidence_hash=answer.evidence_hash,
        as_of=as_of,
        seed=answer.seed,
        draws=answer.draws,
        fits=answer.fits,
        worldview=item.worldview,
        diagnostics={"forecaster": item.forecaster},
        versions=answer.versions,
        run=run,
    )
    # The gate of a refused fit says so itself; this one says that a number's error is too large.
    return model_run if model_run.gate != "passed" else replace(model_run, gate=answer.gate)
