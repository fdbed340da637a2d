"""What an ordinary SQLite connection may do at all, whatever the SQL that reaches it.

The triggers refuse a change to a row; they cannot refuse that they are dropped. So every connection
asks here when a statement is prepared, and only a migration, for its one transaction, does not.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Connection

from forecasting.store.triggers import LEDGER, REDACTS

#: Read with or without an argument; none of them writes.
_QUERIES = {
    *("table_info", "table_xinfo", "table_list", "foreign_key_list", "database_list"),
    *("index_list", "index_info", "index_xinfo", "foreign_key_check"),
    *("integrity_check", "quick_check"),
}
#: May be read, and set to nothing.
_STATES = {
    *("application_id", "user_version", "schema_version", "page_count", "page_size"),
    *("freelist_count", "data_version", "encoding", "compile_options", "read_uncommitted"),
}
#: May be read, and set to these values alone: what the recipe sets, and what only tightens.
_SETTINGS: dict[str, set[str]] = {
    "foreign_keys": {"on", "1"},
    "recursive_triggers": {"on", "1"},
    "trusted_schema": {"off", "0"},
    "cell_size_check": {"on", "1"},
    "secure_delete": {"on", "1"},
    "ignore_check_constraints": {"off", "0"},
    "synchronous": {"full", "extra"},
    "journal_mode": {"wal", "delete"},
    "query_only": {"on", "1", "off", "0"},
    "wal_checkpoint": {"passive", "full", "restart", "truncate"},
}
#: May be read, and set to any number.
_NUMBERS = {"busy_timeout", "max_page_count", "cache_size"}
#: Functions that reach outside the database.
_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_READS = {
    *(sqlite3.SQLITE_READ, sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE),
    *(sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT),
}


def permits(
    action: int, first: str | None, second: str | None, *, within: str | None = None
) -> bool:
    """Tell whether an ordinary connection may do what a statement, or a trigger, asks for."""
    if action in _READS:
        return True
    if action == sqlite3.SQLITE_INSERT:
        return first in LEDGER
    if action == sqlite3.SQLITE_UPDATE:
        # SQLite asks for this where it declares a table-valued function such as json_each, and
        # refuses the statement itself, for writable_schema is off and the mode is defensive.
        return first == "sqlite_master"
    if action == sqlite3.SQLITE_DELETE:
        # No connection can make a trigger, so the one of this name is the one that is checked.
        return first == "rationale" and within == REDACTS
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FUNCTIONS
    return action == sqlite3.SQLITE_PRAGMA and _pragma((first or "").lower(), second)


def _pragma(name: str, value: str | None) -> bool:
    if name in _QUERIES:
        return True
    if name in _NUMBERS:
        return value is None or value.isdecimal()
    return (value is None and name in _STATES) or (
        name in _SETTINGS and (value is None or value.lower() in _SETTINGS[name])
    )


# The same few hundred are asked by every command.
@lru_cache(maxsize=4096)
def answer(
    action: int, first: str | None, second: str | None, _: str | None, within: str | None
) -> int:
    """Answer as SQLite asks; see :func:`permits`."""
    allowed = permits(action, first, second, within=within)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@contextmanager
def lifted(connection: Connection) -> Iterator[None]:
    """Let a migration, and nothing else, change the schema; PostgreSQL asks its roles instead."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.set_authorizer(None)
    try:
        yield
    finally:
        raw.set_authorizer(answer)
