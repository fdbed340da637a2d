"""Reference classes of spells: truces by claim or formal end, peace agreements; cases and draws.

A truce counts from when its start was known, and each other fact from when that was known: the
evidence is already filtered. The truce that a process is about is no case of its class: what is
known of it is told by the process's own past.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import parse_instant
from forecasting.domain.prior import ClassPrior, ReferenceClass, stated_over
from forecasting.domain.process import ProcessSpec
from forecasting.errors import InvalidInput, nearest
from forecasting.evidence.history import DAY, EPOCH
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.predictive_check import verdict
from forecasting.models import weibull
from forecasting.models.fits import FitCache
from forecasting.models.spells import KINDS, SpellDraws, Spells

Rows = dict[str, NDArray[np.float64]]
FIXED_TERM = "fixed-term"
#: A process that begins so near to a truce's start is about that truce.
SAME = dt.timedelta(hours=36)
QUARTER = dt.timedelta(days=91)
#: (after, by]; without a `by`: known not to have happened by `after`.
Interval = tuple[dt.datetime, dt.datetime | None]
Datum = tuple[str, Effect, Evidence]
#: Cases are kept for so many classes, moments and processes that ask.
ROWS = 64


@dataclass(frozen=True)
class ClassDraws:
    """A class of spells as drawn, with the graph, its fit, and the class's own cases."""

    graph: Spells
    fit: Fit
    rows: Rows

    @cached_property
    def draws(self) -> SpellDraws:
        """The draws in an order in which neighbours are alike."""
        return SpellDraws.of(self.graph, self.fit)

    @cached_property
    def verdict(self) -> str:
        """Empty, or that the model does not fit the class's own cases."""
        if not len(self.rows["lower"]):
            return ""
        told = verdict(self.graph.predictive_check(self.fit.draws, self.rows, seed=0))
        return told if told.startswith("does not fit") else ""


#: (class, evidence of cases, moment, fits, process that asks) to its draws.
type ClassOf = Callable[[str, Sequence[Evidence], dt.datetime, FitCache, ProcessSpec], ClassDraws]


def class_draws(
    classes: Mapping[str, ReferenceClass], stated: Sequence[ClassPrior] = ()
) -> ClassOf:
    """Give what draws a bank's classes of spells; each is made once for the same cases.

    `stated` are the priors that the bank states of its classes.
    """
    kept: dict[tuple[str, str], ClassDraws] = {}
    read: dict[tuple[object, ...], Rows] = {}

    def of(
        name: str,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        fits: FitCache,
        asking: ProcessSpec,
    ) -> ClassDraws:
        if name not in classes or classes[name].kind not in KINDS:
            known = {each.id: None for each in classes.values() if each.kind in KINDS}
            msg = f"class ({name}): no such reference class of spells"
            raise InvalidInput(msg, hint=nearest(name, known) or ", ".join(known))
        asked = (name, as_of, asking.name, *(item.key for item in items))
        if asked not in read:
            if len(read) >= ROWS:
                read.clear()
            read[asked] = _rows(classes[name], items, as_of, asking)
        rows = read[asked]
        key = (name, array_hash(rows))
        if key not in kept:
            graph = Spells(KINDS[classes[name].kind])
            fit = fits.fit(graph, rows, stated_over(graph.default_priors(), stated, name))
            kept[key] = ClassDraws(graph, fit, rows)
        return kept[key]

    return of


def _rows(
    reference: ReferenceClass, items: Sequence[Evidence], as_of: dt.datetime, asking: ProcessSpec
) -> Rows:
    if reference.kind == "agreement":
        return agreement_rows(items, reference, as_of)
    own = [] if asking.since is None else [asking.since]
    return truce_rows(items, reference, reference.kind, anchor(items, "truces", as_of), own)


def told_apart(processes: Mapping[str, ProcessSpec]) -> dict[str, ProcessSpec]:
    """Name the class of each process's moves apart, for its own case is no case of its class."""
    found = {}
    for name, process in processes.items():
        moves = tuple(
            replace(move, phrase=replace(move.phrase, reference=f"{move.phrase.reference}/{name}"))
            if move.phrase.form == "class"
            else move
            for move in process.moves
        )
        found[name] = replace(process, moves=moves)
    return found


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


def truce_rows(
    evidence: Iterable[Evidence],
    reference: ReferenceClass,
    definition: str,
    as_of: dt.datetime,
    own: Iterable[dt.datetime] = (),
) -> Rows:
    """Give the class's spells of truces with an announced term, in days since each start.

    A truce that began with one of the processes that ask (`own`) is no case of its class.
    """
    begun = tuple(own)
    rows: list[tuple[float, ...]] = []
    for truce in sorted(truces(evidence).values(), key=lambda t: (t.start, t.id)):
        if truce.kind != FIXED_TERM or not reference.observed_from <= truce.start < as_of:
            continue
        if any(abs(truce.start - moment) <= SAME for moment in begun):
            continue
        row = _claim(truce) if definition == "claim" else _formal(truce, as_of)
        if row is not None:
            rows.append((*row, 1.0 if truce.monitored else 0.0))
    return _arrays(rows)


