"""What is known of each process as of a moment: its record, and the past of each of its moves.

Up to its watch silence is evidence: a record runs from the beginning of the watch to its end, and
each move's past is the time at risk in it, cut where a link began or ceased to act. Beyond the
watch nothing is known, and chance runs from there.
"""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from operator import itemgetter
from typing import Any

from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import day_of, parse_instant
from forecasting.domain.process import (
    DELIVERY_ENDS,
    LinkSpec,
    MoveSpec,
    ProcessSpec,
    WorldSpec,
    begins,
)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
#: After everything that is watched.
LATER = dt.datetime.max.replace(tzinfo=dt.UTC)
#: By so much of what was agreed parts may miss it as sums of floats and be the whole.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of one stay in a move's start state, in which no link changed.

    `begin` and `end` are ages in days since the state was entered (of an event since the last one),
    `day` the days since 1970 at the beginning, `on` the links that acted.
    """

    begin: float
    end: float
    fired: bool
    on: tuple[str, ...]
    day: float


@dataclass(frozen=True, slots=True)
class Past:
    """The time at risk of one move of one process, piece by piece."""

    process: str
    move: str
    pieces: tuple[Piece, ...]

    @property
    def count(self) -> int:
        """How often the move fired."""
        return sum(piece.fired for piece in self.pieces)

    @property
    def exposure(self) -> float:
        """Days at risk, whatever links acted."""
        return sum(piece.end - piece.begin for piece in self.pieces)

    @property
    def heard_from(self) -> tuple[float, ...]:
        """Give by piece the day from which reports count: those of an earlier stay are over."""
        days, ends, ended = list[float](), list[float](), -inf
        for piece in self.pieces:
            if piece.begin == 0.0:
                ended = max((end for end in ends if end <= piece.day), default=-inf)
            days.append(ended)
            ends.append(piece.day + piece.end - piece.begin)
        return tuple(days)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing known to have happened to a process.

    `state` is the state from then on; `counted` is whether it was an event or a part, which leaves
    the state as it is; `key` names the evidence.
    """

    at: dt.datetime
    state: str
    amount: float = 0.0
    counted: bool = False
    key: str = ""

    @property
    def said(self) -> str:
        """What happened, in a word."""
        return f"a part of {self.amount:g}" if self.amount > 0.0 else self.state


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one process: watched from `since` (then in `start`) until `free`."""

    process: ProcessSpec
    since: dt.datetime
    start: str
    steps: tuple[Step, ...]
    free: dt.datetime
    #: What is said to have come after a delivery had ended: it counts for nothing.
    late: tuple[Step, ...] = ()

    @property
    def state(self) -> str:
        """The state at the end of the watch."""
        return self.steps[-1].state if self.steps else self.start

    @property
    def entered(self) -> dt.datetime:
        """When the present state was entered (or when the watch began)."""
        moved = [step.at for step in self.steps if not step.counted]
        return moved[-1] if moved else self.since

    @property
    def total(self) -> float:
        """What a delivery has brought."""
        return self.total_by(self.free)

    def total_by(self, moment: dt.datetime) -> float:
        """Give what a delivery has brought by a moment."""
        before = self.process.delivery.delivered if self.process.delivery else 0.0
        return before + sum(step.amount for step in self.steps if step.at <= moment)

    def state_at(self, moment: dt.datetime) -> str:
        """Give the state at a moment of the record."""
        state = self.start
        for step in self.steps:
            if step.at > moment:
                break
            state = step.state
        return state


def records(
    world: WorldSpec,
    items: Sequence[Evidence],
    as_of: dt.datetime,
    *,
    watched: Mapping[str, dt.datetime],
    made: Mapping[str, dt.datetime],
) -> dict[str, Record]:
    """Give the record of each process as of a moment."""
    by_process: dict[str, list[tuple[Evidence, Effect]]] = {name: [] for name in world.processes}
    looked: dict[str, dt.datetime] = {}
    for item in items:
        for effect in item.effects:
            head = effect.about
            if head not in by_process or effect.form == "bears":
                continue
            looked[head] = max(looked.get(head, item.known_at), item.known_at)
            if effect.form == "datum":
                by_process[head].append((item, effect))
    record_of = {}
    for name, process in world.processes.items():
        # What has not begun yet begins then: no part comes before its agreement.
        since = begins(process) or min(process.since or made.get(name, as_of), as_of)
        ends = [process.watched, watched.get(name), looked.get(name)]
        until = max([since, *(end for end in ends if end is not None)])
        free = max(since, min(as_of, until))
        all_steps = _steps(process, by_process[name], since, free)
        steps, late = _without_repeats(process, all_steps), tuple[Step, ...]()
        if process.delivery is not None:
            steps, late = _parts(process, all_steps)
        start = process.start or process.states[0]
        record_of[name] = Record(process, since, start, steps, free, late)
    return record_of


def _steps(
    process: ProcessSpec,
    facts: Sequence[tuple[Evidence, Effect]],
    since: dt.datetime,
    free: dt.datetime,
) -> tuple[Step, ...]:
    """Put the facts of a process in order of time; a fact that two items state counts once."""
    steps: dict[tuple[dt.date, str, str], tuple[tuple[Any, ...], Step]] = {}
    for item, effect in facts:
        detail = effect.detail
        kind = str(detail.get("name", ""))
        at = (
            parse_instant(str(detail["at"])) if "at" in detail else (item.event_at or item.known_at)
        )
        if not since <= at <= free:
            continue
        state = str(detail.get("state", ""))
        if kind == "state" and state in process.states:
            step = Step(at, state, key=item.key)
        elif kind == "event":
            step = Step(at, process.states[0], counted=True, key=item.key)
        elif kind == "part":
            step = Step(at, "begun", float(detail.get("value", 0.0)), key=item.key)
        else:
            continue
        place = (at, step.amount == 0.0, item.known_at, item.seq or 0, item.key)
        steps.setdefault((day_of(at, process.zone), kind, state), (place, step))
    return tuple(step for _, step in sorted(steps.values(), key=itemgetter(0)))


def _without_repeats(process: ProcessSpec, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Drop a state that is stated again while it holds, unless a move leads back into it."""
    loops = {move.start for move in process.moves if move.start == move.end}
    distinct: list[Step] = []
    state = process.start or process.states[0]
    for step in steps:
        if not step.counted and step.state == state and state not in loops:
            continue
        counted = step.counted or (step.state == state and state in loops)
        distinct.append(replace(step, counted=counted))
        state = step.state
    return tuple(distinct)


