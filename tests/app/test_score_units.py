"""CRPS is in the unit of its question: it has a mean within one unit, and over none of several."""

import math

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.cli import run as cli
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput

NOW = parse_instant("2026-11-22T12:00Z")
COLUMNS = "question,type,lower,upper,unit,forecaster,forecast,issued_at,closes,outcome,resolved_at"
#: Uniform from 0 to 100, and its outcome 50: a CRPS of 100 (1/4 - 1/6) = 25/3, tails aside.
WIDE = "5=5;25=25;50=50;75=75;95=95"
CLOSED = "2025-01-01T00:00Z,2025-03-01,50,2025-03-01T00:00Z"


def a_book(tmp_path, units):
    path = tmp_path / "record.csv"
    rows = [
        f"q{n},numeric,0,100,{unit},{who},{WIDE},{CLOSED}"
        for n, unit in enumerate(units)
        for who in ("ana", "ben")
    ]
    path.write_text("\n".join([COLUMNS, *rows]) + "\n")
    with clock.at(NOW):
        book = Book.plain(str(tmp_path / "book.db"), forecaster="ana", create=True)
        book.import_record(path, "csv")
    return book


def means(book, **asked):
    return {
        (row["unit"], row.get("question", "")): row["mean"]
        for row in book.scores(kind="imported", forecaster="ana", **asked)
    }


def test_a_mean_is_within_one_unit(tmp_path):
    with a_book(tmp_path, ["people", "people", "barrels"]) as book:
        mean_of = means(book, rule="crps")
        assert set(mean_of) == {("people", ""), ("barrels", "")}
        assert mean_of["people", ""] == pytest.approx(mean_of["barrels", ""], rel=1e-9)
        assert 7 < mean_of["people", ""] < 9
        assert set(means(book, rule="baseline")) == {("", "")}
        for ask in (lambda: book.leaderboard(kind="imported", question_type="numeric"),
                    lambda: book.compare("ana", "ben", kind="imported")):  # fmt: skip
            with pytest.raises(InvalidInput, match="2 in people, 1 in barrels"):
                ask()
        assert book.compare("ana", "ben", kind="imported", question=["q0", "q1"])["n_shared"] == 2


def test_numbers_without_a_stated_unit_have_no_mean_but_each_its_own(tmp_path, capsys):
    with a_book(tmp_path, ["", ""]) as book:
        [row] = book.scores(kind="imported", forecaster="ana")
        assert math.isnan(row["mean"])
        assert math.isnan(row["lower"])
        assert (row["while_open"], row["skill"], row["reference"]) == (None, None, None)
        each = means(book, by="question")
        assert set(each) == {("", "q0"), ("", "q1")}
        assert all(7 < mean < 9 for mean in each.values())
        assert math.isnan(means(book, by="topic")["", ""])
    assert cli(["--db", str(tmp_path / "book.db"), "score", "--kind", "imported"]) == 0
    shown = capsys.readouterr()
    assert "no mean over questions whose unit is not stated: --by question" in shown.err
    assert "–" in shown.out


def test_one_number_alone_has_its_score(tmp_path):
    with a_book(tmp_path, [""]) as book:
        assert 7 < means(book)["", ""] < 9
