"""The model: one world learned from what is known as of a moment, simulated, and asked.

Every question is a predicate on the same paths. A forecaster is a variant of the world: without
links, without news, without pooling, without history, or under a worldview's priors.
"""

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import iso
from forecasting.domain.predicate import Predicate, Truth
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import GateRefused, InvalidInput
from forecasting.evidence.history import Past, Record, pasts, records
from forecasting.evidence.likelihood import ReliabilityOf
from forecasting.evidence.relevant import (
    ancestors,
    asked,
    groups,
    last_moment,
    moments,
    part_of,
)
from forecasting.evidence.reports import CodedReport, alive, reports
from forecasting.models.world.assembly import assemble, with_reports
from forecasting.models.world.conditions import towards as ways
from forecasting.models.world.known import to_values
from forecasting.models.world.learning import Learned, Learner
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
#: A question that looks so far beyond its condition goes on with the paths that met it.
FAR = dt.timedelta(days=60)
Reliability = Callable[[dt.datetime], ReliabilityOf]


@dataclass(frozen=True, slots=True)
class Variant:
    """A forecaster that rests on the world, with what it leaves out."""

    name: str
    links: bool = True
    news: bool = True
    pooled: bool = True
    history: bool = True
    worldview: Worldview | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the whole world as of a moment, and what a variant learns from it."""

    records: Mapping[str, Record]
    coded: tuple[CodedReport, ...]
    learned: Learned
    told: str


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is known as of a moment, before anything is learned from it."""

    records: Mapping[str, Record]
    coded: tuple[CodedReport, ...]
    linked: Mapping[tuple[str, str], Past]
    apart: Mapping[tuple[str, str], Past]
    told: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One simulation with what went into it."""

    variant: Variant
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

    Parameters
    ----------
    spec
        The world as stated.
    predicates, questions
        What each question asks of it.
    learner
        Fits and priors.
    openings
        When the first question that names a process opened: from then it is in the pooled class,
        and a process without a stated beginning is watched.
    draws
        Paths of one simulation, a multiple of 16.
    bank_hash
        Of the bank that states the world.
    """

    spec: WorldSpec
    predicates: Mapping[str, Predicate]
    questions: Mapping[str, Question]
    learner: Learner
    openings: Mapping[str, dt.datetime]
    seed: int
    draws: int
    bank_hash: str
    versions: Mapping[str, Any] = field(default_factory=dict)
    faults: dict[tuple[str, dt.datetime], str] = field(default_factory=dict)
    _kept: OrderedDict[Any, Run] = field(default_factory=OrderedDict)
    _told: dict[Any, dict[str, Answer]] = field(default_factory=dict)
    _learned: OrderedDict[Any, Known] = field(default_factory=OrderedDict)
    _read: OrderedDict[Any, _Seen] = field(default_factory=OrderedDict)

    def answers(
        self,
        variant: Variant,
        questions: Sequence[Question],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        *,
        draws: int | None = None,
    ) -> dict[str, Answer]:
        """Answer questions; what hangs together is simulated together.

        A fault in one process silences the questions that rest on it, and no other: the reasons
        stand in `faults`, by question and moment. With fewer `draws`, an answer that differs in
        nothing from one that was given at the moment with all draws is that one.
        """
        size = draws or self.draws
        spec = self.spec if variant.links else _apart(self.spec)
        number = groups(spec, {q.id: asked(self.predicates[q.id]) for q in questions})
        together: dict[tuple[int, str], list[Question]] = {}
        for question in questions:
            conditional = self.predicates[question.id].given is not None
            key = (number[question.id], question.id if conditional else "")
            together.setdefault(key, []).append(question)
        told = _hash([item.key for item in items])
        found: dict[str, Answer] = {}
        for group in together.values():
            plain = self._effective(variant, group, items)
            looked = tuple(sorted(watched.items()))
            asking = (plain, tuple(q.id for q in group), as_of, told, looked, self.draws)
            if asking not in self._told:
                asking = (*asking[:-1], size)
            if asking not in self._told:
                if self._told and next(iter(self._told))[2] != as_of:
                    self._told.clear()
                arguments = (plain, items, as_of, watched, reliability, size)
                self._told[asking] = self._unless_faulty(group, *arguments)
            found |= {
                name: replace(answer, priors_hash=_hash([self.bank_hash, variant.name]))
                for name, answer in self._told[asking].items()
            }
        return found

    def _unless_faulty(
        self,
        group: Sequence[Question],
        variant: Variant,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        draws: int,
    ) -> dict[str, Answer]:
        """Answer a group; where that fails, each question that does not rest on the fault."""
        arguments = (items, as_of, watched, reliability)
        try:
            return self._group(variant, group, *arguments, draws=draws)
        except (InvalidInput, GateRefused) as fault:
            if len(group) == 1:
                self.faults[group[0].id, as_of] = str(fault)
                return {}
        found: dict[str, Answer] = {}
        for question in group:
            found |= self._unless_faulty([question], variant, *arguments, draws)
        return found

    def _names(self, group: Sequence[Question], variant: Variant) -> frozenset[str]:
        """Give the processes that a group's answers rest on."""
        names = frozenset().union(*(asked(self.predicates[q.id]) for q in group))
        return ancestors(self.spec.links, names) if variant.links else names

    def _effective(
        self, variant: Variant, group: Sequence[Question], items: Sequence[Evidence]
    ) -> Variant:
        """Drop from a variant what makes no difference to a group: answers are then shared."""
        names = self._names(group, variant)
        near = set(names)
        for question in self.questions.values():
            if question.id in self.predicates and self.rests(question) & names:
                near |= {question.id, question.ladder or question.id}
        # A pooled rate borrows from every process, and so from everything that acts on them.
        pooled = any(
            move.phrase.form == "history" for n in names for move in self.spec.processes[n].moves
        )
        linked = variant.links and (pooled or any(link.child in names for link in self.spec.links))
        told = variant.news and (
            pooled
            or any(
                effect.form in {"likelihood", "stance"} and effect.target.partition("=")[0] in near
                for item in items
                for effect in item.effects
            )
        )
        view = variant.worldview
        touched = view is not None and any(
            pooled
            or change.process in names
            or (change.link and linked)
            or (not change.process and not change.link and told)
            for change in view.changes
        )
        return Variant(
            "",
            linked,
            told,
            variant.pooled or not pooled,
            variant.history,
            view if touched else None,
        )

    def _group(
        self,
        variant: Variant,
        group: Sequence[Question],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        *,
        draws: int,
    ) -> dict[str, Answer]:
        arguments = (items, as_of, watched, reliability)
        if self.predicates[group[0].id].given is None:
            run = self.run(variant, group, *arguments, draws=draws)
            return {question.id: self.read(run, question) for question in group}
        (question,) = group
        for times in RARE if draws >= PATIENT else HASTY:
            run = self._towards(variant, question, *arguments, draws=draws, times=times)
            answer = self.read(run, question)
            if answer.gate == "passed":
                break
        return {question.id: answer}

    def _towards(
        self,
        variant: Variant,
        question: Question,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        *,
        draws: int,
        times: int,
    ) -> Run:
        """Simulate with the moves towards a condition drawn more often, and weighed back.

        Where the question looks far beyond its condition, only the paths that met it go on.
        """
        predicate = self.predicates[question.id]
        assert predicate.given is not None  # for the type checker
        met = max(moments(predicate.given, question.closes))
        last = last_moment(predicate, question.closes)
        first = met if last - met > FAR else last
        arguments = (variant, [question], items, as_of, watched, reliability)
        run = self.run(
            *arguments, towards=predicate.given, met=met, until=first, draws=draws, times=times
        )
        if first == last:
            return run
        only = run.paths.truth(predicate.given, question.opens, question.closes)
        return self.run(
            *arguments,
            towards=predicate.given,
            met=met,
            only=only,
            until=last,
            draws=draws,
            times=times,
        )

    def rests(self, question: Question) -> frozenset[str]:
        """Give the processes that a question rests on: those that it names, and their ancestors."""
        return ancestors(self.spec.links, asked(self.predicates[question.id]))

    def read(self, run: Run, question: Question) -> Answer:
        """Read one question off a simulation."""
        predicate = self.predicates[question.id]
        names = asked(predicate)
        numbers, spread, intervals, gate, decided = read(run.paths, predicate, question)
        learned = run.learned
        rests = self._names([question], run.variant)
        # A refused fit is shown with what rests on it alone; else one simulation has one record.
        behind = run.spec.processes if learned.gate(run.spec.processes) == "passed" else rests
        # No path may fall short of a thing that is merely rare: only facts decide.
        known = any(step.at > question.opens for name in names for step in run.records[name].steps)
        return Answer(
            numbers,
            spread,
            self.seed,
            run.priors_hash,
            run.evidence_hash,
            run.world.draws,
            learned.behind(behind),
            gate=gate if learned.gate(rests) == "passed" else learned.gate(rests),
            fit=run.learned.verdict(names),
            intervals=intervals,
            decided=decided if known else None,
            versions=self.versions,
        )

    def run(
        self,
        variant: Variant,
        questions: Sequence[Question],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        *,
        do: Sequence[Do] = (),
        towards: Truth | None = None,
        met: dt.datetime | None = None,
        only: BoolArray | None = None,
        betas: Mapping[str, FloatArray | float] | None = None,
        draws: int | None = None,
        times: int = 1,
        until: dt.datetime | Mapping[str, dt.datetime] | None = None,
    ) -> Run:
        """Simulate the part of the world that some questions rest on."""
        names = frozenset().union(*(asked(self.predicates[q.id]) for q in questions))
        spec = part_of(self.spec if variant.links else _apart(self.spec), names)
        reach = until
        if reach is None:
            reach = max(last_moment(self.predicates[q.id], q.closes) for q in questions)
        if isinstance(reach, dt.datetime):
            reach = dict.fromkeys(spec.processes, reach)
        ends = tuple(reach.get(name, as_of) for name in spec.processes)
        size = draws or self.draws
        # Two paths of each point at least, or nothing could be said of its own chance.
        points = min(POINTS, size // 2)
        repeats = times * (size // points)
        told = _hash([item.key for item in items])
        looked = tuple(sorted(watched.items()))
        key = (replace(variant, name=""), as_of, tuple(spec.processes), told, looked, ends, points)
        plain = not do and towards is None and betas is None and only is None
        if plain and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        known = self.known(variant, items, as_of, watched, reliability, points=points)
        held = {name: known.records[name] for name in spec.processes}
        learned, stated = known.learned, betas or {}
        for name in spec.processes:
            if name in learned.faults:
                raise InvalidInput(learned.faults[name])
        world = assemble(
            spec,
            held,
            learned.hazards,
            {link.name: stated.get(link.name, learned.betas[link.name]) for link in spec.links},
            points=points,
            repeats=repeats,
            gain=learned.gain,
        )
        coded = tuple(report for report in known.coded if report.process in spec.processes)
        if variant.news:
            world = with_reports(world, to_values(alive(coded, held), world))
        horizons = [max(world.day(end), 0.0) for end in ends]
        horizon = max(horizons)
        by = horizon if met is None else min(max(world.day(met), 0.0), horizon)
        tilt = [] if towards is None else ways(world, towards, by)
        found = Run(
            variant,
            as_of,
            spec,
            held,
            learned,
            coded,
            world,
            simulate(world, horizons, seed=self.seed, do=do, tilt=tilt, only=only),
            _hash([known.told, *(f"{n} {iso(r.free)}" for n, r in held.items())]),
            _hash([self.bank_hash, variant.name]),
        )
        if plain:
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def known(
        self,
        variant: Variant,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        *,
        points: int,
    ) -> Known:
        """Learn the whole world as of a moment: rates borrow from all, whatever is asked."""
        key = (
            replace(variant, name=""),
            as_of,
            _hash([item.key for item in items]),
            tuple(sorted(watched.items())),
            points,
        )
        if key in self._learned:
            self._learned.move_to_end(key)
            return self._learned[key]
        spec = self.spec if variant.links else _apart(self.spec)
        seen = self._seen(items, as_of, watched, reliability, key[1:4])
        coded = seen.coded if variant.news else ()
        history = seen.linked if variant.links else seen.apart
        found = Known(
            seen.records,
            coded,
            self.learner.learn(
                variant,
                spec,
                seen.records,
                history if variant.history else {},
                coded,
                items=items,
                as_of=as_of,
                points=points,
            ),
            seen.told,
        )
        self._learned[key] = found
        if len(self._learned) > KEPT_LEARNED:
            self._learned.popitem(last=False)
        return found

    def _seen(
        self,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        key: tuple[Any, ...],
    ) -> "_Seen":
        """Read what is known as of a moment: every variant learns from the same."""
        if key not in self._read:
            held = self.records(items, as_of, watched)
            coded = reports(
                items,
                self.spec,
                self.questions,
                self.predicates,
                reliability=reliability(as_of),
                as_of=as_of,
            )
            self._read[key] = _Seen(
                held,
                coded,
                pasts(self.spec, held),
                pasts(_apart(self.spec), held),
                "\0".join([iso(as_of), *_told(items)]),
            )
            if len(self._read) > KEPT:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return self._read[key]

    def touching(self, question: Question, items: Sequence[Evidence]) -> list[Evidence]:
        """Give the items that bear on what a question rests on, coded facts and reports alone."""
        names = self.rests(question)
        own = {question.id, question.ladder}
        near = {
            name
            for other in self.questions.values()
            if other.id in self.predicates and self.rests(other) & names
            for name in (other.id, other.ladder)
        }
        return [
            item
            for item in items
            if any(
                effect.form != "bears"
                and (
                    effect.target.partition("=")[0] in names
                    or effect.target.partition("=")[0] in own
                    or effect.target.partition("=")[0] in near
                )
                for effect in item.effects
            )
        ]

    def watched_until(
        self,
        names: Sequence[str],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
    ) -> dict[str, dt.datetime]:
        """Give the end of each process's watch as of a moment."""
        held = self.records(items, as_of, watched)
        return {name: held[name].free for name in names}

    def records(
        self, items: Sequence[Evidence], as_of: dt.datetime, watched: Mapping[str, dt.datetime]
    ) -> dict[str, Record]:
        """Give what is known of each process as of a moment."""
        return records(self.spec, items, as_of, watched=watched, made=self.openings)


def _apart(spec: WorldSpec) -> WorldSpec:
    """Give the processes of a world without any link."""
    return WorldSpec(spec.processes, ())


def _told(items: Sequence[Evidence]) -> list[str]:
    """Name the items that say something, for the hash of the evidence."""
    return sorted(item.key for item in items if any(e.form != "bears" for e in item.effects))


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
