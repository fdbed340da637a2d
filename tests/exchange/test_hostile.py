"""Files that mean harm or are broken: one line with the place, exit code 2, nothing written."""

import gzip
import io
import warnings
import zipfile

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.cli import run as cli
from forecasting.errors import InvalidInput
from forecasting.exchange import text_file
from forecasting.store import Ledger
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW
from tests.exchange.tables import FORMATS, record_of, row, stream
from tests.steps import steps

#: A file that is refused at its second row takes 13,000 to 50,000; one read to its end takes more.
MOST_STEPS = 250_000
HEAD = "question,forecaster,forecast,issued_at,opens,closes\n"
AT = "2025-01-02T00:00:00Z,2025-01-01,2025-01-31"
GOOD = f"q,ana,0.5,{AT}\n"


def cell(forecast):
    return f"{HEAD}{GOOD}q,ana2,{forecast},{AT}\n"


def line(text):
    return stream([record_of(row())]) + text + "\n"


FORECAST = '{"kind":"forecast","question":"q","forecaster":"b","issued_at":"2025-01-02T00:00Z",'
CSV = {
    "a spelling that doors/spellings refuses": (cell("NaN"), 3),
    "five thousand digits": (cell("0." + "1" * 5000), 3),
    "an integer of five thousand digits": (cell("9" * 5000), 3),
    "a cell of more than 131,072 characters": (cell("0.5") + f"q,{'x' * 140_000},0.5,{AT}\n", 4),
    "a NUL": (cell("0.\0005"), 3),
    "a lone surrogate": (cell("0.5").encode() + b"q,\xed\xa0\x80,0.5," + AT.encode() + b"\n", 4),
    "a row that is too short": (HEAD + GOOD + "q,ana,0.5\n", 3),
    "a row that is too long": (HEAD + GOOD + f"q,ana,0,5,{AT}\n", 3),
    "a column twice": ("question,forecaster,forecast,forecast,issued_at\n", 1),
    "a column that is almost one": ("question,forecaster,forecast,issued_at,resolved_att\n", 1),
    "no column of forecasts": ("question,forecaster,mood,issued_at\n", 1),
    "no question": ("forecaster,forecast,issued_at\n", 1),
    "an empty file": ("", 1),
    "a blank first line": ("\n\n", 1),
    "a quotation mark that never closes": (HEAD + GOOD + f'q,"ana,0.5,{AT}\n', 3),
    "text after a quotation mark": (HEAD + GOOD + f'q,"ana"x,0.5,{AT}\n', 3),
    "a quotation mark in the columns": ('question,"forecaster"x,forecast,issued_at\n', 1),
    "a return within a line": (HEAD + GOOD + f"q,an\ra,0.5,{AT}\n", 3),
    "a line of five million characters": (HEAD + GOOD + "q" * 5_000_000 + "\n", 3),
    "JSON": (line(""), 1),
    "only rows that cannot be kept": (HEAD + f"q,ana,1.5,{AT}\n", 2),
    "a number in a bound": (
        "question,forecaster,forecast,issued_at,lower,upper\n"
        "q,ana,5=1;50=2,2025-01-02T00:00Z,nan,3\n",
        2,
    ),
    "an outcome that is no number": (
        "question,forecaster,forecast,issued_at,lower,upper,outcome\n"
        "q,ana,5=1;50=2,2025-01-02T00:00Z,0,3,nan\n",
        2,
    ),
    "an option's NaN": (cell("a=nan;b=0.5").replace("0.5,2025", '"a=0.5;b=0.5",2025', 1), 3),
}
JSONL = {
    "NaN": (line(FORECAST + '"forecast":NaN}'), 2),
    "-Infinity": (line(FORECAST + '"forecast":-Infinity}'), 2),
    "1e999": (line(FORECAST + '"forecast":1e999}'), 2),
    "a key twice": (line(FORECAST + '"forecast":0.5,"forecast":0.9}'), 2),
    "an integer of 5,000 digits": (line(FORECAST + f'"forecast":{"9" * 5000}}}'), 2),
    "a depth bomb": (line("[" * 100_000), 2),
    "a deep one that closes": (line(FORECAST + f'"forecast":{"[" * 500}{"]" * 500}}}'), 2),
    "half a pair": (line(FORECAST + r'"forecast":"\ud800"}'), 2),
    "a NUL by its number": (line(FORECAST + r'"forecast":"0.5\u0000"}'), 2),
    "a NUL": (line('{"kind":"\0"}'), 2),
    "an outcome that is no number": (
        line(
            '{"kind":"question","question":"n","type":"numeric","lower":0,"upper":9,'
            '"opens":"2025-01-01","closes":"2025-01-09"}\n\n{"kind":"resolution","question":"n",'
            '"outcome":1e999,"resolved_at":"2025-01-05"}'
        ),
        4,
    ),
    "a list": ("[" + stream([record_of(row())]).strip() + "]\n", 1),
    "a list on a later line": (line("[1]"), 2),
    "a bare number": (line("0.5"), 2),
    "half an object": (line(FORECAST), 2),
    "a line of five million characters": (line('"' + "x" * 5_000_000 + '"'), 2),
    "an empty file": ("", 1),
    "CSV": (HEAD + GOOD, 1),
    "records that cannot be kept": ('{"kind":"riddle"}\n', 1),
    "a ledger of another version": ('{"kind":"ledger","v":9}\n', 1),
    "a ledger without a head": ('{"kind":"ledger","v":1,"entries":2}\n', 1),
    "a ledger cut short": ('{"kind":"ledger","v":1,"entries":2,"head":"00"}\n', 1),
    "a ledger's entry that is none": (
        '{"kind":"ledger","v":1,"entries":1,"head":"00"}\n{"kind":"question","body":{},"v":1}\n',
        2,
    ),
    "a ledger with an integer of 5,000 digits": (
        '{"kind":"ledger","v":1,"entries":' + "9" * 5000 + "}\n",
        1,
    ),
    "a ledger beyond every double": ('{"kind":"ledger","v":1,"entries":1e999}\n', 1),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "ledger.db"
    Ledger.open(str(path), create=True).close()
    return path


@pytest.fixture
def refused(database, tmp_path, capsys, monkeypatch):
    """Import a file that must be refused, and check the manner of it."""
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")

    def call(format, path, at=None):
        with Ledger.open(str(database)) as ledger:
            before = record_digest(ledger)
        capsys.readouterr()
        codes = []
        words = ["--db", str(database), "import", format, str(path)]
        assert steps(lambda: codes.append(cli(words))) < MOST_STEPS
        assert codes == [2]
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert len(err) < 600
        if at:
            assert f"{path.name}:{at}: " in err
        with Ledger.open(str(database)) as ledger:
            assert record_digest(ledger) == before
        return err

    return call


def written(folder, format, content):
    path = folder / f"given.{format}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("what", CSV)
def test_a_broken_table(refused, tmp_path, what):
    content, at = CSV[what]
    refused("csv", written(tmp_path, "csv", content), at)


@pytest.mark.parametrize("what", JSONL)
def test_a_broken_stream_of_records(refused, tmp_path, what):
    content, at = JSONL[what]
    refused("jsonl", written(tmp_path, "jsonl", content), at)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\r\nc\rd\n\n",
        "\ufeff\ufeffa\u2028b\n\x0c,é".encode(),
        b"a" * 40 + b"\n" + b"b" * 39 + b"\nc",
        b"a\n" + b"b" * 40 + b"\nc",
        b"a\n" + b"b" * 41,
        b"a\n\xff\nb",
        b"a\n\0\nb",
    ],
)
def test_lines_are_the_same_whether_or_not_one_is_damaged(monkeypatch, content):
    monkeypatch.setattr(text_file, "MOST_IN_A_LINE", 40)

    def read(lines):
        output = []
        try:
            output.extend(lines)
        except InvalidInput as refused:
            output.append((refused.message, refused.where))
        return output

    assert read(text_file.text_lines(content, "x")) == read(text_file._until_damaged(content, "x"))


