"""Does a predicate fit its world and its question: names, types, moments, conditions."""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from forecasting.domain import predicate as ask
from forecasting.domain.instants import iso
from forecasting.domain.outcome import NO, YES, OutcomeSpace
from forecasting.domain.process import DELIVERY_MOVES, ProcessSpec, WorldSpec
from forecasting.errors import nearest

COUNTED = ("event", "delivery")
#: More ways of meeting a condition are not searched for contradictions.
MOST_WAYS = 256
type _Literal = tuple[ask.Atom, bool]


def processes_of(predicate: ask.Predicate) -> frozenset[str]:
    """Give the processes that a predicate names, those of its condition too."""
    parts = [predicate.event] if predicate.given is None else [predicate.event, predicate.given]
    return frozenset(process for part in parts for process, _ in _targets(part))


def check_predicate(
    predicate: ask.Predicate,
    world: WorldSpec,
    space: OutcomeSpace,
    opens: dt.datetime,
    closes: dt.datetime,
) -> list[str]:
    """List why a predicate cannot answer a question; empty if it can."""
    parts = [predicate.event] if predicate.given is None else [predicate.event, predicate.given]
    unknown = [fault for part in parts for fault in _names(part, world)]
    if unknown:
        return list(dict.fromkeys(unknown))
    faults = [fault for part in parts for fault in _reach(part, world)]
    faults += _fits(predicate.event, world, space)
    faults += [fault for part in parts for fault in _moments(part, opens, closes)]
    if predicate.given is not None and not faults and cannot_be(predicate.given, world, closes):
        faults.append("given: the condition is impossible: its parts exclude each other")
    return list(dict.fromkeys(faults))


def reached(process: ProcessSpec, starts: Iterable[str]) -> frozenset[str]:
    """Give the states that moves lead to from some states, those themselves too."""
    moves = [(move.start, move.end) for move in process.moves]
    if process.kind == "delivery":
        moves += [*DELIVERY_MOVES, ("agreed", "done"), ("begun", "done"), ("stalled", "done")]
    states = set(starts)
    while more := {end for start, end in moves if start in states} - states:
        states |= more
    return frozenset(states)


def cannot_be(truth: ask.Truth, world: WorldSpec, closes: dt.datetime) -> bool:
    """Say whether every way of meeting a truth contradicts itself."""
    ways = _ways(truth, True)
    return ways is not None and all(
        any(_exclude(a, b, world, closes) for a, b in itertools.combinations(way, 2))
        or any(_never(literal, closes) for literal in way)
        for way in ways
    )


