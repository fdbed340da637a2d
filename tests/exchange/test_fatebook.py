"""Fatebook: no ids, no zone, seconds of one digit; its Brier scores and their quirk."""

import csv
import datetime as dt
import re
from pathlib import Path

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record, import_undo
from forecasting.cli import run as cli
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.store import Ledger
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import table

FOLDER = Path(__file__).parent / "formats"
EXPORT, SHEET = FOLDER / "fatebook.csv", FOLDER / "fatebook-sheet.csv"
ZONE = "Europe/Kyiv"


@pytest.fixture
def counts(ledger):
    return import_record(ledger, EXPORT, now=NOW, me="ana", zone=ZONE, check_scores=True)


def test_without_a_zone_it_asks(ledger, tmp_path):
    with pytest.raises(InvalidInput, match="in which zone") as refused:
        import_record(ledger, EXPORT, now=NOW, me="ana")
    # Its server writes the times, in UTC: whose zone it is in does not matter.
    assert refused.value.hint.startswith("zone=Etc/UTC")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(SHEET.read_text().replace("2025-05-10,", "2025-05-10 10:00,"))
    with pytest.raises(InvalidInput, match="in which zone") as refused:
        import_record(ledger, sheet, now=NOW, me="ana")
    assert "where it was written" in refused.value.hint
    assert ledger.head().seq == 0


def test_a_file_that_comes_again_without_its_name_is_told_whose_it_was(ledger):
    import_record(ledger, EXPORT, now=NOW, me="ana", zone=ZONE)

    def twice(**more):
        again = import_record(ledger, EXPORT, now=NOW, zone=ZONE, dry_run=True, **more)
        return [note for note in again["notes"] if "here as those of" in note]

    (note,) = twice()
    assert re.match(r"(\d+) of \1 forecasts of fatebook:ana are here as those of ana, ", note)
    assert note.endswith("me=ana")
    assert twice(me="ana") == []


def test_seconds_of_one_digit_are_seconds(counts, ledger):
    at = {one.issued_at for one in ledger.forecasts()}
    # 09:05:7 and 09:05:17 in Kyiv, three hours ahead in May.
    assert dt.datetime(2025, 5, 2, 6, 5, 7, tzinfo=dt.UTC) in at
    assert dt.datetime(2025, 5, 2, 6, 5, 17, tzinfo=dt.UTC) in at


def test_options_are_questions_of_one_event(counts, ledger):
    asked = [question for question in ledger.questions() if "Who chairs" in question.title]
    assert len(asked) == 2
    assert len({question.event for question in asked}) == 1
    standing = outcomes(ledger.resolutions())
    assert sorted(standing[question.id].outcome for question in asked) == ["no", "yes"]


def test_the_worked_example_of_its_scores_comes_out(counts):
    # Seven days, yes; .9 then .95 from day 4; .25 then .2 from day 3; .99 on the last two.
    rows = {
        (one["forecaster"], one["rule"]): one
        for one in counts["scores"]["rows"]
        if one["question"] == "fatebook-d1d696683dd6"
    }
    mine = rows["ana", "brier"]
    assert mine["ours"] == pytest.approx(0.0114, abs=5e-5)
    assert mine["difference"] == pytest.approx(0, abs=1e-12)
    assert rows["ana", "relative"]["ours"] == pytest.approx(-0.43, abs=5e-4)
    assert rows["fatebook:ben", "relative"]["ours"] == pytest.approx(0.7943, abs=5e-5)
    assert rows["fatebook:cy", "relative"]["ours"] == pytest.approx(-0.00137, abs=5e-6)
    # Two days of .0002 over seven: the five before count as perfect.
    assert rows["fatebook:cy", "brier"]["ours"] == pytest.approx(0.0002 * 2 / 7)


def test_a_part_of_a_day_is_scored_by_its_mean_forecast(ledger, tmp_path):
    head = EXPORT.read_text().splitlines()[0]
    row = '"Part?",,"ana",{p},2025-05-01 {at},"ana",2025-05-01 00:00:0,2025-06-01 00:00:0,"YES",'
    row += "2025-05-01 16:48:0,,,,,true,,"
    path = tmp_path / "part.csv"
    lines = [head, row.format(p=0.9, at="00:00:0"), row.format(p=0.95, at="05:02:24")]
    path.write_text("\n".join(lines))
    counts = import_record(ledger, path, now=NOW, zone="UTC", check_scores=True)
    [one] = [one for one in counts["scores"]["rows"] if one["rule"] == "brier"]
    assert one["ours"] == pytest.approx(2 * (1 - (0.3 * 0.9 + 0.7 * 0.95)) ** 2)


