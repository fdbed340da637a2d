"""What a question asks, read off the paths: facts in [opening, watch] joined to what follows."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

import numpy as np

from forecasting.arrays import BoolArray, FloatArray, IntArray
from forecasting.domain import predicate
from forecasting.errors import InvalidInput
from forecasting.models.world.values import NEVER, Known, Process

if TYPE_CHECKING:
    from forecasting.models.world.paths import Paths, Rows

#: An option that holds whatever no other option names.
OTHER = "other"


def truth(paths: "Paths", event: predicate.Truth, opens: float, closes: dt.datetime) -> BoolArray:
    """Say in which draws an event happens; `opens` is in days from the origin."""
    match event:
        case predicate.Not(of=inner):
            return ~truth(paths, inner, opens, closes)
        case predicate.And(left=left, right=right):
            return truth(paths, left, opens, closes) & truth(paths, right, opens, closes)
        case predicate.Or(left=left, right=right):
            return truth(paths, left, opens, closes) | truth(paths, right, opens, closes)
        case predicate.Entered(process=name, states=states, until=until, since=since):
            after = opens if since is None else _day(paths, name, since, closes)
            times = entries(paths, name, states, after)
            return times <= _day(paths, name, until, closes)
        case predicate.Occurred(process=name, until=until, least=least, since=since):
            after = opens if since is None else _day(paths, name, since, closes)
            return counts(paths, name, after, _day(paths, name, until, closes)) >= least
        case predicate.At(process=name, states=states, when=when):
            state = state_at(paths, name, _day(paths, name, when, closes))
            return _among(paths, name, states)[state]
        case predicate.Through(process=name, states=states, until=until):
            return _through(paths, name, states, opens, _day(paths, name, until, closes))
        case predicate.Within():
            return _within(paths, event, opens, paths.world.day(closes))
    assert_never(event)


def choice(
    paths: "Paths",
    event: predicate.Choice,
    options: Sequence[str],
    opens: float,
    closes: dt.datetime,
) -> IntArray:
    """Give the position of the option that comes true in each draw."""
    match event:
        case predicate.StateOn(process=name, when=when, named=named):
            state = state_at(paths, name, _day(paths, name, when, closes))
            return _options(paths, name, state, options, dict(named))
        case predicate.HighestOf(process=name, until=until, named=named):
            highest = _highest(paths, name, opens, _day(paths, name, until, closes))
            return _options(paths, name, highest, options, dict(named))
    close = paths.world.day(closes)
    _reach(paths, [name for _, name, _ in event.entries], close, closes)
    best = np.full(paths.world.draws, np.nextafter(close, NEVER))
    place = np.full(paths.world.draws, _position(options, event.otherwise))
    for option, name, states in event.entries:
        times = entries(paths, name, states, opens)
        if isinstance(event, predicate.FirstOf):
            chosen = times < best
            best[chosen] = times[chosen]
        else:  # the highest that is reached, or was at the opening, comes last
            chosen = times <= close
            if states:
                chosen |= _among(paths, name, states)[state_at(paths, name, opens)]
        place[chosen] = _position(options, option)
    return place


def number(paths: "Paths", event: predicate.Total, opens: float, closes: dt.datetime) -> FloatArray:
    """Give what a delivery brought, or how many events fell, in each draw."""
    until = _day(paths, event.process, event.when, closes)
    after = opens if event.since_opening else -NEVER
    process = _process(paths, event.process)
    if not np.isfinite(process.goal):
        return counts(paths, event.process, after, until).astype(np.float64)
    known = [k.amount for k in process.known[1:] if after < k.day <= until]
    if not event.since_opening:
        known.append(process.total)
    rows = paths.of(paths.world.index[event.process])
    within = (rows.time > after) & (rows.time <= until)
    drawn = np.bincount(rows.draw[within], rows.amount[within], paths.world.draws)
    total = np.asarray(sum(known) + drawn, dtype=np.float64)
    # Parts have seven digits, so a sum is rounded to seven digits of what was agreed.
    return np.round(total, 6 - math.ceil(math.log10(process.goal)))


def entries(paths: "Paths", name: str, states: Sequence[str], after: float) -> FloatArray:
    """Give the day after `after` on which each draw first enters a state (never: inf).

    Without states: on which its first event falls.
    """
    known, rows, hit = _events(paths, name, states)
    for day in known:
        if day > after:
            return np.full(paths.world.draws, day)
    hit &= rows.time > after
    first = np.full(paths.world.draws, NEVER)
    first[rows.draw[hit][::-1]] = rows.time[hit][::-1]  # the earliest is written last
    return first


def _events(
    paths: "Paths", name: str, states: Sequence[str]
) -> tuple[list[float], "Rows", BoolArray]:
    """Give the known days of the entries into some states (of events without), and which rows."""
    process, wanted = _process(paths, name), _among(paths, name, states)
    known = [
        entry.day
        for before, entry in _steps(process)
        if _enters(process, wanted, before, entry, bool(states))
    ]
    rows = paths.of(paths.world.index[name])
    return known, rows, _into(process, wanted, rows) if states else _falls(process, rows)


def _into(process: "Process", wanted: BoolArray, rows: "Rows") -> BoolArray:
    """Say which rows enter a wanted state; a delivery that is made in one part begins with it."""
    hit = wanted[rows.state] & (rows.before != rows.state)
    if process.done >= 0 and "begun" in process.states:
        begun = process.states.index("begun")
        if wanted[begun]:
            hit |= (rows.state == process.done) & (rows.before != begun)
    return np.asarray(hit, dtype=np.bool_)


def counts(paths: "Paths", name: str, after: float, until: float) -> IntArray:
    """Give how many events (parts, or moves where nothing is counted) fall in (after, until]."""
    known, rows, hit = _events(paths, name, ())
    hit &= (rows.time > after) & (rows.time <= until)
    before = sum(after < day <= until for day in known)
    return before + np.bincount(rows.draw[hit], minlength=paths.world.draws)


def state_at(paths: "Paths", name: str, day: float) -> IntArray:
    """Give each draw's state on a day, what happens at that moment included."""
    process = _process(paths, name)
    known_state = process.known[0].state
    for entry in process.known[1:]:
        if entry.day <= day:
            known_state = entry.state
    state = np.full(paths.world.draws, known_state, dtype=np.int64)
    rows = paths.of(paths.world.index[name])
    by = rows.time <= day
    state[rows.draw[by]] = rows.state[by]  # the last is written last
    return state


