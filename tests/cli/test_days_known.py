"""What was known to the day is called by that day at every door of the command line."""

import json

import pytest

from forecasting import clock
from forecasting.cli import run
from forecasting.domain.instants import parse_instant
from tests.workspace import PEACE, workspace

ZONES = ["UTC", "Africa/Addis_Ababa", "America/New_York"]


@pytest.fixture(params=ZONES)
def database(request, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    monkeypatch.chdir(tmp_path)
    # The 29th has begun in all of them.
    with clock.at(parse_instant("2026-11-30T09:00Z")):
        yield workspace(tmp_path, f"zone: {request.param}\n{PEACE}".replace("2027-03-31,",
                        "2027-03-31, opens: 2026-11-01,"))  # fmt: skip


def shown(capsys, *words):
    capsys.readouterr()
    assert run([*words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_it_is_that_day_wherever_it_stands(database, capsys):
    at = ["--db", database]
    added = shown(capsys, "news", "add", "Talks are on", "--source", "wire", "--grade", "B",
                  "--known-at", "2026-11-27", "--on", "peace=signed=x2", *at)  # fmt: skip
    (number,) = [line.split()[1] for line in added.splitlines() if line.startswith("seq")]
    pages = [
        added,
        shown(capsys, "news", "list", *at),
        shown(capsys, "news", "show", number, *at),
        shown(capsys, "resolve", "peace-2027", "yes", "--source", "x", "--at", "2026-11-27", *at),
        shown(capsys, "resolutions", "peace-2027", "--wide", *at),
        shown(capsys, "questions", "show", "peace-2027", *at),
    ]
    for page in pages:
        assert "2026-11-27" in page
        assert "2026-11-28 " not in page
        assert "2026-11-27 2" not in page
    # A script gets the moment.
    (item,) = json.loads(shown(capsys, "news", "list", "--json", *at))
    assert item["known_at"].endswith("Z")
    assert len(item["known_at"]) > len("2026-11-27")
