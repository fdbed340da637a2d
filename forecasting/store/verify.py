"""Verification: every leaf and link recomputed from the rows, and every derived value with them.

What a chain inside a file cannot show is a tail cut off or everything hashed anew by whoever owns
the file; that takes a head kept elsewhere.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, TextClause, and_, func, select, text, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from forecasting.domain import Question
from forecasting.errors import ForecastingError
from forecasting.store.canonical import (
    FIRST,
    commitment,
    dumps,
    instant_text,
    leaf,
    link,
    loads,
    read_instant,
)
from forecasting.store.entries import Entry, seal_commitment
from forecasting.store.tables import (
    CODED,
    DETAILS,
    entry,
    evidence,
    evidence_effect,
    forecast,
    rationale,
    redaction,
)

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found.

    `first_bad` is the first number whose entry is not what was recorded, and `reason` why.
    """

    ok: bool
    entries: int
    head_seq: int
    head_hash: str
    first_bad: int | None = None
    reason: str = ""
    sealed: int = 0
    unrevealed: int = 0
    redacted: int = 0


class _Bad(Exception):
    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.reason = reason


def verify(connection: Connection) -> Verification:
    """Walk the chain from the first entry to the last."""
    entries = 0
    try:
        newest = select(entry.c.seq, type_coerce(entry.c.hash, NullType)).order_by(
            entry.c.seq.desc()
        )
        last = connection.execute(newest.limit(1)).first()
        head_seq, head_hash = (0, FIRST.hex()) if last is None else (int(last[0]), str(last[1]))
        entries = connection.execute(select(func.count()).select_from(entry)).scalar_one()
        _refuse_orphans(connection)
        previous, earlier = FIRST, dt.datetime.min.replace(tzinfo=dt.UTC)
        # The entry that redacted each forecast comes later than the forecast.
        redacts = connection.execute(select(redaction.c.forecast, redaction.c.seq))
        references = _References({seq: by for seq, by in redacts})
        for item in _walk(connection, head_seq):
            previous = _check(item, previous, earlier)
            if reason := references.check(item):
                raise _Bad(item.seq, reason)
            earlier = item.recorded_at
    except _Bad as bad:
        return Verification(False, entries, head_seq, head_hash, bad.seq, bad.reason)
    return Verification(
        True,
        entries,
        head_seq,
        head_hash,
        sealed=len(references.seals),
        unrevealed=len(references.seals) - len(references.revealed),
        redacted=len(references.redacted),
    )


def content_digest(connection: Connection, *, head: int | None = None) -> str:
    """Digest what the entries say, in order, without what differs from run to run: SHA-256."""
    digest = hashlib.sha256()
    last = connection.execute(select(func.max(entry.c.seq))).scalar() or 0
    try:
        for item in _walk(connection, last if head is None else min(head, last)):
            form = item.body
            form.pop("seal_salt", None)
            if form.pop("commitment", None) is not None and item.kind == "forecast":
                form["because"] = item.because
            digest.update(dumps({"seq": item.seq, "kind": item.kind, "body": form}) + b"\n")
    except _Bad as bad:
        raise ForecastingError(f"entry ({bad.seq}): {bad.reason}", hint="forecast verify") from bad
    return digest.hexdigest()


def _refuse_orphans(connection: Connection) -> None:
    """Refuse rows that belong to no entry; the walk finds entries that have no row."""
    owned = [
        (table, entry, and_(entry.c.seq == table.c.seq, entry.c.kind == kind), f"a {kind} row")
        for kind, table in DETAILS.items()
    ]
    owned += [
        (table, of, of.c.seq == table.c.seq, f"a row of {table.name}")
        for table, of in ((evidence_effect, evidence), (rationale, forecast))
    ]
    for table, of, same, row in owned:
        joined = table.outerjoin(of, same)
        orphan = select(func.min(table.c.seq)).select_from(joined).where(of.c.seq.is_(None))
        if (seq := connection.execute(orphan).scalar()) is not None:
            raise _Bad(int(seq), f"{row} that no entry recorded")


def _walk(connection: Connection, last: int) -> Iterator[Entry]:
    for low in range(1, last + 1, _BATCH):
        yield from _batch(connection, low, min(low + _BATCH - 1, last))


def _batch(connection: Connection, low: int, high: int) -> Iterator[Entry]:
    try:
        entries = {row["seq"]: row for row in _raw(connection, entry, low, high)}
        details = {
            kind: {row["seq"]: row for row in _raw(connection, table, low, high)}
            for kind, table in DETAILS.items()
        }
        effects: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in _raw(connection, evidence_effect, low, high):
            effects[row["seq"]].append(row)
        reasons = {row["seq"]: row for row in _raw(connection, rationale, low, high)}
    except (DBAPIError, UnicodeDecodeError) as unreadable:
        if not _damaged(unreadable):
            raise
        if low == high:
            raise _Bad(low, "cannot be read") from unreadable
        middle = (low + high) // 2
        yield from _batch(connection, low, middle)
        yield from _batch(connection, middle + 1, high)
        return
    for seq in range(low, high + 1):
        if seq not in entries:
            raise _Bad(seq, "the entry is missing")
        row = entries[seq]
        kind = row["kind"]
        if kind not in DETAILS:
            raise _Bad(seq, f"no such kind of entry ({kind})")
        if seq not in details[kind]:
            raise _Bad(seq, f"its {kind} row is missing")
        try:
            yield Entry(
                seq=seq,
                kind=kind,
                recorded_at=_moment(row["recorded_at"]),
                tool=row["tool"],
                leaf=row["leaf"],
                hash=row["hash"],
                row=_decoded(DETAILS[kind], details[kind][seq]),
                effects=[_decoded(evidence_effect, effect) for effect in effects[seq]],
                salt=reasons[seq]["salt"] if seq in reasons else None,
                because=reasons[seq]["text"] if seq in reasons else None,
            )
        except (ValueError, TypeError, AttributeError) as broken:
            raise _Bad(seq, f"a value that is not in its stored form ({broken})") from broken