def _claim(truce: Truce) -> tuple[float, float, float, float] | None:
    if truce.claim is None:
        return None
    after, by = truce.claim
    lower = (after - truce.start) / DAY
    if by is None:
        return (0.0, lower, 0.0, float(weibull.HELD))
    upper = (by - truce.start) / DAY
    if upper <= lower:
        return (0.0, upper, 0.0, float(weibull.ENDED)) if upper > 0 else None
    return (0.0, lower, upper, float(weibull.BETWEEN))


def _formal(truce: Truce, as_of: dt.datetime) -> tuple[float, float, float, float] | None:
    if truce.formal is not None and truce.how == "revoked":
        after, by = truce.formal
        if by is not None and by > after:
            lower, upper = (after - truce.start) / DAY, (by - truce.start) / DAY
            return (0.0, lower, upper, float(weibull.BETWEEN))
    # Expiry and replacement at the term are no event: it held until then, or until now.
    held = min(moment for moment in (as_of, truce.term) if moment is not None)
    if truce.formal is not None:
        held = min(held, truce.formal[0])
    age = (held - truce.start) / DAY
    return (0.0, age, 0.0, float(weibull.HELD)) if age > 0 else None


def agreement_rows(
    evidence: Iterable[Evidence], reference: ReferenceClass, as_of: dt.datetime
) -> Rows:
    """Give the spells of peace agreements, ended or still standing when last observed."""
    seen_until = min(as_of, reference.observed_until)
    rows: list[tuple[float, ...]] = []
    for signed, ended in agreements(evidence):
        if signed >= seen_until:
            continue
        if ended is not None and ended <= seen_until:
            # Dated to the day: an end on the day of signature lies within its first day.
            age = (ended - signed) / DAY
            within = (0.0, 1.0, weibull.BETWEEN)
            row = (age, 0.0, weibull.ENDED) if age > 0 else within
        else:
            row = ((seen_until - signed) / DAY, 0.0, weibull.HELD)
        rows.append((0.0, *row, 0.0))
    return _arrays(rows)


def cases_of(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Keep the items that tell of a class's case: a row is named ``class/row``."""
    return tuple(item for item in items if any("/" in effect.target for effect in item.effects))


def anchor(items: Iterable[Evidence], prefix: str, as_of: dt.datetime) -> dt.datetime:
    """Give the moment up to which a class learns: its last evidence, or the last quarter's start.

    A day that only passed is no reason to fit anew; what it told of open cases waits a quarter.
    """
    quarters = (as_of - EPOCH) // QUARTER
    moments = [
        item.known_at
        for item in items
        if any(effect.target.startswith(f"{prefix}/") for effect in item.effects)
    ]
    return min(as_of, max([EPOCH + QUARTER * quarters, *moments]))


def _arrays(rows: list[tuple[float, ...]]) -> Rows:
    entry, lower, upper, kind, monitored = (
        np.array(column, dtype=np.float64)
        for column in (zip(*rows, strict=True) if rows else [[]] * 5)
    )
    return weibull.spells(entry=entry, lower=lower, upper=upper, kind=kind, monitored=monitored)


def truces(items: Iterable[Evidence]) -> dict[str, Truce]:
    """Give each truce whose start is known, by id."""
    told = data_of(items, "truces")
    found: dict[str, Truce] = {}
    for row, effect, item in told.get("started", ()):
        term = effect.detail.get("term")
        found[row] = Truce(
            id=row,
            kind=str(effect.detail.get("class", "")),
            start=moment_of(effect, "at", item.known_at),
            term=parse_instant(str(term)) if term else None,
            monitored=bool(effect.detail.get("monitored", 0.0)),
        )
    for row, effect, _ in told.get("first_claim", ()):
        if row in found:
            found[row] = replace(found[row], claim=_interval(effect, found[row].start))
    for row, effect, _ in told.get("formal_end", ()):
        if row in found:
            how = str(effect.detail.get("how", "revoked"))
            found[row] = replace(found[row], formal=_interval(effect, found[row].start), how=how)
    return found


def agreements(items: Iterable[Evidence]) -> list[tuple[dt.datetime, dt.datetime | None]]:
    """Give each known agreement: signed, ended (None: not known to have)."""
    told = data_of(items, "agreements")
    ended = {
        row: moment_of(effect, "at", item.known_at) for row, effect, item in told.get("ended", ())
    }
    return sorted(
        (
            (moment_of(effect, "at", item.known_at), ended.get(row))
            for row, effect, item in told.get("signed", ())
        ),
        key=lambda row: (row[0], row[1] or row[0]),
    )


def data_of(items: Iterable[Evidence], prefix: str) -> dict[str, list[Datum]]:
    """Give the data under a prefix by name, in an order of their own."""
    found: dict[str, list[Datum]] = {}
    for item in items:
        for effect in item.effects:
            if effect.form == "datum" and effect.target.startswith(f"{prefix}/"):
                row = effect.target.partition("/")[2]
                found.setdefault(effect.name, []).append((row, effect, item))
    for entries in found.values():
        entries.sort(key=lambda entry: (entry[0], entry[2].known_at, entry[2].key))
    return found


def moment_of(effect: Effect, key: str, fallback: dt.datetime) -> dt.datetime:
    """Give a moment that a datum states, or what stands in for it."""
    text = effect.detail.get(key)
    return parse_instant(str(text)) if text else fallback


def _interval(effect: Effect, start: dt.datetime) -> Interval:
    by = effect.detail.get("by")
    return (moment_of(effect, "after", start), parse_instant(str(by)) if by else None)
