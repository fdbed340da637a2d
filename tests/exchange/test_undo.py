"""What an import brought and its undoing took back counts for nothing, at every door, ever."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from forecasting.app.board import Board
from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record, import_undo
from forecasting.app.ledger.log import history, log, withdraw
from forecasting.errors import InvalidInput
from forecasting.store.undone import import_runs, undone
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import FORMATS, START, first_question, row, table

FIRST = table([row("a", "0.3"), row("b", "0.8"), row("b", "withdrawn", 5.0)])
SECOND = table([row("a", "0.35"), row("b", "0.8"), row("b", "0.6", 5.0)])


def tidy(ledger, format="csv", **options):
    return list(export_record(ledger, format, **options)[0])


def forecast_rows(lines):
    """Give the rows that hold a forecast, and not a question alone."""
    return [one for one in csv.DictReader(lines) if one["forecast"]]


def undo(ledger, counts):
    return import_undo(ledger, counts["run"], now=NOW)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_was_undone_and_brought_again_is_written_as_if_it_had_been_brought_once(
    import_text, ledger, tmp_path, times
):
    import pandas as pd

    with memory(tmp_path) as once:
        import_text(FIRST, into=once)
        for _ in range(times):
            undo(ledger, import_text(FIRST))
            assert forecast_rows(tidy(ledger)) == []
            assert len(tidy(ledger, "fatebook", forecaster="ana")) == 1
        again = import_text(FIRST)
        assert (again["added"], again["refused"]) == (3, [])
        assert tidy(ledger) == tidy(once)
        assert tidy(ledger, "fatebook", forecaster="ana") == tidy(
            once, "fatebook", forecaster="ana"
        )
        path = tmp_path / "r.parquet"
        export_record(ledger, "parquet", out=path)
        assert len(pd.read_parquet(path)) == 3
        assert len(history(ledger, "b")) == len(history(once, "b"))


def test_after_undoing_any_corrected_file_comes_in_whole_and_the_first_one_too(import_text, ledger):
    for text in (FIRST, SECOND, FIRST, SECOND):
        counts = import_text(text)
        assert (counts["added"], counts["refused"], counts["duplicates"]) == (3, [], 0)
        assert len(tidy(ledger)) == 1 + 3
        undo(ledger, counts)
    other = table([row("a", "0.3", title="Another question?", closes="2025-02-01T00:00:00Z")])
    assert import_text(other)["added"] == 1
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


def test_an_end_that_a_taken_back_forecast_had_replaced_counts_again(import_text, ledger):
    import_text(table([row(), row(forecast="withdrawn", day=4)]))
    at = START.replace(day=5)
    assert [one.withdrawn_at for one in undone(ledger).withdrawals] == [at]
    platform = ledger.questions()[0]
    # As another platform's file brings it: the next forecast at the very end of the one before.
    from forecasting.domain import Imported
    from forecasting.domain.forecast import binary_value

    digest = platform.wording_hash
    draft = Imported("q", digest, "ana", binary_value("0.7"), at, "")
    (entry,) = ledger.append([draft], recorded_at=NOW)
    assert undone(ledger)[:2] == (frozenset(), [])
    import_undo(ledger, entry.seq, now=NOW)
    assert undone(ledger).forecasts == {entry.seq}
    assert [one.withdrawn_at for one in undone(ledger).withdrawals] == [at]


def test_an_import_undone_takes_no_live_forecast_out_of_force(import_text, ledger):
    asked = table([row("other", closes="2027-01-01T00:00:00Z", outcome="", resolved_at="")])
    import_text(asked)
    log(ledger, "other", forecaster="ben", probability="0.4", now=NOW)
    later = NOW.replace(hour=13)
    wrong = row("other", "0.9", forecaster="ben", closes="2027-01-01T00:00:00Z", outcome="",
                resolved_at="", issued_at="2026-11-22T12:30:00Z")  # fmt: skip
    ended = wrong | {"forecast": "withdrawn", "issued_at": "2026-11-22T12:40:00Z"}
    path = Path(ledger.where).with_suffix(".csv")
    path.write_text(table([wrong, ended]))
    counts = import_record(ledger, path, now=later)
    assert counts["added"] == 2
    import_undo(ledger, counts["run"], now=later)
    assert Board(ledger).read("ben", later)[1].mine.in_force("other") is not None
    assert withdraw(ledger, "other", forecaster="ben", now=later)


def test_a_question_that_no_import_made_keeps_its_words(import_text, ledger):
    # The question came alone, in a file of its own, which stays.
    import_text(table([row(forecast="", issued_at="", forecaster="")]))
    mine = table([{"question": "q", "forecaster": "cid", "forecast": "0.2",
                   "issued_at": "2025-01-03T00:00:00Z"}])  # fmt: skip
    undo(ledger, import_text(mine))
    import_text(mine)
    assert ledger.questions()[0].title == "Will q come about?"
    with pytest.raises(InvalidInput, match="in the ledger with"):
        import_text(table([row(title="Another question?", day=6)]))


def bare(tmp_path, kind):
    """Give two files of a platform, of which the second adds only an end, an outcome or words."""
    changed = {
        "words": {"Question Title": "Will the road open?"},
        "outcome": {"Resolution": "no", "Resolution Known Time": "2025-10-01 00:00:00+00:00"},
    }

    def ended(rows):
        named = [one for one in rows if one["Forecaster ID"]]
        last = max(named, key=lambda one: one["Start Time"])
        start = dt.datetime.fromisoformat(last["Start Time"])
        last["End Time"] = str(start + dt.timedelta(hours=1))

    spoken = {"spoken": ended} if kind == "end" else {}
    second = first_question(tmp_path / f"{kind}.zip", changed.get(kind, {}), **spoken)
    return first_question(tmp_path / "first.zip"), second


@pytest.mark.parametrize("kind", ["end", "outcome", "words"])
def test_an_import_that_brings_no_forecast_is_listed_and_undone_like_every_other(
    kind, ledger, tmp_path
):
    first, second = bare(tmp_path, kind)
    import_record(ledger, first, now=NOW)
    before = tidy(ledger)
    for _ in range(3):
        counts = import_record(ledger, second, now=NOW)
        assert counts["run"]
        assert not counts["forecasts"]
        assert counts["withdrawals"] + counts["resolutions"] + counts["questions"] > 0
        changed = tidy(ledger)
        assert changed != before
        last = import_runs(ledger)[-1]
        assert (last["run"], last["forecasts"], last["undone"]) == (counts["run"], 0, 0)
        undoing = import_undo(ledger, counts["run"], now=NOW)
        assert undoing["withdrawn"] == 0
        if kind == "outcome":
            assert (undoing["reopened"], undoing["restored"]) == (0, 1)
            assert import_record(ledger, first, now=NOW)["resolutions"] == 0
        assert tidy(ledger) == before
        with pytest.raises(InvalidInput, match="already undone"):
            import_undo(ledger, counts["run"], now=NOW)
        assert [
            run["undone"] > 0 for run in import_runs(ledger) if run["run"] == counts["run"]
        ] == [True]
    assert ledger.verify().ok


def test_questions_that_came_alone_are_taken_back_with_their_import(import_text, ledger):
    counts = import_text(table([row(forecast="", issued_at="", forecaster="")]))
    undoing = import_undo(ledger, counts["run"], now=NOW, drop=True)
    assert (undoing["reopened"], undoing["dropped"]) == (1, 1)
    assert ledger.questions() == []
    assert import_text(FIRST)["added"] == 3


def test_what_somebody_did_here_is_no_import(import_text, ledger):
    import_text(table([row("q", closes="2027-01-01T00:00:00Z", outcome="", resolved_at="")]))
    (done,) = withdraw(ledger, "q", forecaster="ana", now=NOW)
    with pytest.raises(InvalidInput, match="no import recorded that entry"):
        import_undo(ledger, done["seq"], now=NOW)
    assert len(import_runs(ledger)) == 1


def test_another_ledger_does_not_take_the_ends_of_an_import_that_was_undone(ledger, tmp_path):
    first, second = bare(tmp_path, "end")
    import_record(ledger, first, now=NOW)
    import_undo(ledger, import_record(ledger, second, now=NOW)["run"], now=NOW)
    path = tmp_path / "whole.jsonl"
    export_record(ledger, "jsonl", out=path)
    with memory(tmp_path) as other, memory(tmp_path) as copy:
        import_record(copy, path, now=NOW)
        assert tidy(copy) == tidy(ledger)
        import_record(other, FORMATS / "predictionbook.json", now=NOW)
        import_record(other, path, now=NOW)
        ours = {one for one in tidy(ledger) if one.startswith("metaculus-1,")}
        assert {one for one in tidy(other) if one.startswith("metaculus-1,")} == ours
        assert ours


def test_a_part_of_an_import_is_not_undone(import_text, ledger):
    counts = import_text(table([row(day=day) for day in (1, 2, 3, 4)]))
    first, _, last = counts["run"].partition("-")
    for part in (f"{first}-{int(first) + 1}", f"{int(first) + 1}-{last}", str(int(first) + 2)):
        with pytest.raises(InvalidInput, match="is a part of the import") as refused:
            import_undo(ledger, part, now=NOW)
        assert refused.value.hint == counts["run"]
    # Its first entry names it, and so does an end that says too much.
    assert import_undo(ledger, first, now=NOW)["withdrawn"] == 4
