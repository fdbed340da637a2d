"""What a person sees of one question, of one forecast and of a comparison: words, and no codes."""

import json

import pytest

from forecasting.app.forecast.update import _silent
from forecasting.cli import run
from forecasting.cli.side_by_side import brief
from forecasting.comparison.paired import paired_bootstrap
from tests.season import Diary, question, said, season


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2025-01-20T00:00:00Z")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    monkeypatch.setenv("COLUMNS", "80")
    diary = Diary(tmp_path / "book.db")
    asked = question("pause-holds")
    diary.write(0.0, asked, said(asked, "ana", 0.3, 0.0), said(asked, "model", 0.2, 0.0))
    diary.ledger.close()
    return str(tmp_path / "book.db")


def test_log_says_what_was_logged_beside_my_last_number_and_the_models(database, capsys):
    assert run(["log", "pause-holds", "40%", "--db", database]) == 0
    assert capsys.readouterr().out == (
        "logged: pause-holds   mine 0.400   before 0.300   model 0.200\n"
    )
    # Of an earlier moment it is what was in force then.
    words = ["log", "pause-holds", "50%", "--at", "2025-01-10T00:00Z", "--db", database]
    assert run(words) == 0
    assert capsys.readouterr().out == (
        "logged: pause-holds   mine 0.500   before 0.300   model 0.200   backdated\n"
    )
    assert run(["withdraw", "pause-holds", "--db", database]) == 0
    capsys.readouterr()
    assert run(["log", "pause-holds", "60%", "--db", database, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["forecast"], row["before"], row["model"]) == (0.6, None, 0.2)
    assert run(["log", "pause-holds", "7%", "--as", "bob", "--db", database]) == 0
    assert capsys.readouterr().out == "logged: pause-holds   mine 0.070   model 0.200\n"


def test_a_question_shows_what_it_has_and_nothing_else(database, capsys):
    assert run(["questions", "show", "pause-holds", "--db", database]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines[:18] if line.endswith("–")]
    (deadline,) = [line.split(None, 1)[1] for line in lines if line.startswith("deadline")]
    assert deadline == "end of 2025-02-09 UTC"
    assert "closes" not in {line.split()[0] for line in lines if line[:1].isalpha()}


def test_the_name_of_a_page_is_refused_as_a_folder(database, tmp_path, capsys):
    for words in (["review"], ["replay"]):
        assert run([*words, "--out", str(tmp_path / "rev.html"), "--db", database]) == 2
        assert "must name a folder; the page is index.html in it" in capsys.readouterr().err
    assert not (tmp_path / "rev.html").exists()


def test_a_comparison_names_its_numbers_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    season(tmp_path / "season.db", events=8).ledger.close()
    assert run(["compare", "ann", "bob", "--db", str(tmp_path / "season.db")]) == 0
    out = capsys.readouterr().out
    for code in ("cs lower", "e a", "held by", "n a"):
        assert f"\n{code} " not in out
    assert "e-value: ann better" in out


def test_a_difference_too_small_to_matter_has_no_exponent():
    difference = paired_bootstrap([0.1, 0.2], [0.1 + 7e-7, 0.2 + 8e-7], cluster=["a", "b"])
    assert "A scores better by under 0.001 on average" in difference.reading


def test_what_several_questions_lack_is_said_of_several():
    assert _silent({"a": "has no `answer`"}) == ["a has no `answer`"]
    assert _silent(dict.fromkeys("ab", "has no `answer`")) == ["a, b have no `answer`"]
    (line,) = _silent(dict.fromkeys("ab", "has no `answer`, so no model speaks of it"))
    assert line == "a, b have no `answer`, so no model speaks of them"


def test_a_history_names_the_entries_that_redact_takes(database, capsys):
    words = ["log", "pause-holds", "40%", "--because", "a name", "--db", database]
    assert run(words) == 0
    assert run(["redact", "9999", "--because", "x", "--db", database]) != 0
    assert "forecast history QUESTION --wide" in capsys.readouterr().err
    assert run(["history", "pause-holds", "--wide", "--db", database]) == 0
    head, line = [
        text for text in capsys.readouterr().out.splitlines() if "entry" in text or "a name" in text
    ]
    assert head.split()[-1] == "entry"
    number = line.split()[-1]
    assert run(["history", "pause-holds", "--json", "--db", database]) == 0
    assert f'"entry": {number}' in capsys.readouterr().out
    assert run(["redact", number, "--because", "names a source", "--db", database]) == 0


def test_of_options_each_shows_its_own_likeliest():
    mine, model = {"war": 0.3, "peace": 0.7}, {"war": 0.9, "peace": 0.1}
    row = {"mine": mine, "model": model, "difference": {"war": -0.6, "peace": 0.6}}
    assert brief(row) == {
        "mine": {"peace": 0.7},
        "model": {"war": 0.9},
        "difference": {"peace": 0.6},
    }
    alike = {**row, "model": {"war": 0.4, "peace": 0.6}, "difference": {"war": -0.1, "peace": 0.1}}
    assert brief(alike) == {"mine": {"peace": 0.7}, "model": {"peace": 0.6}, "difference": 0.1}
