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
