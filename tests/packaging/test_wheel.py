"""The wheel alone does the main job, in a clean environment, outside the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

# Four short questions, sixty days: enough to fit, resolve, score and draw.
SLICE = [
    "--question", "energy-truce-2025-runs-term",
    "--question", "energy-truce-2025-extended",
    "--question", "black-sea-truce-2025-announced",
    "--question", "exchange-1000-2025-delivered",
    "--from", "2025-03-21", "--to", "2025-05-20", "--every", "10", "--seed", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root],
        check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """Make an environment whose only copy of the package is the wheel's.

    The dependencies come from this environment by one path line, which does not follow the
    editable install's own: so code and data can come from nowhere but the wheel.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps",
         "--no-index", wheel],
        check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(clean, tmp_path):
    """Run a program of the clean environment, away from the checkout."""

    def call(program, *arguments):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(
            [clean / "bin" / program, *arguments],
            cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_the_wheel_holds_the_package_and_what_it_reads(wheel, root):
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"forecasting", "scenario_forecasting-0.1.0.dist-info"}
    assert "forecasting/py.typed" in names
    for bundled, folder in [("migrations", "db/migrations"), ("questions", "questions")]:
        kept = {
            f"forecasting/_bundled/{bundled}/{file.relative_to(root / folder).as_posix()}"
            for file in (root / folder).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        }
        assert kept <= names


def test_code_and_data_come_from_the_wheel(run, clean, root):
    told = json.loads(
        run(
            "python",
            "-c",
            "import json, sys, forecasting\n"
            "from importlib.metadata import distribution\n"
            "from forecasting.resources import locate\n"
            "print(json.dumps({'path': sys.path, 'package': forecasting.__path__[0],"
            " 'version': distribution('scenario-forecasting').version,"
            " 'data': [str(locate(name)) for name in ('migrations', 'questions')]}))",
        )
    )
    assert str(root) not in told["path"]
    for place in [told["package"], *told["data"]]:
        assert Path(place).is_relative_to(clean)
        assert not Path(place).is_relative_to(root)


def test_the_bundled_bank_has_no_fault(run):
    run("forecast", "init", "bank", "--example", "ukraine")
    run("forecast", "questions", "check", "bank/questions")


def test_the_main_job_runs_from_the_wheel(run, tmp_path):
    summary = json.loads(
        run("forecast", "--db", "demo.db", "replay", *SLICE, "--out", "review", "--json")
    )
    assert summary["forecasts"] > 0
    assert summary["resolved"] > 0
    assert (tmp_path / "demo.db").is_file()
    assert "<html" in (tmp_path / "review" / "index.html").read_text(encoding="utf-8").lower()
    assert json.loads(run("forecast", "--db", "demo.db", "verify", "--json"))["ok"] is True
