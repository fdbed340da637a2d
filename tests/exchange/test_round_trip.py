"""What is written: the same record to the last byte when it is read again, and nothing else."""

import csv
import datetime as dt
import json

import pytest
from pyarrow.parquet import read_table

from forecasting.app.ledger.ask import drop
from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.app.ledger.log import log, withdraw
from forecasting.domain.catalog import Catalog
from forecasting.errors import InvalidInput
from forecasting.exchange.columns import schema
from forecasting.files import neutral, restored
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import DAY, FORMATS, START, rewritten, row, table

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


def test_text_is_kept_to_the_letter():
    for text in ("=1", "'=1", "''=1", "'Twas", "", "'", "-x", "+x", "@x", "\tx", "\rx", "a=1"):
        assert restored(neutral(text)) == text
        assert neutral(text)[:1] not in tuple("=+-@\t\r")


def test_an_export_replaces_only_when_told(import_text, ledger, tmp_path, monkeypatch):
    import_text(table([row()]))
    out = tmp_path / "out.csv"
    lines, about = export_record(ledger, "csv", out=out)
    assert (list(lines), about["lines"], about["head"]) == ([], 2, ledger.head().hash)
    with pytest.raises(InvalidInput, match="already exists"):
        export_record(ledger, "csv", out=out)
    export_record(ledger, "csv", out=out, force=True)
    with pytest.raises(InvalidInput, match=r"does not exist. Try: mkdir -p"):
        export_record(ledger, "csv", out=tmp_path / "no" / "out.csv")
    with pytest.raises(InvalidInput, match=r"must be one of csv, jsonl, parquet"):
        export_record(ledger, "xml")
    with pytest.raises(InvalidInput, match=r"must be one of .*jsonl, csv"):
        import_record(ledger, out, "xml", now=dt.datetime.now(dt.UTC))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "record.csv"]


def test_what_a_live_ledger_says_in_a_table(ledger, import_text):
    from forecasting.domain import Forecast, Value
    from forecasting.domain.forecast import binary_value

    import_text(table([row(), row("n", forecast="5=1;50=2", lower="0", upper="9", outcome="")
                   | {"resolved_at": ""}], header=[*row(), "lower", "upper"]))  # fmt: skip
    digest = ledger.questions()[0].wording_hash
    at = START + 3 * DAY
    ledger.append(
        [
            Forecast("q", digest, "ana", binary_value("likely"), at, "live"),
            Forecast("q", digest, "ben", binary_value("0.50"), at, "backdated"),
            Forecast("q", digest, "cy", binary_value("0.5"), at, "replay"),
            Forecast("n", digest, "d", Value("quantiles", ("5", "95"), ("1", "8")), at, "live"),
        ],
        recorded_at=NOW,
    )
    lines = "".join(export_record(ledger, "csv")[0])
    assert ",ana,likely," in lines
    assert ",ben,0.50," in lines
    assert ",cy," not in lines
    assert ",d,5=1;95=8," in lines


def test_a_question_that_was_dropped_leaves_every_door(ledger, import_text, tmp_path):
    rows = [row("gone"), row("stays"), row("gone", day=3, forecast="withdrawn")]
    rows = [{**one, "outcome": "", "resolved_at": ""} for one in rows]
    import_text(table(rows))
    drop(ledger, "gone", forecaster="ana", now=NOW)
    for format in ("csv", "parquet", "fatebook"):
        out = tmp_path / f"out.{format}"
        assert export_record(ledger, format, out=out, forecaster="ana")[1]["lines"]
    text = (tmp_path / "out.csv").read_text()
    assert text.count("\nstays,") == 1
    assert "gone" not in text
    assert len(read_table(tmp_path / "out.parquet")) == 1
    lines, _ = export_record(ledger, "jsonl")
    with memory(tmp_path) as other:
        import_text(table([row("here")]), into=other)
        counts = import_text("".join(lines), format="jsonl", into=other)
        assert sum("was dropped" in one["reason"] for one in counts["refused"]) == 3
        assert {one.id for one in other.questions()} == {"here", "stays"}
        assert {one.question for one in other.forecasts()} == {"here", "stays"}
    # What is gone may be brought again, whole.
    again = import_text(table(rows))
    assert (again["added"], again["duplicates"]) == (2, 1)
    assert [one.question for one in ledger.forecasts()].count("gone") == 1


def test_the_schema_of_the_table_is_written_out(ledger):
    lines, about = export_record(ledger, "schema")
    assert json.loads("".join(lines)) == schema()
    assert about["format"] == "schema"


def test_a_table_in_columns_needs_a_file(ledger):
    with pytest.raises(InvalidInput, match="a Parquet table needs a file"):
        export_record(ledger, "parquet")


def test_the_export_of_a_ledger_names_the_way_into_a_database_of_its_own(tmp_path):
    from forecasting import clock
    from forecasting.app.book import Book
    from tests.workspace import NOW as LATER
    from tests.workspace import PEACE, workspace

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    file, way = tmp_path / "all.jsonl", "database=NEW.db, create=True"
    with clock.at(LATER):
        other = PEACE.replace("peace-2027", "other-2027")
        first, second = workspace(tmp_path / "one"), workspace(tmp_path / "two", other)
        with Book.plain(first, forecaster="ana") as book:
            book.log("peace-2027", 0.4)
            book.export_record(file, "jsonl")
        with Book.plain(second, forecaster="ana") as book:
            counts = book.import_record(file, "jsonl", dry_run=True)
            assert counts["added"] > 0
            assert [way in note for note in counts["notes"]].count(True) == 1
            with pytest.raises(InvalidInput, match="rows refused; nothing was written") as refused:
                book.import_record(file, "jsonl", all_or_nothing=True)
    assert way in refused.value.hint
