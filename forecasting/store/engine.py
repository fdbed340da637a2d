"""Connections: one recipe for every database file, and one line for every way it can be unusable.

The driver is told to emit nothing of its own; writes begin with ``BEGIN IMMEDIATE``, so that a
number is read and used under one lock, and reads with ``BEGIN``, so that they are repeatable.
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from forecasting.config import MEMORY, database_url, sqlite_path, without_password
from forecasting.errors import DatabaseMissing, DatabaseUnusable, ForecastingError, InvalidInput
from forecasting.store import guard

#: Says in the log, two seconds after it was started, that another program's lock is waited for.
_patience = partial(
    threading.Timer,
    2.0,
    logging.getLogger(__name__).warning,
    ("another program holds the database; waiting for it",),
)
#: Before this version two connections could corrupt a database in WAL mode.
WAL_SAFE = (3, 51, 3)
_HEADER = b"SQLite format 3\x00"
_ELSEWHERE = "database=PATH in a folder that you can write to"
_STANDING = """
SELECT '', application_id || ' ' || (SELECT version_num FROM alembic_version)
FROM pragma_application_id
UNION ALL SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'
UNION ALL SELECT name, sql FROM sqlite_temp_schema WHERE type = 'trigger'
"""
# Closing any descriptor of a database file drops this process's locks on it, so a file is looked
# at only before its first connection here.
_connected: set[tuple[int, int]] = set()


def journal(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> tuple[str, str]:
    """Give the journal mode and the synchronous level that this SQLite is safe with."""
    return ("wal", "FULL") if version >= WAL_SAFE else ("delete", "EXTRA")


#: Of the SQLite that is in use.
JOURNAL = journal()


def place(url: str) -> str:
    """Name a database as messages do: its path, or its URL without the password."""
    url = database_url(url)
    path = sqlite_path(url)
    return without_password(url) if path is None else str(path)


def connect(url: str, *, create: bool = False, timeout: float = 30.0) -> Engine:
    """Make the engine of a database, checking first that its file can be one."""
    url = database_url(url)
    path = sqlite_path(url)
    if path is None and url != MEMORY:
        return _postgresql(url)
    if path is not None:
        _check_file(path, create=create)
    engine = create_engine(
        "sqlite://",
        creator=partial(_open, path, create=create, timeout=timeout),
        poolclass=QueuePool,
        # The one connection of a database in memory is the database.
        **({"pool_size": 1, "max_overflow": 0} if path is None else {}),
    )
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def connected(url: str, *, create: bool = False) -> Iterator[Engine]:
    """Open the engine of a database for a while; every connection is closed after it."""
    engine = connect(url, create=create)
    try:
        yield engine
    finally:
        engine.dispose()


def reading(engine: Engine) -> Engine:
    """Give the engine whose transactions only read, each from one state of the database."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(ro=True)


def standing(engine: Engine) -> dict[str, str]:
    """Read whose an SQLite database is, its schema and triggers, in one look; nothing if unsaid."""
    if engine.dialect.name != "sqlite":
        return {}
    try:
        with reading(engine).connect() as connection:
            return {name: sql for name, sql in connection.exec_driver_sql(_STANDING)}
    except SQLAlchemyError as fault:
        # Who waited once for another program does not wait again for a closer look.
        if _name(getattr(fault, "orig", None)).startswith("SQLITE_BUSY"):
            raise
        return {}


@contextmanager
def translated_faults(where: str) -> Iterator[None]:
    """Turn a database's faults into one line with the way out."""
    try:
        yield
    except StatementError as fault:
        if isinstance(fault.orig, ForecastingError):
            raise fault.orig from None
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            message = f"database ({where}): the connection to the server was lost"
            hint = "forecast verify; what was not reported as saved may be missing"
            raise DatabaseUnusable(message, hint=hint) from fault
        raise _fault(fault.orig, where) from fault
    except sqlite3.Error as fault:
        raise _fault(fault, where) from fault
    except SQLAlchemyError as fault:
        message = f"database ({where}): {str(fault).splitlines()[0]}"
        raise DatabaseUnusable(message, hint="forecast db status") from fault


def _postgresql(url: str) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as missing:
        message = f"database ({without_password(url)}): the PostgreSQL driver is not installed"
        raise DatabaseUnusable(message, hint="pip install 'psycopg[binary]'") from missing


def _check_file(path: Path, *, create: bool) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        if not create:
            raise missing(str(path)) from None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            message = f"database ({path}): its folder cannot be created ({refused.strerror})"
            raise DatabaseUnusable(message, hint=_ELSEWHERE) from refused
        return
    except OSError as refused:
        message = f"database ({path}): cannot be inspected ({refused.strerror})"
        raise DatabaseUnusable(message, hint=_ELSEWHERE) from refused
    if not path.is_file():
        raise DatabaseUnusable(f"database ({path}): must be a file", hint="database=FILE")
    if (status.st_dev, status.st_ino) in _connected or status.st_size == 0:
        return
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError as refused:
        message = f"database ({path}): cannot be read ({refused.strerror})"
        raise DatabaseUnusable(message, hint=f"chmod u+rw {path}") from refused
    if header != _HEADER:
        raise _not_a_database(str(path))


def missing(where: str) -> DatabaseMissing:
    """Give the error for a database that is not there."""
    return DatabaseMissing(
        f"no database at {where}.", hint="forecast init, or cd to your workspace"
    )


