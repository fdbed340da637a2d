"""The model: one world learned from what is known as of a moment, simulated, and asked.

Every question is a predicate on the same paths. A forecaster is a variant of the world: without
links, without news, without pooling, without history, or under a worldview's priors.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from forecasting.arrays import BoolArray, Recent
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import iso, local_day
from forecasting.domain.predicate import Predicate, Truth
from forecasting.domain.process import WorldSpec, begins, known_from, pools
from forecasting.domain.question import Question
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.history import Past, Record, pasts, records
from forecasting.evidence.leads import to_target
from forecasting.evidence.predicates import decided_by
from forecasting.evidence.relevant import ancestors, asked, groups, last_moment, moments, part_of
from forecasting.evidence.reliability import Reliabilities
from forecasting.evidence.reports import CodedReport, alive, reports
from forecasting.models.world.assembly import assemble
from forecasting.models.world.conditions import leads
from forecasting.models.world.conditions import towards as ways
from forecasting.models.world.learning import Learned, Learner
from forecasting.models.world.parameters import FAULTS
from forecasting.models.world.paths import Paths
from forecasting.models.world.reading import Answer, read
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Do, World

#: Parameter points: what is not known of them is the largest error of a number.
POINTS = 2_048
#: Of a condition that few paths meet: so many times the paths, more where the gate refuses.
RARE = (1, 2, 6)
#: With so many draws, that is; with fewer, which are for one of many steps, this and no more.
PATIENT, HASTY = 32_768, (3,)
#: How many simulations are kept: an explanation asks for the same ones again.
KEPT = 4
#: So many states of learning: every variant at one moment.
KEPT_LEARNED = 12
#: So many groups of answers: those of all variants at one moment.
KEPT_ANSWERS = 512
#: A question that looks so far beyond its condition goes on with the paths that met it.
FAR = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Variant:
    """A forecaster that rests on the world, with what it leaves out."""

    name: str
    links: bool = True
    news: bool = True
    pooled: bool = True
    history: bool = True
    worldview: Worldview | None = None


@dataclass(frozen=True)
class AsOf:
    """A moment, with the evidence and the ends of the watches that count at it."""

    moment: dt.datetime
    items: Sequence[Evidence]
    watched: Mapping[str, dt.datetime]

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Its key in a cache."""
        items_hash = _hash([item.key for item in self.items])
        return (self.moment, items_hash, tuple(sorted(self.watched.items())))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known as of a moment, before anything is learned from it."""

    records: Mapping[str, Record]
    coded: tuple[CodedReport, ...]
    linked: Mapping[tuple[str, str], Past]
    apart: Mapping[tuple[str, str], Past]
    evidence_key: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One simulation with what went into it."""

    as_of: dt.datetime
    spec: WorldSpec
    records: Mapping[str, Record]
    learned: Learned
    coded: tuple[CodedReport, ...]
    world: World
    paths: Paths
    evidence_hash: str
    priors_hash: str


