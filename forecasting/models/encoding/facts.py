"""Pick the facts of each process out of the evidence known as of a moment.

Every function takes items that already passed the as-of filter and gives plain values; the order
of the items never matters.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import parse_instant

Moment = dt.datetime
#: (after, by]; without a `by`: known not to have happened by `after`.
Interval = tuple[dt.datetime, dt.datetime | None]


@dataclass(frozen=True, slots=True)
class Truce:
    """What is known of one truce: start, term, and the intervals of its ends."""

    id: str
    kind: str
    start: Moment
    term: Moment | None
    monitored: bool
    claim: Interval | None = None
    formal: Interval | None = None
    how: str = ""
    eroded: Interval | None = None
    extended: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """What is known of one agreed exchange.

    `tranches` are the stages whose number is known; `stages` the moments of all.
    """

    id: str
    agreed: Moment
    size: float
    usable: bool
    tranches: tuple[tuple[Moment, float], ...] = ()
    stages: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event of a class, with its value where the class has several."""

    at: Moment
    value: str = ""


Datum = tuple[str, Effect, Evidence]
_INDEXED: OrderedDict[int, tuple[object, dict[tuple[str, str], list[Datum]]]] = OrderedDict()
_INDEXES = 16


def data(items: Iterable[Evidence], prefix: str, name: str) -> list[Datum]:
    """Give (row, effect, item) for each datum of a name under a target prefix."""
    return _index(items).get((prefix, name), [])


def _index(items: Iterable[Evidence]) -> dict[tuple[str, str], list[Datum]]:
    """Sort the data of some items by prefix and name; a tuple asked again is not sorted again."""
    known = _INDEXED.get(id(items))
    if known is not None and known[0] is items:
        _INDEXED.move_to_end(id(items))
        return known[1]
    found: dict[tuple[str, str], list[Datum]] = {}
    for item in items:
        for effect in item.effects:
            if effect.form == "datum":
                head, _, row = effect.target.partition("/")
                found.setdefault((head, effect.name), []).append((row, effect, item))
    for entries in found.values():
        entries.sort(key=lambda entry: (entry[0], entry[2].known_at, entry[2].key))
    if isinstance(items, tuple):
        # The tuple is kept with its index, so that no other can take its identity meanwhile.
        _INDEXED[id(items)] = (items, found)
        if len(_INDEXED) > _INDEXES:
            _INDEXED.popitem(last=False)
    return found


def _moment(effect: Effect, key: str, fallback: dt.datetime) -> dt.datetime:
    text = effect.detail.get(key)
    return parse_instant(str(text)) if text else fallback


def _interval(effect: Effect, item: Evidence, start: dt.datetime) -> Interval:
    if item.stream == "news":
        # A user's datum names no interval: it happened by then.
        return (start, item.event_at or item.known_at)
    by = effect.detail.get("by")
    return (_moment(effect, "after", start), parse_instant(str(by)) if by else None)


def truces(items: Iterable[Evidence]) -> dict[str, Truce]:
    """Give each truce whose start is known, by id."""
    items = tuple(items)
    found: dict[str, Truce] = {}
    for row, effect, item in data(items, "truces", "started"):
        term = effect.detail.get("term")
        found[row] = Truce(
            id=row,
            kind=str(effect.detail.get("class", "")),
            start=_moment(effect, "at", item.known_at),
            term=parse_instant(str(term)) if term else None,
            monitored=bool(effect.detail.get("monitored", 0.0)),
        )
    for row, effect, item in data(items, "truces", "first_claim"):
        if row in found:
            found[row] = replace(found[row], claim=_interval(effect, item, found[row].start))
    for row, effect, item in data(items, "truces", "formal_end"):
        if row in found:
            interval = _interval(effect, item, found[row].start)
            how = str(effect.detail.get("how", "revoked"))
            found[row] = replace(found[row], formal=interval, how=how)
    for row, effect, item in data(items, "truces", "eroded"):
        if row in found:
            found[row] = replace(found[row], eroded=_interval(effect, item, found[row].start))
    for row, effect, _ in data(items, "truces", "extended"):
        if row in found:
            found[row] = replace(found[row], extended=str(effect.detail["value"]))
    return found


