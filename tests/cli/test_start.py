"""A command imports what it needs and no more."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from forecasting.cli import root
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
