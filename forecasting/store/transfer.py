"""Whole ledgers as lines of text and back, and many drafts in one transaction.

A line holds an entry exactly as it is hashed, and beside it the hash and what the form leaves out:
the salt and the text of a rationale. Whoever has the lines can work the chain out without this
program. Into an empty ledger, or one that holds their beginning, they go as they are.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched, groupby
from typing import Any, NamedTuple, cast

from sqlalchemy import REAL, Column, Connection, Integer, Table, Text, insert, select, type_coerce

from forecasting.domain import Forecast
from forecasting.domain.instants import parse_instant, utc
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import migrate
from forecasting.store.append import _LOCK, Head, append, read_head
from forecasting.store.bulk import Plain
from forecasting.store.canonical import FIRST, VERSION, dumps, leaf, link, loads
from forecasting.store.drafts import Draft, Stored, prepare
from forecasting.store.engine import told
from forecasting.store.form import body, canonical_entry
from forecasting.store.ledger import Ledger
from forecasting.store.tables import (
    DETAILS,
    Data,
    Instant,
    entry,
    evidence_effect,
    forecast,
    rationale,
)
from forecasting.store.values import restore
from forecasting.store.verify import _Bad, _Found, _walk, verify

#: Numbers of a ledger's own, which mean nothing in another.
_OWN_NUMBERS = ("model_run", "sealed", "evidence_head", "seal_salt", "commitment")
_BATCH = 5000
_BESIDE = ("hash", "salt", "because")


class Whole(NamedTuple):
    """What the first line of an exported ledger says of the rest."""

    entries: int
    head: str


@dataclass(slots=True)
class Line:
    """One entry as a line gives it, its place in the chain checked."""

    line: int
    seq: int
    kind: str
    recorded_at: dt.datetime
    tool: str
    leaf: str
    hash: str
    row: dict[str, Any]
    effects: list[dict[str, Any]]
    salt: str
    because: str

    @property
    def value(self) -> Stored:
        """The domain value that the entry holds."""
        return restore(
            self.kind,
            self.row,
            seq=self.seq,
            recorded_at=self.recorded_at,
            hash=self.hash,
            effects=self.effects,
            because=self.because,
        )


def export(ledger: Ledger) -> Iterator[str]:
    """Give a whole ledger as lines of canonical JSON: what it is, then every entry.

    Every link of the chain is not proved here: `forecast verify` does that.

    Raises
    ------
    DatabaseUnusable
        An entry cannot be read as it was stored.
    """
    with ledger._reading() as connection:
        head = read_head(connection)[0]
        first = {
            "kind": "ledger",
            "v": VERSION,
            "entries": head.seq,
            "head": head.hash,
            "schema": migrate.HEAD,
            "tool": ledger._tool,
        }
        yield dumps(first).decode()
        try:
            for found in _walk(connection, head.seq):
                yield _written(found)
        except _Bad as bad:
            msg = f"entry ({bad.seq}): {bad.reason}"
            raise DatabaseUnusable(msg, hint="forecast verify") from bad


def _written(found: _Found) -> str:
    form = canonical_entry(
        found.kind,
        found.row,
        found.effects,
        seq=found.seq,
        recorded_at=found.recorded_at,
        tool=found.tool,
    ).decode()
    beside: dict[str, str] = {"hash": found.hash}
    if found.because is not None and found.salt is not None:
        beside |= {"salt": found.salt, "because": found.because}
    return f"{form[:-1]},{dumps(beside).decode()[1:]}"


def whole(record: Mapping[str, Any], where: str) -> Whole:
    """Read the first line of an exported ledger.

    Raises
    ------
    InvalidInput
        It is of another version, or does not say how many entries follow.
    """
    entries, head = record.get("entries"), record.get("head")
    if record.get("v") != VERSION:
        msg = f"ledger (version {str(record.get('v'))[:20]}): this program reads {VERSION}"
        raise InvalidInput(msg, hint="a newer version of this program", where=where)
    if type(entries) is not int or entries < 0 or not isinstance(head, str):
        msg = "ledger: must say its entries and its head"
        raise InvalidInput(msg, hint="forecast export jsonl", where=where)
    return Whole(entries, head)


def chained(
    records: Iterable[tuple[int, Mapping[str, Any]]], declared: Whole, name: str
) -> Iterator[Line]:
    """Give the entries of an exported ledger, each held to its hash and to the one before it.

    Raises
    ------
    InvalidInput
        At the first entry that is not what was recorded, and at the end where some are missing;
        `where` names the line.
    """
    previous, seq, number = FIRST, 0, 1
    for number, record in records:
        try:
            found = _line(record, number)
            form = canonical_entry(
                found.kind,
                found.row,
                found.effects,
                seq=found.seq,
                recorded_at=record["recorded_at"],
                tool=found.tool,
            )
        except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as broken:
            said = f"{broken.args[0]}" if broken.args else type(broken).__name__
            msg = f"entry ({str(record.get('seq'))[:20]}): is none of this program ({said[:80]})"
            hint = "a whole export, by a version of this program no newer than this one"
            raise InvalidInput(msg, hint=hint, where=f"{name}:{number}") from broken
        seq += 1
        entry_leaf = leaf(form)
        previous = link(previous, entry_leaf)
        if found.seq != seq or found.hash != previous.hex():
            msg = f"entry ({found.seq}): its hash does not follow from the lines before it"
            raise InvalidInput(msg, hint="the export as it was written", where=f"{name}:{number}")
        found.leaf = entry_leaf.hex()
        yield found
    if Whole(seq, previous.hex()) != declared:
        msg = f"ledger: {declared.entries} entries were written, and {seq} are here"
        raise InvalidInput(msg, hint="the export as it was written", where=f"{name}:{number}")


def _line(record: Mapping[str, Any], number: int) -> Line:
    kind, stored = record["kind"], dict(record["body"])
    more = set(record) - {"body", "kind", "recorded_at", "seq", "tool", "v", *_BESIDE}
    if kind not in DETAILS or record["v"] != VERSION or more:
        msg = f"kind {kind}"
        raise ValueError(msg)
    effects: list[dict[str, Any]] = []
    if kind == "evidence":
        effects = [
            _row(evidence_effect, effect) | {"position": position}
            for position, effect in enumerate(stored.pop("effects"))
        ]
    row = _row(DETAILS[kind], stored)
    if kind == "forecast" and row["shape"] == "binary":
        row["probability"] = float(row["entered"][0])
    if kind == "evidence":
        row["effects"] = len(effects)
    return Line(
        line=number,
        seq=_whole_number(record["seq"]),
        kind=kind,
        recorded_at=parse_instant(record["recorded_at"]),
        tool=record["tool"],
        leaf="",
        hash=record["hash"],
        row=row,
        effects=effects,
        salt=_text(record.get("salt", "")),
        because=_text(record.get("because", "")),
    )


def _row(table: Table, stored: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(stored) - set(table.columns.keys()):
        msg = f"{table.name} has no {min(unknown)}"
        raise ValueError(msg)
    return {
        column.name: None if (value := stored.get(column.name)) is None else _value(column, value)
        for column in table.columns
    }


def _value(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, Instant):
        return parse_instant(value)
    if isinstance(column.type, Data):
        return value
    if isinstance(column.type, Integer):
        return _whole_number(value)
    return float(_text(value)) if isinstance(column.type, REAL) else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = "something else where a text stands"
        raise TypeError(msg)
    return value


def _whole_number(value: Any) -> int:
    if type(value) is not int:
        msg = "a number that is not whole"
        raise TypeError(msg)
    return value


def restore_lines(ledger: Ledger, lines: Iterable[Line], *, after: int) -> int:
    """Record entries as they are in a ledger that holds the first `after` of them; give how many.

    One transaction; before it ends, the chain is walked from its first entry.

    Raises
    ------
    InvalidInput
        An entry that no ledger takes, or a chain that does not verify; nothing was written.
    """
    added = 0
    with _writing(ledger) as connection:
        here = read_head(connection)[0]
        if here.seq != after:
            msg = f"database ({ledger.where}): another program wrote to it meanwhile"
            raise InvalidInput(msg, hint="the same command again")
        for batch in batched((one for one in lines if one.seq > after), _BATCH):
            _insert(connection, batch)
            added += len(batch)
        found = verify(connection)
        if not found.ok:
            msg = f"entry ({found.first_bad}): {found.reason}; nothing was written"
            raise InvalidInput(msg, hint="the export as it was written")
    return added


def _insert(connection: Connection, batch: Iterable[Line]) -> None:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in batch:
        rows["entry"].append(
            {
                "seq": one.seq,
                "kind": one.kind,
                "recorded_at": one.recorded_at,
                "tool": one.tool,
                "leaf": one.leaf,
                "hash": one.hash,
            }
        )
        rows[one.kind].append(one.row | {"seq": one.seq})
        rows["evidence_effect"] += [effect | {"seq": one.seq} for effect in one.effects]
        if one.salt:
            rows["rationale"].append({"seq": one.seq, "salt": one.salt, "text": one.because})
    for table in (entry, *DETAILS.values(), evidence_effect, rationale):
        if rows[table.name]:
            connection.execute(insert(table), rows[table.name])


def record(
    ledger: Ledger, drafts: Iterable[Draft], *, recorded_at: dt.datetime, head: Head
) -> bool:
    """Record any number of drafts in one transaction, a few thousand at a time.

    Parameters
    ----------
    head : Head
        What the drafts were made from; where the ledger has grown since, nothing is written.

    Returns
    -------
    bool
        Whether they were recorded.
    """
    with _writing(ledger) as connection:
        here, last = read_head(connection)
        if here != head:
            return False
        moment = max(utc(recorded_at), last or utc(recorded_at))
        plain = Plain() if connection.dialect.paramstyle == "qmark" else None
        # The kinds of a track record come one after the other; most of it is plain forecasts.
        for simple, some in groupby(drafts, plain.takes if plain else lambda _: False):
            for batch in batched(some, _BATCH):
                if simple and plain:
                    here = plain.append(
                        connection,
                        cast("tuple[Forecast, ...]", batch),
                        head=here,
                        moment=moment,
                        tool=ledger._tool,
                    )
                    continue
                prepared = [prepare(draft) for draft in batch]
                done = append(connection, prepared, recorded_at=moment, tool=ledger._tool)
                here = Head(done[-1].seq, done[-1].hash)
    return True


@contextmanager
def _writing(ledger: Ledger) -> Iterator[Connection]:
    """Open a transaction that keeps every other writer out, its faults told in one line."""
    if ledger._unguarded is not None:
        raise ledger._unguarded
    with told(ledger.where), ledger._engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_LOCK)
        yield connection


class Spoken(NamedTuple):
    """A forecast as a table shows it, without building the whole value."""

    question: str
    forecaster: str
    kind: str
    labels: tuple[str, ...]
    entered: tuple[str, ...]
    stated: str
    issued_at: dt.datetime
    because: str


def spoken(ledger: Ledger) -> Iterator[Spoken]:
    """Give every forecast but replays, by question, time and forecaster, a few at a time."""
    columns = [getattr(forecast.c, name) for name in Spoken._fields[:-1]]
    statement = (
        select(*columns, rationale.c.text)
        .select_from(forecast.outerjoin(rationale, rationale.c.seq == forecast.c.seq))
        .where(forecast.c.kind != "replay")
        .order_by(forecast.c.question, forecast.c.issued_at, forecast.c.forecaster, forecast.c.seq)
    )
    with ledger._reading() as connection:
        for row in connection.execution_options(yield_per=_BATCH).execute(statement):
            labels, entered = tuple(row[3]), tuple(row[4])
            yield Spoken(*row[:3], labels, entered, *row[5:7], row[7] or "")


def said_when(ledger: Ledger) -> dict[tuple[str, str, dt.datetime], tuple[Any, Any]]:
    """Give the labels and decimals of every forecast but replays, by who, on what and when."""
    names = ("question", "forecaster", "issued_at")
    written = (type_coerce(forecast.c[name], Text) for name in ("labels", "entered"))
    statement = select(*(forecast.c[name] for name in names), *written)
    same: dict[str, str] = {}
    with ledger._reading() as connection:
        rows = connection.execution_options(yield_per=_BATCH).execute(
            statement.where(forecast.c.kind != "replay")
        )
        return {
            (same.setdefault(question, question), same.setdefault(who, who), at): _read(
                labels, entered
            )
            for question, who, at, labels, entered in rows
        }


@lru_cache(maxsize=65536)
def _read(labels: str, entered: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(loads(labels)), tuple(loads(entered))


def record_digest(ledger: Ledger) -> str:
    """Digest what the entries say, whatever their order: SHA-256 over their sorted digests.

    Left out is what :func:`.verify.content_digest` leaves out, and numbers of entries, which are
    of this ledger alone.
    """
    found_digests = []
    with ledger._reading() as connection:
        try:
            for found in _walk(connection, read_head(connection)[0].seq):
                form = body(found.kind, found.row, found.effects)
                if form.get("commitment") is not None:
                    form["because"] = found.because
                for name in _OWN_NUMBERS:
                    form.pop(name, None)
                said = dumps({"kind": found.kind, "body": form})
                found_digests.append(hashlib.sha256(said).digest())
        except _Bad as bad:
            msg = f"entry ({bad.seq}): {bad.reason}"
            raise DatabaseUnusable(msg, hint="forecast verify") from bad
    return hashlib.sha256(b"".join(sorted(found_digests))).hexdigest()
