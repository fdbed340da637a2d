"""Each thing that can be wrong is found by name, with what mends it; the rest stays well."""

import os
import shutil
import sqlite3
import sys

import pytest

from forecasting.app.upkeep import workspace as module
from forecasting.store import Ledger, migrate, upgrade
from forecasting.store.condition import doctor, network
from tests.store import attacks
from tests.store.samples import NOW, binary, one_of_each

CHECKS = [
    *("config", "permissions", "network", "space", "stray files"),
    *("sqlite", "schema", "pages", "triggers", "chain", "clock"),
]


@pytest.fixture
def written(path):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([*one_of_each(), *(binary() for _ in range(200))], recorded_at=NOW)
    return path


def wrong(path):
    checks = doctor(str(path))
    for item in checks:
        assert list(item) == ["check", "ok", "detail", "hint"]
        assert item["ok"] or item["hint"], item
        assert "\n" not in item["detail"]
    return {item["check"]: item["detail"] for item in checks if not item["ok"]}


def test_a_sound_database_is_well(written):
    checks = doctor(str(written))
    assert [item["check"] for item in checks] == CHECKS
    assert wrong(written) == {}


@pytest.mark.parametrize(
    ("script", "check", "words"),
    [
        ("DROP TRIGGER entry_guard", "triggers", "entry_guard"),
        ("DROP TRIGGER watch_no_update", "triggers", "watch_no_update"),
        ("DROP INDEX watch_by_process", "schema", "altered"),
        ("DROP INDEX forecast_by_run", "schema", "altered"),
        ("ALTER TABLE withdrawal ADD COLUMN why TEXT", "schema", "withdrawal"),
        ("CREATE TABLE notes (text)", "schema", "notes"),
        ("UPDATE alembic_version SET version_num = 'r0000'", "schema", "r0000"),
        ("UPDATE alembic_version SET version_num = 'r9999'", "schema", "r9999"),
        ("DELETE FROM alembic_version", "database", "damaged"),
        ("PRAGMA application_id = 7", "database", "another program"),
        (
            "DROP TRIGGER forecast_no_update;UPDATE forecast SET forecaster = 'zoe' WHERE seq = 12",
            "chain",
            "entry 12",
        ),
        (
            "PRAGMA foreign_keys = OFF; DROP TRIGGER withdrawal_guard;"
            "INSERT INTO withdrawal VALUES (999, 'q', 'ana', '2026-01-02T03:04:05.678901Z')",
            "pages",
            "withdrawal belongs to no entry",
        ),
        (
            "PRAGMA ignore_check_constraints = ON; DROP TRIGGER forecast_no_update;"
            "UPDATE forecast SET probability = 7 WHERE seq = 12",
            "pages",
            "CHECK",
        ),
    ],
)
def test_what_was_done_to_it_is_found(written, script, check, words):
    attacks.script(written, script)
    faults = wrong(written)
    assert words in faults[check]


def test_a_damaged_file_is_found(written):
    attacks.damage(written)
    assert wrong(written)


def test_a_missing_file_another_file_and_a_bad_setting_are_found(path, monkeypatch, home):
    assert "no database" in wrong(path)["database"]
    path.write_bytes(b"x" * 5000)
    assert "not an SQLite database" in wrong(path)["database"]
    (home / "config.toml").write_text("databse = 'x'\n")
    assert "databse" in wrong(None)["config"]


def test_a_locked_database_is_found(written, monkeypatch):
    from forecasting.store import engine

    monkeypatch.setattr(engine.connect, "__kwdefaults__", {"create": False, "timeout": 0.1})
    other = sqlite3.connect(written, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in wrong(written)["database"]
    finally:
        other.close()


def test_a_file_that_everyone_may_write_is_found(written):
    written.chmod(0o666)
    assert "every user" in wrong(written)["permissions"]


def test_a_file_that_cannot_be_written_is_found(written, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: place != written.parent)
    assert "its folder" in wrong(written)["permissions"]


def test_a_network_drive_and_a_synchronised_folder_are_found(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        f"server:/export {tmp_path}/a\\040share nfs4 rw 0 0\n"
        f"x {tmp_path}/sshfs fuse.sshfs rw 0 0\n"
    )
    assert network(tmp_path / "ledger.db", mounts).ok
    assert "ext4" in network(tmp_path / "ledger.db", mounts).detail
    assert "(nfs4)" in network(tmp_path / "a share" / "b" / "ledger.db", mounts).detail
    assert not network(tmp_path / "sshfs" / "ledger.db", mounts).ok
    assert "OneDrive - Team" in network(tmp_path / "OneDrive - Team" / "x.db", mounts).detail
    assert network(tmp_path / "ledger.db", tmp_path / "none").ok


def test_a_disk_with_little_room_is_found(written, monkeypatch):
    usage = shutil.disk_usage(written.parent)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda place: usage._replace(free=10 * 2**20))
    assert wrong(written) == {"space": "10 MiB free, of 64 MiB needed"}


def test_what_an_interrupted_program_left_is_found(written):
    partial = written.with_name(f".{written.name}.123.partial")
    partial.write_bytes(b"x")
    assert ".partial" in wrong(written)["stray files"]
    partial.unlink()
    written.with_name(f"{written.name}-journal").write_bytes(b"x")
    detail = {item["check"]: item["detail"] for item in doctor(str(written))}["stray files"]
    assert "-journal: a program is writing, or ended while it wrote" in detail


def test_a_clock_that_was_set_back_is_found(written, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2020-01-01T00:00:00Z")
    assert "in the future" in wrong(written)["clock"]


def test_a_journal_that_is_not_safe_is_found(written, monkeypatch):
    from forecasting.store import condition, engine

    assert condition
    monkeypatch.setattr(engine, "JOURNAL", ("wal", "FULL"))
    looked = sys.modules["forecasting.store.condition"]
    monkeypatch.setattr(looked, "journal", lambda: ("delete", "EXTRA"))
    assert "can corrupt a database in WAL mode" in wrong(written)["sqlite"]


def test_an_older_database_is_upgraded_as_the_doctor_says(written):
    attacks.script(written, "DROP TRIGGER entry_guard; DROP TRIGGER forecast_guard")
    assert list(wrong(written)) == ["triggers"]
    upgrade(str(written))
    assert wrong(written) == {}
    assert migrate.HEAD in {item["detail"] for item in doctor(str(written))}