def test_too_large_a_file(refused, tmp_path, monkeypatch):
    from forecasting.exchange import source
    from forecasting.exchange.formats import csv, jsonl

    path = written(tmp_path, "csv", HEAD + GOOD * 3)
    stream_of = written(tmp_path, "jsonl", stream([record_of(row())] * 3))
    monkeypatch.setattr(csv, "MOST_ROWS", 2)
    monkeypatch.setattr(jsonl, "MOST_ROWS", 2)
    assert "more than 2 rows" in refused("csv", path, 4)
    assert "more than 2 records" in refused("jsonl", stream_of, 3)
    monkeypatch.setattr(source.opened, "__kwdefaults__", {"most": 10})
    assert "larger than 10 bytes" in refused("csv", path)


def test_standard_input_is_bounded_too(tmp_path, monkeypatch):
    import sys

    from forecasting.errors import InvalidInput
    from forecasting.exchange.source import opened

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 50)))
    with pytest.raises(InvalidInput, match="larger than 10"):
        opened("-", most=10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 10)))
    assert opened("-", most=10).content == b"x" * 10


@pytest.mark.parametrize("keep", [500, 900, 40, 7])
def test_json_that_breaks_off_is_said_to(refused, tmp_path, keep):
    whole = (FORMATS / "predictionbook.json").read_bytes()
    path = tmp_path / "cut.json"
    path.write_bytes(whole[:keep])
    message = refused("predictionbook", path)
    assert f"breaks off after {keep} bytes" in message or "may be cut off" in message
    path.write_text('[{"riddle": 1}]')
    assert "breaks off" not in refused("manifold", path)


