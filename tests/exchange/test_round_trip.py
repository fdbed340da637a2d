"""Every platform's file, written as a table and read again, is the same record to the last byte."""

import csv
import json

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.app.ledger.log import log, withdraw
from forecasting.domain.catalog import Catalog
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import FORMATS, rewritten, row, table

ZONE = {"gjp": "America/New_York", "fatebook": "Europe/London"}


def returned(ledger, format, folder):
    """Write a ledger as a table and read it into an empty one; give what came, and its digest."""
    path = folder / f"written.{format}"
    export_record(ledger, format, out=path, force=True)
    with memory(folder) as other:
        counts = import_record(other, path, now=NOW)
        return counts, record_digest(other)


@pytest.mark.parametrize("format", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("name", sorted(path.name for path in FORMATS.iterdir()))
def test_every_platforms_file_written_and_read_again_is_the_same_record(
    name, format, ledger, tmp_path
):
    zone = ZONE.get(name.partition(".")[0].partition("-")[0], "")
    import_record(ledger, FORMATS / name, now=NOW, zone=zone, forecaster="ana")
    counts, digest = returned(ledger, format, tmp_path)
    assert (counts["refused"], counts["duplicates"]) == ([], 0)
    assert digest == record_digest(ledger)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_end_after_the_outcome_and_an_outcome_without_a_forecast_come_in_again(
    format, ledger, tmp_path
):
    def ended(member, rows):
        if member != "forecast_data.csv":
            return rows
        late = {"End Time": "2026-01-01 00:00:00+00:00"}
        return [one | late for one in rows if one["Question ID"] in ("2", "3")]

    path = rewritten(FORMATS / "metaculus.zip", tmp_path / "metaculus.zip", ended)
    counts = import_record(ledger, path, now=NOW)
    assert counts["withdrawals"] > 0
    assert any("1 forecast" not in note and "withdrawal" in note for note in counts["notes"])
    assert not any(
        "made after" in note and note.partition(" ")[2].startswith("forecast")
        for note in counts["notes"]
    )
    again, digest = returned(ledger, format, tmp_path)
    assert again["refused"] == []
    assert digest == record_digest(ledger)
    rows = list(csv.DictReader(export_record(ledger, "csv")[0]))
    assert {one["kind"] for one in rows if one["forecast"] == "withdrawn"} == {"imported"}
    alone = [one for one in rows if not one["forecast"]]
    assert {one["outcome"] for one in alone} >= {"yes", "annulled"}


def test_an_end_is_of_the_kind_of_what_it_ended(import_text, ledger):
    open_still = {"closes": "2027-01-01T00:00:00Z", "outcome": "", "resolved_at": ""}
    import_text(table([row(**open_still), row(forecast="withdrawn", day=2, **open_still)]))
    log(ledger, "q", forecaster="ana", probability="0.4", now=NOW)
    withdraw(ledger, "q", forecaster="ana", now=NOW.replace(hour=13))
    rows = list(csv.DictReader(export_record(ledger, "csv")[0]))
    ends = [one["kind"] for one in rows if one["forecast"] == "withdrawn"]
    assert ends == ["imported", "live"]


def test_a_row_without_a_forecast_is_a_question_and_half_of_one_is_refused(import_text, ledger):
    alone = row(forecast="", issued_at="", forecaster="")
    half = [row("r", forecast=""), row("r", issued_at=""), row("r", day=3)]
    counts = import_text(table([alone, *half]))
    assert (counts["in"], counts["added"], len(counts["refused"])) == (4, 2, 2)
    assert json.dumps(counts["refused"]).count("forecast") == 1
    assert Catalog.of(ledger).outcomes["q"].outcome == "yes"
    again = import_text(table([alone, *half]))
    assert (again["added"], again["duplicates"]) == (0, 2)
