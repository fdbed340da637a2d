"""Read the dated facts of a process, and turn the facts of a world into evidence."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.bank.facts import outlet
from forecasting.bank.schema import FactFile
from forecasting.bank.yaml_file import line_of
from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import day_of, iso, local_day
from forecasting.domain.process import DELIVERY_MOVES, EVENT_STATE, Fact, ProcessSpec
from forecasting.errors import nearest

if TYPE_CHECKING:
    from forecasting.bank.world_file import WorldReader

EVENT = "event"
PART = "part"
#: The stream that the facts of a world belong to.
STREAM = "world"
_DELIVERED = frozenset(
    {*DELIVERY_MOVES, ("agreed", "done"), ("begun", "done"), ("stalled", "done")}
)


def read_facts(
    reader: "WorldReader", spec: ProcessSpec, since: str | None, dated: Sequence[Any]
) -> ProcessSpec:
    """Give the process with its beginning and its facts; the faults of both are noted."""
    spec = _begun(reader, spec, since)
    path = ("processes", spec.name)
    counts = spec.kind in {"states", "event"}
    if counts and dated and since is None:
        message = f"{spec.name}: its facts need the day from which it was watched"
        state = "" if spec.kind == "event" else spec.states[0]
        hint = f"since 2025-01-20: {state or chr(34) * 2}"
        reader.fault((*path, dated[0]), "fact", message, hint)
        return spec
    facts: list[Fact] = []
    for key in dated:
        fact = _fact(reader, spec, key, (*path, key))
        if fact is not None and _follows(reader, spec, facts, fact, (*path, key)):
            facts.append(fact)
    return replace(spec, facts=tuple(facts))


def _begun(reader: "WorldReader", spec: ProcessSpec, key: str | None) -> ProcessSpec:
    """Read ``since 2022-02-24: none``."""
    first = spec.states[0] if spec.states else ""
    if key is None:
        return replace(spec, start=first)
    path = ("processes", spec.name, key)
    since = reader.been(key.removeprefix("since "), path, f"{spec.name}: since", "begins")
    value = reader.tree["processes"][spec.name][key]
    state = "" if value is None else str(value)
    if isinstance(value, bool):
        reader.fault(path, "fact", f"{spec.name}: since: a state called {state} needs quotes")
    elif spec.kind == EVENT and state not in {"", EVENT_STATE}:
        message = f"{spec.name}: since ({state}): an event has no state to begin in"
        reader.fault(path, "fact", message, f'{key}: ""')
    elif spec.kind != EVENT and state not in spec.states:
        message = f"{spec.name}: since ({state}): {spec.name} has {', '.join(spec.states)}"
        reader.fault(path, "fact", message, nearest(state, spec.states))
    if since is not None and spec.watched is not None and since > spec.watched:
        message = f"{spec.name}: is watched until {iso(spec.watched)}, before its record begins"
        reader.fault(path, "fact", message, "watched: a later day")
    return replace(spec, since=since, start=state if state in spec.states else first)


def _fact(reader: "WorldReader", spec: ProcessSpec, key: Any, path: tuple[Any, ...]) -> Fact | None:
    """Read one dated fact; None after a fault."""
    name = f"{spec.name}: {key}"
    value = reader.tree["processes"][spec.name][key]
    if value is None or isinstance(value, bool | list):
        reader.fault(path, "fact", f"{name}: names no state", _states_of(spec))
        return None
    if not isinstance(value, dict):
        number = spec.kind == "delivery" and isinstance(value, int | float)
        value = {"amount": value} if number else {"state": value}
    file = reader.shaped(FactFile, value, path)
    at = reader.been(key, path, spec.name)
    if file is None or at is None:
        return None
    known = at
    if file.known is not None:
        stated = reader.been(file.known, (*path, "known"), f"{name}: known")
        if stated is None:
            return None
        known = stated
    if (state := _state(reader, spec, file, name, path)) is None:
        return None
    if known < at:
        message = f"{name}: known ({iso(known)}) before it happened ({iso(at)})"
        reader.fault((*path, "known"), "fact", message, f"known: {local_day(at, spec.zone)}")
        return None
    return Fact(
        process=spec.name,
        at=at,
        known_at=known,
        state=state,
        amount=file.amount,
        source=file.source or spec.source,
        grade=file.grade,
        title=file.title,
        line=line_of(reader.tree, path),
    )


def _state(
    reader: "WorldReader", spec: ProcessSpec, file: FactFile, name: str, path: tuple[Any, ...]
) -> str | None:
    """Give the state entered, empty for an event or a part; None after a fault."""
    state = file.state
    if file.amount is not None:
        if spec.kind != "delivery":
            reader.fault(path, "fact", f"{name}: only a delivery has parts", _states_of(spec))
            return None
        if not file.amount > 0.0:
            message = f"{name}: part ({file.amount:g}): must be above 0"
            reader.fault(path, "delivery", message)
            return None
        return ""
    if spec.kind == EVENT and state in {EVENT, ""}:
        return ""
    if spec.kind != EVENT and state in spec.states:
        return state
    message = f"{name}: state ({state}): {spec.name} has {_states_of(spec)}"
    near = EVENT if spec.kind == EVENT else nearest(state, spec.states)
    reader.fault(path, "state", message, near)
    return None


def _states_of(spec: ProcessSpec) -> str:
    if spec.kind == EVENT:
        return EVENT
    return ("a part such as 300, " if spec.kind == "delivery" else "") + ", ".join(spec.states)


def _follows(
    reader: "WorldReader",
    spec: ProcessSpec,
    before: Sequence[Fact],
    fact: Fact,
    path: tuple[Any, ...],
) -> bool:
    """Say whether a fact can come after those before it; if not, the fault is noted."""
    name = f"{spec.name}: {path[-1]}"
    begun = spec.delivery.announced if spec.delivery else spec.since
    if begun is not None and fact.at < begun:
        reader.fault(path, "fact", f"{name}: comes before its record begins ({iso(begun)})")
        return False
    if spec.watched is not None and fact.at > spec.watched:
        message = f"{name}: comes after the end of its watch ({iso(spec.watched)})"
        # A watch can reach no further than the day on which somebody looked.
        day = fact_day(spec, fact)
        ahead = day > local_day(clock.now(), spec.zone)
        reader.fault(
            path, "fact", message, "the day on which it was" if ahead else f"watched: {day}"
        )
        return False
    if before and fact.at < before[-1].at:
        message = f"{name}: comes after a later fact"
        reader.fault(path, "fact", message, "facts in order, oldest first")
        return False
    same = [other for other in before if fact_day(spec, other) == fact_day(spec, fact)]
    if any(other.at == fact.at or other.state == fact.state for other in same):
        message = f"{name}: another fact has the same day"
        kinds = {EVENT: "one event a day", "delivery": "one part a day: their sum"}
        hint = kinds.get(spec.kind, "one fact a day, or quoted moments that differ")
        reader.fault(path, "fact", message, hint)
        return False
    if spec.kind == EVENT:
        return True
    state, total = _standing(spec, before)
    if fact.amount is not None and spec.delivery is not None:
        if state in {"done", "failed"}:
            reader.fault(path, "delivery", f"{name}: a part cannot come after it was {state}")
            return False
        if total + fact.amount > spec.delivery.agreed:
            agreed = spec.delivery.agreed
            message = f"{name}: {total + fact.amount:g} delivered of {agreed:g} agreed"
            left = agreed - total
            hint = (
                f"at most {left:g}"
                if left > 0
                else f"agreed: {total + fact.amount:g}, or less here"
            )
            reader.fault(path, "delivery", message, hint)
            return False
        return True
    ways = {(move.start, move.end) for move in spec.moves}
    allowed = _DELIVERED if spec.kind == "delivery" else ways
    if spec.kind != "own" and (state, fact.state) not in allowed:
        message = f"{name}: no move leads from {state} to {fact.state}"
        reader.fault(path, "fact", message, f"moves: {state} > {fact.state}")
        return False
    return True


def _standing(spec: ProcessSpec, facts: Sequence[Fact]) -> tuple[str, float]:
    """Give the state after some facts, and what had been delivered."""
    state, total = spec.start, spec.delivery.delivered if spec.delivery else 0.0
    for fact in facts:
        if fact.amount is not None:
            total += fact.amount
            state = "done" if spec.delivery and total >= spec.delivery.agreed else "begun"
        elif fact.state:
            state = fact.state
    return state, total


def fact_day(spec: ProcessSpec, fact: Fact) -> dt.date:
    """Give the day of a fact in the zone of its process."""
    return day_of(fact.at, spec.zone)


def evidence_of(spec: ProcessSpec) -> list[Evidence]:
    """Give the facts of a process as entries."""
    return [_entry(spec, fact) for fact in spec.facts]


def _entry(spec: ProcessSpec, fact: Fact) -> Evidence:
    detail: dict[str, str | float] = {"at": iso(fact.at)}
    if fact.amount is not None:
        name, text = PART, f"{fact.amount:g}"
        detail = {"name": name, **detail, "value": float(fact.amount)}
    elif fact.state:
        name, text = "state", fact.state
        detail = {"name": name, "state": text, **detail}
    else:
        name, text = EVENT, EVENT
        detail = {"name": name, **detail}
    what = fact.state or name
    day = fact_day(spec, fact)
    where = fact.source.split(" | ")[0]
    return Evidence(
        key=f"world-{spec.name}-{day.isoformat()}-{what}",
        kind="datum",
        title=fact.title or f"{spec.title or spec.name}: {text}",
        source=outlet(where) if where else spec.place[0],
        known_at=fact.known_at,
        effects=(Effect(spec.name, "datum", detail, text),),
        event_at=fact.at,
        url=fact.source,
        grade=fact.grade,
        stream=STREAM,
    )
