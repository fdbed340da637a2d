"""A command line on a database of its own, files, and imports of a few lines."""

import csv
import io
import json

import pytest

from forecasting import clock
from forecasting.cli import run as cli
from forecasting.domain.instants import parse_instant

NOW = parse_instant("2026-11-28T12:00Z")


def table(out):
    return list(csv.DictReader(io.StringIO(out)))


def live(*names, **more):
    """Give the records of yes-no questions that are open now."""
    record = {"kind": "question", "title": "t", "type": "binary", "opens": "2026-01-01",
              "closes": "2029-12-31"}  # fmt: skip
    return "".join(json.dumps(record | {"question": name} | more) + "\n" for name in names)


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Run a command on a database of its own; give its code, its output and its narration."""
    monkeypatch.setenv("FORECASTING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments, db="t.db"):
        capsys.readouterr()
        with clock.at(NOW):
            code = cli(["--db", str(tmp_path / db), *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def file(tmp_path):
    def make(content, name="a.csv"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return make


@pytest.fixture
def imported(run, file):
    """Import a text as a table; give what JSON says of it, or its error."""

    def call(content, *options, name="a.csv", **more):
        format = "jsonl" if name.endswith("jsonl") else "csv"
        code, out, err = run(
            "import", format, file(content, name), "--create", "--json", *options, **more
        )
        return json.loads(out) if code == 0 else err

    return call
