"""A fault at any statement of any command: the ledger is as before it or after it, never between.

The driver itself fails at the n-th statement, whichever it is: a pragma of the opening, a reading,
an insert, the commit, the copying of pages. The command says in one line which condition it met,
ends with code 3, and works the next time.
"""

import os
import shutil
import sqlite3

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from forecasting.cli import run
from forecasting.store import Ledger
from tests import databases
from tests.store.faults import (
    COMMANDS,
    EACH,
    NEWS,
    NOW,
    RECORD,
    SLOW,
    Aim,
    failing,
    fill,
    refused_at_each,
    state,
    turned,
    words_of,
)


@pytest.fixture
def aim():
    return Aim()


@pytest.fixture
def driver(aim, monkeypatch):
    """The driver of SQLite, failing where it is aimed at."""

    class Cursor(sqlite3.Cursor):
        def execute(self, *arguments):
            aim.step()
            return super().execute(*arguments)

        def executemany(self, *arguments):
            aim.step()
            return super().executemany(*arguments)

    class Connection(sqlite3.Connection):
        def cursor(self, factory=Cursor):
            return super().cursor(factory)

        def execute(self, *arguments):
            aim.step()
            return super().execute(*arguments)

        def commit(self):
            aim.step()
            super().commit()

        def backup(self, *arguments, **named):
            aim.step()
            super().backup(*arguments, **named)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda *arguments, **named: connect(*arguments, factory=Connection, **named),
    )


@pytest.fixture(autouse=True)
def world(monkeypatch, tmp_path):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    (tmp_path / "news.csv").write_text(NEWS, encoding="utf-8")
    (tmp_path / "record.csv").write_text(RECORD, encoding="utf-8")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", NOW)
        fill(str(path))
    return path


def opening(path, aim):
    """Count what the driver is asked to do before a command may read or write."""
    aim.at(10**6, None)
    Ledger.open(str(path)).close()
    asked = 10**6 - aim.left
    aim.missed()
    return asked


#: The ordinary suite takes these; `make test-deep` takes every command and every fault.
QUICK = ("log", "withdraw", "news add", "resolve", "reopen")
CASES = [
    pytest.param(name, turn, marks=() if name in QUICK and not turn else pytest.mark.deep)
    for name in COMMANDS
    for turn in range(4)
]


@pytest.mark.parametrize(("name", "turn"), CASES)
def test_a_fault_at_any_statement_of_a_command_on_a_file(
    name, turn, small, driver, aim, tmp_path, root, capsys
):
    """From the first to the commit; the opening, which is the same for all, in the first alone."""
    path, prepared = tmp_path / "ledger.db", tmp_path / "prepared.db"
    shutil.copyfile(small, prepared)
    words = words_of(name, str(prepared), tmp_path, root)

    def renew():
        shutil.copyfile(prepared, path)

    renew()
    first = 1 if name == "log" or turn else opening(path, aim)
    statements, before, after = refused_at_each(
        str(path), words, aim, turned(EACH, turn), capsys=capsys, first=first, renew=renew
    )
    assert statements - first >= 8
    assert after != before


@pytest.fixture(scope="module")
def banked(tmp_path_factory):
    path = tmp_path_factory.mktemp("banked") / "bank.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", NOW)
        assert run(["init", "--example", "ukraine", "--db", str(path)]) == 0
    return path


#: The file could not be taken away again without losing what another process wrote into it.
EMPTY = pytest.mark.xfail(
    strict=True,
    reason="the schema has a transaction of its own, so a fault right after it leaves a ledger "
    "without entries, which the next `init` completes",
)


@pytest.mark.deep
@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize(
    "name", [pytest.param("init", marks=EMPTY), *[n for n in SLOW if n != "init"]]
)
def test_a_fault_at_any_statement_of_a_command_on_the_bank(
    name, turn, banked, driver, aim, tmp_path, capsys
):
    """Making the schema, loading the bank, a fit and its forecasts, a replay's steps."""
    path = tmp_path / "ledger.db"

    def renew():
        path.unlink(missing_ok=True)
        if name != "init":
            shutil.copyfile(banked, path)

    renew()
    # A replay is many transactions: whole steps stand, and the next run goes on from them.
    statements, before, after = refused_at_each(
        str(path),
        SLOW[name],
        aim,
        turned(EACH, turn),
        capsys=capsys,
        whole=name != "replay",
        renew=renew,
    )
    assert statements > 30
    assert after != before


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.deep)])
def test_a_fault_at_any_step_of_a_backup_leaves_no_file(
    stride, small, driver, aim, tmp_path, capsys
):
    """Either the whole copy stands under its name, or the folder stays empty."""
    source, target = tmp_path / "ledger.db", tmp_path / "copies" / "copy.db"
    shutil.copyfile(small, source)
    target.parent.mkdir()
    before = state(str(source))

    def between():
        assert not [*target.parent.iterdir()]
        assert state(str(source)) == before

    refused_at_each(
        str(source), ["backup", str(target)], aim, EACH, capsys=capsys, stride=stride,
        look=between,
        renew=lambda: target.unlink(missing_ok=True),
    )  # fmt: skip
    assert state(str(target)) == before


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.deep)])
def test_a_fault_at_any_step_of_a_restore_leaves_what_was_there(
    stride, small, driver, aim, tmp_path, capsys
):
    source, target = tmp_path / "backup.db", tmp_path / "here" / "ledger.db"
    target.parent.mkdir()
    shutil.copyfile(small, source)
    shutil.copyfile(small, tmp_path / "longer.db")
    assert run(["log", "flood", "0.9", "--db", str(tmp_path / "longer.db")]) == 0

    def renew():
        for path in target.parent.iterdir():
            path.unlink()
        shutil.copyfile(tmp_path / "longer.db", target)

    renew()
    faults = EACH | {"SQLITE_BUSY": (failing("SQLITE_BUSY"), "by another program")}
    _, before, after = refused_at_each(
        str(target),
        ["restore", str(source), "--force"],
        aim,
        faults,
        capsys=capsys,
        stride=stride,
        renew=renew,
    )
    assert after == state(str(source)) != before
    (beside,) = [path for path in target.parent.iterdir() if path != target]
    assert state(str(beside)) == before


