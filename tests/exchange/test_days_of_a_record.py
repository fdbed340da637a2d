"""A record's days: which is the deadline, which the day of the outcome, and whose midnight."""

import pytest

from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso
from forecasting.errors import InvalidInput

TWO = (
    "question;probability;date;resolves;result\n"
    "Will the port stay open?;35%;2025-02-01;2025-06-30;no\n"
)


def test_what_a_question_resolves_by_is_its_deadline_where_it_has_no_other(import_text, ledger):
    counts = import_text(TWO, me="ana")
    assert "columns recognised by their usual names" in " ".join(counts["notes"])
    assert "resolves is closes" in " ".join(counts["notes"])
    (question,) = ledger.questions()
    assert iso(question.closes) == "2025-07-01T00:00:00Z"


def test_beside_a_deadline_it_is_when_the_outcome_is_due(import_text, ledger):
    import_text(
        "question,forecast,date,closes,resolves,result\nq,0.4,2025-02-01,2025-03-31,2025-06-30,no\n",
        me="ana",
    )
    (question,) = ledger.questions()
    assert (iso(question.closes), iso(question.resolves_by)) == (
        "2025-04-01T00:00:00Z",
        "2025-07-01T00:00:00Z",
    )


def test_a_question_with_a_day_of_its_outcome_alone_does_not_close_with_its_forecast(
    import_text, ledger
):
    import_text("question,forecast,issued_at,resolves_by\nq,0.4,2025-02-01,2025-06-30\n", me="ana")
    (question,) = ledger.questions()
    assert iso(question.closes) == "2025-07-01T00:00:00Z"


@pytest.mark.parametrize("head", ["Resolved", "resolved at", "Resolution date", "Known"])
def test_a_day_beside_a_result_is_when_the_outcome_was_known(import_text, ledger, head):
    import_text(
        f"question,forecast,date,closes,result,{head}\nq,0.4,2025-02-01,2025-06-30,yes,2025-03-04\n",
        me="ana",
    )
    assert iso(Catalog.of(ledger).outcomes["q"].resolved_at) == "2025-03-05T00:00:00Z"


def test_a_word_on_whether_it_resolved_is_no_day(import_text, ledger):
    counts = import_text(
        "question,forecast,date,closes,result,resolved\nq,0.4,2025-02-01,2025-06-30,yes,TRUE\n",
        me="ana",
    )
    assert "columns ignored: resolved" in " ".join(counts["notes"])
    assert counts["added"] == 1


@pytest.mark.parametrize(("cell", "wanted"), [("yes", "outcome"), ("2025-03-04", "resolved_at")])
def test_resolved_without_a_result_is_asked_about(import_text, cell, wanted):
    text = f"question,forecast,date,closes,Resolved\nq,0.4,2025-02-01,2025-06-30,{cell}\n"
    with pytest.raises(InvalidInput, match="may be the outcome, or the day") as asked:
        import_text(text, me="ana")
    assert asked.value.hint.startswith(f'map="Resolved={wanted}" or ')
    assert import_text(text, me="ana", columns={"Resolved": "ignore"})["added"] == 1


def test_days_are_those_of_the_workspace(tmp_path):
    from forecasting import clock
    from forecasting.app.book import Book
    from tests.workspace import NOW as LATER
    from tests.workspace import PEACE, workspace

    database = workspace(tmp_path, f"zone: Africa/Addis_Ababa\n{PEACE}")
    file = tmp_path / "d.csv"
    file.write_text(TWO)
    with clock.at(LATER), Book.plain(database, forecaster="ana") as book:
        counts = book.import_record(file, me="ana", dry_run=True)
        assert "are read in Africa/Addis_Ababa, the zone of this workspace" in " ".join(
            counts["notes"]
        )
        book.import_record(file, me="ana")
        (question,) = [q for q in book.ledger.questions() if q.title.startswith("Will the port")]
        assert (iso(question.closes), question.zone) == (
            "2025-06-30T21:00:00Z",
            "Africa/Addis_Ababa",
        )
        elsewhere = book.import_record(file, me="ben", zone="UTC", dry_run=True)
        assert not any("the zone of this workspace" in note for note in elsewhere["notes"])


