"""Read one process of a world file: its moves, its dated facts, every fault with its line."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel

from forecasting.bank.schema import DAY_KEY, SINCE_KEY, SLUG, DeliveryFile, MoveFile, ProcessFile
from forecasting.bank.world_facts import read_facts
from forecasting.bank.yaml_file import line_of, validated
from forecasting.domain.instants import iso, local_day, parse_day, parse_when
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.predicate_check import reached
from forecasting.domain.predicate_text import RESERVED
from forecasting.domain.process import (
    DELIVERY_MOVES,
    DELIVERY_STATES,
    EVENT_STATE,
    SCHEDULED_STATES,
    DeliverySpec,
    MoveSpec,
    Phrase,
    ProcessKind,
    ProcessSpec,
)
from forecasting.errors import InvalidInput, Problem, nearest

FIELDS = tuple(ProcessFile.model_fields)
#: The entry-point group of kinds of process of one's own.
OWN_KINDS = "forecasting.processes"
_MOVE = re.compile(r"\s*([a-z0-9]+(?:-[a-z0-9]+)*)\s*>\s*([a-z0-9]+(?:-[a-z0-9]+)*)\s*")


class Past(NamedTuple):
    """A day that must have come, and the fault that it is until then; of a process or of a file."""

    day: dt.date
    zone: str
    fault: Problem
    process: str = ""


def ahead(past: Iterable[Past], now: dt.datetime) -> Iterator[Problem]:
    """Give the faults of what is said to have been and lies ahead; today itself may be named."""
    for one in past:
        today = local_day(now, one.zone)
        if one.day > today:
            yield replace(one.fault, hint=f"{today} or an earlier day")


@dataclass
class WorldReader:
    """One file while it is read: its tree, the zone of its days, the faults met so far."""

    source: str
    tree: Any
    zone: str
    problems: list[Problem] = field(default_factory=list)
    #: What is said to have been, with the fault that it is while its day is still to come.
    past: list[Past] = field(default_factory=list)

    def fault(self, path: Sequence[Any], rule: str, message: str, hint: str = "") -> None:
        """Note a fault at a place of the tree."""
        line = line_of(self.tree, path)
        self.problems.append(Problem(self.source, line, rule, message, hint))

    def shaped[Model: BaseModel](
        self, model: type[Model], value: Any, path: Sequence[Any]
    ) -> Model | None:
        """Validate a part of the tree."""
        part, faults = validated(model, value, self.tree, self.source, path)
        self.problems.extend(faults)
        return part

    def been(
        self, value: object, path: Sequence[Any], what: str, day_means: str = "ends"
    ) -> dt.datetime | None:
        """Read a day or a moment that lies behind whoever writes it down; None after a fault."""
        moment = self.moment(value, path, what, day_means)
        if moment is not None:
            least = dt.timedelta(microseconds=1 if day_means == "ends" else 0)
            day = local_day(moment - least, self.zone)
            fault = Problem(
                self.source, line_of(self.tree, path), "future", f"{what} ({day}): lies ahead"
            )
            process = str(path[1]) if path[0] == "processes" else ""
            self.past.append(Past(day, self.zone, fault, process))
        return moment

    def moment(
        self, value: object, path: Sequence[Any], what: str, day_means: str = "ends"
    ) -> dt.datetime | None:
        """Read a day or a moment; None after a fault."""
        if isinstance(value, dt.datetime):
            self.fault(path, "time", f"{what}: a moment with seconds needs quotes")
            return None
        text = value.isoformat() if isinstance(value, dt.date) else str(value)
        try:
            return parse_when(text, zone_name=self.zone, day_means=day_means)
        except InvalidInput as wrong:
            self.fault(path, "time", f"{what}: {wrong.message}", wrong.hint)
            return None

    def phrase(self, text: str, path: Sequence[Any], what: str) -> Phrase:
        """Read a phrase; one that cannot be read is as if it were not stated."""
        try:
            return parse_phrase(text, self.zone)
        except InvalidInput as wrong:
            self.fault(path, "phrase", f"{what}: {wrong.message}", wrong.hint)
            return Phrase("history")


def read_process(
    reader: WorldReader, name: str, node: Any, watched: dt.datetime | None
) -> ProcessSpec | None:
    """Read one process; None where it cannot be used."""
    path = ("processes", name)
    if not re.fullmatch(SLUG, name) or name in RESERVED:
        what = "is a reserved word of predicates" if name in RESERVED else "lower case with hyphens"
        reader.fault(path, "process", f"process ({name}): {what}", "a name of its own")
        return None
    if not isinstance(node, dict):
        reader.fault(path, "process", f"{name}: must hold fields", "moves, event, delivery or at")
        return None
    before = len(reader.problems)
    plain, dated, since = _keys(reader, name, node)
    file = reader.shaped(ProcessFile, plain, path)
    if file is None:
        return None
    kind = _kind(reader, name, file, path)
    if kind is None:
        return None
    if file.watched is not None:
        watched = reader.been(file.watched, (*path, "watched"), f"{name}: watched")
    spec = ProcessSpec(
        name=name,
        kind=kind,
        states=_states(kind, file),
        moves=_moves(reader, name, kind, file),
        title=file.title,
        watched=watched,
        delivery=_delivery(reader, name, file.delivery),
        at=_dates(reader, name, file.at),
        zone=reader.zone,
        source=file.source,
        known_by=parse_day(file.known_by) if file.known_by else None,
        because=file.because,
        own=file.kind or "",
        settings=MappingProxyType(dict(file.settings)),
        place=(reader.source, line_of(reader.tree, path)),
    )
    if kind == "own":
        spec = _own(reader, spec)
    if not spec.states:
        if len(reader.problems) > before:
            return None
        reader.fault(path, "process", f"{name}: has no states", "moves: {none > on: once in 8 mo}")
        return None
    spec = read_facts(reader, spec, since, dated)
    _reachable(reader, spec)
    return spec if len(reader.problems) == before else None


def _keys(
    reader: WorldReader, name: str, node: Mapping[Any, Any]
) -> tuple[dict[str, Any], list[Any], Any]:
    """Split the keys of a process: its fields, its days in the order of the file, its since."""
    plain: dict[str, Any] = {}
    dated, begun = [], []
    for key, value in node.items():
        if isinstance(key, dt.date) or re.fullmatch(DAY_KEY, str(key)):
            dated.append(key)
        elif isinstance(key, str) and re.fullmatch(SINCE_KEY, key):
            begun.append(key)
        elif key in FIELDS:
            plain[key] = value
        else:
            path = ("processes", name, key)
            near = nearest(str(key), (*FIELDS, "since 2025-01-20"))
            reader.fault(path, "field", f"{name}: {key}: no such field", near or ", ".join(FIELDS))
    if len(begun) > 1:
        path = ("processes", name, begun[1])
        reader.fault(path, "fact", f"{name}: is watched from two days", "one since, then the facts")
    return plain, dated, begun[0] if begun else None


def _kind(
    reader: WorldReader, name: str, file: ProcessFile, path: Sequence[Any]
) -> ProcessKind | None:
    stated = {
        "own": file.kind is not None,
        "event": file.event is not None,
        "delivery": file.delivery is not None,
        "scheduled": file.at is not None,
        "states": bool(file.moves),
    }
    kinds: list[Any] = [kind for kind, present in stated.items() if present]
    if kinds in (["own", "states"], ["delivery", "states"]):
        kinds = kinds[:1]
    if len(kinds) == 1:
        kind: ProcessKind = kinds[0]
        return kind
    message = f"{name}: needs one of moves, event, delivery, at and kind"
    reader.fault(path, "process", message, "event: 3 in 70 weeks")
    return None


def _states(kind: ProcessKind, file: ProcessFile) -> tuple[str, ...]:
    fixed: Mapping[str, tuple[str, ...]] = {
        "event": (EVENT_STATE,),
        "delivery": DELIVERY_STATES,
        "scheduled": SCHEDULED_STATES,
    }
    if kind in fixed:
        return fixed[kind]
    ends = [match[k] for key in file.moves if (match := _MOVE.fullmatch(key)) for k in (1, 2)]
    return tuple(dict.fromkeys(file.states or ends))


def _moves(
    reader: WorldReader, name: str, kind: ProcessKind, file: ProcessFile
) -> tuple[MoveSpec, ...]:
    path: tuple[str, ...] = ("processes", name, "event")
    if kind == "event":
        move = _move(reader, name, file, (EVENT_STATE, EVENT_STATE), file.event, path)
        if move.phrase.at_once or move.phrase.for_good or move.phrase.form == "date":
            message = f"{name}: an event takes no `at once`, no `for good` and no day"
            reader.fault(path, "phrase", message, "event: 3 in 70 weeks")
        return (move,)
    if kind == "scheduled":
        path = ("processes", name, "at")
        move = _move(reader, name, file, SCHEDULED_STATES, MoveFile(), path)
        # Its day says when it comes: it has no rate, and none is learned for it.
        return (replace(move, phrase=Phrase("date", f"at {file.at}")),)
    moves: dict[tuple[str, str], MoveSpec] = {}
    for key, stated in file.moves.items():
        path = ("processes", name, "moves", key)
        match = _MOVE.fullmatch(key)
        if match is None:
            message = f"{name}: move ({key}): must be written STATE > STATE"
            reader.fault(path, "move", message, "none > on")
            continue
        way = (match[1], match[2])
        states = _states(kind, file)
        wrong = next((state for state in way if state not in states), None)
        if wrong is not None:
            message = f"{name}: move ({key}): no state named {wrong}"
            reader.fault(path, "move", message, nearest(wrong, states) or ", ".join(states))
        elif way in moves:
            reader.fault(path, "move", f"{name}: move ({key}): is stated twice")
        elif kind == "delivery" and way not in DELIVERY_MOVES:
            message = f"{name}: move ({key}): a delivery has no such move"
            hint = ", ".join(" > ".join(each) for each in DELIVERY_MOVES)
            reader.fault(path, "move", message, hint)
        else:
            moves[way] = _move(reader, name, file, way, stated, path)
    if kind == "delivery":
        reference = file.delivery.reference if file.delivery else ""
        stated = MoveFile(rate=f"class {reference}" if reference else "")
        path = ("processes", name, "delivery")
        return tuple(
            moves.get(way) or _move(reader, name, file, way, stated, path) for way in DELIVERY_MOVES
        )
    return tuple(moves.values())


def _move(
    reader: WorldReader,
    name: str,
    file: ProcessFile,
    way: tuple[str, str],
    stated: MoveFile | None,
    path: Sequence[Any],
) -> MoveSpec:
    long = stated or MoveFile()
    known_by = long.known_by or file.known_by
    return MoveSpec(
        *way,
        reader.phrase(long.rate, path, name),
        long.source or file.source,
        parse_day(known_by) if known_by else None,
        long.because or file.because,
    )


def _delivery(reader: WorldReader, name: str, file: DeliveryFile | None) -> DeliverySpec | None:
    if file is None:
        return None
    path = ("processes", name, "delivery")
    announced = reader.been(file.announced, (*path, "announced"), f"{name}: announced")
    known = announced
    if file.known is not None:
        known = reader.been(file.known, (*path, "known"), f"{name}: known")
    if announced is None or known is None:
        return None
    if known < announced:
        message = (
            f"{name}: known ({iso(known)}): must not come before it was announced "
            f"({iso(announced)})"
        )
        reader.fault((*path, "known"), "delivery", message)
    if not file.agreed > 0.0:
        message = f"{name}: agreed ({file.agreed:g}): must be above 0"
        reader.fault((*path, "agreed"), "delivery", message)
    if not 0.0 <= file.delivered < file.agreed:
        message = f"{name}: delivered ({file.delivered:g}): must be from 0 to less than was agreed"
        reader.fault((*path, "delivered"), "delivery", message, f"below {file.agreed:g}")
    return DeliverySpec(file.agreed, announced, known, file.delivered, file.unit, file.reference)


def _dates(
    reader: WorldReader, name: str, stated: str | None
) -> tuple[dt.datetime, dt.datetime] | None:
    """Read ``2026-10-27`` or ``2026-05-01..2026-10-27``: the first possible and the planned day."""
    if stated is None:
        return None
    path = ("processes", name, "at")
    parts = [part.strip() for part in stated.split("..")]
    moments = [reader.moment(part, path, f"{name}: at") for part in parts[:2]]
    first, last = moments[0], moments[-1]
    if first is None or last is None:
        return None
    if len(parts) > 2 or last < first:
        message = f"{name}: at ({stated}): must be first possible..planned day"
        reader.fault(path, "time", message, "2026-05-01..2026-10-27")
        return None
    return first, last


def _own(reader: WorldReader, spec: ProcessSpec) -> ProcessSpec:
    """Let a kind of one's own fill in its states and moves."""
    from importlib.metadata import entry_points

    kinds = {entry.name: entry for entry in entry_points(group=OWN_KINDS)}
    path = ("processes", spec.name, "kind")
    if spec.own not in kinds:
        message = f"{spec.name}: kind ({spec.own}): no such kind is installed"
        hint = nearest(spec.own, kinds) or f"an entry point in {OWN_KINDS}"
        reader.fault(path, "kind", message, hint)
        return spec
    kind = kinds[spec.own].load()
    build = getattr(kind() if isinstance(kind, type) else kind, "process", None)
    if build is None:
        return spec
    try:
        built: ProcessSpec = build(spec)
    except InvalidInput as wrong:
        message = f"{spec.name}: {wrong.message}"
        reader.fault(("processes", spec.name, "settings"), "kind", message, wrong.hint)
        return spec
    return built


def _reachable(reader: WorldReader, spec: ProcessSpec) -> None:
    """Refuse a state that no moves lead to."""
    if spec.kind != "states":
        return
    start = spec.start or spec.states[0]
    can = reached(spec, (start,))
    for state in spec.states:
        if state in can:
            continue
        path: tuple[Any, ...] = ("processes", spec.name, "moves")
        for move in spec.moves:
            if state in (move.start, move.end):
                key = _key_of(reader.tree["processes"][spec.name]["moves"], move)
                path = (*path, key)
                break
        message = f"{spec.name}: state ({state}): no moves lead there from {start}"
        meant = nearest(state, set(spec.states) - {state}) or "leave it out"
        reader.fault(path, "state", message, f"{start} > {state}, or {meant}")


def _key_of(moves: Mapping[str, Any], move: MoveSpec) -> str:
    """Find a move's key as it is written."""
    for key in moves:
        match = _MOVE.fullmatch(key)
        if match is not None and match.groups() == (move.start, move.end):
            return key
    return ""
