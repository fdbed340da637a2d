"""An ordinary connection of the program itself can do nothing to the ledger but add to it."""

import sqlite3
from contextlib import suppress

import pytest
from sqlalchemy.exc import DatabaseError

from forecasting.errors import DatabaseUnusable
from forecasting.store import Ledger, guard, triggers, upgrade
from tests.store import attacks
from tests.store.samples import NOW, binary, fill, one_of_each

SCHEMA = {
    "drop a trigger": "DROP TRIGGER forecast_no_update",
    "drop a table": "DROP TABLE rationale",
    "rename a table": "ALTER TABLE forecast RENAME TO earlier",
    "add a column": "ALTER TABLE forecast ADD COLUMN better REAL",
    "drop a column": "ALTER TABLE forecast DROP COLUMN gate",
    "add a table": "CREATE TABLE notes (text)",
    "add a trigger": "CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END",
    "shadow a table": "CREATE TEMP TABLE forecast (seq)",
    "shadow a table with a view": "CREATE TEMP VIEW forecast AS SELECT 1 AS seq",
    "add a passing trigger": "CREATE TEMP TRIGGER t BEFORE INSERT ON main.entry"
    " BEGIN SELECT RAISE(IGNORE); END",
    "add an index": "CREATE UNIQUE INDEX i ON forecast (forecaster)",
    "drop an index": "DROP INDEX forecast_by_run",
    "attach another database": "ATTACH ':memory:' AS other",
    "copy over": "VACUUM INTO '/nowhere/at/all'",
    "write the schema by hand": "DELETE FROM sqlite_schema WHERE type = 'trigger'",
    "rewrite the schema by hand": "UPDATE sqlite_schema SET sql = '' WHERE type = 'trigger'",
    "say that it is newer": "UPDATE alembic_version SET version_num = 'r9999'",
    "say twice which schema": "INSERT INTO alembic_version VALUES ('r0001')",
    "gather statistics": "ANALYZE",
    "load a library": "SELECT load_extension('x')",
}
PRAGMAS = [
    *("writable_schema = ON", "ignore_check_constraints = ON", "foreign_keys = OFF"),
    *("recursive_triggers = OFF", "trusted_schema = ON", "synchronous = OFF"),
    *("journal_mode = OFF", "journal_mode = MEMORY", "user_version = 9", "application_id = 0"),
    *("schema_version = 1", "legacy_alter_table = ON", "defer_foreign_keys = ON"),
    *("locking_mode = EXCLUSIVE", "temp_store_directory = '/'", "hard_heap_limit = 1"),
    *("secure_delete = OFF", "secure_delete = FAST", "cell_size_check = OFF"),
    *("reverse_unordered_selects = ON", "encoding = 'UTF-16'"),
]
REFUSED = "not authorized|authorization denied|prohibited|may not be modified"
AROUND = SCHEMA | {f"PRAGMA {each}": f"PRAGMA {each}" for each in PRAGMAS}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "ledger.db"
    with Ledger.open(str(file), create=True) as ledger:
        fill(ledger)
        yield ledger


def dump(ledger):
    with ledger._engine.connect() as connection:
        return "\n".join(connection.connection.driver_connection.iterdump())


@pytest.mark.parametrize("name", [*attacks.NAMES["sqlite"], *AROUND])
def test_the_programs_own_connection_refuses(book, name):
    before, digest = dump(book), book.content_digest()
    statements = [AROUND[name]] if name in AROUND else attacks.on_each(book, "sqlite")[name]
    for attack in statements:
        with book._engine.connect() as connection, pytest.raises(DatabaseError):
            connection.exec_driver_sql(attack)
        # Refused before any row is looked at; what adds a row is looked at by the triggers.
        raw = book._engine.raw_connection()
        words = "." if attack.startswith("INSERT") else REFUSED
        with pytest.raises(sqlite3.DatabaseError, match=words):
            raw.driver_connection.execute(attack)
        raw.close()
    assert dump(book) == before
    assert book.content_digest() == digest
    assert book.verify().ok


def test_a_migration_leaves_an_ordinary_connection_even_where_it_fails(memory):
    with memory._engine.begin() as connection:
        with guard.lifted(connection):
            connection.exec_driver_sql("CREATE TABLE passing (text)")
        with pytest.raises(DatabaseError, match="not authorized"):
            connection.exec_driver_sql("DROP TABLE passing")
        with suppress(ArithmeticError), guard.lifted(connection):
            connection.exec_driver_sql("CREATE TABLE notes (text)")
            raise ArithmeticError
        with pytest.raises(DatabaseError, match="not authorized"):
            connection.exec_driver_sql("DROP TABLE notes")
        connection.rollback()


TAMPERED = {
    "a trigger that is gone": "DROP TRIGGER forecast_no_update",
    "a trigger that does nothing": "DROP TRIGGER entry_guard;"
    "CREATE TRIGGER entry_guard BEFORE INSERT ON entry BEGIN SELECT 1; END",
    "a trigger more": "CREATE TRIGGER more AFTER INSERT ON entry BEGIN SELECT 1; END",
    "every trigger": ";".join(f"DROP TRIGGER {name}" for name in triggers.wanted("sqlite")),
}


@pytest.mark.parametrize("script", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_ledger_without_its_triggers_is_read_and_not_written(path, script):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
    attacks.script(path, script)
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
        with pytest.raises(DatabaseUnusable, match="is not as this program made it") as error:
            ledger.append([binary()], recorded_at=NOW)
        assert error.value.exit_code == 3
        assert len(ledger.forecasts()) == 3
    if "more" in script:
        return
    upgrade(str(path))
    with Ledger.open(str(path)) as ledger:
        assert ledger.append([binary()], recorded_at=NOW)[0].seq == 12


def test_writing_past_the_triggers_is_found_by_the_chain(path):
    """SQLite's incremental writes ask no trigger and no authorizer; the chain is for that."""
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
        raw = ledger._engine.raw_connection()
        with raw.driver_connection.blobopen("question", "criteria", 1) as text:
            text.write(b"c")
        raw.close()
        assert ledger.verify().first_bad == 1