def _damaged(unreadable: Exception) -> bool:
    """Tell damage to what is stored from a fault of the moment, which accuses no entry."""
    if not isinstance(unreadable, DBAPIError):
        return True
    # Text that is not UTF-8 is refused by the driver itself, which names no code.
    name = getattr(unreadable.orig, "sqlite_errorname", "SQLITE_CORRUPT")
    state = getattr(unreadable.orig, "sqlstate", None) or "XX001"
    return (
        not unreadable.connection_invalidated
        and name.startswith(("SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_NOTADB"))
        and state.startswith(("XX", "22"))
    )


def _raw(connection: Connection, table: Table, low: int, high: int) -> list[Mapping[str, Any]]:
    """Read rows without any conversion, so that one broken value does not hide the others."""
    rows = connection.execute(_stored(table), {"low": low, "high": high})
    names = table.columns.keys()
    return [dict(zip(names, row, strict=True)) for row in rows]


@cache
def _stored(table: Table) -> TextClause:
    """Write the statement as text: one with columns without types is compiled at each use."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    return text(
        f'SELECT {columns} FROM "{table.name}" WHERE seq BETWEEN :low AND :high ORDER BY {order}'
    )


def _moment(stored: str | dt.datetime) -> dt.datetime:
    moment = read_instant(stored)
    if isinstance(stored, str) and stored != instant_text(moment):
        raise ValueError(f"time {stored}")
    return moment


def _data(stored: str) -> Any:
    value = loads(stored)
    if dumps(value).decode() != stored:
        raise ValueError(f"data {stored}")
    return value


_STRICT = {
    table: [(name, _moment if moment else _data) for name, moment in coded]
    for table, coded in CODED.items()
}


def _decoded(table: Table, raw: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(raw)
    for name, decode in _STRICT[table]:
        if (value := row[name]) is not None:
            row[name] = decode(value)
    return row


def _check(item: Entry, previous: bytes, earlier: dt.datetime) -> bytes:
    """Check one entry against the one before it; give its hash."""
    seq = item.seq
    try:
        expected = leaf(item.canonical)
    except (ValueError, TypeError, AttributeError, ArithmeticError) as broken:
        raise _Bad(seq, f"a value that is not in its stored form ({broken})") from broken
    if item.leaf != expected.hex():
        raise _Bad(seq, "its content is not what was recorded")
    chained = link(previous, expected)
    if item.hash != chained.hex():
        raise _Bad(seq, "its hash does not follow from the entry before it")
    if item.recorded_at < earlier:
        raise _Bad(seq, "recorded before the entry that it follows")
    if reason := _derived_problem(item):
        raise _Bad(seq, reason)
    return chained


def _derived_problem(item: Entry) -> str:
    """Say what disagrees among the values that are not hashed themselves."""
    row = item.row
    if item.kind == "evidence" and row["effects"] != len(item.effects):
        return "its effects are not as many as were recorded"
    if item.kind == "question":
        question = item.value
        if isinstance(question, Question) and question.wording_hash != row["wording_hash"]:
            return "its wording does not have the hash that was recorded"
    if item.kind != "forecast":
        return ""
    try:
        numbers = [float(text) for text in row["entered"]]
    except (ValueError, TypeError):
        return "its numbers are not decimals"
    if row["shape"] == "binary" and row["probability"] != numbers[0]:
        return "its probability is not the decimal that was entered"
    if row["commitment"] is None and item.because is not None:
        return "a rationale that it did not commit to"
    return ""


@dataclass(slots=True)
class _References:
    """What entries refer to: seals and the forecasts that open them, rationales, redactions."""

    redacted: Mapping[int, int]
    seals: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    revealed: set[int] = field(default_factory=set)

    def check(self, item: Entry) -> str:
        """Say what is wrong with an entry, given those before it and what redacts it."""
        if item.kind == "sealed":
            self.seals[item.seq] = item.row
        if item.kind == "redaction" and item.row["forecast"] >= item.seq:
            return "a redaction of what came after it"
        if item.kind != "forecast":
            return ""
        return self._rationale(item) or self._reveal(item)

    def _rationale(self, item: Entry) -> str:
        row = item.row
        if row["commitment"] is None:
            return ""
        if item.seq in self.redacted:
            return "" if item.because is None else "its rationale was redacted but is still there"
        if item.because is None or item.salt is None:
            return "its rationale is missing"
        try:
            salt = bytes.fromhex(item.salt)
        except ValueError:
            return "its salt is broken"
        if commitment(salt, item.because) != row["commitment"]:
            return "its rationale is not what was recorded"
        return ""

    def _reveal(self, item: Entry) -> str:
        row = item.row
        if row["sealed"] is None:
            return "" if row["seal_salt"] is None else "a salt without a seal"
        if (sealed := self.seals.get(row["sealed"])) is None:
            return f"no seal has the number {row['sealed']}, which it opens"
        if row["sealed"] in self.revealed:
            return f"the seal {row['sealed']} was opened before"
        self.revealed.add(row["sealed"])
        try:
            opens = seal_commitment(row["seal_salt"] or "", item.body)
        except ValueError:
            return "the salt of its seal is broken"
        return "" if opens == sealed["commitment"] else f"it does not open the seal {row['sealed']}"
