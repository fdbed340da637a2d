"""In 80 columns the answer keeps its reason, and a question its title."""

import json

import pytest

from forecasting import clock
from forecasting.app.book import Book, open_book
from forecasting.cli import news
from forecasting.cli import run as cli
from forecasting.cli.output import cell
from tests.season import season
from tests.workspace import NOW, workspace

WORLD = """\
watched: 2026-11-28
processes:
  peace: {moves: {none > deal: once in 8 mo, deal > none: once in 8 mo}, since 2026-09-01: none}
  strike: {event: 3 in 70 weeks, since 2026-09-01: ""}
questions:
  peace-2027:
    {title: Will they sign it in Washington?, closes: 2027-03-31, answer: peace=deal by close}
  stands: {title: Is there a deal in June?, type: categorical,
    options: [none, deal], closes: 2027-06-30, answer: peace on close}
  strikes: {title: How many strikes?, type: numeric, lower: 0, upper: 40,
    closes: 2027-03-31, answer: strike count}
  struck: {title: Was there a strike?, opens: 2026-11-01, closes: 2026-11-27,
    answer: strike by close}
"""


@pytest.fixture
def at_eighty(tmp_path, capsys, monkeypatch):
    """Run a command in 80 columns; give what it prints and narrates, folds undone."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    database = workspace(tmp_path, WORLD)

    def call(*words):
        capsys.readouterr()
        with clock.at(NOW):
            assert cli(["--db", database, *words]) == 0
        out, err = capsys.readouterr()
        assert max(map(len, out.splitlines())) <= 80, out
        return out, err

    return call


def cells(out, name):
    """Give the cells of the column `name`, a row each, with what it folded to joined again."""
    lines = out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.lstrip().startswith("─")) - 1
    start = lines[head].index(name)
    rows = []
    for line in lines[head + 2 :]:
        if not line.strip():
            break
        if line[1] != " " and not line.startswith("  ") and line[start - 3 : start].strip() == "":
            rows.append("")
        rows[-1] = f"{rows[-1]} {line[start:]}".strip()
    return rows


def test_update_says_why_each_number_is_logged_or_not(at_eighty):
    first, _ = at_eighty("update")
    assert "its first number" in " ".join(cells(first, "note"))
    again, err = at_eighty("update")
    words = " ".join(cells(again, "note"))
    assert words.count("unchanged within") == 3
    assert "due: resolve it" in words
    assert "what is due: forecast resolve QUESTION OUTCOME --source URL" in err


def test_a_list_keeps_the_title_beside_the_numbers(at_eighty):
    at_eighty("log", "peace-2027", "30%")
    at_eighty("update")
    out, _ = at_eighty("questions", "list")
    for word in ("Washington?", "June?", "strikes?"):
        assert word in out
    assert " mine " in out
    assert " model " in out


def test_a_score_and_a_difference_keep_their_intervals(tmp_path, capsys, monkeypatch):
    """What the title announces is there, however narrow the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    season(tmp_path / "season.db", events=24).ledger.close()
    with clock.at(NOW):
        assert cli(["--db", str(tmp_path / "season.db"), "score", "--against", "uniform"]) == 0
    out, _ = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    with clock.at(NOW), Book.plain(str(tmp_path / "season.db"), forecaster="ann") as book:
        rows = book.scores(kind="all", against="uniform")
    text = " ".join(out.split())
    assert any(row["lower"] == row["lower"] for row in rows)
    for row in rows:
        for low, high in (("lower", "upper"), ("difference_lower", "difference_upper")):
            if row[low] is not None and row[low] == row[low]:
                ends = f"{cell(row[low])} to {cell(row[high])}"
                assert ends in text, (row["forecaster"], ends)


def test_a_process_that_nobody_watches_is_said_to_be_unwatched(tmp_path, capsys, monkeypatch):
    """A watch of all says first of what it claims that nobody keeps a list."""
    monkeypatch.setenv("COLUMNS", "80")
    path = str(tmp_path / "bank.db")
    with clock.at(NOW):
        open_book(path, forecaster="ana", create=True).close()
        assert cli(["--db", path, "watch"]) == 0
        out, _ = capsys.readouterr()
        line = next(line for line in out.splitlines() if line.split()[:1] == ["strike"])
        assert "not watched" in line
        assert cli(["--db", path, "watch", "--all"]) == 0
        _, err = capsys.readouterr()
        assert "nobody keeps a list of strike, sanctions" in err.splitlines()[0]
        assert cli(["--db", path, "watch", "--json"]) == 0
        until = {row["process"]: row["until"] for row in json.loads(capsys.readouterr().out)}
        assert until["strike"] == "2026-11-29T07:45:00Z"


def test_sources_say_what_their_reports_were_worth_or_how_many_it_takes(at_eighty, tmp_path):
    with clock.at(NOW), Book.plain(str(tmp_path / "forecasts.db"), forecaster="ana") as book:
        book.add_news("They met", source="wire", known_at=NOW, on=["peace-2027=x2"])
    _, err = at_eighty("sources")
    assert "what reports were worth: no live number" in err
    assert "8 events" in err
    few = {"verdict": "too few: 2 of 8 events", "moved_events": 2, "change": None}
    assert news._worth(few) == "too few: 2 of 8 events"
    many = {"verdict": "better after", "moved_events": 9, "change": -0.02}
    ends = {"change_lower": -0.03, "change_upper": -0.0004}
    text = "better after: −0.020 (−0.0300 to −0.0004), 9 events"
    assert news._worth(many | ends) == text
    assert news._worth({}) is None