def _through(
    paths: "Paths", name: str, states: Sequence[str], opens: float, until: float
) -> BoolArray:
    wanted = _among(paths, name, states)
    inside = wanted[state_at(paths, name, opens)]
    for _, entry in _steps(_process(paths, name)):
        if opens < entry.day <= until and not wanted[entry.state]:
            inside[:] = False
    rows = paths.of(paths.world.index[name])
    left = (rows.time > opens) & (rows.time <= until) & ~wanted[rows.state]
    inside[rows.draw[left]] = False
    return inside


def _within(paths: "Paths", event: predicate.Within, opens: float, until: float) -> BoolArray:
    """Say whether the effect enters, by the close, within so many days of the first cause."""
    _reach(paths, [event.process, event.cause], until, None)
    cause = entries(paths, event.cause, event.cause_states, opens)
    latest = np.where(cause <= until, np.minimum(cause + event.days, until), -NEVER)
    same = event.process == event.cause
    hit = np.zeros(paths.world.draws, dtype=np.bool_)
    known, rows, enters = _events(paths, event.process, event.states)
    for day in known:
        after = day > cause if same else day >= cause
        hit |= after & (day <= latest)
    begun, end = cause[rows.draw], latest[rows.draw]
    after = rows.time > begun if same else rows.time >= begun
    hit[rows.draw[enters & after & (rows.time <= end)]] = True
    return hit


def _highest(paths: "Paths", name: str, opens: float, until: float) -> IntArray:
    highest = state_at(paths, name, opens)
    for _, entry in _steps(_process(paths, name)):
        if opens < entry.day <= until:
            np.maximum(highest, entry.state, out=highest)
    rows = paths.of(paths.world.index[name])
    within = (rows.time > opens) & (rows.time <= until)
    np.maximum.at(highest, rows.draw[within], rows.state[within].astype(np.int64))
    return highest


def _steps(process: Process) -> list[tuple[int, Known]]:
    """Give each known entry after the first, with the state before it."""
    return list(zip((entry.state for entry in process.known), process.known[1:], strict=False))


def _enters(process: Process, wanted: BoolArray, before: int, entry: Known, states: bool) -> bool:
    if states:
        return bool(wanted[entry.state]) and not entry.counted and before != entry.state
    if np.isfinite(process.goal):
        return entry.amount > 0
    return entry.counted or not any(move.start == move.end for move in process.moves)


def _falls(process: Process, rows: "Rows") -> BoolArray:
    """Say which rows are events: counted moves, parts of a delivery, else every move."""
    if np.isfinite(process.goal):
        return np.asarray(rows.amount > 0)
    if any(move.start == move.end for move in process.moves):
        return np.asarray(rows.before == rows.state)
    return np.ones(len(rows.time), dtype=np.bool_)


def _process(paths: "Paths", name: str) -> Process:
    place = paths.world.index.get(name)
    if place is None:
        message = f"{name}: the world has no such process."
        raise InvalidInput(message, hint=f"one of {', '.join(paths.world.index)}.")
    return paths.world.processes[place]


def _among(paths: "Paths", name: str, states: Sequence[str]) -> BoolArray:
    process = _process(paths, name)
    for state in states:
        if state not in process.states:
            message = f"{name}={state}: the process has no such state."
            raise InvalidInput(message, hint=f"one of {', '.join(process.states)}.")
    return np.array([state in states for state in process.states], dtype=np.bool_)


def _day(paths: "Paths", name: str, moment: predicate.Moment, closes: dt.datetime) -> float:
    at = moment.of(closes)
    day = paths.world.day(at)
    _reach(paths, [name], day, at)
    return day


def _reach(paths: "Paths", names: Sequence[str], day: float, at: dt.datetime | None) -> None:
    index = paths.world.index
    least = min((paths.reach[index[name]] for name in names if name in index), default=NEVER)
    if day > least + 1e-9:
        written = f"day {day:g}" if at is None else f"{at:%Y-%m-%d}"
        message = f"{written}: beyond the simulated {least:g} days."
        raise InvalidInput(message, hint="simulate up to the last moment that is asked for.")


def _options(
    paths: "Paths", name: str, state: IntArray, options: Sequence[str], named: Mapping[str, str]
) -> IntArray:
    """Give the option of each draw's state; a state that no option names is the rest."""
    states = _process(paths, name).states
    places = np.full(len(states), -1, dtype=np.int64)
    for k in np.unique(state):
        option = named.get(states[k], states[k])
        if option not in options and OTHER in options:
            option = OTHER
        places[k] = _position(options, option)
    return places[state]


def _position(options: Sequence[str], option: str) -> int:
    if option not in options:
        message = f"{option}: the question has no such option."
        raise InvalidInput(message, hint=f"one of {', '.join(options)}.")
    return list(options).index(option)
