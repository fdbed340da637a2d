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


def _imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env=dict(os.environ), cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_imports_no_command_and_no_library_but_click() -> None:
    modules = _imported("--help")
    assert not modules & {"rich", "json", "csv", "platformdirs", "forecasting.domain", "sqlalchemy"}
    assert not modules & {f"forecasting.cli.{module}" for module, _, _ in COMMANDS.values()}


def test_log_imports_its_own_command_and_no_yaml_stack(home: Path) -> None:
    path = str(home / "a.db")
    _imported("--db", path, "init", "--example", "ukraine")
    modules = _imported("--db", path, "log", "leaders-meet@2026-12-31", "0.03")
    heavy = {"rich", "pydantic", "ruamel", "ruamel.yaml", "forecasting.bank", "numpy", "pandas"}
    assert not modules & {*heavy, "sqlalchemy.dialects.postgresql", "alembic"}
    commands = {f"forecasting.cli.{module}" for module, _, _ in COMMANDS.values()}
    assert modules & commands == {"forecasting.cli.forecasts"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.get_short_help_str(200) == COMMANDS[name][2]
