"""`forecast` alone, and due, as a person and as a script see them."""

import json

import pytest

from forecasting.app.book import open_book
from forecasting.cli import run

RUNG = "leaders-meet@2026-12-31"


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    path = str(tmp_path / "book.db")
    with open_book(path, create=True) as book:
        book.log(RUNG, 0.1, at="2026-10-01T00:00Z")
        book.add_news("Venue agreed", source="wire", known_at="2026-11-20T09:00Z", on=[RUNG])
    return path


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_forecast_alone_shows_today(database, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["--db", database]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert out.startswith("Worth a fresh look")
    for title in ("Due: ", "Others open without a forecast of yours", "News to be coded"):
        assert title in out
    if width >= 80:
        assert "2026-12-31" in out.replace(RUNG, "")
    assert run(["--db", database, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["section"] == "fresh look"
    assert "Venue agreed" in {r["title"] for r in rows if r["section"] == "news not coded"}


def test_due_prints_a_table_a_calendar_or_a_mail(database, capsys):
    assert run(["due", "--db", database, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"question", "reason", "age_days", "value", "staleness", "hazard"} <= set(rows[0])
    (mine,) = [row for row in rows if row["question"] == RUNG]
    assert mine["reason"] == "1 news since, stale"
    assert run(["due", "--ics", "--db", database]) == 0
    assert capsys.readouterr().out.count("BEGIN:VEVENT") == len(rows)
    assert run(["due", "--mail", "--db", database]) == 0
    assert capsys.readouterr().out.startswith("Subject: Forecasts: 4 outcomes and 14 forecasts due")
    assert run(["due", "--mail", "--ics", "--db", database]) == 2
