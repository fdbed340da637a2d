"""The processes that news acts on: what questions ask of them, what is known, who looked when."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from forecasting.app.upkeep.banks import bank_of
from forecasting.domain import predicate as ask
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import Evidence, retractions
from forecasting.domain.instants import iso
from forecasting.domain.process import ProcessSpec, WorldSpec, unlisted
from forecasting.domain.question import Question, normalised
from forecasting.domain.watch import Watch
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.evidence.history import Record, Step, records
from forecasting.evidence.relevant import asked
from forecasting.store import Ledger

_LONG_AGO = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class NewsWorld:
    """The processes and links, and the predicates of the questions that have one, by id."""

    world: WorldSpec
    predicates: Mapping[str, ask.Predicate]

    @classmethod
    def of(cls, ledger: Ledger, catalog: Catalog, world: WorldSpec | None = None) -> "NewsWorld":
        """Read what each question of the ledger asks of the world, by default the bank's."""
        from forecasting.domain.predicate_text import parse_predicate

        world = world_of_the_bank(ledger) if world is None else world
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
    """Give the outcome that the facts known now leave a question, if they leave only one.

    Time alone decides nothing here: a question that ran out is due, and a person resolves it.
    """
    predicate = known_world.predicates[question.id]
    processes = known_world.world.processes
    by_process = {
        name: known_world.record(processes[name], items, now) for name in asked(predicate)
    }
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
    """What the facts known now say of a question: its one outcome, and what a yes still lacks.

    With what it asks of the world, where it asks anything.
    """

    outcome: str | None
    lacking: str = ""
    predicate: ask.Predicate | None = None


def facts_on(ledger: Ledger, catalog: Catalog, question: Question, now: dt.datetime) -> OnRecord:
    """Read what the facts on record say of one question."""
    if not question.answer:
        return OnRecord(None)
    world = NewsWorld.of(ledger, replace(catalog, questions={question.id: question}))
    predicate = world.predicates.get(question.id)
    if predicate is None:
        return OnRecord(None)
    known_items = [item for item in ledger.evidence() if item.known_at <= now]
    retraction_of = retractions(known_items)
    items = [item for item in known_items if item.key not in retraction_of]
    lacking = ""
    event = predicate.event
    if isinstance(event, ask.Entered) and event.states == ("done",):
        process = world.world.processes[event.process]
        total = world.record(process, items, now).total
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
                return True if sum(step.counted for step in steps) >= least else None
            case ask.Through(process=name, states=states, until=until):
                steps = self._steps(name, self.question.opens, until.of(self.question.closes))
                outside = any(step.state not in states for step in steps if not step.counted)
                return False if outside else None
            case ask.Within(process=name, states=states, cause=cause, cause_states=causes):
                steps = self._steps(cause, self.question.opens, self.question.closes)
                first = next((s.at for s in steps if self._enters(s, cause, causes)), None)
                if first is None:
                    return None
                after = self._steps(name, first, first + dt.timedelta(days=event.days))
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
        if delivery is None or event.since_opening or record.total < delivery.agreed:
            return None
        return f"{record.total:g}"

    def _combination(self, left: ask.Truth, right: ask.Truth, *, decisive: bool) -> bool | None:
        truths = {self.truth(left), self.truth(right)}
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive

    def _steps(self, name: str, begin: dt.datetime, end: dt.datetime) -> list[Step]:
        return [step for step in self.records[name].steps if begin < step.at <= end]

    def _enters(self, step: Step, name: str, states: Sequence[str]) -> bool:
        if not states or self.processes[name].kind == "event":
            return step.counted or not states
        return step.state in states and not step.counted


LONGEST_REASON = 20_000


def world_of_the_bank(ledger: Ledger) -> WorldSpec:
    """Give the processes and links of a ledger's bank, and the processes of its own."""
    return bank_of(ledger).world


def check_reason(because: str) -> None:
    """Refuse a reason that is too long."""
    if len(because) > LONGEST_REASON:
        msg = f"because ({len(because)} characters): at most {LONGEST_REASON}"
        raise InvalidInput(msg)


