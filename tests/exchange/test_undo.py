"""What an import brought and its undoing took back counts for nothing, at every door, ever."""

import csv
from pathlib import Path

import pytest

from forecasting.app.forecast.in_force import Voice
from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.app.ledger.log import history, log, withdraw
from forecasting.app.ledger.undone import import_undo, undone
from forecasting.errors import InvalidInput
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import START, row, table

FORMATS = Path(__file__).parent / "formats"
FIRST = table([row("a", "0.3"), row("b", "0.8"), row("b", "withdrawn", 5.0)])
SECOND = table([row("a", "0.35"), row("b", "0.8"), row("b", "0.6", 5.0)])


def tidy(ledger, format="csv", **options):
    return list(export_record(ledger, format, **options)[0])


def said(lines):
    """Give the rows that hold a forecast, and not a question alone."""
    return [one for one in csv.DictReader(lines) if one["forecast"]]


def undo(ledger, found):
    return import_undo(ledger, found["run"], now=NOW)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_was_undone_and_brought_again_is_written_as_if_it_had_been_brought_once(
    brought, ledger, tmp_path, times
):
    import pandas as pd

    with memory(tmp_path) as once:
        brought(FIRST, into=once)
        for _ in range(times):
            undo(ledger, brought(FIRST))
            assert said(tidy(ledger)) == []
            assert len(tidy(ledger, "fatebook", forecaster="ana")) == 1
        again = brought(FIRST)
        assert (again["added"], again["refused"]) == (3, [])
        assert tidy(ledger) == tidy(once)
        assert tidy(ledger, "fatebook", forecaster="ana") == tidy(
            once, "fatebook", forecaster="ana"
        )
        path = tmp_path / "r.parquet"
        export_record(ledger, "parquet", out=path)
        assert len(pd.read_parquet(path)) == 3
        assert len(history(ledger, "b")) == len(history(once, "b"))


def test_after_undoing_any_corrected_file_comes_in_whole_and_the_first_one_too(brought, ledger):
    for text in (FIRST, SECOND, FIRST, SECOND):
        found = brought(text)
        assert (found["added"], found["refused"], found["duplicates"]) == (3, [], 0)
        assert len(tidy(ledger)) == 1 + 3
        undo(ledger, found)
    other = table([row("a", "0.3", title="Another question?", closes="2025-02-01T00:00:00Z")])
    assert brought(other)["added"] == 1
    assert {one.id: one.title for one in ledger.questions()}["a"] == "Another question?"


@pytest.mark.parametrize("name", ["metaculus.zip", "manifold.json", "gjp-both.zip"])
def test_a_file_of_a_platform_undone_and_brought_again_is_the_same_record(name, ledger, tmp_path):
    zone = "America/New_York" if name.startswith("gjp") else ""
    with memory(tmp_path) as once:
        import_record(once, FORMATS / name, now=NOW, zone=zone)
        for _ in range(2):
            undo(ledger, import_record(ledger, FORMATS / name, now=NOW, zone=zone))
            assert undone(ledger).withdrawals == []
        import_record(ledger, FORMATS / name, now=NOW, zone=zone)
        assert tidy(ledger) == tidy(once)


def test_an_end_that_a_taken_back_forecast_had_replaced_counts_again(brought, ledger):
    brought(table([row(), row(forecast="withdrawn", day=4)]))
    at = START.replace(day=5)
    assert [one.withdrawn_at for one in undone(ledger).withdrawals] == [at]
    platform = ledger.questions()[0]
    # As another platform's file brings it: the next forecast at the very end of the one before.
    from forecasting.domain import Imported
    from forecasting.domain.forecast import binary_value

    digest = platform.wording_hash
    made = Imported("q", digest, "ana", binary_value("0.7"), at, "")
    (entry,) = ledger.append([made], recorded_at=NOW)
    assert undone(ledger) == (frozenset(), [])
    import_undo(ledger, entry.seq, now=NOW)
    assert undone(ledger).forecasts == {entry.seq}
    assert [one.withdrawn_at for one in undone(ledger).withdrawals] == [at]


def test_an_import_undone_takes_no_live_forecast_out_of_force(brought, ledger):
    asked = table([row("other", closes="2027-01-01T00:00:00Z", outcome="", resolved_at="")])
    brought(asked)
    log(ledger, "other", forecaster="ben", probability="0.4", now=NOW)
    later = NOW.replace(hour=13)
    wrong = row("other", "0.9", forecaster="ben", closes="2027-01-01T00:00:00Z", outcome="",
                resolved_at="", issued_at="2026-11-22T12:30:00Z")  # fmt: skip
    ended = wrong | {"forecast": "withdrawn", "issued_at": "2026-11-22T12:40:00Z"}
    path = Path(ledger.where).with_suffix(".csv")
    path.write_text(table([wrong, ended]))
    found = import_record(ledger, path, now=later)
    assert found["added"] == 2
    import_undo(ledger, found["run"], now=later)
    assert Voice.of(ledger, "ben", later).in_force("other") is not None
    assert withdraw(ledger, "other", forecaster="ben", now=later)


def test_a_question_that_no_import_made_keeps_its_words(brought, ledger):
    # The question came alone, in a file of its own, which stays.
    brought(table([row(forecast="", issued_at="", forecaster="")]))
    mine = table([{"question": "q", "forecaster": "cid", "forecast": "0.2",
                   "issued_at": "2025-01-03T00:00:00Z"}])  # fmt: skip
    undo(ledger, brought(mine))
    brought(mine)
    assert ledger.questions()[0].title == "Will q come about?"
    with pytest.raises(InvalidInput, match="in the ledger with"):
        brought(table([row(title="Another question?", day=6)]))
