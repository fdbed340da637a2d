"""The commands of a first day: their JSON keys, their manners, and the README's tour."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from forecasting.cli import run as cli
from forecasting.inference.fits import FitCache
from tests.app.quick import quick_fit

NOW = "2026-11-22T12:00:00Z"
RUNG = "general-ceasefire-2026@2026-12-31"


#: What the first row of each command has at the least.
KEYS = {
    "questions list": "id title type status opens closes outcome model texts latest",
    "questions show": "criteria claims rungs evidence resolution",
    "log": "seq id question forecaster forecast issued_at recorded_at kind hash",
    "history": "forecaster forecast from until",
    "watch": "process until watcher",
    "update": "question model before after lower upper mcse method gate moved logged quiet status "
    "watched_until seconds",
    "resolve": "question outcome resolved_at source version",
    "score": "forecaster rule convention kind window proper n_questions n_forecasts n_events "
    "coverage possible_coverage mean lower upper skill reference",
    "calibration": "n n_questions mean_score miscalibration p_value slope curve reading",
    "models priors": "family process parameter prior source known_by",
    "verify": "entries head anchored_to first_bad",
}


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")


@pytest.fixture
def forecast(home, bank_database, capsys):
    """Run a command on a copy of the bank, where a command looks for it, and give its JSON."""
    shutil.copy(bank_database, home / "forecasts.db")

    def call(*arguments, code=0):
        capsys.readouterr()
        assert cli([*arguments, "--json"]) == code, capsys.readouterr().err
        answer = json.loads(capsys.readouterr().out)
        rows = answer if isinstance(answer, list) else [answer]
        for name, keys in KEYS.items():
            if " ".join(arguments).startswith(name) and rows:
                assert set(keys.split()) <= set(rows[0]), name
        return answer

    return call


def test_listing_and_showing(forecast):
    rows = forecast("questions", "list")
    assert len(rows) == 48
    count = {
        s: len(forecast("questions", "list", "--status", s)) for s in ("resolved", "due", "open")
    }
    assert count == {"resolved": 30, "due": 4, "open": 14}
    assert len(forecast("questions", "list", "--from", "003")) > 5
    forecast("questions", "show", RUNG)
    assert len(forecast("questions", "show", "leaders-meet")) == 4


def test_logging_one_line(forecast):
    entry = forecast("log", RUNG, "likely", "--because", "a whim")
    assert (entry["forecast"], entry["kind"], entry["forecaster"]) == (0.675, "live", "ana")
    assert entry["issued_at"] == NOW
    late = forecast("log", RUNG, "0.2", "--at", "2026-06-01T00:00Z")
    assert late["kind"] == "backdated"
    history = forecast("history", RUNG)
    assert [row["forecast"] for row in history] == [0.2, 0.675]


def test_the_options_stand_before_the_command_and_after_it(home, bank_database, capsys):
    path = str(shutil.copy(bank_database, home / "x.db"))
    assert cli(["log", RUNG, "0.1", "--as", "bob", "--db", path, "--json"]) == 0
    capsys.readouterr()
    assert cli(["--json", "history", RUNG, "--db", path]) == 0
    assert json.loads(capsys.readouterr().out)[0]["forecaster"] == "bob"


def test_update_moves_with_news_and_dry_run_writes_nothing(forecast, monkeypatch):
    monkeypatch.setattr(FitCache, "fit", quick_fit)
    forecast("watch", "--all")
    (before,) = forecast("update", RUNG, "--dry-run")
    assert not before["logged"]
    assert forecast("history", RUNG) == []
    forecast(
        "news", "add", "No date for another round", "--source", "wire", "--grade", "B",
        "--known-at", "2026-11-20T09:00Z", "--on", "general-ceasefire-2026=x0.5",
    )  # fmt: skip
    (after,) = forecast("update", RUNG)
    # Half as fast for the little time that is left, and a day or two of fading.
    assert after["logged"]
    assert before["after"] / 2.5 < after["after"] < before["after"]
    names = {row["forecaster"] for row in forecast("history", RUNG)}
    assert {
        "model", "model without links", "model without news", "prior", "base-rate", "worldview:000",
        "pool:worldviews",
    } <= names  # fmt: skip


def test_resolve_score_and_calibrate(forecast):
    rung = "exchange-1000-2026@2026-09-30"
    forecast("log", rung, "0.6", "--at", "2026-06-01T00:00Z")
    details = ("--source", "https://example.org", "--at", "2026-09-30T21:00Z")
    forecast("resolve", rung, "no", *details)
    assert forecast("score") == []
    (row,) = forecast("score", "--kind", "backdated")
    # 24 of 146 days of silence at .25, then .36: (7 May 21:00Z to 30 Sep 21:00Z).
    silent = 24 + 3 / 24
    assert row["mean"] == pytest.approx((silent * 0.25 + (146 - silent) * 0.36) / 146, abs=1e-9)
    assert row["lower"] is None
    full = forecast("score", "--kind", "backdated", "--convention", "full")[0]
    assert full["mean"] == pytest.approx(2 * row["mean"])
    assert forecast("resolve", rung, "yes", "--sure", *details)["version"] == 2
    assert forecast("score", "--kind", "backdated")[0]["mean"] < row["mean"]
    review = forecast("calibration", "--kind", "backdated")
    assert "too few to say" in review["reading"]


def test_priors_have_a_source_and_were_known_by_the_opening(forecast):
    """Of every move and link: before the first question opened that rests on its process."""
    from forecasting.bank.usable import bundled_bank
    from forecasting.evidence.predicates import predicates
    from forecasting.evidence.relevant import ancestors, asked

    rows = forecast("models", "priors")
    assert {row["family"] for row in rows} >= {"rates", "spells", "deliveries", "move", "link"}
    bank = bundled_bank()
    asks, _ = predicates(bank.questions, bank)
    opens = {}
    for question in bank.questions:
        day = question.opens.isoformat()
        for process in ancestors(bank.world.links, asked(asks[question.id])):
            opens[process] = min(day, opens.get(process, day))
    assert set(opens) == set(bank.world.processes)
    for row in rows:
        assert row["source"], row
        if row["process"] and row["family"] != "worldview":
            assert row["known_by"] <= _next_day(opens[row["process"]]), row
    mine = forecast("models", "priors", "--question", RUNG)
    assert {row["process"] for row in mine} < {row["process"] for row in rows}


def _next_day(moment):
    import datetime as dt

    return (dt.date.fromisoformat(moment[:10]) + dt.timedelta(days=1)).isoformat()


def test_verify_and_the_database(forecast):
    result = forecast("verify")
    assert result["ok"]
    status = forecast("db", "status")
    assert status["entries"] == result["entries"]
    assert forecast("db", "upgrade")["entries"] == result["entries"]
    assert Path(forecast("db", "path")["database"]).exists()


def test_tables_csv_and_lines(forecast, capsys):
    for option in ([], ["--csv"], ["--nl"]):
        capsys.readouterr()
        assert cli(["questions", "list", *option]) == 0
        out = capsys.readouterr().out
        assert RUNG in out
        assert "\x1b[" not in out
    lines = out.strip().splitlines()
    assert len(lines) == 48
    assert json.loads(lines[0])["id"]


def _tour():
    readme = Path(__file__).parents[2] / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = re.search(r"<!-- tour -->\s*```sh\n(.*?)```", text, re.DOTALL)
    assert block
    joined = block.group(1).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("forecast ")]


def test_the_tour_of_the_readme_works_as_printed(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-28T12:00:00Z")
    monkeypatch.delenv("FORECASTING_FORECASTER")
    monkeypatch.chdir(tmp_path)
    commands = _tour()
    assert len(commands) >= 25
    for command in commands:
        done = cli(shlex.split(command)[1:])
        output = capsys.readouterr()
        assert done == 0, f"{command}\n{output.err}"
        assert "unexpected" not in output.err
    assert (tmp_path / "world.svg").read_text(encoding="utf-8").startswith("<?xml")