def _parts(
    process: ProcessSpec, steps: Sequence[Step]
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Turn parts into states: the first begins the delivery; the last, or a word, completes it."""
    assert process.delivery is not None  # for the type checker
    state, total = process.start or "agreed", process.delivery.delivered
    goal, result, late = process.delivery.agreed, list[Step](), list[Step]()
    for step in steps:
        ends = step.state == "done" and step.amount == 0.0
        if state in DELIVERY_ENDS:
            late += [step] * (step.state != state)
        elif step.amount > 0.0 or (ends and total < goal):
            amount = goal - total if ends else step.amount
            total += amount
            result.append(replace(step, state="begun", amount=amount, counted=state == "begun"))
            state = "begun"
            if total >= goal * (1.0 - ROUNDING):
                result.append(Step(step.at, "done", key=step.key))
                state = "done"
        elif step.state != state:
            result.append(step)
            state = step.state
    return tuple(result), tuple(late)


def links_on(link: LinkSpec, move: MoveSpec, child: ProcessSpec) -> bool:
    """Say whether a link acts on a move."""
    return link.child == child.name and (not link.into or move.end in link.into)


def pasts(world: WorldSpec, record_of: Mapping[str, Record]) -> dict[tuple[str, str], Past]:
    """Give the past of every move of every process that is stated by moves."""
    on = {link.name: _acted(link, record_of[link.parent]) for link in world.links}
    result = {}
    for name, process in world.processes.items():
        for move in process.moves:
            links = [link for link in world.links if links_on(link, move, process)]
            pieces = [
                piece
                for stay in _stays(record_of[name], move)
                for piece in _cut(stay, [(link.name, on[link.name]) for link in links])
            ]
            result[name, move.name] = Past(name, move.name, tuple(pieces))
    return result


Span = tuple[dt.datetime, dt.datetime]


def _stays(record: Record, move: MoveSpec) -> list[tuple[dt.datetime, dt.datetime, bool]]:
    """Give (from, to, fired) of each stay in the move's start state."""
    stays = []
    state, entered = record.start, record.since
    for step in record.steps:
        loop = step.counted and step.state == state
        if loop and not (move.start == state == move.end):
            continue
        if state == move.start:
            fired = loop if move.start == move.end else (not loop and step.state == move.end)
            stays.append((entered, step.at, fired))
        state, entered = step.state, step.at
    if state == move.start:
        stays.append((entered, record.free, False))
    return [stay for stay in stays if stay[1] >= stay[0]]


def _acted(link: LinkSpec, parent: Record) -> list[Span]:
    """Give the spans of the past in which a link acted.

    Where the child was watched for longer, the parent's last state is taken to go on: off would
    say that it had ended, and what has no way out has not.
    """
    spans: list[Span] = []
    state, entered = parent.start, parent.since
    for step in [*parent.steps, None]:
        until = LATER if step is None else step.at
        happened = step is not None and step.counted and not link.states
        if state in link.states and (until > entered):
            spans.append((entered, until))
        if happened and step is not None:
            spans.append((step.at, step.at))
        if step is not None:
            state, entered = step.state, step.at
    if link.once and spans:
        return [(spans[0][0], LATER)]
    return spans


def _cut(
    stay: tuple[dt.datetime, dt.datetime, bool], links: Sequence[tuple[str, Sequence[Span]]]
) -> list[Piece]:
    """Cut a stay wherever a link began or ceased to act."""
    begin, end, fired = stay
    edges = {begin, end}
    for _, spans in links:
        edges |= {edge for span in spans for edge in span if begin < edge < end}
    ordered = sorted(edges)
    if len(ordered) == 1:
        return [_piece(stay, begin, end, fired, links)] if fired else []
    return [_piece(stay, a, b, fired and b == end, links) for a, b in itertools.pairwise(ordered)]


def _piece(
    stay: tuple[dt.datetime, dt.datetime, bool],
    a: dt.datetime,
    b: dt.datetime,
    fired: bool,
    links: Sequence[tuple[str, Sequence[Span]]],
) -> Piece:
    middle = a + (b - a) / 2
    on = tuple(name for name, spans in links if any(s <= middle < e for s, e in spans))
    return Piece((a - stay[0]) / DAY, (b - stay[0]) / DAY, fired, on, (a - EPOCH) / DAY)
