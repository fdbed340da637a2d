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
def command(capsys):
    def call(*words, code=0):
        assert run([str(word) for word in words]) == code
        output = capsys.readouterr()
        if code:
            assert len(output.err.splitlines()) == 1
            assert output.err.startswith("error: ")
        return output.err if code > 1 else output.out

    return call


def test_an_anchor_kept_elsewhere_is_what_verify_compares_with(book, command, tmp_path):
    file = tmp_path / "kept.anchor"
    assert command("anchor", "--out", file) == file.read_text()
    assert command("anchor", "--out", file, code=2).startswith(
        f"error: file ({file}): already exists"
    )
    report = json.loads(command("verify", "--anchor", file, "--json"))
    assert list(report) == [
        *("ok", "entries", "head", "anchored_to", "first_bad", "reason", "proves"),
        *("sealed", "unrevealed", "redacted"),
    ]
    assert (report["ok"], report["anchored_to"]) == (True, 12)
    assert json.loads(command("anchor", "--json"))["head"] == report["head"]
    raw = sqlite3.connect(book)
    for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("DELETE FROM forecast WHERE seq = 12")
    raw.execute("DELETE FROM entry WHERE seq = 12")
    raw.commit()
    raw.close()
    assert json.loads(command("verify", "--json"))["ok"], "from within nothing is missing"
    report = json.loads(command("verify", "--anchor", file, "--json", code=1))
    assert (report["ok"], report["first_bad"], report["anchored_to"]) == (False, 12, None)
    assert "does not exist" in command("verify", "--anchor", tmp_path / "none", code=2)
    file.write_text("entries 12\n")
    assert "must have 6 lines" in command("verify", "--anchor", file, code=2)


def test_the_doctor_lists_its_checks_and_ends_with_1_where_one_is_not_well(book, command):
    rows = json.loads(command("doctor", "--json"))
    assert all(list(row) == ["check", "ok", "detail", "hint"] and row["ok"] for row in rows)
    raw = sqlite3.connect(book)
    raw.execute("DROP TRIGGER forecast_no_update")
    raw.close()
    rows = json.loads(command("doctor", "--json", code=1))
    assert [row["check"] for row in rows if not row["ok"]] == ["triggers"]
