"""What questions ask of the world, and what the facts on record leave of their answers."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from forecasting.bank import Bank
from forecasting.bank.usable import ahead_of
from forecasting.domain import predicate as ask
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import Evidence, retractions
from forecasting.domain.predicate import Predicate
from forecasting.domain.process import ProcessSpec, WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence.history import Record, Step, records
from forecasting.evidence.relevant import ancestors, asked

_LONG_AGO = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class NewsWorld:
    """The processes and links, and the predicates of the questions that have one, by id."""

    world: WorldSpec
    predicates: Mapping[str, ask.Predicate]

    @classmethod
    def of(cls, world: WorldSpec, catalog: Catalog) -> "NewsWorld":
        """Read what each question asks of a world."""
        from forecasting.domain.predicate_text import parse_predicate

        predicates = {}
        for question in catalog.questions.values():
            if question.answer:
                try:
                    predicates[question.id] = parse_predicate(
                        question.answer, zone=question.zone, world=world
                    )
                except InvalidInput:
                    # An update skips this question and says why; the others are not affected.
                    continue
        return cls(world, predicates)

    def record(self, process: ProcessSpec, items: Sequence[Evidence], now: dt.datetime) -> Record:
        """Give what is known of one process now."""
        world = WorldSpec({process.name: process})
        made_at = {process.name: _LONG_AGO}
        return records(world, items, now, watched={}, made=made_at)[process.name]


def decided(
    known_world: NewsWorld, question: Question, items: Sequence[Evidence], now: dt.datetime
) -> str | None:
    """Give the outcome that the facts known now leave a question; time alone decides none."""
    predicate = known_world.predicates[question.id]
    processes = known_world.world.processes
    by_process = {
        name: known_world.record(processes[name], items, now) for name in asked(predicate)
    }
    return decided_by(predicate, question, by_process, processes)


def decided_by(
    predicate: Predicate,
    question: Question,
    by_process: Mapping[str, Record],
    processes: Mapping[str, ProcessSpec],
) -> str | None:
    """Give the outcome that what is on record leaves a question."""
    reader = _Facts(by_process, processes, question)
    if predicate.given is not None and reader.truth(predicate.given) is not True:
        return None
    event = predicate.event
    if isinstance(event, ask.StateOn | ask.FirstOf | ask.HighestOf | ask.HighestAmong):
        return reader.choice(event)
    if isinstance(event, ask.Total):
        return reader.total(event)
    truth = reader.truth(event)
    return None if truth is None else ("yes" if truth else "no")


class OnRecord(NamedTuple):
    """What the facts known now say of a question: its one outcome, and what a yes still lacks."""

    outcome: str | None
    lacking: str = ""
    predicate: ask.Predicate | None = None


def facts_on(
    world: NewsWorld, question: Question, evidence: Iterable[Evidence], now: dt.datetime
) -> OnRecord:
    """Read what the facts on record say of one question."""
    predicate = world.predicates.get(question.id)
    if predicate is None:
        return OnRecord(None)
    known_items = [item for item in evidence if item.known_at <= now]
    retraction_of = retractions(known_items)
    items = [item for item in known_items if item.key not in retraction_of]
    lacking = ""
    event = predicate.event
    if isinstance(event, ask.Entered) and event.states == ("done",):
        process = world.world.processes[event.process]
        total = world.record(process, items, now).total_by(event.until.of(question.closes))
        if process.delivery is not None and total < process.delivery.agreed:
            lacking = f"{total:g} of {process.delivery.agreed:g} of {process.name} are"
    return OnRecord(decided(world, question, items, now), lacking, predicate)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the facts say of a predicate: yes, no, or nothing yet."""

    records: Mapping[str, Record]
    processes: Mapping[str, ProcessSpec]
    question: Question

    def truth(self, event: ask.Truth | ask.Event) -> bool | None:
        match event:
            case ask.Not(of=inner):
                value = self.truth(inner)
                return None if value is None else not value
            case ask.And(left=left, right=right):
                return self._combination(left, right, decisive=False)
            case ask.Or(left=left, right=right):
                return self._combination(left, right, decisive=True)
            case ask.Entered(process=name, states=states, until=until, since=since):
                begin = since.of(self.question.closes) if since else self.question.opens
                steps = self._steps(name, begin, until.of(self.question.closes))
                return True if any(self._enters(step, name, states) for step in steps) else None
            case ask.Occurred(process=name, until=until, least=least, since=since):
                begin = since.of(self.question.closes) if since else self.question.opens
                steps = self._steps(name, begin, until.of(self.question.closes))
                events = sum(self._enters(step, name, ()) for step in steps)
                return True if events >= least else None
            case ask.Through(process=name, states=states, until=until):
                steps = self._steps(name, self.question.opens, until.of(self.question.closes))
                outside = any(step.state not in states for step in steps if not step.counted)
                return False if outside else None
            case ask.Within(process=name, states=states, cause=cause, cause_states=causes):
                steps = self._steps(cause, self.question.opens, self.question.closes)
                first = next((s.at for s in steps if self._enters(s, cause, causes)), None)
                if first is None:
                    return None
                last = min(first + dt.timedelta(days=event.days), self.question.closes)
                # As on a path: at one moment counts, unless the cause is of the same process.
                begin = first if name == cause else first - dt.timedelta.resolution
                after = self._steps(name, begin, last)
                return True if any(self._enters(step, name, states) for step in after) else None
            case ask.At():
                return None
        return None

    def choice(self, event: ask.Choice) -> str | None:
        opens, closes = self.question.opens, self.question.closes
        if isinstance(event, ask.FirstOf):
            entries = [
                (step.at, option)
                for option, name, states in event.entries
                for step in self._steps(name, opens, closes)
                if self._enters(step, name, states)
            ]
            return min(entries)[1] if entries else None
        if isinstance(event, ask.HighestAmong):
            option, name, states = event.entries[-1]
            steps = self._steps(name, opens, closes)
            return option if any(self._enters(step, name, states) for step in steps) else None
        if isinstance(event, ask.HighestOf):
            top = self.processes[event.process].states[-1]
            steps = self._steps(event.process, opens, event.until.of(closes))
            if any(step.state == top for step in steps):
                return dict(event.named).get(top, top)
        return None

    def total(self, event: ask.Total) -> str | None:
        delivery, record = self.processes[event.process].delivery, self.records[event.process]
        total = record.total_by(event.when.of(self.question.closes))
        if delivery is None or event.since_opening or total < delivery.agreed:
            return None
        return f"{total:g}"

    def _combination(self, left: ask.Truth, right: ask.Truth, *, decisive: bool) -> bool | None:
        truths = {self.truth(left), self.truth(right)}
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive

    def _steps(self, name: str, begin: dt.datetime, end: dt.datetime) -> list[Step]:
        return [step for step in self.records[name].steps if begin < step.at <= end]

    def _enters(self, step: Step, name: str, states: Sequence[str]) -> bool:
        process = self.processes[name]
        if process.delivery is not None and not states:
            return step.amount > 0.0  # a part, also the first one, which is a new state
        loops = any(move.start == move.end for move in process.moves)
        if not states or process.kind == "event":
            return step.counted or not loops
        return step.state in states and not step.counted


