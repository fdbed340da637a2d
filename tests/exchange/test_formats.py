"""What holds of every platform's file, whichever it is.

A format joins by a small file of our own making, in its platform's exact shape, under
``tests/exchange/formats/<format>[-more].<ending>``, with every trap that is known of it.
"""

import csv
import io
import json
import random
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.domain.question import TOO_SOON
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange.format import detected, formats
from forecasting.exchange.source import opened
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW, memory

FILES = sorted((Path(__file__).parent / "formats").iterdir())
#: What a file needs to be told, beside its content.
OPTIONS = {"fatebook": {"zone": "Europe/Kyiv", "me": "ana"}, "gjp": {"zone": "America/New_York"}}


#: Of these a row, or an item, is no whole: a forecast is several rows, a price is nothing without
#: its market, and what a set says early is dated by its other rows.
TOGETHER = {"gjp.csv", "iqisa.csv", "kalshi.json", "forecastbench-table.csv"}


def format_of(path):
    return max((name for name in formats() if path.stem.startswith(name)), key=len)


def bring(ledger, path, **more):
    options = {**OPTIONS.get(format_of(path), {}), **more}
    return import_record(ledger, path, options.pop("format", ""), now=NOW, **options)


by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@by_file
def test_a_file_is_known_by_its_content_and_by_one_format_alone(path, tmp_path):
    renamed = tmp_path / "download"
    renamed.write_bytes(path.read_bytes())
    source = opened(renamed)
    assert detected(source).name == format_of(path)
    mine = [one.name for one in formats().values() if not one.own and one.looks_like(source.head)]
    assert mine == [format_of(path)]


def rows_of(path):
    """Count the rows of the tables of a file as anybody counts them, or None for JSON."""
    if path.suffix == ".csv":
        return len(list(csv.reader(path.read_text().splitlines()))) - 1
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            # Scores are compared with, and comments not read.
            names = [one for one in archive.namelist() if one.endswith("data.csv")]
            names = [one for one in names if "score" not in one and "comment" not in one]
            return sum(
                len(list(csv.reader(io.StringIO(archive.read(one).decode())))) - 1 for one in names
            )
    return None


@by_file
def test_every_row_is_added_or_there_already_or_refused_and_a_second_time_adds_nothing(
    path, ledger
):
    first, head = bring(ledger, path), ledger.head()
    assert first["in"] == first["added"] + first["duplicates"] + len(first["refused"])
    assert first["added"] > 0
    assert all(one["line"] > 0 and one["reason"] for one in first["refused"])
    assert {one.kind for one in ledger.forecasts()} <= {"imported"}
    again = bring(ledger, path)
    assert ledger.head() == head
    assert again["added"] == again["resolutions"] == again["questions"] == 0
    assert (again["in"], len(again["refused"])) == (first["in"], len(first["refused"]))
    assert again["duplicates"] == first["added"] + first["duplicates"]
    mine = rows_of(path)
    # A forecast of these is several rows, one for each answer.
    if mine and format_of(path) not in ("gjp", "iqisa"):
        assert first["in"] == mine


@by_file
def test_a_trial_run_says_the_same_and_writes_nothing(path, ledger):
    trial = bring(ledger, path, dry_run=True, check_scores=True)
    assert ledger.head().seq == 0
    real = bring(ledger, path, check_scores=True)
    for key in ("in", "added", "duplicates", "questions", "forecasts", "resolutions", "scores"):
        assert trial[key] == real[key], key


@by_file
def test_what_is_said_to_be_scored_is_what_a_window_holds(path, ledger):
    summary = bring(ledger, path)["summary"]
    asked, settled = {one.id: one for one in ledger.questions()}, outcomes(ledger.resolutions())
    scored = after = 0
    for one in ledger.forecasts(kind="imported"):
        question, out = asked[one.question], settled.get(one.question)
        soon = out is not None and out.resolved_at - question.opens <= TOO_SOON
        if out is not None and out.outcome != "annulled" and not soon:
            late = one.issued_at >= min(question.closes, out.resolved_at)
            after += late
            scored += not late
    assert f"{after} made after the close or the outcome" in summary or not after
    assert scored == int((re.search(r"(\d+) scored", summary) or [0, 0])[1])
    if summary:
        left_out = summary.partition("left out: ")[2]
        assert int(summary.split()[0]) == scored + sum(
            int(one.split()[0]) for one in left_out.split(", ") if one
        )


#: Tables that no format knows, and what is said of each.
UNKNOWN = {
    "My forecasts 2025,,\nquestion,forecast,date\nq,0.3,2025-03-01\n": (
        "a first line with question, forecast, issued_at"
    ),
    "Question,Date,saudi,uae\nWho?,2025-03-01,0.6,0.4\n": (
        'a first line with forecast, or map="My column=forecast"'
    ),
    "question,probability,p,date\nq,0.4,0.3,2025-03-01\n": (
        'columns (probability and p): may both be forecast; map="probability=forecast"'
    ),
    "question,forecast,date,note,note\nq,0.3,2025-03-01,a,b\n": "column (note): appears twice",
    "Question ID,Forecaster ID,Start Time\n1,2,2025-01-01\n": "the zip as it came",
    "created_at,deadline,description_with_group,mean_confidence,outcome\na,b,c,1,\n": (
        "my_predictions: this table holds no wagers"
    ),
    "Question ID,Question Title,Post ID\n1,Q?,2\n": "question_data.csv and forecast_data.csv",
}