def packages(items: Iterable[Evidence]) -> dict[str, Package]:
    """Give each agreed exchange that is known, by id, with the tranches known so far."""
    items = tuple(items)
    delivered: dict[str, list[tuple[dt.datetime, float]]] = {}
    stages: dict[str, list[dt.datetime]] = {}
    for name in ("delivered", "begun"):
        for row, effect, item in data(items, "packages", name):
            stages.setdefault(row, []).append(_moment(effect, "at", item.event_at or item.known_at))
    for row, effect, item in data(items, "packages", "delivered"):
        at = _moment(effect, "at", item.event_at or item.known_at)
        delivered.setdefault(row, []).append((at, float(effect.detail["value"])))
    return {
        row: Package(
            id=row,
            agreed=_moment(effect, "at", item.known_at),
            size=float(effect.detail["size"]),
            usable=effect.detail.get("usable", "yes") == "yes",
            tranches=tuple(sorted(delivered.get(row, []))),
            stages=tuple(sorted(stages.get(row, []))),
        )
        for row, effect, item in data(items, "packages", "agreed")
    }


def swaps(items: Iterable[Evidence]) -> list[tuple[dt.datetime, float | None]]:
    """Give each known exchange: when, and how many the slower side got back where counted."""
    return sorted(
        (
            (
                _moment(effect, "at", item.known_at),
                float(effect.detail["moved"]) if "moved" in effect.detail else None,
            )
            for _, effect, item in data(items, "exchanges", "swap")
        ),
        key=lambda swap: swap[0],
    )


def exchange_totals(items: Iterable[Evidence]) -> list[tuple[dt.datetime, float, float]]:
    """Give each known running count that has both numbers: when, exchanges, returned."""
    return sorted(
        (
            _moment(effect, "at", item.known_at),
            float(detail["exchanges"]),
            float(detail["returned"]),
        )
        for _, effect, item in data(items, "exchange-totals", "total")
        if {"exchanges", "returned"} <= set(detail := effect.detail)
    )


def occurrences(items: Iterable[Evidence], reference: str) -> list[Occurrence]:
    """Give each known event of a class."""
    return sorted(
        (
            Occurrence(
                _moment(effect, "at", item.event_at or item.known_at),
                str(effect.detail.get("value", "")),
            )
            for _, effect, item in data(items, reference, "occurred")
        ),
        key=lambda event: (event.at, event.value),
    )


def agreements(
    items: Iterable[Evidence],
) -> list[tuple[dt.datetime, dt.datetime | None, bool]]:
    """Give each known agreement: signed, ended (None: not known to have), has a ceasefire."""
    items = tuple(items)
    ended = {
        row: _moment(effect, "at", item.known_at)
        for row, effect, item in data(items, "agreements", "ended")
    }
    return sorted(
        (
            (
                _moment(effect, "at", item.known_at),
                ended.get(row),
                bool(effect.detail.get("ceasefire", 0.0)),
            )
            for row, effect, item in data(items, "agreements", "signed")
        ),
        key=lambda row: (row[0], row[1] or row[0], row[2]),
    )


#: How a datum that a user enters on a question is called in the process behind it.
_IN_PROCESS = {"violated": "first_claim", "ended": "formal_end"}


def redirect(items: Iterable[Evidence], processes: Mapping[str, str]) -> tuple[Evidence, ...]:
    """Send outcome data entered on a question to the process behind it.

    Parameters
    ----------
    processes : mapping
        Question or ladder to process: ``packages/may-2026``, ``leaders-meeting``.
    """
    return tuple(
        replace(
            item, effects=tuple(_redirected(item, effect, processes) for effect in item.effects)
        )
        if item.stream == "news"
        else item
        for item in items
    )


def _redirected(item: Evidence, effect: Effect, processes: Mapping[str, str]) -> Effect:
    process = processes.get(effect.target)
    if effect.form != "datum" or process is None:
        return effect
    detail = dict(effect.detail)
    name = effect.name
    if "/" in process:
        detail["name"] = _IN_PROCESS.get(name, name)
        return replace(effect, target=process, detail=detail)
    if name != "occurred":
        detail["value"] = name
    detail["name"] = "occurred"
    return replace(effect, target=f"{process}/{item.key}", detail=detail)