def _not_a_database(where: str) -> DatabaseUnusable:
    message = f"database ({where}): the file is not an SQLite database"
    return DatabaseUnusable(message, hint="database=ANOTHER_FILE, or forecast restore BACKUP")


def _open(path: Path | None, *, create: bool, timeout: float) -> sqlite3.Connection:
    """Open a connection by the recipe; `create` makes an absent file."""
    mode = "rwc" if create else "rw"
    # mode=rw: a path that does not exist is an error, never a new, empty database.
    target = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode={mode}"
    # Python 3.16 changes the default; the recipe needs the driver to stay out of the way.
    options: dict[str, Any] = {"autocommit": sqlite3.LEGACY_TRANSACTION_CONTROL}
    options |= {"timeout": timeout, "check_same_thread": False, "isolation_level": None}
    connection: sqlite3.Connection = sqlite3.connect(target, uri=path is not None, **options)
    patience = _patience()
    patience.start()
    try:
        _configure(connection, memory=path is None, timeout=timeout)
    except BaseException:
        connection.close()
        raise
    finally:
        patience.cancel()
    if path is not None:
        status = os.stat(path)
        _connected.add((status.st_dev, status.st_ino))
    return connection


#: Of pages of a database, in KiB.
CACHE = 131_072


def _configure(connection: sqlite3.Connection, *, memory: bool, timeout: float) -> None:
    """Set every pragma of the recipe and read it back: one that did not stick is a refusal."""
    mode, level = JOURNAL
    wanted: dict[str, tuple[str, object]] = {
        "busy_timeout": (str(int(timeout * 1000)), int(timeout * 1000)),
        "foreign_keys": ("ON", 1),
        "recursive_triggers": ("ON", 1),
        "trusted_schema": ("OFF", 0),
        "cell_size_check": ("ON", 1),
        # What a redaction takes out leaves the file's bytes, not only its rows.
        "secure_delete": ("ON", 1),
        "ignore_check_constraints": ("OFF", 0),
        "synchronous": (level, {"FULL": 2, "EXTRA": 3}[level]),
        # KiB, taken as needed: a million hashes in no order leave no room in the usual two
        # megabytes, and every row then moves pages between memory and the disk.
        "cache_size": (str(-CACHE), -CACHE),
    }
    if not memory:
        wanted["journal_mode"] = (mode, mode)
    until = time.monotonic() + timeout
    for pragma, (value, reads) in wanted.items():
        # Setting the journal mode takes a lock, so it is set only where it differs; SQLite does not
        # wait for this lock by itself, and whoever holds it may be setting the same.
        while _pragma(connection, pragma) != reads:
            try:
                connection.execute(f"PRAGMA {pragma}={value}").fetchall()
                break
            except sqlite3.OperationalError as busy:
                if _name(busy) != "SQLITE_BUSY" or time.monotonic() > until:
                    raise
                time.sleep(0.02)
        if (setting := _pragma(connection, pragma)) != reads:
            message = f"database: SQLite keeps {pragma} at {setting}, and {reads} is needed"
            raise DatabaseUnusable(message, hint="forecast doctor")
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.set_authorizer(guard.answer)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return None if row is None else row[0]


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("ro", False):
        connection.exec_driver_sql("BEGIN")
        return
    patience = _patience()
    patience.start()
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        patience.cancel()


def _name(fault: BaseException | None) -> str:
    """Give SQLite's name of a fault; '' where it has none."""
    return str(getattr(fault, "sqlite_errorname", None) or "")


def _fault(fault: BaseException | None, where: str) -> ForecastingError:
    text = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
    name = _name(fault)
    state = getattr(fault, "sqlstate", None) or ""
    if name.startswith("SQLITE_CONSTRAINT") or state.startswith("23"):
        message = f"entry: refused by the database ({text}); nothing was written"
        return InvalidInput(message)
    if name == "SQLITE_AUTH":
        message = f"statement: refused on an ordinary connection ({text}); nothing was written"
        return InvalidInput(message)
    if name.startswith("SQLITE_NOTADB"):
        return _not_a_database(where)
    rules = {
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03"): (
            "locked by another program",
            "again when that program has finished",
        ),
        ("40001", "40P01"): (
            "another program wrote at the same moment; nothing was written",
            "the same command again",
        ),
        ("SQLITE_READONLY", "25006", "42501"): (
            "read-only, so nothing can be written",
            f"chmod u+w {where}, or {_ELSEWHERE}",
        ),
        ("SQLITE_FULL", "53100"): ("the disk is full; nothing was written", "free some space"),
        ("53",): ("the server has no more room or connections; nothing was written", "again later"),
        ("SQLITE_CORRUPT", "XX001", "XX002"): ("damaged", "forecast restore BACKUP"),
        ("SQLITE_CANTOPEN", "SQLITE_PERM"): ("cannot be opened", _ELSEWHERE),
        ("SQLITE_IOERR",): ("the disk failed to read or write", "forecast doctor"),
    }
    for starts, (rule, hint) in rules.items():
        if name.startswith(starts) or (state and state.startswith(starts)):
            return DatabaseUnusable(f"database ({where}): {rule}", hint=hint)
    return DatabaseUnusable(f"database ({where}): {text}", hint="forecast db status")
