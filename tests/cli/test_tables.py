"""Every listing fits its terminal and never drops its answer."""

import contextlib
import io
import itertools
import math
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len

from forecasting import clock
from forecasting.app.book import open_book
from forecasting.cli import layout, output, run, work
from forecasting.cli.side_by_side import brief
from forecasting.domain.forecast import Quantiles
from forecasting.domain.outcome import OutcomeSpace
from tests.season import Diary, question, resolved, said, season

WIDTHS = (60, 80, 120, 200)
NOW = "2026-11-22T12:00:00Z"
RUNG = "general-ceasefire-2026@2026-12-31"
#: Listings of the bundled bank, with the columns that must be there at every width.
LISTINGS = {
    "questions list": ("id", "mine"),
    "questions list --status open": ("id", "mine"),
    "questions show leaders-meet": ("id", "latest"),
    "sources": ("source", "reliability"),
    "sources list --all": ("source", "reliability"),
    "news list": ("seq", "title"),
    "news list --all": ("seq", "title"),
    "watch": ("process", "until"),
    "models list": ("name", "what"),
    "models priors": ("parameter", "prior"),
    "scenario list": ("scenario", "title"),
    f"history {RUNG}": ("forecaster", "forecast"),
    "resolutions exchange-1000-2025-delivered": ("question", "outcome"),
    "due": ("question", "value"),
    "due --by date": ("question", "value"),
    "doctor": ("check", "ok"),
    "pool guarantees-2026": ("question", "method", "forecast"),
}
#: Listings of a season of resolved questions.
SCORED = {
    "score": ("forecaster", "mean"),
    "score --by topic": ("topic", "forecaster", "mean"),
    "score --kind all": ("forecaster", "mean"),
    "calibration --by forecaster": ("forecaster", "miscalibration"),
    "calibration --by topic --forecaster ann": ("topic", "miscalibration"),
    "leaderboard --no-sample": ("forecaster", "adjusted"),
    "pool --score --method linear": ("forecaster", "mean"),
    "resolutions q000-0 --scores": ("forecaster", "mean"),
}


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    diary = season(folder / "season.db", events=8)
    diary.ledger.close()
    with (
        clock.at(clock._instant(NOW)),
        open_book(str(folder / "bank.db"), forecaster="ana", create=True) as book,
    ):
        book.log(RUNG, 0.1, because="a reason longer than any narrow terminal could hold " * 3)
        book.log("guarantees-2026", {"none": 0.1, "soft": 0.85, "firm": 0.05})
        book.log("leaders-meet@2026-12-31", 0.2)
        book.withdraw("leaders-meet@2026-12-31")
        for title in ("Envoys meet", "Talks"):
            book.add_news(title, source="own wire", known_at="2026-11-20T09:00Z", on=[RUNG])
        with pytest.warns(UserWarning, match="nobody keeps a list of strike, sanctions"):
            book.watch(every=True)
    return {name: str(folder / f"{name}.db") for name in ("season", "bank")}


@pytest.fixture
def across(monkeypatch):
    """Print in so many columns, by no option."""

    def call(width):
        monkeypatch.setenv("COLUMNS", str(width))
        output.remember(output.Settings())

    return call


def _printed(monkeypatch, database, width, *words):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert run([*words, "--db", database]) in (0, 1), err.getvalue()
    return out.getvalue()


def _header(text):
    """Give what stands above the first rule, on as many lines as it takes."""
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.strip().startswith("─"))
    above = list(itertools.takewhile(lambda line: line.strip(), reversed(lines[:rule])))
    return " ".join(word for line in above for word in line.split())


CASES = [
    *(("bank", NOW, words, columns) for words, columns in LISTINGS.items()),
    *(("season", "2026-06-01T00:00:00Z", words, columns) for words, columns in SCORED.items()),
]


@pytest.mark.parametrize(
    ("name", "now", "words", "columns"), CASES, ids=[case[2] for case in CASES]
)
def test_a_listing_fits_and_keeps_its_answer(databases, monkeypatch, name, now, words, columns):
    monkeypatch.setenv("FORECASTING_NOW", now)
    for width in (60, 80, 200):
        text = _printed(monkeypatch, databases[name], width, *words.split())
        assert max(map(cell_len, text.splitlines())) <= width
        header = _header(text)
        for column in columns:
            assert all(word in header for word in column.split("_")), (width, column, header)
    wide = _printed(monkeypatch, databases[name], 60, *words.split(), "--wide")
    assert len(_header(wide)) >= len(_header(text))


