"""Copies of a whole ledger: made while it is written to, verified, and put in place at once.

The file of an open database is never read or copied byte by byte: a copy would lack what lies in
the journal, and closing the file would drop this process's locks on it.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from forecasting.config import database_url, sqlite_path
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.files import absent, check_folder, settle
from forecasting.store import migrate
from forecasting.store.engine import connected, missing, place, reading, translated_faults
from forecasting.store.read import read_head
from forecasting.store.tables import COPIED
from forecasting.store.verify import Verification, verify

_SIDES = ("-journal", "-wal", "-shm")
_ROWS = 5000


def backup(url: str, target: Path, *, force: bool = False) -> Verification:
    """Copy a ledger, as it stands at one moment, into a file of its own that verifies.

    Writers are not kept out. A ledger on PostgreSQL is copied into an SQLite file with the same
    entries and hashes; a file that is there is replaced with `force` alone.

    Raises
    ------
    InvalidInput
        The file exists, or its folder does not.
    DatabaseUnusable
        The database cannot be read, its copy does not verify, or the disk is full; `target` is as
        it was.
    """
    where = place(url)
    target = target.absolute()
    if target.exists() and not force:
        raise InvalidInput(f"file ({target}): already exists", hint="another name, or force=True")
    check_folder(target)
    if (own := sqlite_path(database_url(url))) is not None and own.exists():
        _refuse_same(own, target)
    with _source(url, where) as engine, _partial(target) as copy:
        _copy(engine, where, copy)
        verification = _check_copy(copy, f"copy of {where}")
        # Its connections are closed, so opening the file drops no lock.
        settle(copy, target)
    return verification


@contextmanager
def _source(url: str, where: str) -> Iterator[Engine]:
    """Open what is to be copied: a ledger of this program's schema."""
    with connected(url) as engine:
        if not migrate.check(engine, where):
            raise missing(where)
        yield engine


def restore(source: Path, url: str, *, force: bool = False) -> tuple[Verification, Path | None]:
    """Put a verified copy of a backup in the place of a database.

    What was there (replaced with `force` alone) is kept beside it under another name, with its
    journal. Gives what the walk along the restored chain found, and where the replaced file is.

    Raises
    ------
    InvalidInput
        There is a database already.
    DatabaseUnusable
        The backup is none or not there, is of another schema, or does not verify; or the database
        is in use. Nothing was changed.
    """
    if not os.path.lexists(source):
        fault = absent("backup", source, hint="forecast restore BACKUP")
        raise DatabaseUnusable(fault.message, hint=fault.hint)
    url = database_url(url)
    target = sqlite_path(url)
    if target is None:
        return _restore_elsewhere(source, url), None
    if target.exists():
        _refuse_same(source, target)
        if not force and target.stat().st_size:
            msg = f"database ({target}): already exists"
            raise InvalidInput(msg, hint="force=True; the present file is kept beside it")
    with _source(str(source), str(source)) as engine:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _partial(target) as copy:
            _copy(engine, str(source), copy)
            verification = _check_copy(copy, str(source))
            former = _set_aside(target) if target.exists() else None
            try:
                settle(copy, target)
            except BaseException:
                if former is not None:
                    _put_back(former, target)
                raise
    return verification, former


def copy_rows(source: Connection, target: Connection) -> None:
    """Copy every entry as it stands into an empty ledger, on whatever database that is."""
    if read_head(target)[0].seq:
        raise InvalidInput("database: must be empty to be restored into", hint="another database")
    for table in COPIED:
        rows = source.execution_options(stream_results=True).execute(
            select(table).order_by(*table.primary_key.columns)
        )
        for part in rows.mappings().partitions(_ROWS):
            target.execute(insert(table), [dict(row) for row in part])


def _restore_elsewhere(source: Path, url: str) -> Verification:
    where = place(url)
    with _source(str(source), str(source)) as origin, connected(url) as engine:
        if not migrate.check(engine, where):
            migrate.bring_up(engine, where)
        with (
            translated_faults(where),
            reading(origin).connect() as reader,
            engine.begin() as writer,
        ):
            copy_rows(reader, writer)
            return _verify_chain(writer, str(source))


