"""A command imports what it needs and walks no further than it has to; nothing is timed."""

import ast
import datetime as dt
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import forecasting
from forecasting import clock
from forecasting.cli import root, run
from forecasting.cli.commands import COMMANDS

PROBE = """
import sys
from forecasting.cli import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
BARE = "import sys, {}; print(*sys.modules, file=sys.stderr)"
HEAVY = {"arviz", "matplotlib", "numba", "nutpie", "pandas", "pymc", "pytensor", "scipy"}
OTHERS = {f"forecasting.cli.{module}" for module, _ in COMMANDS.values()}
WORLD = "forecasting, forecasting.cli, forecasting.models.world.simulate, "
QUESTION = "leaders-meet@2026-12-31"
NEWS = ("--known-at", "2026-11-22T12:00Z", "--on", "leaders-meet=x1.5")


def _imported(*arguments, code=PROBE, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | variables,
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("start") / "a.db")
    _imported("--db", path, "init", "--example", "ukraine")
    return path


@pytest.mark.parametrize(
    ("arguments", "not_these"),
    [
        (
            ("--help",),
            {*HEAVY, *OTHERS, "rich", "json", "csv", "platformdirs", "sqlalchemy", "alembic"},
        ),
        (
            ("log", QUESTION, "0.03"),
            {*HEAVY, *(OTHERS - {"forecasting.cli.forecasts"}), "rich", "pydantic", "ruamel.yaml",
             "ruamel", "forecasting.bank", "numpy", "sqlalchemy.dialects.postgresql", "alembic"},
        ),
        (
            ("news", "add", "Envoys meet", "--source", "wire", *NEWS),
            {"pymc", "pytensor", "numba", "nutpie", "arviz", "forecasting.models"},
        ),
    ],
    ids=["help", "log", "news add"],
)  # fmt: skip
def test_a_command_imports_what_it_needs_and_no_more(database, arguments, not_these):
    if arguments == ("--help",):
        modules = _imported(*arguments)
    else:
        now = "2026-11-22T12:00:00Z"
        modules = _imported("--db", database, *arguments, FORECASTING_NOW=now)
    assert "forecasting.cli" in modules
    assert modules & not_these == set()


@pytest.mark.parametrize(
    ("names", "not_these"),
    [("forecasting", HEAVY), (WORLD + "forecasting.inference.estimate", {"numba"})],
)
def test_importing_the_package_loads_nothing_heavy(names, not_these):
    assert _imported(code=BARE.format(names)) & not_these == set()
    assert "scipy" in _imported(code=BARE.format("scipy.special")), "it would be seen"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name):
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.get_short_help_str(200) == COMMANDS[name][1]


def test_without_a_command_only_an_absent_database_is_met_with_the_usage(tmp_path, capsys):
    from forecasting.cli import run

    assert run(["--db", str(tmp_path / "absent.db")]) == 3
    shown = capsys.readouterr().err
    assert "Usage: forecast" in shown
    assert "Commands:" in shown
    assert "forecast init" in shown.splitlines()[-1]
    broken = tmp_path / "broken.db"
    broken.write_text("no database")
    assert run(["--db", str(broken)]) == 3
    shown = capsys.readouterr().err
    assert "is not an SQLite database" in shown
    assert "Usage:" not in shown


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
