"""anchor, verify, backup, restore and doctor as commands: what they print, and their exit codes."""

import json
import sqlite3

import pytest

from forecasting.cli import run
from forecasting.store import Ledger
from tests.store.samples import NOW, binary, one_of_each


@pytest.fixture
def book(path, monkeypatch):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([*one_of_each(), binary()], recorded_at=NOW)
    monkeypatch.setenv("FORECASTING_DATABASE_URL", str(path))
    return path


@pytest.fixture
def told(capsys):
    def tell(*words, code=0):
        assert run([str(word) for word in words]) == code
        said = capsys.readouterr()
        if code:
            assert len(said.err.splitlines()) == 1
            assert said.err.startswith("error: ")
        return said.err if code > 1 else said.out

    return tell


def test_an_anchor_kept_elsewhere_is_what_verify_compares_with(book, told, tmp_path):
    kept = tmp_path / "kept.anchor"
    assert told("anchor", "--out", kept) == kept.read_text()
    assert told("anchor", "--out", kept, code=2).startswith(f"error: file ({kept}): already exists")
    found = json.loads(told("verify", "--anchor", kept, "--json"))
    assert list(found) == [
        *("ok", "entries", "head", "anchored_to", "first_bad", "reason", "proves"),
        *("sealed", "unrevealed", "redacted"),
    ]
    assert (found["ok"], found["anchored_to"]) == (True, 12)
    assert json.loads(told("anchor", "--json"))["head"] == found["head"]
    raw = sqlite3.connect(book)
    for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("DELETE FROM forecast WHERE seq = 12")
    raw.execute("DELETE FROM entry WHERE seq = 12")
    raw.commit()
    raw.close()
    assert json.loads(told("verify", "--json"))["ok"], "from within nothing is missing"
    found = json.loads(told("verify", "--anchor", kept, "--json", code=1))
    assert (found["ok"], found["first_bad"], found["anchored_to"]) == (False, 12, None)
    assert "cannot be read" in told("verify", "--anchor", tmp_path / "none", code=2)
    kept.write_text("entries 12\n")
    assert "must have 6 lines" in told("verify", "--anchor", kept, code=2)


def test_a_backup_is_made_and_put_back(book, told, tmp_path):
    copy = tmp_path / "copy.db"
    assert json.loads(told("backup", copy, "--json"))["entries"] == 12
    assert "already exists" in told("backup", copy, code=2)
    assert "already exists" in told("restore", copy, code=2)
    back = json.loads(told("restore", copy, "--force", "--json"))
    assert back["kept"] == f"{book}.replaced-1"
    book.unlink()
    assert json.loads(told("restore", copy, "--json"))["kept"] is None
    assert "no database" in told("restore", tmp_path / "none.db", "--force", code=3)
    copy.write_bytes(b"no database" * 500)
    assert "not an SQLite database" in told("restore", copy, "--force", code=3)
    assert json.loads(told("verify", "--json"))["ok"]


def test_the_doctor_lists_its_checks_and_ends_with_1_where_one_is_not_well(book, told):
    rows = json.loads(told("doctor", "--json"))
    assert all(list(row) == ["check", "ok", "detail", "hint"] and row["ok"] for row in rows)
    raw = sqlite3.connect(book)
    raw.execute("DROP TRIGGER forecast_no_update")
    raw.close()
    rows = json.loads(told("doctor", "--json", code=1))
    assert [row["check"] for row in rows if not row["ok"]] == ["triggers"]
