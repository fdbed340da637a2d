"""The ledger: append entries, read them as domain values, verify the chain."""

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, select

from forecasting.domain import (
    Evidence,
    Forecast,
    Kind,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Withdrawal,
)
from forecasting.domain.forecast import Said
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.resolution import outcomes
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import DatabaseUnusable
from forecasting.store import migrate, read
from forecasting.store.append import Head, Recorded, append, read_head
from forecasting.store.drafts import Draft, prepare
from forecasting.store.engine import connect, missing, place, reading, told
from forecasting.store.tables import entry
from forecasting.store.verify import Verification, content_digest, verify


class Ledger:
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
        self._tool = str(import_module("forecasting").__version__)

    @classmethod
    def open(cls, url: str, *, create: bool = False, timeout: float = 30.0) -> Self:
        """Open a database; with `create`, make an absent one and the folders above it.

        Parameters
        ----------
        url : str
            A path, ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
        create : bool
            Make what is absent. An existing ledger is opened as it is.
        timeout : float
            Seconds to wait for another writer before the database counts as locked.

        Raises
        ------
        DatabaseUnusable
            It is missing, no database, another program's, newer, in need of an upgrade, read-only,
            locked, full or damaged.
        """
        where = place(url)
        engine = connect(url, create=create, timeout=timeout)
        try:
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

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self._where), self._reader.connect() as connection:
            yield connection

    def append(self, drafts: Sequence[Draft], *, recorded_at: dt.datetime) -> list[Recorded]:
        """Record drafts in one transaction: all of them, in order, or none.

        A forecast names its model run by the entry's number, or by
        :func:`forecasting.domain.provenance.in_batch` where the run comes earlier in `drafts`.

        Parameters
        ----------
        drafts : sequence
            Questions, forecasts, evidence, resolutions, withdrawals, watches, model runs, replay
            marks.
            What they carry as `seq`, `hash` and `recorded_at` is not looked at.
        recorded_at : datetime
            Now. Entries never go back in time: if the clock was set back, the time of the last
            entry is recorded instead.

        Returns
        -------
        list of Recorded
            With numbers, hashes and the values as every later reading gives them.

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
        with told(self._where), self._engine.begin() as connection:
            recorded = append(connection, prepared, recorded_at=recorded_at, tool=self._tool)
        if any(item.kind == "redaction" for item in prepared):
            self._settle_journal()
        return recorded

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

    def head(self) -> Head:
        """Give the last entry's number and hash; 0 and zeros for an empty ledger."""
        with self._reading() as connection:
            return read_head(connection)[0]

    def head_at(self, moment: dt.datetime) -> int:
        """Give the number of the last entry recorded by a moment; 0 where there is none."""
        with self._reading() as connection:
            return read.head_at(connection, moment)

    def kinds(self) -> set[str]:
        """Give the kinds of forecast that the ledger holds."""
        with self._reading() as connection:
            return read.kinds(connection)

    def hash_at(self, seq: int) -> str | None:
        """Give the hash that stands at a number, whatever else is wrong there; None for none."""
        with self._reading() as connection:
            return connection.execute(select(entry.c.hash).where(entry.c.seq == seq)).scalar()

    def entry(self, name: int | str) -> Recorded:
        """Look an entry up by number or by the start of its hash (four digits or more).

        Raises
        ------
        NotFound
            No such entry, or more than one.
        """
        with self._reading() as connection:
            return read.entry_named(connection, name)

    def questions(self, *, head: int | None = None) -> list[Question]:
        """Give the latest version of each question, in the order of their first versions."""
        with self._reading() as connection:
            return read.questions(connection, head=head)

    def question_history(self, question: str, *, head: int | None = None) -> list[Recorded]:
        """Give every version of a question, oldest first."""
        with self._reading() as connection:
            return read.question_history(connection, question, head=head)

    def forecasts(
        self,
        *,
        question: str | None = None,
        forecaster: str | None = None,
        kind: Kind | None = None,
        run: str | None = None,
        head: int | None = None,
    ) -> list[Forecast]:
        """Give forecasts ordered by when they were issued, then by number."""
        with self._reading() as connection:
            return read.forecasts(
                connection,
                head=head,
                question=question,
                forecaster=forecaster,
                kind=kind,
                run=run,
            )

    def last_said(
        self,
        forecaster: str,
        *,
        kinds: Sequence[Kind],
        by: dt.datetime,
        since: str = "",
        otherwise: dt.datetime | None = None,
    ) -> dict[str, Said]:
        """Give a forecaster's last forecast of each question, among some kinds.

        Parameters
        ----------
        by : datetime
            Only forecasts issued by then count.
        since : str
            Another forecaster: give what was said by the moment of their last forecast by `by`,
            and on questions that they did not answer, by `otherwise`.
        """
        with self._reading() as connection:
            return read.last_said(
                connection, forecaster, kinds=kinds, by=by, since=since, otherwise=otherwise
            )

    def evidence(self, *, head: int | None = None) -> list[Evidence]:
        """Give every item of evidence in the order of recording."""
        with self._reading() as connection:
            return read.evidence(connection, head=head)

    def resolutions(
        self, *, question: str | None = None, head: int | None = None
    ) -> list[Resolution]:
        """Give every version of every outcome in the order of recording."""
        with self._reading() as connection:
            return read.resolutions(connection, question=question, head=head)

    def standing_resolutions(self, *, head: int | None = None) -> dict[str, Resolution]:
        """Give the outcome that stands for each question: the one recorded last.

        A disputed version changes nothing; after a reopened one no outcome stands.
        """
        return outcomes(self.resolutions(head=head))

    def withdrawals(self, *, head: int | None = None) -> list[Withdrawal]:
        """Give every withdrawal in the order of recording."""
        with self._reading() as connection:
            return read.withdrawals(connection, head=head)

    def seals(self, *, question: str | None = None, head: int | None = None) -> list[Sealed]:
        """Give every sealed entry ordered by when it was issued, revealed since or not."""
        with self._reading() as connection:
            return read.seals(connection, question=question, head=head)

    def redactions(self, *, head: int | None = None) -> list[Redaction]:
        """Give every redaction in the order of recording."""
        with self._reading() as connection:
            return read.redactions(connection, head=head)

    def watches(self, head: int | None = None) -> tuple[Watch, ...]:
        """Give every watch in the order of recording: who looked at what, and up to when."""
        with self._reading() as connection:
            return tuple(read.watches(connection, head=head))

    def setups(self, *, head: int | None = None) -> list[Setup]:
        """Give what the ledger was told about itself, in the order of recording."""
        with self._reading() as connection:
            return read.setups(connection, head=head)

    def model_runs(self, *, run: str | None = None, head: int | None = None) -> list[ModelRun]:
        """Give the model fits in the order of recording, of one replay run or of all."""
        with self._reading() as connection:
            return read.model_runs(connection, run=run, head=head)

    def replay_runs(self, *, run: str | None = None, head: int | None = None) -> list[ReplayMark]:
        """Give the starts and ends of replay runs in the order of recording."""
        with self._reading() as connection:
            return read.replay_runs(connection, run=run, head=head)

    def verify(self) -> Verification:
        """Recompute every leaf and link from the rows, and check what is derived from them."""
        with self._reading() as connection:
            return verify(connection)

    def content_digest(self, *, head: int | None = None) -> str:
        """Digest what the entries say, leaving out when and with what tool they were recorded."""
        with self._reading() as connection:
            return content_digest(connection, head=head)
