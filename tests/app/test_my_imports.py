"""What I really said stands as mine, also where an import brought it: shown, and binding."""

import datetime as dt

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput

NOW = parse_instant("2026-11-28T12:00Z")
RUNGS = ("lad@2027-01-31", "lad@2027-03-31")
HEAD = "question,forecaster,forecast,issued_at\n"


@pytest.fixture
def book(tmp_path):
    with Book.plain(str(tmp_path / "a.db"), forecaster="ana", create=True) as own:
        with clock.at(NOW - dt.timedelta(days=20)):
            own.ask("Does it come?", ladder=["2027-01-31", "2027-03-31"], slug="lad")
            own.ask("Is it so?", by="2027-03-31", slug="one")
        with clock.at(NOW):
            yield own


def import_rows(book, tmp_path, *rows, who="ana"):
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "".join(f"{q},{who},{p},{at}\n" for q, p, at in rows))
    return book.import_record(path, "csv")


def everywhere(book, name):
    """Give what each view says that my number is: the list, the page, the show, today."""
    listed = {row["id"]: row for row in book.questions()}[name]
    page = book.question_page(name).chosen
    today = {row["question"]: row["mine"] for row in book.today() if row["question"] == name}
    return {
        listed["latest"],
        None if page.mine is None else page.mine.value.probability,
        book.standing(name) and book.standing(name).value.probability,
        (book.question(name)[0]["latest"] or {}).get("ana"),
        *today.values(),
    }


def test_what_binds_is_what_is_shown(book, tmp_path):
    book.log("lad", ladder={"2027-01-31": "20%", "2027-03-31": "30%"}, at="2026-11-10")
    import_rows(book, tmp_path, (RUNGS[0], 0.9, "2026-11-20"))
    assert everywhere(book, RUNGS[0]) == {0.9}
    assert everywhere(book, RUNGS[1]) == {0.3}
    with pytest.raises(InvalidInput, match=r"0\.9"):
        book.log(RUNGS[1], "40%")
    book.log(RUNGS[0], "10%")
    assert everywhere(book, RUNGS[0]) == {0.1}


def test_a_question_that_an_import_answered_is_not_without_a_forecast_of_mine(book, tmp_path):
    def silent():
        # Several sections may hold it; each row says what is mine.
        return {row["question"] for row in book.today() if row["question"] and row["mine"] is None}

    assert "one" in silent()
    import_rows(book, tmp_path, ("one", 0.4, "2026-11-20"))
    import_rows(book, tmp_path, (RUNGS[0], 0.4, "2026-11-20"), who="ben")
    assert "one" not in silent()
    assert RUNGS[0] in silent()
    assert everywhere(book, "one") == {0.4}


def test_an_undone_import_never_spoke_and_leaves_what_stood(book, tmp_path):
    book.log("one", "20%", at="2026-11-10")
    before = everywhere(book, "one")
    first = book.head() + 1
    import_rows(book, tmp_path, ("one", 0.9, "2026-11-20"))
    assert everywhere(book, "one") == {0.9}
    book.import_undo(f"{first}-{book.head()}")
    assert everywhere(book, "one") == before == {0.2}
    assert not {row["id"]: row for row in book.questions()}["one"]["withdrawn"]
    import_rows(book, tmp_path, ("one", 0.9, "2026-11-20"))
    assert everywhere(book, "one") == {0.9}