def test_every_listing_is_in_the_table():
    """A call of `emit` with columns is a listing; each module that has one is tried above."""
    modules = {
        path.stem
        for path in (Path(output.__file__).parent).glob("*.py")
        if "columns=" in path.read_text(encoding="utf-8") and path.stem != "output"
    }
    tried = {
        *("compare", "forecasts", "leaderboard", "models", "news", "pool", "questions"),
        *("resolve", "scenario", "scores", "sources", "today", "watch", "work", "worldviews"),
        "explain",
    }
    assert modules <= tried


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "row",
    [
        {"question": "q" * 150, "after": 0.25, "note": "why " * 40},
        {"question": "q", "after": {"none": 0.1, "soft": 0.85, "firm": 0.05}, "lower": 0.1},
        {"question": "漢" * 90, "after": math.inf, "lower": None, "upper": math.nan},
        {"question": "q", "after": "x" * 300, "lower": -math.inf},
        {"question": "two\nlines", "after": 1e12, "lower": 1},
    ],
)
def test_any_row_fits(across, capsys, width, row):
    across(width)
    output._table([row], list(row), "a title " * 30)
    text = capsys.readouterr().out
    assert max(map(cell_len, text.splitlines())) <= width
    assert "question" in text
    assert "after" in text
    if isinstance(row["after"], float):
        assert output.cell(row["after"]) in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_title_without_room_as_a_column_stands_below_its_row(across, capsys, width):
    across(width)
    name = "a-question-of-a-long-name-that-is-typed-back@2026-12-31"
    title = "Will both sides accept it along any part of the line " + "before the winter ends? " * 9
    rows = [{"id": name, "p": 0.25, "by": "2026-12-31", "status": "open" * 4, "title": title}]
    rows.append(rows[0] | {"title": ""})
    shown = output._table(rows, list(rows[0]), "")
    streams = capsys.readouterr()
    below = [line for line in streams.out.splitlines() if line.startswith("   Will both sides")]
    assert [len(line) <= width and line.endswith("…") for line in below] == (
        [] if "title" in shown else [True]
    )
    assert ("title" in shown) == (width == 140)
    assert "title" not in streams.err


