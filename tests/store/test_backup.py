"""A backup is whole or is not made; a restore puts a verified one in place or changes nothing."""

import os
import shutil
import sqlite3
import sys

import pytest

from forecasting import files
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import Ledger, backup, restore, status
from tests.store import attacks
from tests.store.samples import NOW, binary, fill
from tests.store.writer import BATCH, acknowledged, forking, write

# The package gives the function this name.
MODULE = sys.modules["forecasting.store.backup"]
FILLED = 18


def written(path, more=0):
    with Ledger.open(str(path), create=True) as ledger:
        fill(ledger)
        ledger.append([binary() for _ in range(more)], recorded_at=NOW)
        return ledger.head(), ledger.content_digest()


def state_of(path):
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok
        return ledger.head(), ledger.content_digest()


@pytest.mark.parametrize("copies", [3, pytest.param(20, marks=pytest.mark.deep)])
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_backup_taken_during_writes_is_whole(tmp_path, copies, mode):
    """Every copy verifies, ends at a batch, and holds what was acknowledged before it began."""
    path = tmp_path / "ledger.db"
    written(path)
    attacks.script(path, f"PRAGMA journal_mode={mode}")
    processes = forking()
    ear, mouth = processes.Pipe(duplex=False)
    writer = processes.Process(target=write, args=(str(path), mouth))
    writer.start()
    mouth.close()
    heads = []
    try:
        # Under load the copies would else be made before the writer begins.
        assert ear.poll(60)
        for n in range(copies):
            with Ledger.open(str(path)) as ledger:
                before = ledger.head().seq
            verification = backup(str(path), tmp_path / f"copy-{n}.db")
            assert verification.ok
            assert verification.entries >= before
            heads.append((verification.head_seq, verification.head_hash))
    finally:
        writer.kill()
        writer.join(60)
    saved = acknowledged(ear.fileno())
    ear.close()
    assert saved, "the writer has written meanwhile"
    with Ledger.open(str(path)) as ledger:
        for n, (seq, digest) in enumerate(heads):
            assert (seq - FILLED) % BATCH == 0
            assert ledger.hash_at(seq) == digest
            assert status(str(tmp_path / f"copy-{n}.db")).journal_mode == "delete"
    left = {file.name for file in tmp_path.iterdir() if "copy" in file.name}
    assert left == {f"copy-{n}.db" for n in range(copies)}


def test_a_backup_restored_elsewhere_is_the_same_ledger_and_goes_on(path, tmp_path):
    before = written(path, more=30)
    backup(str(path), tmp_path / "copy.db")
    verification, aside = restore(tmp_path / "copy.db", str(tmp_path / "new" / "ledger.db"))
    assert (verification.entries, aside) == (FILLED + 30, None)
    assert state_of(tmp_path / "new" / "ledger.db") == before
    with Ledger.open(str(tmp_path / "new" / "ledger.db")) as ledger:
        assert ledger.append([binary()], recorded_at=NOW)[0].seq == FILLED + 31


def test_nothing_is_replaced_unless_asked_and_then_it_is_kept(path, tmp_path):
    written(path)
    copy = tmp_path / "copy.db"
    backup(str(path), copy)
    with Ledger.open(str(path)) as ledger:
        ledger.append([binary()], recorded_at=NOW)
    later = state_of(path)
    with pytest.raises(InvalidInput, match="already exists"):
        backup(str(path), copy)
    with pytest.raises(InvalidInput, match="already exists"):
        restore(copy, str(path))
    assert state_of(path) == later
    assert state_of(copy)[0].seq == FILLED
    verification, aside = restore(copy, str(path), force=True)
    assert verification.entries == FILLED
    assert state_of(aside) == later
    assert state_of(path)[0].seq == FILLED
    backup(str(path), copy, force=True)
    _, again = restore(copy, str(path), force=True)
    assert again != aside