def _targets(event: ask.Event) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each process that an event names, with the states that it names."""
    for part in ask.parts(event):
        match part:
            case ask.Within():
                yield part.process, part.states
                yield part.cause, part.cause_states
            case ask.FirstOf() | ask.HighestAmong():
                yield from ((process, states) for _, process, states in part.entries)
            case ask.StateOn() | ask.HighestOf():
                yield part.process, tuple(state for state, _ in part.named)
            case ask.Entered() | ask.At() | ask.Through():
                yield part.process, part.states
            case ask.Occurred() | ask.Total():
                yield part.process, ()


def _names(event: ask.Event, world: WorldSpec) -> Iterator[str]:
    for process, states in _targets(event):
        spec = world.processes.get(process)
        if spec is None:
            near = nearest(process, world.processes)
            hint = f"; the nearest is {near}" if near else ""
            yield f"process ({process}): the world has no such process{hint}"
            continue
        for state in states:
            if state in spec.states:
                continue
            if spec.kind == "event":
                yield f"state ({process}={state}): an event has no states; say {process} by close"
                continue
            near = nearest(state, spec.states)
            hint = f"; the nearest is {near}" if near else ""
            yield f"state ({process}={state}): {process} has {', '.join(spec.states)}{hint}"


def _reach(event: ask.Event, world: WorldSpec) -> Iterator[str]:
    """Say what can never be: a state that no move leads to, an event of what is not counted."""
    for part in ask.parts(event):
        if isinstance(part, ask.StateOn | ask.HighestOf | ask.Total):
            continue
        is_state = isinstance(part, ask.At | ask.Through | ask.HighestAmong)
        for process, states in _targets(part):
            yield from (_in_state if is_state else _entered)(world.processes[process], states)


def _entered(process: ProcessSpec, states: tuple[str, ...]) -> Iterator[str]:
    if not states:
        counted = process.kind in COUNTED or any(m.start == m.end for m in process.moves)
        if not counted and process.kind != "own":
            example = f"{process.name}={process.states[-1]}"
            yield f"process ({process.name}): is not an event; name a state, such as {example}"
        return
    if process.kind in {"delivery", "own"}:
        return
    ends = {move.end for move in process.moves}
    for state in states:
        if state not in ends:
            yield f"state ({process.name}={state}): no move leads into it"


def _in_state(process: ProcessSpec, states: tuple[str, ...]) -> Iterator[str]:
    if process.kind in {"delivery", "own"}:
        return
    start = process.start or process.states[0]
    can = reached(process, (start, *(fact.state for fact in process.facts if fact.state)))
    for state in states:
        if state not in can:
            yield f"state ({process.name}={state}): no moves lead there from {start}"


def _fits(event: ask.Event, world: WorldSpec, space: OutcomeSpace) -> Iterator[str]:
    """Say what does not fit the question's type."""
    choice = isinstance(event, ask.StateOn | ask.FirstOf | ask.HighestOf | ask.HighestAmong)
    if space.type == "numeric":
        if not isinstance(event, ask.Total):
            yield "a numeric question asks for a number: PROCESS count, or PROCESS total"
        elif world.processes[event.process].kind not in COUNTED:
            yield f"process ({event.process}): is not counted, so it has no number"
        elif world.processes[event.process].kind == "event" and not event.since_opening:
            yield f"process ({event.process}): events have a count: {event.process} count"
    elif isinstance(event, ask.Total):
        yield f"a number answers only numeric questions; ask {event.process} count >= 3 by close"
    elif space.type == "binary":
        if choice:
            yield "a binary question needs what is true or false: PROCESS=STATE by close"
    elif not choice:
        yield f"a question of type {space.type} asks which option: PROCESS on close, or first of"
    else:
        yield from _options(event, world, space.options)


def _options(event: ask.Event, world: WorldSpec, options: tuple[str, ...]) -> Iterator[str]:
    """Say which options nothing gives, and what gives none."""
    if isinstance(event, ask.FirstOf | ask.HighestAmong):
        offered = [*(option for option, _, _ in event.entries), event.otherwise]
        for option in offered:
            if option not in options:
                yield _no_option(option, options)
    elif isinstance(event, ask.StateOn | ask.HighestOf):
        process = world.processes[event.process]
        named: Mapping[str, str] = dict(event.named)
        offered = [named.get(state, state) for state in process.states]
        for state, option in zip(process.states, offered, strict=True):
            if state in named and option not in options:
                yield _no_option(option, options)
            elif option not in options:
                yield (
                    f"state ({process.name}={state}): gives no option; "
                    f"say as OPTION: {state} with one of {', '.join(options)}"
                )
    else:
        return
    for option in options:
        if option not in offered:
            yield f"option ({option}): no state leads to it"


def _no_option(option: str, options: tuple[str, ...]) -> str:
    return f"option ({option}): the question has {', '.join(options)}"


def _moments(event: ask.Event, opens: dt.datetime, closes: dt.datetime) -> Iterator[str]:
    for since, until in windows(event):
        end = until.of(closes)
        begin = opens if since is None else since.of(closes)
        if end > closes:
            yield f"time ({iso(end)}): lies after the close ({iso(closes)})"
        elif end <= opens:
            yield f"time ({iso(end)}): lies before the question opens ({iso(opens)})"
        elif begin < opens:
            yield f"time ({iso(begin)}): lies before the question opens ({iso(opens)})"
        elif begin >= end:
            yield f"between ({iso(begin)}): must begin before it ends ({iso(end)})"


def windows(event: ask.Event) -> Iterator[tuple[ask.Moment | None, ask.Moment]]:
    """Give from when (None: the opening) until when each part that states a moment looks."""
    for part in ask.parts(event):
        match part:
            case ask.Entered() | ask.Occurred():
                yield part.since, part.until
            case ask.At() | ask.StateOn() | ask.Total():
                yield None, part.when
            case ask.Through() | ask.HighestOf():
                yield None, part.until