def predicate_of(question: Question, world: WorldSpec) -> Predicate:
    """Read what a question asks of the world; refuse what an update would refuse."""
    from forecasting.domain.predicate_check import check_predicate
    from forecasting.domain.predicate_text import parse_predicate

    predicate = parse_predicate(question.answer, zone=question.zone, world=world)
    faults = check_predicate(predicate, world, question.space, question.opens, question.closes)
    if faults:
        msg = f"answer ({question.answer}): {faults[0]}"
        of_time = faults[0].startswith(("time (", "between ("))
        names = ", ".join(list(world.processes)[:6])
        raise InvalidInput(msg, hint="close, or a day while it is open" if of_time else names)
    return predicate


def predicates(
    questions: Iterable[Question], bank: Bank
) -> tuple[dict[str, Predicate], dict[str, str]]:
    """Read what each question asks of the world; of the rest, why the models say nothing."""
    by_question: dict[str, Predicate] = {}
    silent: dict[str, str] = {}
    for question in questions:
        try:
            if question.answer:
                by_question[question.id] = predicate_of(question, bank.world)
            else:
                silent[question.id] = "has no `answer`, so no model speaks of it"
        except InvalidInput as fault:
            silent[question.id] = fault.message
    wrong = ahead_of(bank)
    for name in [*by_question] if wrong else ():
        rests = ancestors(bank.world.links, asked(by_question[name])) & wrong.keys()
        if rests:
            process = min(rests)
            silent[name] = f"rests on {process}, and is skipped: {wrong[process]}"
            del by_question[name]
    return by_question, silent
