"""Bad input: one line that says what is wrong and how to mend it, the contract's code, no write."""

import json
import shlex

import pytest

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


SOURCE = "--source https://example.org"
NEWS = "news add x --source y --known-at"
ADDED = f"{NEWS} 2026-11-01T12:00Z"
#: What is typed, what it is refused with, and the code where it is not 2.
REFUSED = [
    # Numbers, and the shape that a question wants.
    ("log guarantees-2026 --p none=0.2 --p soft=0.8 --p firm=0.2", "must sum to 1"),
    ("log guarantees-2026 0.5", "--p none=.."),
    ("log guarantees-2026 --p none", "NAME=VALUE"),
    (f"log {RUNG}", "give one of"),
    ("log leaders-meet 0.1", "log leaders-meet --p 2026-12-31=0.1"),
    # Names.
    ("log leader-meet 0.1", "Try: leaders-meet", 4),
    ("history garantees-2026", "Try: guarantees-2026", 4),
    (f"annul general-ceasefire-2027 {SOURCE}", "general-ceasefire-2027", 4),
    ("question", "forecast questions"),
    (f"log {RUNG} 0.1 --becuase x", "o such option"),
    # Times.
    ("log leaders-meet@2025-12-31 0.1", "--status open"),
    ("log exchange-1000-2026@2026-09-30 0.1", "--status open"),
    ("update leaders-meet@2025-12-31", "is not open"),
    (f"log {RUNG} 0.1 --at 2026-10-25T03:30", "occurs twice"),
    (f"log {RUNG} 0.1 --at 2026-12-01T12:00Z", "in the future"),
    (f"log {RUNG} 0.1 --at soon", "is not a day or a moment"),
    (f"{NEWS} 2026-03-29T03:30", "does not exist"),
    # News.
    (f"{ADDED} --event-at 2026-11-02T12:00Z", "before it happened"),
    (f"{ADDED} --on {RUNG}=x", "effect (x)"),
    (f"{ADDED} --on guarantees-2026=x2", "has options (none, soft, firm)"),
    # Outcomes.
    (f"resolve {RUNG} maybe {SOURCE}", "must be one of"),
    (f"resolve {RUNG} no {SOURCE} --at 2020-01-01T00:00Z", "opened at"),
    (f"dispute {RUNG} maybe {SOURCE}", "must be one of"),
    (f"dispute us-strikes-iran-2026 yes {SOURCE}", "is already the official outcome"),
    (f"reopen {RUNG} {SOURCE}", "no outcome to take back"),
    (f"annul {RUNG} {SOURCE} --at 2027-01-01", "in the future"),
    (f"annul {RUNG} --source ' '", "must name the source"),
    # Files.
    ("questions add {folder}/none.yaml", "does not exist"),
    ("questions add {folder}/a.yaml", "a.yaml:2"),
    ("questions add {folder}/b.yaml", "b.yaml:2"),
    ("questions add {root}/questions/bank/talks/leaders-meet.yaml", "is already in the ledger"),
]


@pytest.fixture(scope="module")
def untouched(bank_database, tmp_path_factory):
    """A database that every refusal leaves as it was."""
    path = tmp_path_factory.mktemp("refused") / "book.db"
    path.write_bytes(bank_database.read_bytes())
    (path.parent / "a.yaml").write_text("schema: 1\nslug: x y\n", encoding="utf-8")
    (path.parent / "b.yaml").write_text("schema: 1\n\tslug: x\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("case", REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_refused_says_why_in_one_line_and_writes_nothing(
    untouched, capsys, monkeypatch, root, case
):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    words, message, *code = case
    before = untouched.read_bytes()
    typed = shlex.split(words.format(folder=untouched.parent, root=root))
    assert message in _failed(untouched, capsys, *typed, code=code[0] if code else 2)
    assert untouched.read_bytes() == before


def test_what_is_due_waits_for_its_outcome_and_nothing_is_logged(database, capsys):
    due = "exchange-1000-2026@2026-09-30"
    assert cli(["--db", str(database), "update", due, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["logged"], row["after"]) == ("due", False, None)


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