def watch(
    ledger: Ledger,
    processes: Sequence[str],
    *,
    until: dt.datetime,
    now: dt.datetime,
    every: bool = False,
    who: str,
    because: str = "",
    world: WorldSpec | None = None,
) -> list[dict[str, Any]]:
    """Record that somebody looked at processes, and nothing more had happened up to a moment.

    All in one transaction; never later than now, never earlier than a watch of the same process,
    that of the bank's file among them.
    """
    spec = world_of_the_bank(ledger) if world is None else world
    names = _names_to_watch(spec, processes, every=every)
    if until > now:
        msg = f"until ({iso(until)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out until=TIME")
    check_reason(because)
    latest = _latest(ledger)
    for name in names:
        last, from_bank = latest.get(name), spec.processes[name].watched
        # Where the clock is set by hand, what lies ahead of it is not yet known.
        ends = [one.until for one in [last] if one] + [min(one, now) for one in [from_bank] if one]
        if any(until < end for end in ends):
            msg = (
                f"until ({iso(until)}): {name} is watched until {iso(max(ends))}, "
                "and a watch does not go backwards"
            )
            raise InvalidInput(msg, hint="forecast watch")
    drafts = [Watch(name, until, because=normalised(because), watcher=who) for name in names]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "process": draft.process,
            "until": draft.until,
            "recorded_at": entry.recorded_at,
            "watcher": draft.watcher,
            "because": draft.because,
        }
        for draft, entry in zip(drafts, recorded, strict=True)
    ]


def without_list(world: WorldSpec, among: Iterable[str] = ()) -> dict[str, dt.datetime]:
    """Give the processes of which nobody keeps a list, and since when; `among`: these alone."""
    wanted = set(among) or set(world.processes)
    return {
        name: process.watched
        for name, process in world.processes.items()
        if name in wanted and unlisted(process) and process.watched is not None
    }


def no_list(since_of: Mapping[str, dt.datetime]) -> str:
    """Say what a watch claims of processes of which nobody keeps a list."""
    if not since_of:
        return ""
    since = min(since_of.values())
    return (
        f"nobody keeps a list of {', '.join(since_of)}: this says that you looked for "
        f"{'it' if len(since_of) == 1 else 'them'} too, and none came since {iso(since)[:10]}"
    )


def _names_to_watch(world: WorldSpec, processes: Sequence[str], *, every: bool) -> list[str]:
    if every and processes:
        msg = f"watch ({', '.join(processes)}): name processes or watch all of them, not both"
        raise InvalidInput(msg, hint="forecast watch --all")
    if not world.processes:
        msg = "watch: the bank has no process to watch"
        raise InvalidInput(msg, hint="forecast questions check")
    if every:
        return list(world.processes)
    if not processes:
        msg = "watch: name the processes that you looked at"
        raise InvalidInput(msg, hint="forecast watch --all")
    for name in processes:
        if name not in world.processes:
            msg = f"no process named {name}"
            raise NotFound(msg, hint=nearest(name, world.processes) or "forecast watch")
    return list(dict.fromkeys(processes))


def _latest(ledger: Ledger) -> dict[str, Watch]:
    """Give the watch of each process that reaches furthest; of two alike the later one."""
    latest: dict[str, Watch] = {}
    for one in ledger.watches():
        if one.process not in latest or one.until >= latest[one.process].until:
            latest[one.process] = one
    return latest


def rows(
    ledger: Ledger, *, now: dt.datetime, world: WorldSpec | None = None
) -> list[dict[str, Any]]:
    """Give one row a process: until when it is watched, by whom, and how long ago that was.

    The bank's own record covers a process until somebody has watched it; it has no ``recorded_at``,
    and ``bank`` for a watcher. One that nobody watches has no ``until``. A day that is not over is
    watched until now, as everywhere. The longest unwatched come first.
    """
    spec = world_of_the_bank(ledger) if world is None else world
    latest = _latest(ledger)
    result = []
    for name in [*spec.processes, *(other for other in latest if other not in spec.processes)]:
        process, last = spec.processes.get(name), latest.get(name)
        # A watch that ended before the record begins has watched nothing.
        if process is not None and process.since is not None and process.kind == "event":
            last = None if last is not None and last.until <= process.since else last
            process = replace(process, watched=None) if unlisted(process) else process
        stream = None if process is None or not process.watched else min(process.watched, now)
        if stream is not None and (last is None or stream > last.until):
            last = Watch(name, stream, watcher="bank")
        result.append(
            {
                "process": name,
                "title": process.title if process else "",
                "until": last and last.until,
                "recorded_at": last and last.recorded_at,
                "days": last and (now - last.until).days,
                "watcher": last.watcher if last else "",
                "because": last.because if last else "",
                "seq": last and last.seq,
            }
        )
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(result, key=lambda row: row["until"] or never)
