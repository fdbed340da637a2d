"""What a person sees of today, of a question, a forecast and its priors, and a comparison."""

import json

import pytest

from forecasting import clock
from forecasting.app.book import open_book
from forecasting.cli import run
from forecasting.comparison.paired import paired_bootstrap
from tests.season import Diary, question, said, season
from tests.workspace import NOW, workspace


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


RUNG = "leaders-meet@2026-12-31"


@pytest.fixture
def banked(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    path = str(tmp_path / "book.db")
    with open_book(path, create=True) as book:
        book.log(RUNG, 0.1, at="2026-10-01T00:00Z")
        book.add_news("Venue agreed", source="wire", known_at="2026-11-20T09:00Z", on=[RUNG])
    return path


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_forecast_alone_shows_today(banked, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["--db", banked]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert out.startswith("Worth a fresh look")
    for title in ("Due: ", "Others open without a forecast of yours", "News to be coded"):
        assert title in out
    if width >= 80:
        assert "2026-12-31" in out.replace(RUNG, "")
    assert run(["--db", banked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["section"] == "fresh look"
    assert "Venue agreed" in {r["title"] for r in rows if r["section"] == "news not coded"}


def test_due_prints_a_table_a_calendar_or_a_mail(banked, capsys):
    assert run(["due", "--db", banked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"question", "reason", "age_days", "value", "staleness", "hazard"} <= set(rows[0])
    (mine,) = [row for row in rows if row["question"] == RUNG]
    assert mine["reason"] == "1 news since, stale"
    assert run(["due", "--ics", "--db", banked]) == 0
    assert capsys.readouterr().out.count("BEGIN:VEVENT") == len(rows)
    assert run(["due", "--mail", "--db", banked]) == 0
    assert capsys.readouterr().out.startswith("Subject: Forecasts: 4 outcomes and 14 forecasts due")
    assert run(["due", "--mail", "--ics", "--db", banked]) == 2


WORLD = """\
watched: 2026-11-28
processes:
  strike: {event: 3 in 70 weeks, since 2026-09-01: ""}
  talks: {moves: {off > on: , on > off: }, since 2026-09-01: off}
  prisoners:
    delivery: {announced: 2026-09-20, known: 2026-09-20, agreed: 700, unit: people}
    2026-10-20: 157
links:
  - while talks=on: strike x0.3 (0.1..0.8)
    because: both say so in public
questions:
  struck: {title: Will there be a strike?, closes: 2027-03-31, answer: strike by close}
  back: {title: Are all of them back?, closes: 2027-03-31, answer: prisoners=done by close}
"""


@pytest.fixture
def linked(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with clock.at(NOW):
        yield workspace(tmp_path, WORLD)


def rows_of(capsys, linked, *words):
    capsys.readouterr()
    assert run(["models", "priors", *words, "--json", "--db", linked]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_question_has_the_priors_of_what_it_rests_on(linked, capsys):
    assert {row["family"] for row in rows_of(capsys, linked, "--question", "struck")} == {
        *("rates", "news", "move", "link"),
    }
    assert {row["family"] for row in rows_of(capsys, linked, "--question", "back")} == {
        *("deliveries", "news", "move"),
    }
    everything = {row["family"] for row in rows_of(capsys, linked)}
    assert everything == {"rates", "spells", "deliveries", "news", "move", "link"}


def test_a_link_shows_why_and_no_prior_is_without_a_name(linked, capsys):
    capsys.readouterr()
    assert run(["models", "priors", "--question", "struck", "--db", linked]) == 0
    out = capsys.readouterr().out
    assert "reports: weight of all reports (gain)" in out
    assert not [line for line in out.splitlines() if line.strip().startswith(":")]
    (link,) = [line for line in out.splitlines() if "while talks=on" in line]
    assert "both say so in public" in link
