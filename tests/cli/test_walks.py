"""How far a command walks: files, functions and statements of SQL, counted and held.

A walk that grows by a layer or by a query is seen here; nothing is timed.
"""

import ast
import datetime as dt
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import forecasting
from forecasting import clock
from forecasting.cli import run

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
PACKAGE = Path(forecasting.__file__).parent


class Walked:
    """What a walk went through: files and functions of the package, statements of SQL."""

    def __init__(self):
        self.functions = set()
        self.statements = set()

    @property
    def files(self):
        return {file for file, _ in self.functions}


@contextmanager
def walked():
    walk = Walked()

    def called(frame, what, _):
        code = frame.f_code
        if what == "call" and code.co_name != "<module>":
            file = Path(code.co_filename)
            if file.is_relative_to(PACKAGE):
                walk.functions.add((str(file.relative_to(PACKAGE)), code.co_qualname))

    def executed(*args):
        # What begins a transaction asks for nothing.
        if not args[2].startswith("BEGIN"):
            walk.statements.add(args[2])

    event.listen(Engine, "before_cursor_execute", executed)
    sys.setprofile(called)
    try:
        yield walk
    finally:
        sys.setprofile(None)
        event.remove(Engine, "before_cursor_execute", executed)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace with the example's bank, in which each command has run once."""
    folder = tmp_path_factory.mktemp("walks") / "here"
    with clock.at(NOW):
        assert run(["init", str(folder), "--example", "ukraine", "--as", "ana"]) == 0
    return folder


@pytest.fixture
def there(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    with clock.at(NOW):
        yield


def warm(*words):
    """Walk a second time: what is imported or put together once is no part of it."""
    assert run(list(words)) == 0
    with walked() as walk:
        assert run(list(words)) == 0
    return walk


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("question", ["leaders-meet@2026-12-31", "buffer-zone-2026"])
def test_a_forecast_walks_from_key_to_disk_through_20_files(question):
    assert run(["log", question, "3%"]) == 0
    with walked() as walk:
        assert run(["log", question, "4%"]) == 0
    assert len(walk.files) <= 20, "\n".join(sorted(walk.files))
    assert len(walk.functions) <= 100, sorted(walk.functions)
    assert len(walk.statements) <= 7, sorted(walk.statements)


@pytest.mark.usefixtures("there")
def test_a_table_of_scores_walks_through_35_files():
    # With a forecast of a resolved question there is something to score.
    words = ("log", "energy-truce-2025-observed", "5%", "--at", "2025-03-20T12:00Z")
    run(list(words))
    walk = warm("score", "--kind", "all")
    assert len(walk.files) <= 35, sorted(walk.files)


def test_commands_speak_to_the_book_alone():
    """Nothing of the command line reaches around the one door, to the ledger or a use case."""
    around = []
    for file in sorted((PACKAGE / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{n.name}" for n in node.names)]
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.Attribute) and node.attr == "ledger":
                names = [ast.unparse(node)]
            around += [
                (file.name, node.lineno, name)
                for name in names
                if (name.startswith(CLOSED) and not name.startswith("forecasting.app.book"))
                or name == "book.ledger"
            ]
    assert around == []


CLOSED = ("forecasting.app", "forecasting.store", "forecasting.models", "forecasting.bank")