def _copy(engine: Engine, where: str, file: Path) -> None:
    if engine.dialect.name != "sqlite":
        with connected(str(file), create=True) as copied:
            migrate.bring_up(copied, str(file))
            with (
                translated_faults(where),
                reading(engine).connect() as reader,
                copied.begin() as writer,
            ):
                copy_rows(reader, writer)
        return
    with translated_faults(where), contextlib.closing(engine.raw_connection()) as pooled:
        source = pooled.driver_connection
        assert isinstance(source, sqlite3.Connection)
        with contextlib.closing(sqlite3.connect(file)) as copied_to:
            # All pages in one step, under one read lock: a step at a time starts anew whenever
            # another process writes in between.
            source.backup(copied_to)
            # A copy of a database in WAL mode would need a second file beside it.
            copied_to.execute("PRAGMA journal_mode=DELETE")


def _check_copy(file: Path, what: str) -> Verification:
    """Check a copy from its pages to its chain."""
    with (
        connected(str(file)) as engine,
        translated_faults(str(file)),
        reading(engine).connect() as connection,
    ):
        report = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        if report != ["ok"]:
            raise _unsound(what, f"damaged ({report[0]})")
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise _unsound(what, "damaged (a row without the entry it belongs to)")
        return _verify_chain(connection, what)


def _verify_chain(connection: Connection, what: str) -> Verification:
    verification = verify(connection)
    if not verification.ok:
        raise _unsound(
            what, f"does not verify at entry {verification.first_bad}: {verification.reason}"
        )
    return verification


def _unsound(what: str, rule: str) -> DatabaseUnusable:
    return DatabaseUnusable(f"backup ({what}): {rule}", hint="an earlier backup")


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give the name under which a copy is made, in the folder where it will lie."""
    copy = target.with_name(f".{target.name}.{os.getpid()}.partial")
    _remove(copy)
    try:
        # SQLite says of a folder that takes no file only that it cannot open one.
        copy.touch()
        copy.unlink()
        yield copy
    except OSError as fault:
        message = f"file ({target}): cannot be written ({fault.strerror or fault})"
        hint = "a folder that you can write to, with free space"
        raise DatabaseUnusable(message, hint=hint) from fault
    finally:
        _remove(copy)


def _set_aside(target: Path) -> Path:
    """Rename what is there together with its journal, which would else be played into the copy."""
    _refuse_in_use(target)
    number = 1
    while (former := target.with_name(f"{target.name}.replaced-{number}")).exists():
        number += 1
    # The journal goes first: a database without it is whole or damaged, and never played over.
    for side in _SIDES:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{target}{side}", f"{former}{side}")
    try:
        # A second name: a ledger lies under the first at every moment, whatever ends the program.
        os.link(target, former)
    except OSError:
        os.rename(target, former)
    return former


def _put_back(former: Path, target: Path) -> None:
    """Undo that a database was set aside."""
    if target.exists() and target.samefile(former):
        former.unlink()
    else:
        os.replace(former, target)
    for side in _SIDES:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{former}{side}", f"{target}{side}")


def _refuse_in_use(target: Path) -> None:
    """Refuse while another program writes; what is damaged cannot be asked, and is in no use."""
    try:
        with contextlib.closing(sqlite3.connect(target, timeout=1.0, isolation_level=None)) as raw:
            raw.execute("BEGIN EXCLUSIVE")
            raw.execute("ROLLBACK")
    except sqlite3.OperationalError as busy:
        if getattr(busy, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            message = f"database ({target}): in use by another program"
            raise DatabaseUnusable(message, hint="again when that program has finished") from busy
    except sqlite3.DatabaseError:
        return


def _refuse_same(one: Path, other: Path) -> None:
    if other.exists() and one.exists() and one.samefile(other):
        raise InvalidInput(f"file ({other}): is the database itself", hint="another file")


def _remove(file: Path) -> None:
    for side in ("", *_SIDES):
        Path(f"{file}{side}").unlink(missing_ok=True)