def test_the_spreadsheet_form_takes_blanks_from_the_creation(ledger):
    import_record(ledger, SHEET, now=NOW, me="ana", zone="UTC")
    forecasts = {
        (one.value.entered[0], one.issued_at.date().isoformat()) for one in ledger.forecasts()
    }
    assert forecasts == {
        ("0.35", "2025-05-01"),
        ("0.6", "2025-05-10"),
        ("0.005", "2025-05-02"),
        ("1", "2025-05-02"),
    }


def theirs(ledger):
    return [one for one in ledger.forecasts() if one.forecaster != "ana"]


@pytest.mark.parametrize("place", [(), ("after",)])
def test_what_is_written_for_fatebook_is_one_persons_alone(tmp_path, capsys, place):
    db = ["--db", str(tmp_path / "a.db")]
    me = ["export", "fatebook", "--as", "ana"] if place else ["--as", "ana", "export", "fatebook"]
    assert cli([*db, "import", str(EXPORT), "--me", "ana", "--zone", ZONE, "--create"]) == 0
    capsys.readouterr()
    out = tmp_path / "mine.csv"
    assert cli([*db, *me, "--out", str(out)]) == 0
    with Ledger.open(str(tmp_path / "a.db")) as ledger, memory(tmp_path) as other:
        assert theirs(ledger)
        assert f"{len(theirs(ledger))} rows of others left out" in capsys.readouterr().err
        import_record(other, out, now=NOW, me="ana", zone="UTC")
        mine = len(ledger.forecasts()) - len(theirs(ledger))
        assert len(other.forecasts()) == mine
    assert cli([*db, "--as", "nobody", "export", "fatebook"]) == 4
    assert "no forecast by nobody to write. Try: --as ana" in capsys.readouterr().err


def test_what_is_written_for_fatebook_it_would_read(counts, ledger, tmp_path):
    out = tmp_path / "for-fatebook.csv"
    _, about = export_record(ledger, "fatebook", out=out, forecaster="ana")
    assert (about["left_out"], about["of_others"]) == (0, len(theirs(ledger)))
    with memory(tmp_path) as other:
        again = import_record(other, out, now=NOW, me="ana", zone="UTC")
        assert again["format"] == "fatebook"
        mine = [one for one in ledger.forecasts() if one.forecaster == "ana"]
        forecasts = sorted((one.issued_at, one.value.entered) for one in mine)
        assert sorted((one.issued_at, one.value.entered) for one in other.forecasts()) == forecasts


def test_three_platforms_of_one_person_stand_in_one_book(tmp_path, capsys):
    database = str(tmp_path / "book.db")

    def run(*words):
        code = cli(["--db", database, "--json", *words])
        out = capsys.readouterr().out
        assert code == 0
        return out

    run("import", str(FOLDER / "metaculus.zip"), "--me", "ana", "--create", "--check-scores")
    run("import", str(EXPORT), "--me", "ana", "--zone", ZONE, "--check-scores")
    run("import", str(FOLDER / "predictionbook.json"), "--me", "ana", "--check-scores")
    import json

    together = json.loads(run("calibration", "--kind", "imported", "--forecaster", "ana"))
    apart = {
        name: json.loads(
            run("calibration", "--kind", "imported", "--forecaster", "ana", "--tag", name)
        )["n_questions"]
        for name in ("metaculus", "fatebook", "predictionbook")
    }
    assert all(apart.values())
    assert together["n_questions"] == sum(apart.values())


def test_the_same_export_in_another_zone_is_refused_and_taken_after_an_undo(counts, ledger):
    head, count = ledger.head(), len(ledger.forecasts())
    with pytest.raises(InvalidInput, match="imported with another zone") as refused:
        import_record(ledger, EXPORT, now=NOW, me="ana", zone="America/New_York")
    assert f"{count} forecasts of this file stand in the ledger" in str(refused.value)
    assert ledger.head() == head
    assert import_record(ledger, EXPORT, now=NOW, me="ana", zone=ZONE)["added"] == 0
    import_undo(ledger, counts["run"], now=NOW)
    again = import_record(ledger, EXPORT, now=NOW, me="ana", zone="America/New_York")
    assert again["forecasts"] == count