WORDS = ("-", "?", "Pending", " open ", "unresolved", "tbd", "unknown", "NA", "None", "null")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_nothing_yet_is_no_outcome_and_stops_no_row(import_text, ledger, word):
    head = "question,forecast,date,closes,result,resolved on\n"
    counts = import_text(f"{head}q,0.4,2025-02-01,2027-06-30,{word},\n", me="ana")
    assert (counts["added"], counts["resolutions"], counts["refused"]) == (1, 0, [])
    assert any(f"the outcome {word.strip()} is read as none yet" in x for x in counts["notes"])
    # Beside a row that knows, and in a later file, the outcome is what that says.
    more = f"{head}q,0.4,2025-02-01,2027-06-30,{word},\n"
    more += "q,0.5,2025-02-02,2027-06-30,yes,2025-03-04\n"
    assert import_text(more, me="ana")["resolutions"] == 1
    again = import_text(f"{head}q,0.4,2025-02-01,2027-06-30,{word},\n", me="ana")
    assert (again["duplicates"], again["resolutions"]) == (1, 0)
    assert Catalog.of(ledger).outcomes["q"].outcome == "yes"


def test_an_option_of_that_name_is_an_outcome(import_text, ledger):
    head = "question,options,forecast,date,closes,result,resolved on\n"
    row = "q,open;shut,open=0.4;shut=0.6,2025-02-01,2027-06-30,Open,2025-03-04\n"
    assert import_text(head + row, me="ana")["resolutions"] == 1
    assert Catalog.of(ledger).outcomes["q"].outcome == "open"
    # Named by its forecasts alone, and by the ledger alone.
    row = "p,,none=0.4;some=0.6,2025-02-01,2027-06-30,None,2025-03-04\n"
    assert import_text(head + row, me="ana")["resolutions"] == 1
    assert Catalog.of(ledger).outcomes["p"].outcome == "none"
    row = "r,,none=0.4;some=0.6,2025-02-01,2027-06-30,,\n"
    import_text(head + row, me="ana")
    row = "r,,,,2027-06-30,none,2025-03-04\n"
    assert import_text(head + row, me="ana")["resolutions"] == 1
    assert Catalog.of(ledger).outcomes["r"].outcome == "none"


def test_a_cell_that_may_be_either_is_said(import_text, ledger):
    counts = import_text("question,forecast,date,result\nq,0.4,2025-02-01,N/A\n", me="ana")
    assert Catalog.of(ledger).outcomes["q"].outcome == "annulled"
    assert any("n/a is read as annulled" in one for one in counts["notes"])


def test_the_day_of_an_outcome_to_come_is_when_it_is_due(import_text, ledger):
    text = "question,forecast,date,result,resolution date\nq,0.4,2025-02-01,,2027-06-30\n"
    counts = import_text(text, me="ana")
    assert any("to come is read as when it is due" in one for one in counts["notes"])
    (question,) = ledger.questions()
    assert iso(question.closes) == iso(question.resolves_by) == "2027-07-01T00:00:00Z"
    # One that has passed is the day of an outcome, which is missing.
    with pytest.raises(InvalidInput, match="is given without an outcome"):
        import_text(text.replace("2027", "2026").replace("q,", "p,"), me="ana")


@pytest.mark.parametrize(
    ("cell", "way_out"),
    [
        ("45720", "2025-03-04, if a spreadsheet counted days"),
        ("45720.604", "2025-03-04, if a spreadsheet counted days"),
        ("4-Mar-25", "the year in four digits: 4-Mar-2025"),
        ("14/3/25", "the year in four digits: 14/3/2025"),
    ],
)
def test_what_a_spreadsheet_wrote_for_a_day_is_told(import_text, cell, way_out):
    with pytest.raises(InvalidInput) as refused:
        import_text(f"question,forecast,date\nq,0.4,{cell}\n", me="ana")
    assert way_out in str(refused.value)