def test_a_database_is_not_copied_onto_itself(path):
    before = written(path)
    with pytest.raises(InvalidInput, match="is the database itself"):
        backup(str(path), path, force=True)
    with pytest.raises(InvalidInput, match="is the database itself"):
        restore(path, str(path), force=True)
    assert state_of(path) == before


def edited(path):
    attacks.script(
        path,
        "DROP TRIGGER forecast_no_update; UPDATE forecast SET forecaster = 'zoe' WHERE seq = 5",
    )


def cut_short(path):
    os.truncate(path, path.stat().st_size // 2)


def another(path):
    path.write_bytes(b"no database at all" * 1000)


def older(path):
    attacks.script(path, "UPDATE alembic_version SET version_num = 'r0000'")


@pytest.mark.parametrize("harm", [attacks.damage, edited, cut_short, another, older])
def test_a_backup_that_does_not_verify_is_refused_and_nothing_changes(path, tmp_path, harm):
    before = written(path, more=100)
    bad = tmp_path / "bad.db"
    shutil.copy(path, bad)
    harm(bad)
    for force in (True, False):
        with pytest.raises((DatabaseUnusable, InvalidInput)):
            restore(bad, str(path), force=force)
    with pytest.raises(DatabaseUnusable):
        restore(bad, str(tmp_path / "new.db"))
    with pytest.raises(DatabaseUnusable):
        backup(str(bad), tmp_path / "copy.db")
    assert state_of(path) == before
    assert {file.name for file in tmp_path.iterdir()} == {"ledger.db", "bad.db"}


def test_a_missing_backup_or_database_is_one_line(path, tmp_path):
    with pytest.raises(DatabaseUnusable, match="does not exist"):
        restore(tmp_path / "none.db", str(path))
    with pytest.raises(DatabaseUnusable, match="no database"):
        backup(str(path), tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_use_is_not_replaced(path, tmp_path):
    before = written(path)
    backup(str(path), tmp_path / "copy.db")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnusable, match="in use"):
        restore(tmp_path / "copy.db", str(path), force=True)
    other.execute("ROLLBACK")
    other.close()
    assert state_of(path) == before


@pytest.mark.parametrize("asked", [True, False])
def test_a_damaged_database_is_replaced_and_its_journal_goes_with_it(
    path, tmp_path, monkeypatch, asked
):
    """A journal left beside the new file would be played into it."""
    before = written(path)
    backup(str(path), tmp_path / "copy.db")
    path.write_bytes(b"\xff" * 5000)
    sides = [tmp_path / f"ledger.db{side}" for side in ("-journal", "-wal")]
    for side in sides:
        side.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"x" * 600)
    if not asked:
        # Asked whether it is in use, SQLite clears what it finds beside a file that is no database.
        monkeypatch.setattr(MODULE, "_refuse_in_use", lambda target: None)
    _, aside = restore(tmp_path / "copy.db", str(path), force=True)
    assert not any(side.exists() for side in sides)
    assert state_of(path) == before
    assert aside.read_bytes() == b"\xff" * 5000
    if not asked:
        assert {file.name for file in tmp_path.glob(f"{aside.name}-*")} == {
            f"{aside.name}-journal",
            f"{aside.name}-wal",
        }


def test_a_backup_that_finds_no_room_leaves_nothing(path, tmp_path, monkeypatch):
    before = written(path)
    copy = tmp_path / "copy.db"
    backup(str(path), copy)
    copied = state_of(copy)
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(files, "_sync", lambda copy_file: (_ for _ in ()).throw(full))
    with pytest.raises(DatabaseUnusable, match="No space left"):
        backup(str(path), copy, force=True)
    with pytest.raises(InvalidInput, match="does not exist"):
        backup(str(path), tmp_path / "none" / "copy.db")
    assert state_of(copy) == copied
    assert state_of(path) == before
    assert {file.name for file in tmp_path.iterdir()} == {"ledger.db", "copy.db"}