FILE_STEPS = ("fsync", "replace", "rename")


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_disk_that_fails_between_the_statements_leaves_a_whole_ledger(
    command, small, aim, tmp_path, monkeypatch, capsys
):
    """The system calls that put a copy in place: its sync, the renames, the sync of the folder."""
    here, other = tmp_path / "ledger.db", tmp_path / "other.db"
    shutil.copyfile(small, here)
    shutil.copyfile(small, other)
    assert run(["log", "flood", "0.9", "--db", str(here)]) == 0
    before, wanted = state(str(here)), state(str(other))
    copy = tmp_path / "copy.db"
    words = ["backup", str(copy)] if command == "backup" else ["restore", str(other), "--force"]
    for step in FILE_STEPS:
        call = getattr(os, step)

        def counted(*arguments, call=call, **named):
            aim.step()
            return call(*arguments, **named)

        monkeypatch.setattr(os, step, counted)
    for nth in range(1, 12):
        aim.at(nth, lambda: OSError(28, "No space left on device"))
        code = run([*words, "--db", str(here)])
        whole = aim.missed()
        err = capsys.readouterr().err
        if whole:
            assert code == 0, err
            break
        assert code == 3, err
        assert "No space left on device" in err
        # Once the copy is under its name only the sync of the folder can still fail.
        assert state(str(here)) in (before, wanted)
        if command == "backup" and copy.exists():
            assert state(str(copy)) == before
            copy.unlink()
        if command == "restore" and state(str(here)) == wanted:
            assert run(["log", "flood", "0.9", "--db", str(here)]) == 0
            before = state(str(here))
    assert nth > 2


def lost(connection):
    import psycopg

    connection.close()
    return psycopg.OperationalError("the connection is lost")


def server_faults():
    from psycopg import errors

    return {
        "disk full": (lambda _: errors.DiskFull("injected"), "the disk is full"),
        "connection lost": (lost, "connection to the server was lost"),
        "serialization": (lambda _: errors.SerializationFailure("injected"), "another program"),
        "lock": (lambda _: errors.LockNotAvailable("injected"), "locked by another program"),
        "read only": (
            lambda _: errors.ReadOnlySqlTransaction("injected"), "read-only"
        ),
    }  # fmt: skip


@pytest.fixture
def server_driver(aim, monkeypatch):
    """The driver of PostgreSQL, failing where it is aimed at, the commit among it."""

    def execute(cursor, *_):
        aim.connection = cursor.connection
        aim.step()

    def commit(self, connection, do_commit=DefaultDialect.do_commit):
        aim.connection = getattr(connection, "driver_connection", connection)
        aim.step()
        do_commit(self, connection)

    listened = ("do_execute", "do_executemany", "do_execute_no_params")
    monkeypatch.setattr(DefaultDialect, "do_commit", commit)
    for name in listened:
        event.listen(Engine, name, execute)
    yield
    for name in listened:
        event.remove(Engine, name, execute)


@pytest.fixture(scope="module")
def filled(postgresql):
    servers = databases.Databases(postgresql)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECASTING_NOW", NOW)
        fill(postgresql.url(servers.template))
    return servers


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "turn"),
    [
        pytest.param(name, turn, marks=() if (name, turn) == ("log", 0) else pytest.mark.deep)
        for name in COMMANDS
        for turn in range(5)
    ],
)
def test_a_fault_at_any_statement_of_a_command_on_a_server(
    name, turn, filled, server_driver, aim, tmp_path, root, capsys
):
    prepared, url = filled.fresh(), filled.fresh()
    words = words_of(name, prepared, tmp_path, root)

    def renew():
        filled.copy(prepared, url)

    renew()
    faults = {
        each: (lambda new_fault=new_fault: new_fault(aim.connection), message)
        for each, (new_fault, message) in server_faults().items()
    }
    statements, before, after = refused_at_each(
        url, words, aim, turned(faults, turn), capsys=capsys, renew=renew
    )
    assert statements > 10
    assert after != before
    for database in (prepared, url):
        filled.drop(database)
