"""Bad input: one line that says what is wrong and how to mend it, the contract's code, no write."""

import json
import os
import sqlite3
import stat

import pytest

from forecasting.app.book import Book
from forecasting.cli import run as cli

RUNG = "general-ceasefire-2026@2026-12-31"
NOW = "2026-11-22T12:00:00Z"


@pytest.fixture
def database(bank_database, tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    path = tmp_path / "book.db"
    path.write_bytes(bank_database.read_bytes())
    return path


def _digest(path):
    with Book.open(str(path)) as book:
        return book.ledger.content_digest()


def _failed(path, capsys, *words, code=3):
    """Run a command that must fail; check that it says so in one line, and give that."""
    capsys.readouterr()
    assert cli(["--db", str(path), *words]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


@pytest.fixture
def refused(database, capsys):
    """Run a command that must fail, and check the manner of its failing."""

    def call(*arguments, code=2):
        before = _digest(database)
        err = _failed(database, capsys, *arguments, code=code)
        assert _digest(database) == before
        return err

    return call


def test_options_that_do_not_sum_to_one(refused):
    message = refused(
        "log", "guarantees-2026", "--p", "none=0.2", "--p", "soft=0.8", "--p", "firm=0.2"
    )
    assert "must sum to 1" in message
    assert "missing firm" in refused("log", "guarantees-2026", "--p", "none=0.2", "--p", "soft=0.8")


def test_an_unknown_question_names_the_nearest(refused):
    assert "Try: leaders-meet" in refused("log", "leader-meet", "0.1", code=4)
    assert "Try: guarantees-2026" in refused("history", "garantees-2026", code=4)


def test_a_ladder_without_a_rung_names_its_rungs(refused):
    assert "log leaders-meet --p 2026-12-31=0.1" in refused("log", "leaders-meet", "0.1")


def test_a_forecast_after_the_close_or_on_a_resolved_question(refused, database, capsys):
    resolved, due = "leaders-meet@2025-12-31", "exchange-1000-2026@2026-09-30"
    for question in (resolved, due):
        assert "--status open" in refused("log", question, "0.1")
    assert "is not open" in refused("update", resolved)
    # What is due waits for its outcome: it is shown, and nothing is logged.
    assert cli(["--db", str(database), "update", due, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["logged"], row["after"]) == ("due", False, None)


def test_times_with_two_readings_or_in_the_future(refused):
    assert "occurs twice" in refused("log", RUNG, "0.1", "--at", "2026-10-25T03:30")
    assert "in the future" in refused("log", RUNG, "0.1", "--at", "2026-12-01T12:00Z")
    assert "is not a day or a moment" in refused("log", RUNG, "0.1", "--at", "soon")
    news = ("news", "add", "x", "--source", "y", "--known-at")
    assert "does not exist" in refused(*news, "2026-03-29T03:30")
    assert "in the future" in refused(*news, "2027-11-01T12:00Z")


def test_evidence_that_cannot_be(refused):
    news = ("news", "add", "x", "--source", "y", "--known-at", "2026-11-01T12:00Z")
    assert "before it happened" in refused(*news, "--event-at", "2026-11-02T12:00Z")
    assert "effect (x)" in refused(*news, "--on", f"{RUNG}=x")
    assert "must lie above 0" in refused(*news, "--on", f"{RUNG}=1.5/0.2")
    assert "had closed" in refused(*news, "--on", "leaders-meet@2025-12-31=x2")
    assert "has options (none, soft, firm)" in refused(*news, "--on", "guarantees-2026=x2")


def test_outcomes_that_cannot_be(refused):
    source = ("--source", "https://example.org")
    assert "must be one of" in refused("resolve", RUNG, "maybe", *source)
    assert "opened at" in refused("resolve", RUNG, "no", *source, "--at", "2020-01-01T00:00Z")
    assert "must name the source" in refused("resolve", RUNG, "no", "--source", " ")
    assert "must be one of" in refused("dispute", RUNG, "maybe", *source)
    assert "is already the official outcome" in refused(
        "dispute", "us-strikes-iran-2026", "yes", *source
    )
    assert "no outcome to take back" in refused("reopen", RUNG, *source)
    assert "in the future" in refused("annul", RUNG, *source, "--at", "2027-01-01")
    assert "must name the source" in refused("annul", RUNG, "--source", " ")
    refused("annul", "general-ceasefire-2027", *source, code=4)


def test_the_wrong_shape_for_a_question(refused):
    assert "--p none=.." in refused("log", "guarantees-2026", "0.5")
    assert "give one of" in refused("log", RUNG)
    assert "NAME=VALUE" in refused("log", "guarantees-2026", "--p", "none")


def test_unknown_commands_and_options(refused):
    assert "forecast questions" in refused("question")
    assert "no such option" in refused("log", RUNG, "0.1", "--becuase", "x").lower()


def test_bad_question_files(refused, tmp_path):
    path = tmp_path / "q.yaml"
    path.write_text("schema: 1\nslug: x y\n", encoding="utf-8")
    assert f"{path}:2" in refused("questions", "add", str(path))
    path.write_text("schema: 1\n\tslug: x\n", encoding="utf-8")
    assert f"{path}:2" in refused("questions", "add", str(path))
    assert "does not exist" in refused("questions", "add", str(tmp_path / "none.yaml"))


def test_a_slug_in_use_is_not_added_again(refused, root):
    path = root / "questions" / "bank" / "talks" / "leaders-meet.yaml"
    assert "is already in the ledger" in refused("questions", "add", str(path))


def test_with_json_the_error_is_json(database, capsys):
    assert cli(["--db", str(database), "--json", "log", "leader-meet", "0.1"]) == 4
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == 4
    assert error["hint"] == "leaders-meet"
    assert set(error) == {"code", "message", "hint", "where"}


def test_a_missing_database_names_init(tmp_path, capsys):
    path = tmp_path / "none.db"
    for words in (("questions", "list"), ("log", RUNG, "0.1"), ("verify",), ("score",)):
        assert "forecast init" in _failed(path, capsys, *words)
    assert not path.exists()


def test_what_is_no_database(tmp_path, capsys):
    path = tmp_path / "text.db"
    path.write_text("not a database, but long enough to look like a file of pages\n" * 40)
    before = path.read_bytes()
    _failed(path, capsys, "questions", "list")
    _failed(path, capsys, "init")
    assert path.read_bytes() == before


def test_a_newer_database_is_not_touched(database, capsys):
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    connection.commit()
    connection.close()
    before = database.read_bytes()
    assert "newer" in _failed(database, capsys, "log", RUNG, "0.1")
    assert database.read_bytes() == before


def test_a_read_only_database(database, capsys):
    if os.geteuid() == 0:
        pytest.skip("root writes to read-only files; tests/store covers it by other means")
    database.chmod(stat.S_IRUSR)
    assert "read-only" in _failed(database, capsys, "log", RUNG, "0.1")
