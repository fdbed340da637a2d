"""The world that news acts on: the bank's processes, and what each question asks of them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecasting.app.catalog import Catalog
from forecasting.domain.evidence import Evidence
from forecasting.domain.predicate import (
    And,
    At,
    Entered,
    Event,
    FirstOf,
    HighestAmong,
    HighestOf,
    Not,
    Occurred,
    Or,
    Predicate,
    StateOn,
    Through,
    Total,
    Truth,
    Within,
)
from forecasting.domain.process import ProcessSpec, WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence.history import Record, Step, records
from forecasting.evidence.relevant import asked
from forecasting.store import Ledger

_LONG_AGO = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class NewsWorld:
    """The processes and links, and the predicates of the questions that have one, by id."""

    world: WorldSpec
    predicates: Mapping[str, Predicate]

    @classmethod
    def of(cls, ledger: Ledger, catalog: Catalog) -> "NewsWorld":
        """Read what each question of the ledger asks of the bank's world."""
        world = stated_world(ledger)
        found = {}
        for question in catalog.questions.values():
            if question.answer:
                try:
                    found[question.id] = _read(question, world)
                except InvalidInput:
                    # Its update is skipped with the reason; what acts on others goes on.
                    continue
        return cls(world, found)

    def record(self, process: ProcessSpec, items: Sequence[Evidence], now: dt.datetime) -> Record:
        """Give what is known of one process now."""
        world = WorldSpec({process.name: process})
        made = {process.name: _LONG_AGO}
        return records(world, items, now, watched={}, made=made)[process.name]


def stated_world(ledger: Ledger) -> WorldSpec:
    """Give the world of a ledger's bank."""
    from forecasting.app.news.watch import world_of_the_bank

    return world_of_the_bank(ledger)


def _read(question: Question, world: WorldSpec) -> Predicate:
    from forecasting.domain.predicate_text import parse_predicate

    return parse_predicate(question.answer, zone=question.zone, world=world)


def decided(
    known_world: NewsWorld, question: Question, items: Sequence[Evidence], now: dt.datetime
) -> str | None:
    """Give the outcome that the facts known now leave a question, if they leave only one.

    Time alone decides nothing here: a question that ran out is due, and a person resolves it.
    """
    predicate = known_world.predicates[question.id]
    processes = known_world.world.processes
    held = {name: known_world.record(processes[name], items, now) for name in asked(predicate)}
    reader = _Facts(held, processes, question)
    if predicate.given is not None and reader.truth(predicate.given) is not True:
        return None
    event = predicate.event
    if isinstance(event, StateOn | FirstOf | HighestOf | HighestAmong):
        return reader.choice(event)
    if isinstance(event, Total):
        return reader.total(event)
    found = reader.truth(event)
    return None if found is None else ("yes" if found else "no")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the facts say of a predicate: yes, no, or nothing yet."""

    held: Mapping[str, Record]
    processes: Mapping[str, ProcessSpec]
    question: Question

    def truth(self, event: Truth | Event) -> bool | None:
        match event:
            case Not(of=inner):
                found = self.truth(inner)
                return None if found is None else not found
            case And(left=left, right=right):
                return self._joined(left, right, decisive=False)
            case Or(left=left, right=right):
                return self._joined(left, right, decisive=True)
            case Entered(process=name, states=states, until=until, since=since):
                begin = since.of(self.question.closes) if since else self.question.opens
                steps = self._steps(name, begin, until.of(self.question.closes))
                return True if any(self._enters(step, name, states) for step in steps) else None
            case Occurred(process=name, until=until, least=least, since=since):
                begin = since.of(self.question.closes) if since else self.question.opens
                steps = self._steps(name, begin, until.of(self.question.closes))
                return True if sum(step.counted for step in steps) >= least else None
            case Through(process=name, states=states, until=until):
                steps = self._steps(name, self.question.opens, until.of(self.question.closes))
                gone = any(step.state not in states for step in steps if not step.counted)
                return False if gone else None
            case Within(process=name, states=states, days=days, cause=cause, cause_states=causes):
                steps = self._steps(cause, self.question.opens, self.question.closes)
                first = next((s.at for s in steps if self._enters(s, cause, causes)), None)
                if first is None:
                    return None
                after = self._steps(name, first, first + dt.timedelta(days=days))
                return True if any(self._enters(step, name, states) for step in after) else None
            case At():
                return None
        return None

    def choice(self, event: StateOn | FirstOf | HighestOf | HighestAmong) -> str | None:
        opens, closes = self.question.opens, self.question.closes
        if isinstance(event, FirstOf):
            came = [
                (step.at, option)
                for option, name, states in event.entries
                for step in self._steps(name, opens, closes)
                if self._enters(step, name, states)
            ]
            return min(came)[1] if came else None
        if isinstance(event, HighestAmong):
            option, name, states = event.entries[-1]
            steps = self._steps(name, opens, closes)
            return option if any(self._enters(step, name, states) for step in steps) else None
        if isinstance(event, HighestOf):
            top = self.processes[event.process].states[-1]
            steps = self._steps(event.process, opens, event.until.of(closes))
            if any(step.state == top for step in steps):
                return dict(event.named).get(top, top)
        return None

    def total(self, event: Total) -> str | None:
        delivery, record = self.processes[event.process].delivery, self.held[event.process]
        if delivery is None or event.since_opening or record.total < delivery.agreed:
            return None
        return f"{record.total:g}"

    def _joined(self, left: Truth, right: Truth, *, decisive: bool) -> bool | None:
        found = {self.truth(left), self.truth(right)}
        if decisive in found:
            return decisive
        return None if None in found else not decisive

    def _steps(self, name: str, begin: dt.datetime, end: dt.datetime) -> list[Step]:
        return [step for step in self.held[name].steps if begin < step.at <= end]

    def _enters(self, step: Step, name: str, states: Sequence[str]) -> bool:
        if not states or self.processes[name].kind == "event":
            return step.counted or not states
        return step.state in states and not step.counted