@pytest.mark.parametrize(("text", "way_out"), UNKNOWN.items(), ids=range(len(UNKNOWN)))
def test_a_table_that_nobody_knows_says_what_it_lacks(text, way_out, ledger, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="is a table with the columns") as refused:
        import_record(ledger, path, now=NOW)
    assert way_out in refused.value.hint


@by_file
def test_cut_off_anywhere_it_is_refused_whole_or_read_in_part(path, tmp_path):
    whole = path.read_bytes()
    with memory(tmp_path) as other:
        for share in (0.02, 0.3, 0.6, 0.95):
            cut = tmp_path / path.name
            cut.write_bytes(whole[: int(len(whole) * share)])
            head, message = other.head(), ""
            try:
                bring(other, cut)
            except InvalidInput as refused:
                message = str(refused)
            assert "\n" not in message
            assert not message or other.head() == head


TITLES = (
    "Will the bridge\nopen\tby July?", "  Spaced at\u00a0its ends \u00a0",
    "Cut\u2028by a separator", "=Will it\r\nrun? ", "Cafe\u0301 at \x07 noon", "Long " * 900,
)  # fmt: skip


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
@pytest.mark.parametrize("written", ["csv", "parquet", "jsonl"])
def test_whatever_a_platforms_title_holds_its_table_comes_back(title, written, ledger, tmp_path):
    from forecasting.app.ledger.export import export_record

    pages = json.loads((FILES[0].parent / "predictionbook.json").read_bytes())
    pages["predictions"][0]["description"] = title
    path = tmp_path / "predictionbook.json"
    path.write_text(json.dumps(pages))
    market = {
        "id": "m", "question": title, "outcomeType": "BINARY", "createdTime": 1_736_000_000_000,
        "closeTime": 1_737_000_000_000, "textDescription": title, "groupSlugs": [title],
        "bets": [{"id": "b", "userId": "u", "contractId": "m", "createdTime": 1_736_500_000_000,
                  "amount": 5, "probBefore": 0.3, "probAfter": 0.4}],
    }  # fmt: skip
    (tmp_path / "manifold.json").write_text(json.dumps({"markets": [market]}))
    for name in ("predictionbook.json", "manifold.json"):
        assert bring(ledger, tmp_path / name)["added"] > 0
        assert bring(ledger, tmp_path / name)["added"] == 0
    out = tmp_path / f"record.{written}"
    export_record(ledger, written, out=out)
    with memory(tmp_path) as other:
        counts = import_record(other, out, written, now=NOW)
        assert counts["refused"] == []
        assert record_digest(other) == record_digest(ledger)


@pytest.mark.parametrize("one", FILES, ids=lambda path: path.name)
def test_named_as_another_format_it_is_refused_with_what_it_is(one, ledger):
    for other in formats().values():
        if other.name != format_of(one):
            with pytest.raises(InvalidInput, match="looks like") as refused:
                bring(ledger, one, format=other.name)
            assert format_of(one) in refused.value.hint
    assert ledger.head().seq == 0


def shuffled(data, order):
    """Shuffle every list of things within a JSON text, but not lists of words or numbers."""
    if isinstance(data, dict):
        return {key: shuffled(value, order) for key, value in data.items()}
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        return data
    items = [shuffled(one, order) for one in data]
    order.shuffle(items)
    return items


def parts_of(path, order, cut):
    """Put a file's rows, or the things of its lists, into another order, and cut it in two.

    Not where things belong together: then it is one part, and test_in_parts cuts between them.
    """
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        order.shuffle(rows)
        for some in (rows[:cut], rows[cut:]) if path.name not in TOGETHER else (rows,):
            out = io.StringIO()
            csv.writer(out).writerows([head, *some])
            yield out.getvalue()
        return
    data = shuffled(json.loads(path.read_text(encoding="utf-8")), order)
    if path.name in TOGETHER or not isinstance(data, dict):
        yield json.dumps(data)
        return
    key = next((key for key, value in data.items() if isinstance(value, list)), "")
    for some in (data[key][:cut], data[key][cut:]):
        yield json.dumps({**data, key: some})


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix in (".csv", ".json")], ids=lambda path: path.name
)
@pytest.mark.parametrize("seed", range(4))
def test_neither_the_order_nor_the_cutting_of_files_matters(path, seed, ledger, tmp_path):
    bring(ledger, path)
    order = random.Random(seed)
    with memory(tmp_path) as other:
        pieces = list(enumerate(parts_of(path, order, 1 + seed)))
        order.shuffle(pieces)
        for number, text in pieces:
            piece = tmp_path / f"{path.stem}-{number}{path.suffix}"
            piece.write_text(text, encoding="utf-8")
            with suppress(InvalidInput):
                # A piece may hold nothing but what is refused.
                bring(other, piece)
        assert record_digest(other) == record_digest(ledger)
