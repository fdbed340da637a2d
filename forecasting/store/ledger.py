"""The ledger: append entries, read them as domain values, verify the chain."""

import contextlib
import copy
import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, insert, select
from sqlalchemy.dialects import sqlite

from forecasting.domain.instants import utc
from forecasting.errors import DatabaseUnusable, InvalidInput, Repeated
from forecasting.store import migrate
from forecasting.store.canonical import instant_text, leaf, link
from forecasting.store.engine import connect, missing, place, reading, standing, translated_faults
from forecasting.store.entries import Draft, Entry, Written, around, prepare, write
from forecasting.store.memo import Memo
from forecasting.store.read import Readings, read_head
from forecasting.store.tables import COPIED, entry, rationale, receipt
from forecasting.store.verify import Verification, content_digest, verify

_PLACE = tuple(entry.columns.keys())
#: Taken before the head is read on PostgreSQL, where a snapshot does not lock it.
_LOCK = "SELECT pg_advisory_xact_lock(1178817364)"


class Ledger(Readings):
    """One database of entries that only grows.

    Open it with :meth:`open`, as a context manager. Every read takes `head`: only entries up to
    that number are seen, so that a reader who pins one sees one state whatever is appended
    meanwhile. Readings are domain values; nothing of the database leaves this package.

    Examples
    --------
    >>> import datetime as dt
    >>> from forecasting.domain import Withdrawal
    >>> now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    >>> with Ledger.open("sqlite:///:memory:", create=True) as ledger:
    ...     (recorded,) = ledger.append([Withdrawal("q", "ana", now)], recorded_at=now)
    ...     recorded.seq, ledger.verify().ok, ledger.withdrawals()[0].forecaster
    (1, True, 'ana')
    """

    def __init__(
        self, engine: Engine, where: str, *, unguarded: DatabaseUnusable | None = None
    ) -> None:
        self._engine = engine
        # Without its triggers a ledger can be read and verified, and is not written to.
        self._unguarded = unguarded
        self._reader = reading(engine)
        self._where = where
        # Not an import statement: the root package names the upper layers for type checkers.
        self.tool = str(import_module("forecasting").__version__)
        self._act = ""
        self._memo = Memo()

    def once(self, act: str) -> Self:
        """Give this ledger for one act of writing: done a second time, it writes nothing.

        The act, 64 letters such as a digest of a form, is noted with the first append, in its
        transaction. A later append of the same act goes with it; an append of its twin raises
        :class:`forecasting.errors.Repeated`.
        """
        mine = copy.copy(self)
        mine._act = act
        return mine

    def written(self, act: str) -> int:
        """Give the last entry that an act of writing came to; 0 where it was not done."""
        with self.reading() as connection:
            return written_by(connection, act)

    @classmethod
    def open(cls, url: str, *, create: bool = False, timeout: float = 30.0) -> Self:
        """Open a database; with `create`, make an absent one and the folders above it.

        `url` is a path, ``sqlite:///PATH`` or ``postgresql+psycopg://...``; another writer is
        waited for `timeout` seconds.

        Raises
        ------
        DatabaseUnusable
            It is missing, no database, another program's, newer, in need of an upgrade, read-only,
            locked, full or damaged.
        """
        where = place(url)
        engine = connect(url, create=create, timeout=timeout)
        try:
            unguarded = None
            with translated_faults(where):
                state = standing(engine)
            if state != migrate.sound(migrate.HEAD):
                if not migrate.check(engine, where):
                    if not create:
                        raise missing(where)
                    migrate.bring_up(engine, where)
                unguarded = migrate.unguarded(engine, where)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, where, unguarded=unguarded)

    def close(self) -> None:
        """Close every connection; a closed ledger opens them again when it is used."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The database as messages name it."""
        return self._where

    def append(self, drafts: Sequence[Draft], *, recorded_at: dt.datetime) -> list[Entry]:
        """Record drafts in one transaction: all of them, in order, or none.

        A forecast names its model run by the entry's number, or by
        :func:`forecasting.domain.provenance.in_batch` where the run comes earlier in `drafts`. What
        drafts carry as `seq`, `hash` and `recorded_at` is not looked at. Entries never go back in
        time: if the clock was set back, the time of the last entry is recorded.

        Raises
        ------
        InvalidInput
            A draft that cannot be stored; nothing was written.
        DatabaseUnusable
            The database is locked, full or read-only, or lacks a trigger; nothing was written.
        """
        if self._unguarded is not None:
            raise self._unguarded
        prepared = [prepare(draft) for draft in drafts]
        if not prepared:
            return []
        with self.writing() as connection:
            recorded = append(connection, prepared, recorded_at=recorded_at, tool=self.tool)
        if "redaction" in {item.kind for item in prepared}:
            self._settle_journal()
        return recorded

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that keeps every other writer out; a fault becomes one line.

        An act of writing that has a name is refused where it was done before, and noted with its
        last entry.
        """
        if self._unguarded is not None:
            raise self._unguarded
        with translated_faults(self._where), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_LOCK)
            act, before = self._act, 0
            if act:
                if done := written_by(connection, act):
                    raise Repeated(done)
                before = read_head(connection)[0].seq
            yield connection
            last = read_head(connection)[0].seq if act else before
            if last > before:
                connection.execute(insert(receipt).values(act=act, seq=last))
        if last > before:
            self._act = ""

    def _settle_journal(self) -> None:
        """Write a journal's pages into the file, so that what was taken out is not left in it.

        The entry is recorded already; where another reader holds the journal, a later one does it.
        """
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(self._engine.raw_connection()) as pooled,
        ):
            if isinstance(raw := pooled.driver_connection, sqlite3.Connection):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def verify(self) -> Verification:
        """Recompute every leaf and link from the rows, and check what is derived from them."""
        with self.reading() as connection:
            return verify(connection)

    def content_digest(self, *, head: int | None = None) -> str:
        """Digest what the entries say, leaving out when and with what tool they were recorded."""
        with self.reading() as connection:
            return content_digest(connection, head=head)


def append(
    connection: Connection, prepared: Sequence[Entry], *, recorded_at: dt.datetime, tool: str
) -> list[Entry]:
    """Insert prepared drafts, numbered and hashed, in the caller's write transaction."""
    head, last = read_head(connection)
    moment = utc(recorded_at)
    if last is not None and last > moment:
        moment = last
    written = instant_text(moment)
    previous = bytes.fromhex(head.hash)
    entries = []
    for seq, item in enumerate(prepared, start=head.seq + 1):
        row = {**item.row, "seq": seq}
        if item.kind == "forecast" and (reference := row["model_run"]) is not None:
            row["model_run"] = _number(reference, prepared, first=head.seq + 1, seq=seq)
        effects = [{**effect, "seq": seq} for effect in item.effects]
        form = write(item.kind, row, effects)
        hashed = leaf(around(form.body, item.kind, seq, written, tool))
        previous = link(previous, hashed)
        place = (seq, moment, tool, hashed.hex(), previous.hex())
        entries.append((Entry(item.kind, row, effects, item.because, item.salt, *place), form))
    record(connection, entries)
    return [one for one, _ in entries]