def _ways(truth: ask.Truth, holds: bool) -> list[tuple[_Literal, ...]] | None:
    """Give the ways of meeting a truth, each as what must hold and what must not."""
    match truth:
        case ask.Not(of=inner):
            return _ways(inner, not holds)
        case ask.And(left=left, right=right) | ask.Or(left=left, right=right):
            one, other = _ways(left, holds), _ways(right, holds)
            if one is None or other is None:
                return None
            if isinstance(truth, ask.Or) == holds:
                ways = one + other
            else:
                ways = [a + b for a in one for b in other]
            return ways if len(ways) <= MOST_WAYS else None
        case _:
            return [((truth, holds),)]


@dataclass(frozen=True, slots=True)
class _InStates:
    """A process is in one of some states at a moment, or all the while until it."""

    process: str
    states: frozenset[str]
    at: dt.datetime
    throughout: bool = False
    entered: bool = False


def _in_states(atom: ask.Atom, closes: dt.datetime) -> _InStates | None:
    match atom:
        case ask.At(process=process, states=states, when=when):
            return _InStates(process, frozenset(states), when.of(closes))
        case ask.Through(process=process, states=states, until=until):
            return _InStates(process, frozenset(states), until.of(closes), throughout=True)
        case ask.Entered(process=process, states=states, until=until) if states:
            return _InStates(process, frozenset(states), until.of(closes), entered=True)
    return None


def _exclude(one: _Literal, other: _Literal, world: WorldSpec, closes: dt.datetime) -> bool:
    """Say whether two things cannot both be so."""
    if one[0] == other[0]:
        return one[1] != other[1]
    if not (one[1] and other[1]):
        return False
    a, b = _in_states(one[0], closes), _in_states(other[0], closes)
    if a is None or b is None or a.process != b.process:
        return False
    first, later = (a, b) if a.at <= b.at else (b, a)
    apart = not first.states & later.states
    # The later one holds all the while, so also when the earlier is looked at or entered.
    if later.throughout:
        return apart
    if first.throughout and later.at == first.at:
        return apart
    if first.entered or later.entered:
        return False
    if first.at == later.at:
        return apart
    spec = world.processes[a.process]
    return spec.kind != "own" and not reached(spec, first.states) & later.states


def _never(literal: _Literal, closes: dt.datetime) -> bool:
    """Say whether one thing cannot be: an empty window."""
    atom, holds = literal
    if not holds or not isinstance(atom, ask.Entered | ask.Occurred) or atom.since is None:
        return False
    return atom.since.of(closes) >= atom.until.of(closes)


_BOTH = frozenset({True, False})
_NEITHER: frozenset[bool] = frozenset()


def knowable(predicate: ask.Predicate, at: dt.datetime, closes: dt.datetime) -> frozenset[str]:
    """Give the outcomes that can be known before a question closes: nothing undoes them."""
    event = predicate.event
    if isinstance(event, ask.FirstOf):
        return frozenset(entry[0] for entry in event.entries) - {event.otherwise}
    if isinstance(event, ask.HighestAmong):
        return frozenset({event.entries[-1][0]})
    if isinstance(event, ask.StateOn | ask.HighestOf | ask.Total):
        return frozenset()
    return frozenset({True: YES, False: NO}[truth] for truth in _truth(event, at, closes))


def _truth(truth: ask.Truth, at: dt.datetime, closes: dt.datetime) -> frozenset[bool]:
    match truth:
        case ask.Not(of=inner):
            return frozenset(not value for value in _truth(inner, at, closes))
        case ask.And(left=left, right=right):
            return _joined(_truth(left, at, closes), _truth(right, at, closes), decisive=False)
        case ask.Or(left=left, right=right):
            return _joined(_truth(left, at, closes), _truth(right, at, closes), decisive=True)
        case ask.At(when=when):
            return _BOTH if at >= when.of(closes) else _NEITHER
        case ask.Through(until=until):
            return _BOTH if at >= until.of(closes) else frozenset({False})
        case ask.Entered(until=until, since=since) | ask.Occurred(until=until, since=since):
            if since is not None and at < since.of(closes):
                return _NEITHER
            return _BOTH if at >= until.of(closes) else frozenset({True})
        case ask.Within():
            return _BOTH if at >= closes else frozenset({True})


def _joined(left: frozenset[bool], right: frozenset[bool], *, decisive: bool) -> frozenset[bool]:
    """Join two parts: either can decide alone, and only both together can fail to."""
    values = set()
    if decisive in left | right:
        values.add(decisive)
    if (not decisive) in left & right:
        values.add(not decisive)
    return frozenset(values)
