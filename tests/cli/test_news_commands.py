"""news and sources on the command line: JSON keys, manners, one line for each mistake."""

import datetime as dt
import io
import json
import re
import shlex
import shutil
from types import SimpleNamespace

import pytest

from forecasting.app.news.shown import row_of
from forecasting.app.upkeep import banks
from forecasting.cli import run as cli
from forecasting.domain.evidence import Effect, Evidence
from tests.app.small_world import RUNG, WORLD
from tests.app.small_world import laid as lay

ADD = ("news", "add", "Envoys leave without a date for talks", "--source", "wire")
AT = ("--known-at", "2026-11-20T09:00Z")


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    monkeypatch.setattr(banks, "world_of", lambda ledger: WORLD)


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A database with a small world's questions, laid once and copied for each test."""
    path = tmp_path_factory.mktemp("laid") / "bank.db"
    lay(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def run(home, laid, capsys):
    """Run a command on a fresh database and give stdout and stderr."""
    shutil.copy(laid, home / "forecasts.db")

    def call(*arguments, code=0):
        capsys.readouterr()
        status = cli(list(arguments))
        out, err = capsys.readouterr()
        assert status == code, err
        return out, err

    return call


def test_a_day_with_news(run, tmp_path):
    def answer(*arguments):
        return json.loads(run(*arguments, "--json")[0])

    first = answer(*ADD, *AT, "--grade", "b", "--on", f"{RUNG}=x0.5")
    assert {"seq", "id", "key", "on", "story", "similar"} <= set(first)

    out, err = run("news", "add", "Envoys leave without any date for talks", "--source", "other",
                    "--known-at", "2026-11-21", "--on", f"{RUNG}=x0.5")  # fmt: skip
    assert "similar" not in out
    assert f"looks like #{first['seq']} (nearly the same title)" in err
    command = shlex.split(err.partition("one story: ")[2])
    assert command[0] == "forecast"
    accepted = answer(*command[1:])
    assert (accepted["story"], accepted["similar"]) == (first["key"], [])

    shown = answer("news", "show", str(first["seq"]))
    assert {"effects", "story_items", "retracted_by", "moved", "state", "because"} <= set(shown)
    assert accepted["seq"] in [row["seq"] for row in shown["story_items"]]

    retracted = answer("news", "retract", f"#{first['seq']}", "--because", "denied")
    assert retracted["retracts"] == first["seq"]
    assert first["seq"] not in [row["seq"] for row in answer("news", "list")]
    states = {row["seq"]: row["state"] for row in answer("news", "list", "--all")}
    assert states[first["seq"]] == "retracted"

    source = answer("sources", "set", "wire", "--grade", "a")
    # Its only item is retracted, so nothing states a grade; the name is known all the same.
    assert (source["before"], source["grade"]) == (None, "A")
    keys = {"source", "grade", "reliability", "lower", "upper", "claims", "right", "wrong", "prior"}
    rows = answer("sources")
    assert keys <= set(rows[0])
    assert rows == answer("sources", "list")
    assert next(row["grade"] for row in rows if row["source"] == "wire") == "A"

    file = tmp_path / "news.csv"
    file.write_text("title,source,known_at,on\nOne,w,2026-11-20,truce-holds=x2\nTwo,w,soon,\n")
    dry = answer("news", "import", str(file), "--dry-run")
    done = answer("news", "import", str(file))
    assert {**dry, "dry_run": False} == done
    assert (done["added"], done["duplicates"]) == (1, 0)
    assert done["refused"][0]["line"] == 3
    out, err = run("news", "import", str(file))
    assert "news.csv:3: refused: known_at (soon)" in err


def test_facts_reports_and_what_is_said_of_them(run):
    out, err = run("news", "add", "Truce announced", "--source", "blog", *AT, "--grade", "E",
                    "--on", "truce=on", "--half-life", "10d")  # fmt: skip
    assert "note: truce=on: a fact needs a source graded A or B (blog: E), or --confirmed" in err
    assert "notes" not in out
    item = json.loads(run("news", "list", "--on", "truce", "--json")[0])[0]
    assert item["on"] == {"truce=on": "+2"}
    assert (item["half_life"], item["then"] > item["now"] > 1.0) == (10.0, True)

    out, err = run("news", "add", "Truce begins", "--source", "ministry", "--known-at",
                   "2026-11-21", "--grade", "A", "--on", "truce=on")  # fmt: skip
    for shown in (out, run("news", "show", re.search(r"^seq +(\d+)$", out, re.M)[1])[0]):
        assert re.search(r"^kind +fact$", shown, re.M)
        assert "datum" not in shown
    assert err.count("note: decides truce-2026@") == 2
    command = shlex.split(err.rpartition("if so: ")[2])
    assert command[:4] == ["forecast", "resolve", RUNG, "yes"]
    # The report is over: what it was about has happened.
    now = [row["now"] for row in json.loads(run("news", "list", "--json")[0])]
    assert now == [1.0, None]
    run("news", "add", "It holds", "--source", "wire", *AT, "--on", "truce-holds=x2", "--lasting")
    assert "lasting" in run("news", "list", "--csv")[0]


def test_standard_input_is_a_file_too(run, monkeypatch):
    content = b'{"title": "One", "source": "w", "known_at": "2026-11-20"}\n'
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert "added" in run("news", "import", "-")[0]


def test_mistakes_are_one_line_with_the_way_out(run, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("headline,source\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\x00")
    for arguments, code, words in [
        ((*ADD, *AT, "--on", "truce-2062=x2"), 2, "Try: truce-2026"),
        ((*ADD, *AT, "--on", "guarantees=firm", "--confirmed"), 2, "Try: guarantees=soft"),
        ((*ADD, "--known-at", "soon"), 2, "2026-05-09T12:00Z"),
        ((*ADD, "--known-at", "2027-01-01"), 2, "Try: --known-at 2026-11-22T12:00:00Z"),
        ((*ADD, *AT, "--instead-of", "99999"), 4, "Try: forecast news list"),
        (("news", "retract", "99999", "--because", "x"), 4, "Try: forecast news list"),
        (("news", "show", "nothing"), 4, "Try: forecast news list"),
        (("news", "import", str(tmp_path / "absent.csv")), 2, "does not exist"),
        (("news", "import", str(tmp_path)), 2, "cannot be read"),
        (("news", "import", str(wrong)), 2, "columns: no known_at"),
        (("news", "import", str(binary)), 2, "save it as UTF-8"),
        (("sources", "set", "wire", "--grade", "G"), 2, "must be one of"),
        (("sources", "set", "nobody", "--grade", "B"), 4, "--new"),
        (("sources", "list", "--as-of", "2030-01-01"), 2, "in the future"),
    ]:
        out, err = run(*arguments, code=code)
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("error: ")
        assert words in err


def test_a_source_that_is_spelled_otherwise_is_said(run, tmp_path):
    """Grades and reliability go by the name, so a slip of case would split a record."""
    run(*ADD, *AT)
    other = ("news", "add", "Envoys come back", "--known-at", "2026-11-21")
    _, err = run(*other, "--source", "Wire")
    assert "note: Wire is a new source beside wire" in err
    assert "new source" not in run(*other, "--source", "Wire", "--story", "a")[1]
    assert "new source" not in run(*other, "--source", "press")[1]
    feed = tmp_path / "news.csv"
    feed.write_text("title,source,known_at\nA,PRESS,2026-11-20\nB,PRESS,2026-11-20\n")
    assert run("news", "import", str(feed))[1].count("PRESS is a new source beside press") == 1


def test_what_an_item_does_is_shown_whole(run):
    """A fact and a report on one process both stand; an item that does nothing has a dash."""
    effects = Effect("strike", "likelihood", {}, "+1"), Effect("strike", "datum", {"name": "event"})
    item = Evidence(
        "k", "datum", "A strike", "wire", dt.datetime(2026, 11, 20, tzinfo=dt.UTC), effects
    )
    assert row_of(item)["on"] == {"strike": "+1 and event"}
    assert re.search(r"^on +–$", run("news", "add", "Nothing", "--source", "wire", *AT)[0], re.M)


def test_a_bare_ratio_is_shown_as_one(run):
    _, err = run(*ADD, *AT, "--on", f"{RUNG}=1.5", code=2)
    assert f'"{RUNG}=x1.5" (a report)' in err
    assert f'"{RUNG}=x2" (a report)' in run(*ADD, *AT, "--on", f"{RUNG}=205", code=2)[1]