def test_a_table_of_ones_own_in_another_zone_is_noted(ledger, tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(
        "question,forecaster,forecast,issued_at,closes\n"
        "q,ana,40%,2025-05-01 10:00,2025-09-01\nq,ana,45%,2025-05-02 10:00,2025-09-01\n"
    )
    import_record(ledger, path, now=NOW, zone="UTC")
    path.write_text(path.read_text().replace(",2025-09-01", "").replace(",closes", ""))
    notes = import_record(ledger, path, now=NOW, zone="Asia/Tokyo", dry_run=True)["notes"]
    assert not any("another zone" in note for note in notes)  # One lies before the opening.
    notes = import_record(ledger, path, now=NOW, zone="America/New_York", dry_run=True)["notes"]
    assert [note for note in notes if "another zone" in note] == [
        "2 forecasts of this file stand in the ledger at times a few hours apart: was another zone "
        "meant before"
    ]
    # Forecasts that were reaffirmed are no file in another zone.
    path.write_text(path.read_text() + "q,ana,40%,2025-05-01 14:00\nq,ana,45%,2025-05-02 14:00\n")
    assert not any(
        "another zone" in note
        for note in import_record(ledger, path, now=NOW, zone="UTC", dry_run=True)["notes"]
    )


def test_an_export_of_2023_is_the_same_record(ledger, tmp_path, tmp_path_factory):
    lines = [one for one in EXPORT.read_text().splitlines(keepends=True) if "chairs" not in one]
    today, old = tmp_path / "today.csv", tmp_path / "old.csv"
    today.write_text("".join(lines))
    rows = [
        {
            {"Resolution": "Question resolution", "Resolved at": "Question resolved at"}.get(
                name, name
            ): cell
            for name, cell in one.items()
            if name not in ("Multiple choice option", "Question tags")
        }
        for one in csv.DictReader(lines)
    ]
    old.write_text(table(rows))
    options = {"now": NOW, "me": "ana", "zone": ZONE, "check_scores": True}
    with memory(tmp_path_factory.mktemp("ledger")) as other:
        counts = import_record(other, today, **options)
        again = import_record(ledger, old, **options)
        for same in ("in", "added", "questions", "forecasts", "resolutions", "scores"):
            assert again[same] == counts[same]
        assert counts["resolutions"] == 2


@pytest.mark.parametrize(("seconds", "divisor"), [(0, 2), (5, 2), (60, 2 + 60 / 86400)])
def test_a_sliver_of_a_day_counts_as_a_day_as_it_does_there(seconds, divisor, ledger, tmp_path):
    head = EXPORT.read_text().splitlines()[0]
    path = tmp_path / "sliver.csv"
    path.write_text(
        f'{head}\n"Q?",,"ana",0.9,2025-05-01 00:00:0,"ana",2025-05-01 00:00:0,'
        f'2025-06-01 00:00:0,"YES",2025-05-03 00:{seconds // 60:02}:{seconds % 60},,,,,true,,\n'
    )
    counts = import_record(ledger, path, now=NOW, zone="UTC", check_scores=True)
    [one] = [one for one in counts["scores"]["rows"] if one["rule"] == "brier"]
    days = divisor if divisor > 2 else 2 + bool(seconds)
    assert one["ours"] == pytest.approx(0.02 * days / divisor)


def test_a_question_that_was_renamed_there_is_told_and_counts_once_after_undo(ledger, tmp_path):
    options = {"now": NOW, "me": "ana", "zone": ZONE}
    first = import_record(ledger, EXPORT, **options)
    path = tmp_path / "renamed.csv"
    text = EXPORT.read_text().replace("Will the gate at Rafah open", "Does the gate at Rafah open")
    path.write_text(text.replace("Who chairs the talks?", "Who leads the talks?"))
    trial = import_record(ledger, path, dry_run=True, **options)
    [note] = [one for one in trial["notes"] if "renamed" in one]
    assert note.count("(fatebook-") == 3
    # A part of the file that holds both names, or another forecast of that day, is no new name.
    both = tmp_path / "both.csv"
    both.write_text(EXPORT.read_text() + "\n" + path.read_text().partition("\n")[2])
    other = tmp_path / "other.csv"
    other.write_text(text.replace(",0.9,", ",0.91,"))
    for file in (both, other, EXPORT):
        notes = import_record(ledger, file, dry_run=True, **options)["notes"]
        assert not any("gate" in one or "renamed" in one for one in notes), file
    import_undo(ledger, first["run"], now=NOW)
    assert not any("renamed" in one for one in import_record(ledger, path, **options)["notes"])


def test_a_table_whose_title_was_renamed_is_told(import_text):
    old = "title,forecast,issued_at\nWill it hold?,0.3,2025-01-01\nWill it hold?,0.4,2025-02-01\n"
    import_text(old, me="ana")
    new = old.replace("hold?", "last?")
    assert any("renamed" in one for one in import_text(new, me="ana", dry_run=True)["notes"])
    unlike = new.replace("0.4", "0.5")
    assert not any("renamed" in one for one in import_text(unlike, me="ana")["notes"])