def test_a_file_of_which_nothing_is_kept_makes_no_database(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    place = tmp_path / "new" / "made.db"
    fatebook = str(FORMATS / "fatebook.csv")
    (tmp_path / "wrong.json").write_text("{}")
    for words in ([str(tmp_path / "wrong.json")], [fatebook], [str(tmp_path / "absent.csv")]):
        assert cli(["--db", str(place), "import", *words, "--create"]) == 2
        assert not list(place.parent.glob("made.db*"))
    sound = ["import", fatebook, "--zone", "Europe/Kyiv", "--me", "ana"]
    assert cli(["--db", str(place), *sound, "--create"]) == 0
    assert cli(["--db", str(place), "import", fatebook, "--create"]) == 2
    assert place.exists()


def _zip(path, *members):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as out:
        warnings.simplefilter("ignore")
        for name, content in members:
            out.writestr(name, content)
    return path.read_bytes()


NOTHING = {
    "head.csv": lambda _: b"question,forecaster,forecast,issued_at\n",
    "fatebook.csv": lambda _: (FORMATS / "fatebook.csv").read_bytes().partition(b"\n")[0] + b"\n",
    "pb.json": lambda _: b'{"user": {"name": "ana"}, "predictions": []}',
    "twice.zip": lambda path: _zip(
        path, ("question_data.csv", "a"), ("question_data.csv", "b"), ("forecast_data.csv", "c")
    ),
    "folders.zip": lambda path: _zip(
        path,
        ("2024/question_data.csv", "a"), ("2025/question_data.csv", "b"),
        ("2024/forecast_data.csv", "c"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_a_file_that_states_nothing_or_one_thing_twice_leaves_no_database(name, tmp_path, capsys):
    path, place = tmp_path / name, tmp_path / "made.db"
    path.write_bytes(NOTHING[name](path))
    assert cli(["--db", str(place), "import", str(path), "--create"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.glob("made.db*"))


@pytest.mark.parametrize("format", ["", "metaculus"])
def test_a_file_that_is_compressed_is_told_how_to_unpack_it(format, tmp_path, ledger):
    path = tmp_path / "record.json.gz"
    path.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(InvalidInput, match="is compressed by gzip") as refused:
        import_record(ledger, path, format, now=NOW)
    assert refused.value.hint == "gunzip -k record.json.gz"
