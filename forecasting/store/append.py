"""Recording drafts: one transaction, gap-free numbers, one chain."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.dialects import sqlite

from forecasting.domain.instants import utc
from forecasting.errors import InvalidInput
from forecasting.store.canonical import FIRST, instant_text, leaf, link
from forecasting.store.drafts import Prepared, Stored
from forecasting.store.form import around, write
from forecasting.store.tables import DETAILS, entry, evidence_effect, rationale
from forecasting.store.values import restore

#: Taken before the head is read on PostgreSQL, where a snapshot does not lock it.
_LOCK = "SELECT pg_advisory_xact_lock(1178817364)"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the ledger, with the domain value that it holds."""

    seq: int
    kind: str
    recorded_at: dt.datetime
    tool: str
    hash: str
    row: Mapping[str, Any] = field(repr=False, compare=False)
    effects: Sequence[Mapping[str, Any]] = field(default=(), repr=False, compare=False)
    because: str = field(default="", repr=False, compare=False)

    @property
    def id(self) -> str:
        """The first twelve digits of the hash: the entry's short name."""
        return self.hash[:12]

    @property
    def value(self) -> Stored:
        """The domain value, with its number and time; built anew at each call."""
        return restore(
            self.kind,
            self.row,
            seq=self.seq,
            recorded_at=self.recorded_at,
            hash=self.hash,
            effects=self.effects,
            because=self.because,
        )


# Put together once, for it is read before every append.
_NEWEST = (
    select(entry.c.seq, entry.c.hash, entry.c.recorded_at).order_by(entry.c.seq.desc()).limit(1)
)


class Head(NamedTuple):
    """The last entry of a ledger: its number and its hash."""

    seq: int
    hash: str


def read_head(connection: Connection) -> tuple[Head, dt.datetime | None]:
    """Read the last entry and its time; an empty ledger has number 0 and 32 zero bytes."""
    row = connection.execute(_NEWEST).first()
    return (Head(0, FIRST.hex()), None) if row is None else (Head(row[0], row[1]), row[2])


def append(
    connection: Connection, prepared: Sequence[Prepared], *, recorded_at: dt.datetime, tool: str
) -> list[Recorded]:
    """Insert prepared drafts, numbered and hashed, in the caller's write transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK)
    head, last = read_head(connection)
    moment = utc(recorded_at)
    if last is not None and last > moment:
        moment = last
    written = instant_text(moment)
    previous = bytes.fromhex(head.hash)
    # The driver of SQLite takes positions, and Core's binding by name costs as much as hashing.
    by_name = connection.dialect.paramstyle != "qmark"
    rows: dict[str, list[Any]] = defaultdict(list)
    recorded = []
    for seq, item in enumerate(prepared, start=head.seq + 1):
        row = item.detail | {"seq": seq}
        if item.kind == "forecast" and (reference := row["model_run"]) is not None:
            row["model_run"] = _number(reference, prepared, first=head.seq + 1, seq=seq)
        effects = [effect | {"seq": seq} for effect in item.effects]
        form = write(item.kind, row, effects)
        entry_leaf = leaf(
            around(form.body, kind=item.kind, seq=seq, recorded_at=written, tool=tool)
        )
        previous = link(previous, entry_leaf)
        hashed = previous.hex()
        if by_name:
            rows[item.kind].append(row)
            rows["evidence_effect"] += effects
        else:
            rows[item.kind].append(form.bound)
            rows["evidence_effect"] += form.effects
        rows["entry"].append((seq, item.kind, moment, tool, entry_leaf.hex(), hashed))
        if item.because:
            rows["rationale"].append((seq, item.salt, item.because))
        recorded.append(Recorded(seq, item.kind, moment, tool, hashed, row, effects, item.because))
    if by_name:
        for table in (entry, rationale):
            names = table.columns.keys()
            rows[table.name] = [dict(zip(names, row, strict=True)) for row in rows[table.name]]
    else:
        rows["entry"] = [(*row[:2], written, *row[3:]) for row in rows["entry"]]
    for table in (entry, *DETAILS.values(), evidence_effect, rationale):
        if rows[table.name]:
            inserted(connection, table, rows[table.name], by_name=by_name)
    return recorded


def inserted(
    connection: Connection, table: Table, rows: list[Any], *, by_name: bool = False
) -> None:
    """Insert rows in one round."""
    if by_name:
        connection.execute(insert(table), rows)
        return
    connection.exec_driver_sql(_positional(table), list(map(tuple, rows)))


@cache
def _positional(table: Table) -> str:
    """Write the statement for SQLite once: compiling it takes longer than running it."""
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=table.columns.keys()))


def _number(reference: int, prepared: Sequence[Prepared], *, first: int, seq: int) -> int:
    """Turn a reference into the batch (a negative number) into the number of its entry."""
    if reference >= 0:
        return reference
    number = first - 1 - reference
    if number >= seq or prepared[number - first].kind != "model_run":
        msg = (
            f"model_run ({reference}): position {-1 - reference} of this append must be a model "
            f"run that comes before its forecast"
        )
        raise InvalidInput(msg)
    return number
