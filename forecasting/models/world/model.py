"""The model: one world learned from what is known as of a moment, simulated, and asked.

Every question is a predicate on the same paths. A forecaster is a variant of the world: without
links, without news, without pooling, without history, or under a worldview's priors.
"""

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forecasting.domain.commentary import Worldview
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import iso
from forecasting.domain.predicate import Predicate
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence.likelihood import ReliabilityOf
from forecasting.models.world.assembly import assemble, with_reports
from forecasting.models.world.history import Record, pasts, records
from forecasting.models.world.learning import Learned, Learner
from forecasting.models.world.paths import Paths
from forecasting.models.world.reading import Answer, read
from forecasting.models.world.relevant import ancestors, asked, last_moment, part_of
from forecasting.models.world.reports import CodedReport, alive, reports, to_values
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Do, FloatArray, World

REPEATS = 16
#: How many simulations are kept: an explanation asks for the same ones again.
KEPT = 4
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
    faults: dict[str, str] = field(default_factory=dict)
    _kept: OrderedDict[Any, Run] = field(default_factory=OrderedDict)

    def answers(
        self,
        variant: Variant,
        questions: Sequence[Question],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
    ) -> dict[str, Answer]:
        """Answer questions from one simulation; a process that cannot be used silences its own.

        The reasons stand in `faults`, by question.
        """
        able = list(questions)
        bad: dict[str, str] = {}
        while able:
            try:
                run = self.run(variant, able, items, as_of, watched, reliability)
            except ProcessFault as fault:
                bad[fault.process] = str(fault)
                left = [q for q in able if fault.process not in self.rests(q)]
                for question in able:
                    if question not in left:
                        self.faults[question.id] = str(fault)
                if len(left) == len(able):
                    raise
                able = left
                continue
            return {question.id: self.read(run, question) for question in able}
        return {}

    def rests(self, question: Question) -> frozenset[str]:
        """Give the processes that a question rests on: those that it names, and their ancestors."""
        return ancestors(self.spec.links, asked(self.predicates[question.id]))

    def read(self, run: Run, question: Question) -> Answer:
        """Read one question off a simulation."""
        predicate = self.predicates[question.id]
        names = asked(predicate)
        numbers, spread, intervals, gate, decided = read(run.paths, predicate, question)
        # No path may fall short of a thing that is merely rare: only facts decide.
        known = any(
            step.at > question.opens for name in names for step in run.records[name].steps
        )
        return Answer(
            numbers,
            spread,
            self.seed,
            run.priors_hash,
            run.evidence_hash,
            run.world.draws,
            run.learned.fits,
            gate=gate if run.learned.gate == "passed" else run.learned.gate,
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
        tilt: Mapping[tuple[int, int], float] | None = None,
        betas: Mapping[str, FloatArray | float] | None = None,
        draws: int | None = None,
        horizon: dt.datetime | None = None,
    ) -> Run:
        """Simulate the part of the world that some questions rest on.

        Parameters
        ----------
        items
            Known as of the moment; not filtered again.
        watched
            Until when each process was watched, beyond its stream.
        do, tilt
            Interventions, and moves to be drawn more often; see `simulate`.
        betas
            Log hazard ratios that replace those learned, by link.
        """
        names = frozenset().union(*(asked(self.predicates[q.id]) for q in questions))
        spec = part_of(self.spec, names) if variant.links else _apart(self.spec, names)
        ends = {q.id: last_moment(self.predicates[q.id], q.closes) for q in questions}
        last = max([*ends.values(), *([horizon] if horizon is not None else [])])
        size = draws or self.draws
        key = (
            variant,
            as_of,
            tuple(spec.processes),
            tuple(item.key for item in items),
            tuple(sorted(watched.items())),
            last,
            size,
        )
        plain = not do and not tilt and betas is None
        if plain and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = self._run(
            variant, spec, items, as_of, watched, reliability, last, size, do, tilt, betas
        )
        if plain:
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _run(
        self,
        variant: Variant,
        spec: WorldSpec,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        watched: Mapping[str, dt.datetime],
        reliability: Reliability,
        last: dt.datetime,
        size: int,
        do: Sequence[Do],
        tilt: Mapping[tuple[int, int], float] | None,
        betas: Mapping[str, FloatArray | float] | None,
    ) -> Run:
        held = records(spec, items, as_of, watched=watched, made=self.openings)
        coded: tuple[CodedReport, ...] = ()
        if variant.news:
            coded = reports(
                items,
                self.spec,
                self.questions,
                self.predicates,
                reliability=reliability(as_of),
                as_of=as_of,
            )
            coded = tuple(report for report in coded if report.process in spec.processes)
        learned = self.learner.learn(
            variant,
            spec,
            held,
            pasts(spec, held) if variant.history else {},
            coded,
            items=items,
            as_of=as_of,
            points=size // REPEATS,
        )
        world = assemble(
            spec,
            held,
            learned.hazards,
            {**learned.betas, **(betas or {})} if variant.links else {},
            points=size // REPEATS,
            repeats=REPEATS,
            gain=learned.gain,
        )
        if variant.news:
            world = with_reports(world, to_values(alive(coded, held), world))
        paths = simulate(world, world.day(last), seed=self.seed, do=do, tilt=tilt)
        return Run(
            variant,
            as_of,
            spec,
            held,
            learned,
            coded,
            world,
            paths,
            _hash([iso(as_of), *_told(items, spec), *(f"{n} {iso(r.free)}" for n, r in held.items())]),
            _hash([self.bank_hash, variant.name]),
        )

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
        held = records(self.spec, items, as_of, watched=watched, made=self.openings)
        return {name: held[name].free for name in names}


class ProcessFault(InvalidInput):
    """What is known of one process cannot be used; `process` names it."""

    def __init__(self, process: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.process = process


def _apart(spec: WorldSpec, names: frozenset[str]) -> WorldSpec:
    """Give some processes without any link."""
    return WorldSpec({name: p for name, p in spec.processes.items() if name in names}, ())


def _told(items: Sequence[Evidence], spec: WorldSpec) -> list[str]:
    """Name the items that bear on some processes, for the hash of the evidence."""
    return sorted(item.key for item in items if any(e.form != "bears" for e in item.effects))


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