def written_by(connection: Connection, act: str) -> int:
    """Give the last entry that an act of writing came to; 0 where it was not done."""
    return connection.execute(select(receipt.c.seq).where(receipt.c.act == act)).scalar() or 0


def record(connection: Connection, entries: Iterable[tuple[Entry, Written]]) -> None:
    """Insert entries as they are, a table at a time."""
    # The driver of SQLite takes positions, and Core's binding by name costs as much as hashing.
    by_name = connection.dialect.paramstyle != "qmark"
    rows: dict[str, list[Any]] = defaultdict(list)
    for one, form in entries:
        if by_name:
            rows["entry"].append({name: getattr(one, name) for name in _PLACE})
            rows[one.kind].append(one.row)
            rows["evidence_effect"] += one.effects
        else:
            at = instant_text(one.recorded_at)
            rows["entry"].append((one.seq, one.kind, at, one.tool, one.leaf, one.hash))
            rows[one.kind].append(tuple(form.bound))
            rows["evidence_effect"] += map(tuple, form.effects)
        if one.because is not None and one.salt:
            cells = (one.seq, one.salt, one.because)
            names = rationale.columns.keys()
            rows["rationale"].append(dict(zip(names, cells, strict=True)) if by_name else cells)
    for table in COPIED:
        if not rows[table.name]:
            continue
        if by_name:
            connection.execute(insert(table), rows[table.name])
        else:
            connection.exec_driver_sql(positional(table), rows[table.name])


@cache
def positional(table: Table) -> str:
    """Write the statement for SQLite once: compiling it takes longer than running it."""
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=table.columns.keys()))


def _number(reference: int, prepared: Sequence[Entry], *, first: int, seq: int) -> int:
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
