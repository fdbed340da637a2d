"""Every way in which a database cannot be used is one line with the way out, and exit code 3."""

import functools
import os
import sqlite3
import sys
import threading

import pytest

from forecasting.config import database_url
from forecasting.errors import DatabaseUnusable
from forecasting.store import Ledger, engine, migrate, status, upgrade
from forecasting.store.engine import journal
from tests.store import attacks
from tests.store.samples import NOW, binary

pytestmark = pytest.mark.usefixtures("as_shipped")

NEXT = f"r{int(migrate.HEAD[1:]) + 1:04d}"


def line_of(error):
    line = str(error.value)
    assert "\n" not in line
    assert " Try: " in line
    assert error.value.exit_code == 3
    return line


def written(path, entries=1):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([binary() for _ in range(entries)], recorded_at=NOW)


@pytest.mark.parametrize("use", [lambda url: Ledger.open(url), status, upgrade])
def test_a_missing_database_names_init_and_is_not_made(path, use):
    with pytest.raises(DatabaseUnusable) as error:
        use(str(path))
    assert line_of(error) == f"no database at {path}. Try: forecast init, or cd to your workspace"
    assert not path.exists()


def test_an_empty_file_counts_as_missing_and_can_be_completed(path):
    path.touch()
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path))
    assert "forecast init" in line_of(error)
    written(path)
    assert status(str(path)).entries == 1


def test_a_new_database_may_lie_in_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "a b" / "100%25 é#1" / "ledger.db"
    written(path)
    assert path.is_file()
    assert status(str(path)).entries == 1
    assert upgrade(database_url(str(path))).entries == 1
    assert sorted(tmp_path.rglob("*.db*")) == [path]


def test_creating_what_exists_opens_it_as_it_is(path):
    written(path)
    with Ledger.open(str(path), create=True) as ledger:
        assert ledger.head().seq == 1


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite", b"PK\x03\x04" + b"\0" * 100])
@pytest.mark.parametrize("create", [True, False])
def test_another_kind_of_file_is_left_alone(path, content, create):
    path.write_bytes(content)
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path), create=create)
    assert "not an SQLite database" in line_of(error)
    assert path.read_bytes() == content


@pytest.mark.parametrize("create", [True, False])
def test_another_programs_database_is_left_alone(path, create):
    attacks.script(path, "CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path), create=create)
    assert "another program" in line_of(error)
    assert path.read_bytes() == before


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises((DatabaseUnusable, ValueError)):
        Ledger.open(str(tmp_path))


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(tmp_path / "file" / "ledger.db"), create=True)
    assert str(tmp_path) in line_of(error)


@pytest.mark.parametrize(
    ("revision", "words"), [(NEXT, "newer"), ("r9999", "newer"), ("r0000", "forecast db upgrade")]
)
def test_another_schema_is_named_and_not_touched(path, revision, words):
    written(path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    raw.commit()
    before = list(raw.iterdump())
    for use in (Ledger.open, lambda url: Ledger.open(url, create=True)):
        with pytest.raises(DatabaseUnusable) as error:
            use(str(path))
        assert words in line_of(error)
        assert revision in line_of(error)
    with pytest.raises(DatabaseUnusable):
        upgrade(str(path))
    assert status(str(path)).current == revision
    assert list(raw.iterdump()) == before
    raw.close()


def test_a_ledger_that_forgot_its_schema_is_damaged(path):
    written(path)
    attacks.script(path, "DELETE FROM alembic_version")
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path), create=True)
    assert "damaged" in line_of(error)


def test_a_damaged_database_is_named(path):
    written(path, entries=300)
    attacks.damage(path, 100)
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path))
    assert "damaged" in line_of(error)


def test_another_journal_mode_is_changed_once_nobody_holds_the_file(path):
    written(path)
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("PRAGMA journal_mode=" + ("delete" if journal()[0] == "wal" else "wal"))
    other.execute("SELECT count(*) FROM entry").fetchall()
    leaves = threading.Timer(0.3, other.close)
    leaves.start()
    written(path)
    leaves.join()
    assert status(str(path)).journal_mode == journal()[0]


def test_a_read_only_database_can_be_read_and_refuses_to_be_written(path):
    written(path)
    with Ledger.open(str(path)) as ledger:
        with ledger._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(DatabaseUnusable) as error:
            ledger.append([binary()], recorded_at=NOW)
        assert "read-only" in line_of(error)
        assert len(ledger.forecasts()) == 1


def test_a_file_without_write_permission_is_read_only(path, monkeypatch):
    """The superuser is bound by no file mode, so for him the connection itself is read-only."""
    written(path)
    path.chmod(0o444)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        connect = engine.sqlite3.connect
        monkeypatch.setattr(
            engine.sqlite3, "connect", lambda to, **how: connect(to.replace("=rw", "=ro"), **how)
        )
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
        with pytest.raises(DatabaseUnusable) as error:
            ledger.append([binary()], recorded_at=NOW)
    assert "read-only" in line_of(error)