@dataclass(frozen=True, slots=True)
class WorldModel:
    """One bank's world, to be asked as of any moment.

    `predicates` are what each of `questions` asks of the world `spec`. `openings`: when the first
    question that names a process opened; from then it is in the pooled class, and a process without
    a stated beginning is watched. `draws` are the paths of one simulation, a multiple of 16.
    `faults` keeps why a question could not be answered at a moment.
    """

    spec: WorldSpec
    predicates: Mapping[str, Predicate]
    questions: Mapping[str, Question]
    learner: Learner
    openings: Mapping[str, dt.datetime]
    seed: int
    draws: int
    bank_hash: str
    reliability: Callable[[dt.datetime], Reliabilities]
    versions: Mapping[str, Any] = field(default_factory=dict)
    faults: dict[tuple[str, dt.datetime], str] = field(default_factory=dict)
    _runs: Recent[Any, Run] = field(default_factory=lambda: Recent(KEPT))
    _answers: Recent[Any, dict[str, Answer]] = field(default_factory=lambda: Recent(KEPT_ANSWERS))
    _learned: Recent[Any, Learned] = field(default_factory=lambda: Recent(KEPT_LEARNED))
    _read: Recent[Any, _Known] = field(default_factory=lambda: Recent(KEPT))
    _from: dict[str, dt.datetime | None] = field(default_factory=dict)
    _acted: dict[str, frozenset[str]] = field(default_factory=dict)

    def answers(
        self, variant: Variant, questions: Sequence[Question], at: AsOf
    ) -> dict[str, Answer]:
        """Answer questions; a fault in one process leaves only what rests on it unanswered."""
        spec = self._spec(at.moment, links=variant.links)
        number = groups(spec, {q.id: asked(self.predicates[q.id]) for q in questions})
        together: dict[tuple[int, str], list[Question]] = {}
        for question in questions:
            conditional = self.predicates[question.id].given is not None
            key = (number[question.id], question.id if conditional else "")
            together.setdefault(key, []).append(question)
        answers: dict[str, Answer] = {}
        for group in together.values():
            plain = self._effective(variant, group, at)
            asking = (plain, tuple(q.id for q in group), at.key)
            answer_of = self._answers.of(asking, partial(self._unless_faulty, plain, group, at))
            answers |= {
                name: replace(answer, priors_hash=_hash([self.bank_hash, variant.name]))
                for name, answer in answer_of.items()
            }
        return answers

    def _effective(self, variant: Variant, group: Sequence[Question], at: AsOf) -> Variant:
        """Drop from a variant what makes no difference to a group: answers are then shared."""
        names = frozenset().union(*(asked(self.predicates[q.id]) for q in group))
        names = ancestors(self.spec.links, names) if variant.links else names
        # A pooled rate borrows from every process, and so from everything that acts on them.
        pooled = any(pools(self.spec.processes[name]) for name in names)
        linked = variant.links and (pooled or any(link.child in names for link in self.spec.links))
        news = variant.news and (
            pooled
            or any(
                effect.reports and self._acted_on(effect) & names
                for item in at.items
                for effect in item.effects
            )
        )
        view = variant.worldview
        touched = view is not None and any(
            pooled
            or change.process in names
            or (change.link and linked)
            or (not change.process and not change.link and news)
            for change in view.changes
        )
        worldview = view if touched else None
        return Variant("", linked, news, variant.pooled and pooled, variant.history, worldview)

    def _unless_faulty(
        self, variant: Variant, group: Sequence[Question], at: AsOf
    ) -> dict[str, Answer]:
        """Answer a group; where that fails, each question that does not rest on the fault."""
        try:
            run = self.towards(variant, group, at)
            return {question.id: self.read(run, question) for question in group}
        except FAULTS as fault:
            if len(group) == 1:
                plain = isinstance(fault, (InvalidInput, GateRefused))
                why = str(fault) if plain else f"{type(fault).__name__}: {fault}"
                self.faults[group[0].id, at.moment] = why
                return {}
        answers: dict[str, Answer] = {}
        for question in group:
            answers |= self._unless_faulty(variant, [question], at)
        return answers

    def towards(self, variant: Variant, group: Sequence[Question], at: AsOf, **options: Any) -> Run:
        """Simulate what some questions rest on; where one has a condition, enough paths meet it.

        The moves towards the condition are drawn more often and weighed back.
        """
        question = group[0]
        predicate = self.predicates[question.id]
        if predicate.given is None:
            return self.run(variant, group, at, **options)
        met = max(moments(predicate.given, question.closes))
        last = last_moment(predicate, question.closes)
        first = met if last - met > FAR else last
        options |= {"towards": predicate.given, "met": met}
        for times in RARE if (options.get("draws") or self.draws) >= PATIENT else HASTY:
            options["times"] = times
            run = self.run(variant, group, at, until=first, **options)
            if first < last:
                only = run.paths.truth(predicate.given, question.opens, question.closes)
                run = self.run(variant, group, at, until=last, only=only, **options)
            if self.read(run, question).gate == "passed":
                break
        return run

    def unknown(self, name: str, moment: dt.datetime) -> str:
        """Say why nothing is known of a process as of a moment; empty where something is."""
        process = self.spec.processes[name]
        days = (move.known_by for move in process.moves)
        later = [day for day in days if day and _later(day, moment, process.zone)]
        if later:
            return f"process ({name}): its rates were not argued yet (known by {max(later)})"
        known = self._known_from(name)
        if known is None or moment >= known:
            return ""
        what = "agreement" if process.delivery else "state"
        return f"process ({name}): its {what} was not known yet (it is from {iso(known)} on)"

    def _has_begun(self, name: str, moment: dt.datetime) -> bool:
        """Say whether a process can act on others: it has begun, and all of it is known."""
        if self.unknown(name, moment):
            return False
        known = self._known_from(name)
        begun = begins(self.spec.processes[name])
        return known is None or begun is None or max(known, begun) <= moment

    def _known_from(self, name: str) -> dt.datetime | None:
        if name not in self._from:
            asking = [q for q, of in self.predicates.items() if name in asked(of)]
            opened = [self.questions[q].opens for q in asking]
            self._from[name] = known_from(self.spec.processes[name], opened)
        return self._from[name]

    def rests(self, question: Question) -> frozenset[str]:
        """Give the processes that a question rests on: those that it names, and their ancestors."""
        return ancestors(self.spec.links, asked(self.predicates[question.id]))

    def _spec(self, moment: dt.datetime, *, links: bool) -> WorldSpec:
        """Give the world known as of a moment: a link acts once it was argued."""
        processes, every = self.spec.processes, self.spec.links if links else ()
        argued = (x for x in every if not _later(x.known_by, moment, processes[x.child].zone))
        return WorldSpec(processes, tuple(argued))

    def read(self, run: Run, question: Question) -> Answer:
        """Read one question off a simulation."""
        predicate = self.predicates[question.id]
        names = asked(predicate)
        seen = read(run.paths, predicate, question)
        learned = run.learned
        rests = ancestors(run.spec.links, names)
        # A refused fit is shown with what rests on it alone; else one simulation has one record.
        behind = run.spec.processes if learned.gate(run.spec.processes) == "passed" else rests
        gate = seen.gate if learned.gate(rests) == "passed" else learned.gate(rests)
        decided = self._decided(run, question, seen.decided)
        return Answer(
            **(seen._asdict() | {"gate": gate, "decided": decided}),
            seed=self.seed,
            priors_hash=run.priors_hash,
            evidence_hash=run.evidence_hash,
            draws=run.world.draws,
            fits=learned.behind(behind),
            fit=learned.verdict(names),
            versions=self.versions,
        )

    def _decided(self, run: Run, question: Question, agreed: str | None) -> str | None:
        """Say what facts decide; that all paths agree may be that the other is merely rare."""
        predicate = self.predicates[question.id]
        outcome = decided_by(predicate, question, run.records, run.spec.processes)
        if outcome is not None or agreed != "no" or predicate.given is not None:
            return outcome
        steps = (step for name in asked(predicate) for step in run.records[name].steps)
        barred = any(step.at > question.opens for step in steps)
        return "no" if barred and not leads(run.world, predicate.event) else None

    def run(
        self,
        variant: Variant,
        questions: Sequence[Question],
        at: AsOf,
        *,
        do: Sequence[Do] = (),
        towards: Truth | None = None,
        met: dt.datetime | None = None,
        only: BoolArray | None = None,
        betas: Mapping[str, float] | None = None,
        draws: int | None = None,
        times: int = 1,
        until: dt.datetime | Mapping[str, dt.datetime] | None = None,
    ) -> Run:
        """Simulate what some questions rest on; `betas` holds links at a log hazard ratio."""
        names = frozenset().union(*(asked(self.predicates[q.id]) for q in questions))
        for name in sorted(names):
            if why := self.unknown(name, at.moment):
                raise InvalidInput(why)
        whole = self._spec(at.moment, links=variant.links)
        links = tuple(x for x in whole.links if self._has_begun(x.parent, at.moment))
        spec = part_of(replace(whole, links=links), names)
        reach = until
        if reach is None:
            reach = max(last_moment(self.predicates[q.id], q.closes) for q in questions)
        if isinstance(reach, dt.datetime):
            reach = dict.fromkeys(spec.processes, reach)
        ends = tuple(reach.get(name, at.moment) for name in spec.processes)
        size = draws or self.draws
        # Two paths of each point at least, or nothing could be said of its own chance.
        points = min(POINTS, size // 2)

        def simulated() -> Run:
            known = self._known(at)
            learned = self._learn(variant, at, points)
            if betas is not None:
                learned = learned.holding(betas)
            record_of = {name: known.records[name] for name in spec.processes}
            world = assemble(
                spec,
                record_of,
                learned.hazard,
                learned.beta,
                points=points,
                repeats=times * (size // points),
                seed=self.seed,
                gain=learned.gain,
            )
            all_coded = known.coded if variant.news else ()
            coded = tuple(report for report in all_coded if report.process in spec.processes)
            world = replace(world, reports=alive(coded, record_of))
            horizons = [max(world.day(end), 0.0) for end in ends]
            horizon = max(horizons)
            by = horizon if met is None else min(max(world.day(met), 0.0), horizon)
            tilt = [] if towards is None else ways(world, towards, by)
            return Run(
                at.moment,
                spec,
                record_of,
                learned,
                coded,
                world,
                simulate(world, horizons, seed=self.seed, do=do, tilt=tilt, only=only),
                _hash([known.evidence_key, *(f"{n} {iso(r.free)}" for n, r in record_of.items())]),
                _hash([self.bank_hash, variant.name]),
            )

        # Other paths would serve as well, but steps between answers are on the same ones.
        key = (replace(variant, name=""), tuple(spec.processes), at.key, ends, points, size)
        plain = not do and towards is None and betas is None and only is None
        return self._runs.of(key, simulated) if plain else simulated()

    def learn(self, variant: Variant, at: AsOf) -> None:
        """Make the fits that a variant's simulations rest on; a fault is theirs to raise."""
        with suppress(*FAULTS):
            self._learn(variant, at, 2)

    def _learn(self, variant: Variant, at: AsOf, points: int) -> Learned:
        """Learn the whole world as of a moment: rates borrow from all, whatever is asked."""
        known = self._known(at)
        history = known.linked if variant.links else known.apart
        return self._learned.of(
            (replace(variant, name=""), at.key, points),
            lambda: self.learner.learn(
                variant,
                self._spec(at.moment, links=variant.links),
                known.records,
                history if variant.history else {},
                known.coded if variant.news else (),
                items=at.items,
                as_of=at.moment,
                points=points,
            ),
        )

    def _known(self, at: AsOf) -> _Known:
        """Read what is known as of a moment: every variant learns from the same."""

        def read() -> _Known:
            record_of = self.records(at)
            coded = reports(
                at.items,
                self.spec,
                self.questions,
                self.predicates,
                reliability=self.reliability(at.moment),
                as_of=at.moment,
            )
            # The items that say something, for the hash of the evidence.
            item_keys = sorted(i.key for i in at.items if any(e.form != "bears" for e in i.effects))
            linked, apart = (
                pasts(self._spec(at.moment, links=links), record_of) for links in (True, False)
            )
            return _Known(record_of, coded, linked, apart, "\0".join([iso(at.moment), *item_keys]))

        return self._read.of(at.key, read)

    def touching(self, question: Question, items: Sequence[Evidence]) -> list[Evidence]:
        """Give the items that have a way to a question: what they act on is what it rests on."""
        rests = self.rests(question)
        return [
            item for item in items if any(self._acted_on(each) & rests for each in item.effects)
        ]

    def _acted_on(self, effect: Effect) -> frozenset[str]:
        """Give the processes that an effect acts on: by its fact, or those a report moves."""
        if effect.form not in {"datum", "likelihood", "stance"}:
            return frozenset()
        if effect.form == "datum":
            return frozenset({effect.about})
        if effect.target not in self._acted:
            try:
                ways = to_target(effect.target, self.spec, self.questions, self.predicates)
            except InvalidInput:
                ways = {}
            self._acted[effect.target] = frozenset(process for process, _ in ways)
        return self._acted[effect.target]

    def watched_until(self, names: Sequence[str], at: AsOf) -> dict[str, dt.datetime]:
        """Give the end of each process's watch as of a moment."""
        record_of = self.records(at)
        return {name: record_of[name].free for name in names}

    def records(self, at: AsOf) -> dict[str, Record]:
        """Give what is known of each process as of a moment."""
        return records(self.spec, at.items, at.moment, watched=at.watched, made=self.openings)


def _later(day: dt.date | None, moment: dt.datetime, zone: str) -> bool:
    """Say whether something was argued only after the day of a moment."""
    return day is not None and day > local_day(moment, zone)


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
