"""Help must come at once: nothing heavy loads before a command needs it."""

import subprocess
import sys

import pytest

HEAVY = {"arviz", "matplotlib", "numba", "nutpie", "pandas", "pymc", "pytensor", "scipy"}


def loaded(*arguments: str) -> set[str]:
    """Return the top-level names that a fresh interpreter imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in lines[1:]}


@pytest.mark.parametrize(
    "arguments",
    [("-m", "forecasting", "--help"), ("-c", "import forecasting")],
    ids=["help", "import"],
)
def test_nothing_heavy_loads_early(arguments: tuple[str, ...]) -> None:
    names = loaded(*arguments)
    assert "forecasting" in names, "the trace must be of this package"
    assert names & HEAVY == set()


def test_the_trace_would_show_a_heavy_import() -> None:
    assert "scipy" in loaded("-c", "import scipy.special")