def test_a_file_that_vanishes_after_the_look_is_not_made_anew(path):
    written(path)
    opened = engine.connect(str(path))
    path.unlink()
    with pytest.raises(DatabaseUnusable) as error, engine.translated_faults(str(path)):
        opened.connect()
    assert "cannot be opened" in line_of(error)
    assert not path.exists()


def test_the_connection_is_as_the_recipe_says(path):
    written(path)
    with Ledger.open(str(path)) as ledger, ledger._engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                *("foreign_keys", "recursive_triggers", "trusted_schema", "cell_size_check"),
                *("busy_timeout", "journal_mode", "synchronous", "application_id", "user_version"),
            )
        }
    mode, level = journal()
    assert settings == {
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "busy_timeout": 30_000,
        "journal_mode": mode,
        "synchronous": {"FULL": 2, "EXTRA": 3}[level],
        "application_id": int.from_bytes(b"FCST"),
        "user_version": int(migrate.HEAD[1:]),
    }


def test_a_pragma_that_does_not_stick_is_a_refusal(path, monkeypatch):
    written(path)
    reads = engine._pragma
    monkeypatch.setattr(
        engine, "_pragma", lambda c, name: 0 if name == "foreign_keys" else reads(c, name)
    )
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path))
    assert "foreign_keys" in line_of(error)


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), ("delete", "EXTRA")),
        ((3, 51, 2), ("delete", "EXTRA")),
        ((3, 51, 3), ("wal", "FULL")),
        ((3, 54, 0), ("wal", "FULL")),
    ],
)
def test_the_journal_is_the_one_that_this_sqlite_is_safe_with(version, mode):
    assert journal(version) == mode


def test_the_recipe_holds_in_wal_too(path, monkeypatch):
    monkeypatch.setattr(engine, "JOURNAL", ("wal", "FULL"))
    written(path)
    assert status(str(path)).journal_mode == "wal"
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
    monkeypatch.undo()
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
    assert status(str(path)).journal_mode == journal()[0]


def test_reads_are_repeatable_and_writes_begin_at_once(path):
    from sqlalchemy import event

    written(path)
    seen = []
    with Ledger.open(str(path)) as ledger:
        event.listen(
            ledger._engine,
            "before_cursor_execute",
            lambda conn, cursor, statement, *rest: seen.append(statement.split("\n")[0]),
        )
        ledger.append([binary()], recorded_at=NOW)
        assert seen[0] == "BEGIN IMMEDIATE"
        seen.clear()
        ledger.forecasts()
        assert seen[0] == "BEGIN"


def test_the_file_is_looked_at_only_before_its_first_connection(path, monkeypatch):
    """Closing any descriptor of a database file drops this process's locks on it."""
    from pathlib import Path

    written(path)
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: pytest.fail("opened") if self == path else opened(self)
    )
    with Ledger.open(str(path)) as ledger, Ledger.open(str(path)) as again:
        assert ledger.head() == again.head()


def test_no_driver_for_postgresql_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open("postgresql://ana:secret@127.0.0.1/team")
    assert "psycopg" in line_of(error)
    assert "secret" not in line_of(error)


def test_no_server_of_postgresql_is_one_line():
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open("postgresql://ana:secret@127.0.0.1:1/team?connect_timeout=2")
    assert "secret" not in line_of(error)


def test_a_locked_database_is_waited_for_once_and_the_wait_is_told(path, monkeypatch, caplog):
    written(path)
    opened = []
    real = engine._open
    monkeypatch.setattr(engine, "_open", lambda *a, **k: opened.append(a) or real(*a, **k))
    soon = functools.partial(engine._patience.func, 0.01, *engine._patience.args[1:])
    monkeypatch.setattr(engine, "_patience", soon)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnusable) as error:
        Ledger.open(str(path), timeout=0.2)
    assert "locked by another program" in line_of(error)
    assert len(opened) == 1
    assert [one.message for one in caplog.records] == [
        "another program holds the database; waiting for it"
    ]
    caplog.clear()
    other.execute("ROLLBACK")
    with Ledger.open(str(path), timeout=0.2) as ledger:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnusable) as error:
            ledger.append([binary()], recorded_at=NOW)
        assert "locked" in line_of(error)
        assert len(ledger.forecasts()) == 1, "a reader is not kept out by a writer who has begun"
    assert len(caplog.records) == 1
    other.close()
    assert status(str(path)).entries == 1


def test_nothing_is_told_where_nobody_is_waited_for(path, caplog):
    written(path)
    written(path)
    assert caplog.records == []
    assert engine._patience.args[0] == 2.0