def test_a_record_fits(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    output._record({"id": "q", "title": "word " * 40, "none": None, "rows": [{"a": 1, "b": "x"}]})
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 60
    assert "none" in out
    assert "–" in out


def test_data_sets_are_one_line_and_own_sources_come_first(databases, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    text = _printed(monkeypatch, databases["bank"], 200, "sources")
    rows = text.partition("───")[2].splitlines()[1:]
    assert "own wire" in rows[0]
    assert "sources of data sets" in text
    assert len(rows) < 60
    every = _printed(monkeypatch, databases["bank"], 120, "sources", "list", "--all")
    assert len(every.splitlines()) > 400


def test_the_widths_are_those_of_a_pipe_and_of_the_terminal(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    with contextlib.redirect_stdout(io.StringIO()):
        assert output._columns() == output.WIDE_PIPE
    monkeypatch.setenv("COLUMNS", "61")
    assert output._columns() == shutil.get_terminal_size().columns == 61


LONG = "will-the-delegates-of-the-very-long-named-body-meet@2027-01-31"


@pytest.mark.parametrize("name", [LONG, "short@2027-01-31"])
def test_at_80_columns_the_answers_columns_are_there_and_a_long_name_gives_way(
    across, capsys, name
):
    across(80)
    row = {
        "id": name, "mine": 0.35, "model": {"third-country": 0.803}, "outcome": None,
        "by": "2027-01-31", "difference": -0.1, "title": "Will they meet? " * 9,
    }  # fmt: skip
    output._table([row] * 2, list(row), "", always=6)
    out, err = capsys.readouterr()
    shown = [word for word in _header(out).split() if word != "outcome"]
    assert shown == ["id", "mine", "model", "by", "difference"]
    # It breaks after a hyphen, and never within its day.
    rows = [line for line in out.splitlines()[3:] if not line.startswith("   Will they meet? Will")]
    assert len(out.splitlines()[3:]) - len(rows) == 2
    parts = [line[: out.splitlines()[1].index("mine") - 3].strip() for line in rows]
    assert "".join(parts) == name * 2
    assert all(part == "" or part.endswith(("-", "@", "2027-01-31")) for part in parts)
    # A column without a value in any row gives way first.
    assert ("outcome" in err) == (name == LONG)


def test_options_and_quantiles_read_as_what_they_are(across, capsys):
    across(40)
    options = {"none": 0.1, "soft": 0.85, "firm": 0.05}
    output._table([{"question": "q" * 30, "mine": options}], ["question", "mine"], "")
    text = capsys.readouterr().out
    for option, p in options.items():
        assert f"{option} {p:.3f}" in text, "a number stays beside its option"
    quantiles = Quantiles({"10": 0.0, "50": 900.0, "90": 2500.5})
    assert output.cell(quantiles) == "10 %: 0  50 %: 900  90 %: 2,500"
    row = {"mine": quantiles, "model": None, "difference": None, "withdrawn": False}
    assert brief(row)["mine"] == {"50": 900.0}
    # Of 10 and 90 % alone the middle lies between them, and neither is it.
    ends = row | {"mine": Quantiles({"10": 2500.0, "90": 12000.0})}
    assert brief(ends)["mine"] == {"50": 7250.0}
    model = {"none": 0.3, "soft": 0.6, "firm": 0.1}
    apart = {name: options[name] - model[name] for name in options}
    shown = brief({"mine": options, "model": model, "difference": apart})
    assert (shown["mine"], shown["model"]) == ({"soft": 0.85}, {"soft": 0.6})
    assert shown["difference"] == pytest.approx(0.25)


@pytest.mark.parametrize("width", range(40, 120, 8))
def test_both_ends_of_an_interval_are_there_or_neither(across, capsys, width):
    across(width)
    names = ["source", "mean", "n", "lower", "upper", "prior", "prior_lower", "prior_upper"]
    for always in (2, 4, 5):
        output._table([dict.fromkeys(names, 0.5)], names, "", always=always)
        header = " ".join(_header(capsys.readouterr().out).split())
        assert header.count("lower") == header.count("upper")


def test_a_table_of_several_rules_says_the_rule_of_each_type(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", "2026-06-01T00:00:00Z")
    path = tmp_path / "mixed.db"
    diary = Diary(path)
    counted = question("n", space=OutcomeSpace("numeric", (), 0.0, 100.0, "people"))
    asked = [counted, question("q")]
    diary.write(0.0, *asked, said(counted, "ann", (10.0, 20.0, 30.0), 0.0),
                said(asked[1], "ann", 0.3, 0.0))  # fmt: skip
    diary.write(30.0, resolved(counted, "25", 30.0), resolved(asked[1], "no", 30.0))
    diary.ledger.close()
    for width in (60, 80):
        text = _printed(monkeypatch, str(path), width, "score")
        head, _, rows = text.partition("──")
        assert {"type", "mean", "open"} <= set(_header(text).split())
        heading = " ".join(head.split())
        assert "numeric by crps (linear between quantiles) in people" in heading
        assert "binary by brier (half)" in heading
        assert {"binary", "numeric"} <= set(rows.split())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0.5, "0.500"), (12345.0, "12345"), (1e300, "1e+300"), (-1e18, "-1e+18")),
        *((math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "–"), (None, "–")),
        # What is nearly certain is not written as certain.
        *((1.0, "1.000"), (0.9994, "0.999"), (0.99951, "0.9995"), (0.9999, "0.9999")),
        *((0.99999999, ">0.999999"), (0.0004, "0.0004"), (1e-9, "<0.000001")),
        # No number is less than nothing; an end of an interval that is near 0 keeps its sign, for
        # the verdict beside it rests on it.
        *((0.0, "0.000"), (-0.0, "0.000"), (-1e-17, "0.000")),
        *((-0.0000786, "-0.0001"), (0.0000786, "0.0001"), (-0.00000001, ">-0.000001")),
        # Words in a row are apart.
        *((("under 50", "50-250", "over 1000"), "under 50, 50-250, over 1000"), ([1, 2], "1 2")),
    ],
)
def test_a_cell_shows_its_value(value, shown):
    assert output.cell(value) == shown


def test_open_questions_show_my_number_the_models_and_the_day(databases, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    text = _printed(monkeypatch, databases["bank"], 80, "questions", "list")
    assert {"mine", "by", "outcome"} <= set(_header(text).split())
    rows = {line.split()[0]: line for line in text.splitlines() if "@2026-12-31" in line}
    assert "withdrawn" in rows["leaders-meet@2026-12-31"]
    assert "0.100" in rows[RUNG]
    assert "2026-12-31" in rows[RUNG].replace(RUNG, "")
    over = _printed(monkeypatch, databases["bank"], 80, "questions", "list", "--status", "resolved")
    assert "outcome" in _header(over)


@pytest.mark.parametrize(
    ("cells", "least"), [(["50 %: 4"], 7), (["50 %: 4", "same 0.700"], 7), (["no deal 0.700"], 5)]
)
def test_a_quantile_stays_beside_its_level(cells, least):
    """No break comes between a level and its value; between the words of an option one may."""
    column = layout.Column.of("mine", "mine", cells, numeric=False, folds=True, pairs=True)
    assert column.least == least


@pytest.mark.parametrize(
    ("after", "lower", "upper", "shown"),
    [
        (0.9999, 0.9998, 1.0, 0.9999),
        (0.0002, 0.0, 0.0004, 0.0002),
        (0.4, 0.1, 1.0, "0.400\n0.100 to 1.000"),
        (0.002, 0.0001, 0.01, "0.002\n<0.001 to 0.010"),
    ],
)
def test_an_interval_whose_ends_read_alike_is_left_out(after, lower, upper, shown):
    row = {"after": after, "lower": lower, "upper": upper, "intervals": None}
    assert work._with_interval(row) == shown
