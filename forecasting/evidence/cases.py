"""The cases of reference classes, as the evidence states them: truces, agreements, packages.

A case counts from when its start was known, and each other fact from when that was known: the
evidence is already filtered.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import parse_instant
from forecasting.domain.process import ProcessSpec
from forecasting.evidence.history import DAY, EPOCH, Record

#: A process that begins so near to a case's start is about that case.
SAME = dt.timedelta(hours=36)
QUARTER = dt.timedelta(days=91)
#: (after, by]; without a `by`: known not to have happened by `after`.
Interval = tuple[dt.datetime, dt.datetime | None]
#: States of a delivery that a fact may enter.
STALLED, FAILED = "stalled", "failed"
Datum = tuple[str, Effect, Evidence]


@dataclass(frozen=True, slots=True)
class Truce:
    """What is known of one truce: start, term, and the intervals of its ends."""

    id: str
    kind: str
    start: dt.datetime
    term: dt.datetime | None
    monitored: bool
    claim: Interval | None = None
    formal: Interval | None = None
    how: str = ""


def cases_of(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Keep the items about a case of a class: their target is ``class/row``."""
    return tuple(item for item in items if any("/" in effect.target for effect in item.effects))


def anchor(items: Iterable[Evidence], prefix: str, as_of: dt.datetime) -> dt.datetime:
    """Give when a class learns up to: its last evidence, or the last quarter's start."""
    quarters = (as_of - EPOCH) // QUARTER
    moments = [
        item.known_at
        for item in items
        if any(effect.target.startswith(f"{prefix}/") for effect in item.effects)
    ]
    return min(as_of, max([EPOCH + QUARTER * quarters, *moments]))


def truces(items: Iterable[Evidence]) -> dict[str, Truce]:
    """Give each truce whose start is known, by id."""
    data = data_of(items, "truces")
    by_id: dict[str, Truce] = {}
    for row, effect, item in data.get("started", ()):
        term = effect.detail.get("term")
        by_id[row] = Truce(
            id=row,
            kind=str(effect.detail.get("class", "")),
            start=moment_of(effect, "at", item.known_at),
            term=parse_instant(str(term)) if term else None,
            monitored=bool(effect.detail.get("monitored", 0.0)),
        )
    for row, effect, _ in data.get("first_claim", ()):
        if row in by_id:
            by_id[row] = replace(by_id[row], claim=_interval(effect, by_id[row].start))
    for row, effect, _ in data.get("formal_end", ()):
        if row in by_id:
            how = str(effect.detail.get("how", "revoked"))
            by_id[row] = replace(by_id[row], formal=_interval(effect, by_id[row].start), how=how)
    return by_id


def agreements(items: Iterable[Evidence]) -> list[tuple[dt.datetime, dt.datetime | None]]:
    """Give each known agreement: signed, ended (None: not known to have)."""
    data = data_of(items, "agreements")
    ended = {
        row: moment_of(effect, "at", item.known_at) for row, effect, item in data.get("ended", ())
    }
    return sorted(
        (
            (moment_of(effect, "at", item.known_at), ended.get(row))
            for row, effect, item in data.get("signed", ())
        ),
        key=lambda row: (row[0], row[1] or row[0]),
    )


@dataclass(frozen=True, slots=True)
class Package:
    """One agreed delivery, in days since it was announced.

    `agreed` is 0 where the number is not known. `parts` are (day, number) in order, the number
    None where it is not known. Somebody looked until `watched`; `before` had arrived before the
    first part.
    """

    agreed: float
    parts: tuple[tuple[float, float | None], ...]
    watched: float
    before: float = 0.0


def packages(
    items: Sequence[Evidence], until: dt.datetime, *, own: ProcessSpec | None = None
) -> list[Package]:
    """Give the agreed packages of a class as known, without the one that a process is about."""
    data = data_of(items, "packages")
    parts: dict[str, list[tuple[dt.datetime, float | None]]] = {}
    for name in ("begun", "delivered"):
        for row, effect, item in data.get(name, ()):
            at = moment_of(effect, "at", item.event_at or item.known_at)
            amount = float(effect.detail["value"]) if name == "delivered" else None
            parts.setdefault(row, []).append((at, amount))
    announced = own.delivery.announced if own is not None and own.delivery is not None else None
    result = []
    for row, effect, item in data.get("agreed", ()):
        agreed = moment_of(effect, "at", item.known_at)
        if agreed >= until or effect.detail.get("usable", "yes") != "yes":
            continue
        if announced is not None and abs(agreed - announced) <= SAME:
            continue
        row_parts = sorted(parts.get(row, ()), key=lambda part: part[0])
        days = [(max((at - agreed) / DAY, 0.0), amount) for at, amount in row_parts if at <= until]
        size = float(effect.detail["size"])
        result.append(Package(size, tuple(days), (until - agreed) / DAY))
    return result


def package_of(record: Record) -> Package:
    """Give a delivery's record as a package of its class, up to the end of its watch."""
    delivery = record.process.delivery
    assert delivery is not None  # for the type checker
    parts = tuple(
        (max((step.at - record.since) / DAY, 0.0), step.amount)
        for step in record.steps
        if step.amount > 0.0
    )
    watched = (record.free - record.since) / DAY
    return Package(delivery.agreed, parts, watched, delivery.delivered)


def stalls_of(record: Record) -> tuple[int, float]:
    """Give how often a stalled delivery went on, and the days that it was watched to be stalled."""
    went, days, begun = 0, 0.0, record.since if record.start == STALLED else None
    for step in record.steps:
        if begun is not None and step.state != STALLED:
            went += step.state != FAILED
            days += (step.at - begun) / DAY
            begun = None
        elif begun is None and step.state == STALLED:
            begun = step.at
    if begun is not None:
        days += max((record.free - begun) / DAY, 0.0)
    return went, days


def data_of(items: Iterable[Evidence], prefix: str) -> dict[str, list[Datum]]:
    """Give the data under a prefix by name, in an order of their own."""
    by_name: dict[str, list[Datum]] = {}
    for item in items:
        for effect in item.effects:
            if effect.form == "datum" and effect.target.startswith(f"{prefix}/"):
                row = effect.target.partition("/")[2]
                by_name.setdefault(effect.name, []).append((row, effect, item))
    for entries in by_name.values():
        entries.sort(key=lambda entry: (entry[0], entry[2].known_at, entry[2].key))
    return by_name


def moment_of(effect: Effect, key: str, fallback: dt.datetime) -> dt.datetime:
    """Give a moment that a datum states, or what stands in for it."""
    text = effect.detail.get(key)
    return parse_instant(str(text)) if text else fallback


def _interval(effect: Effect, start: dt.datetime) -> Interval:
    by = effect.detail.get("by")
    return (moment_of(effect, "after", start), parse_instant(str(by)) if by else None)
