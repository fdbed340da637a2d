"""Spreadsheets as people keep them, and the rules that hold at every door."""

import json
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.forecasters import OURS, family
from forecasting.domain.instants import parse_instant
from forecasting.domain.reading import Ambiguous
from forecasting.errors import InvalidInput, NotFound, Unsure
from forecasting.web.users import Users
from tests.doors.conftest import NOW, live, table

SHEET = "Question,My guess,Date,Result,Resolved on\n"
PAUSE = "Will the pause hold?"


def sheet(*, n=30, resolved=26, head=SHEET):
    rows = "".join(
        f"{PAUSE} {i},{(i * 3) % 97 + 1}%,{i % 28 + 1} Jan 2026,"
        + (f"{'Yes' if i % 3 else 'No'},{i % 28 + 1} Feb 2026\n" if i < resolved else ",\n")
        for i in range(n)
    )
    return head + rows


@pytest.fixture
def book(tmp_path):
    with (
        clock.at(NOW),
        Book.open(str(tmp_path / "book.db"), forecaster="ana", create=True) as opened,
    ):
        yield opened


def asked(book, tmp_path, name="q", **more):
    path = tmp_path / f"{name}.jsonl"
    path.write_text(live(name, **more))
    book.import_record(path, "jsonl")
    return name


# Spreadsheets


def test_a_dry_run_needs_no_database_and_shows_what_is_understood(run, file, tmp_path):
    path = file(sheet())
    more = ("--me", "ana", "--map", "My guess=forecast", "--dry-run")
    code, out, err = run("import", "csv", path, *more)
    assert code == 0
    assert not (tmp_path / "t.db").exists()
    assert "30 forecasts, 26 resolved, 26 scored over the 32 days from opening to closing" in err
    assert "left out: 4 without an outcome yet" in err
    assert out.count(" ana ") == 5
    assert "2026-01-01 12:00Z" in out
    assert "Result is outcome" in err


def test_usual_headings_are_known_and_others_mapped(run, file):
    path = file(sheet())
    code, _, err = run("import", "csv", path, "--me", "ana", "--create")
    assert code == 2
    assert 'no forecast. Try: a column of that name, or --map "My column=forecast"' in err
    known = file(sheet().replace("My guess", "Probability", 1))
    assert run("import", "csv", known, "--me", "ana", "--create")[0] == 0
    for wrong, words in (
        ("Guess=forecast", "no column of the file has this heading"),
        ("My guess=forcast", "Try: forecast"),
        ("My guess", "must be HEADING=COLUMN"),
    ):
        code, _, err = run("import", "csv", path, "--me", "ana", "--map", wrong)
        assert (code, words in err) == (2, True), err
    both = file("question,Probability,Chance,date\nq,0.1,0.2,2026-01-01\n")
    assert "may both be forecast" in run("import", "csv", both, "--me", "ana")[2]


def test_as_is_heard_by_the_import(run, file):
    path = file("question,forecast,issued_at\nq,0.4,2026-01-02T09:00Z\n")
    assert run("--as", "ben", "import", "csv", path, "--create")[0] == 0
    assert table(run("--csv", "history", "q")[1])[0]["forecaster"] == "ben"


def test_a_second_import_completes_what_the_first_left_open(run, imported):
    first = "question,forecaster,forecast,issued_at\n"
    rows = "".join(f"q{i},ana,0.3,2026-01-0{i}T09:00Z\n" for i in (1, 2, 3))
    assert imported(first + rows)["forecasts"] == 3
    more = (
        first.strip()
        + ",title,closes,outcome,resolved_at\n"
        + "".join(
            f"q{i},ana,0.3,2026-01-0{i}T09:00Z,Will {i} come?,2026-03-31,no,2026-03-31\n"
            for i in (1, 2, 3)
        )
    )
    counts = imported(more)
    assert (counts["refused"], counts["duplicates"], counts["resolutions"]) == ([], 3, 3)
    assert "3 questions: completed: closes, resolves_by, title" in counts["notes"]
    shown = table(run("--csv", "questions", "list")[1])
    assert {row["closes"] for row in shown} == {"2026-04-01T00:00:00Z"}
    assert shown[0]["title"] == "Will 1 come?"
    again = imported(more)
    assert (again["added"], again["resolutions"], again["refused"]) == (0, 0, [])
    assert "is in the ledger with" in imported(
        more.replace("Will 1 come?", "Will 1 go?").replace("Will 2 come?", "Will 2 go?")
        .replace("Will 3 come?", "Will 3 go?")
    ), "what was stated stays"  # fmt: skip


def test_a_date_of_the_outcome_that_was_missing_can_be_filled_in(imported, run):
    head = "question,forecaster,forecast,issued_at,outcome"
    counts = imported(f"{head}\nq,ana,0.3,2026-01-01T09:00Z,yes\n")
    assert "1 resolved within two days of opening" in counts["summary"]
    counts = imported(f"{head},resolved_at\nq,ana,0.3,2026-01-01T09:00Z,yes,2026-02-01\n")
    assert (counts["resolutions"], counts["refused"]) == (1, [])
    assert table(run("--csv", "score", "--kind", "imported")[1])[0]["n_questions"] == "1"


def test_a_mistaken_import_is_taken_back_and_a_corrected_one_taken(imported, run):
    head = "question,forecaster,forecast,issued_at,opens,closes,outcome,resolved_at\n"
    window = "2025-01-02T09:00Z,2025-01-01,2025-01-31"
    wrong = imported(f"{head}q,ana,0.9,{window},no,2025-01-31\np,ana,0.2,{window},no,2025-01-31\n")
    code, out, _ = run("--json", "import", "undo", wrong["run"])
    undone = json.loads(out)
    assert (code, undone["withdrawn"], undone["reopened"], undone["idle"]) == (0, 2, 2, 2)
    assert table(run("--csv", "score", "--kind", "imported")[1]) == []
    assert table(run("--csv", "history", "q")[1]) == []
    assert run("import", "undo", wrong["run"])[0] == 2, "once"
    assert run("import", "undo", "99999-99999")[0] == 4
    right = imported(f"{head}q,ana,0.1,{window},no,2025-01-31\np,ana,0.2,{window},yes,2025-02-01\n"
                     .replace(",yes,2025-02-01", ",yes,2025-01-31"))  # fmt: skip
    assert (right["forecasts"], right["resolutions"], right["refused"]) == (2, 2, [])
    scored = table(run("--csv", "score", "--kind", "imported", "--by", "question")[1])
    assert {row["question"]: float(row["mean"]) < 0.25 for row in scored} == {"q": True, "p": False}
    runs = table(run("--csv", "import", "runs")[1])
    assert [(row["forecasts"], row["undone"]) for row in runs] == [("2", "2"), ("2", "0")]
    assert [row["run"] for row in runs] == [wrong["run"], right["run"]]
    assert "0.9" not in run("export", "csv")[1]
    assert run("verify")[0] == 0


def test_a_column_may_be_ignored_and_a_unit_that_shrinks_is_said(imported, tmp_path, run):
    text = (
        "question,forecaster,My probability,Confidence,issued_at\n"
        "q,ana,0.6,3,2025-02-01T09:00Z\nq,ana,60,3,2025-02-02T09:00Z\n"
    )
    refused = json.loads(imported(text))["error"]["hint"]
    assert 'map "My probability=forecast" or --map "Confidence=forecast"' in refused
    assert 'or --map "Confidence=ignore"' in refused
    path = tmp_path / "two.csv"
    path.write_text(text)
    words = ("--map", "Confidence=ignore", "--unit", "percent", "--dry-run")
    code, out, _ = run("--json", "import", "csv", str(path), *words)
    counts = json.loads(out)
    assert (code, counts["forecasts"]) == (0, 2)
    assert any("forecasts such as 0.6 are read as 0.6 %" in note for note in counts["notes"])


def test_one_title_asked_twice_wants_an_id(imported):
    head = "title,forecaster,forecast,issued_at,closes\n"
    err = imported(
        f"{head}Will it?,ana,0.3,2026-01-01T09:00Z,2026-01-31\n"
        "Will it?,ana,0.4,2026-02-01T09:00Z,2026-02-28\n"
    )
    assert "an id for each (column question), where one title is asked twice" in err


# Rules at every door


def test_a_no_before_the_deadline_on_the_command_line(run, imported, monkeypatch):
    from forecasting.cli import times

    imported(live("q"), name="q.jsonl")
    code, _, err = run("resolve", "q", "no", "--source", "x")
    assert (code, "--sure" in err) == (2, True)
    monkeypatch.setattr(times, "somebody_there", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    assert run("resolve", "q", "no", "--source", "x")[0] == 0


def test_a_bare_one_is_asked_about_on_a_terminal(run, imported, monkeypatch):
    from forecasting.cli import times

    imported(live("q"), name="q.jsonl")
    monkeypatch.setattr(times, "somebody_there", lambda: True)
    for text, chosen, meant in (("1", 1, 0.01), ("1", 2, 1.0), ("4", 1, 0.04)):
        monkeypatch.setattr("click.prompt", lambda *_, chosen=chosen, **__: chosen)
        code, out, _ = run("--json", "log", "q", text)
        assert (code, json.loads(out)["forecast"]) == (0, meant)
    monkeypatch.setattr("click.prompt", lambda *_, **__: 0)
    assert run("log", "q", "4")[0] == 2


def test_a_withdrawal_is_of_what_stands(book, tmp_path):
    asked(book, tmp_path)
    book.log("q", 0.3, at="2026-10-30", forecaster="ben")
    with pytest.raises(NotFound):
        book.withdraw("q")
    book.log("q", 0.3, at="2026-11-01")
    with pytest.raises(NotFound):
        book.withdraw("q", at="2026-10-31")
    book.withdraw("q", at="2026-11-02")
    with pytest.raises(NotFound):
        book.withdraw("q")
    book.log("q", 0.4, at="2026-11-03")
    assert book.withdraw("q", at="2026-11-04")[0]["question"] == "q"


def test_an_outcome_beyond_a_bound_is_recorded_as_beyond_it(book, tmp_path, capsys):
    asked(book, tmp_path, "n", type="numeric", lower=0, upper=5000, closes="2026-11-01")
    book.log("n", {5: 100, "50%": 200, "p95": "1 300"}, at="2026-02-01")
    with pytest.raises(Unsure, match=r"6200.* kept as >5000; is it meant"):
        book.resolve("n", 6200, source="x")
    resolution = book.resolve("n", 6200, source="x", sure=True)[0]
    assert (resolution["outcome"], resolution["note"]) == (">5000", "stated as 6200")
    (row,) = book.scores(kind="backdated").to_dict("records")
    assert row["rule"] == "crps"
    assert row["mean"] > 0
    assert book.resolve("n", "<0", source="x")[0]["outcome"] == "<0"
    with pytest.raises(InvalidInput, match="must be a number, <0 or >5000"):
        book.resolve("n", ">12", source="x")


def test_levels_are_in_percent(book, tmp_path):
    asked(book, tmp_path, "n", type="numeric", lower=0, upper=5000)
    with pytest.raises(InvalidInput, match="all lie below 1 %"):
        book.log("n", {0.05: 1, 0.5: 2, 0.95: 3})


def test_options_in_any_case(book, tmp_path):
    asked(book, tmp_path, "o", type="categorical", options=["none", "Soft deal", "firm"])
    (row,) = book.log("o", {"NONE": 0.2, "soft deal": "30 %", "Firm": ".5"})
    assert row["forecast"] == {"none": 0.2, "Soft deal": 0.3, "firm": 0.5}
    (row,) = book.log("o", {"none": 1, "soft deal": 0, "firm": 0})
    assert row["forecast"]["none"] == 1.0
    with pytest.raises(InvalidInput, match="given twice"):
        book.log("o", {"none": 0.5, "NONE": 0.2, "soft deal": 0.1, "firm": 0.2})


def test_python_values(book, tmp_path):
    import datetime as dt

    import numpy as np

    asked(book, tmp_path)
    (row,) = book.log("q", np.float64(0.25), at=dt.date(2026, 11, 2))
    assert row["issued_at"] == parse_instant("2026-11-02T12:00Z")
    assert book.log("q", 1.0)[0]["forecast"] == 1.0
    for bare in (1, np.int64(1), 4, "1"):
        with pytest.raises(Ambiguous):
            book.log("q", bare)
    for wrong in (True, float("nan"), float("inf")):
        with pytest.raises(InvalidInput):
            book.log("q", wrong)
    with pytest.raises(InvalidInput, match="must carry a zone"):
        book.log("q", 0.5, at=dt.datetime(2026, 11, 2, 12))
    assert book.resolve("Q ", np.bool_(True), source="x")[0]["outcome"] == "yes"


def test_a_question_that_has_closed_is_not_asked(tmp_path, book):
    from tests.doors.doors import FILE

    def write(closes, more=""):
        text = FILE.format(
            slug="late", type="binary", more=more, outcome='"yes"', known="2026-10-05",
            closes=closes,
        ).partition("resolution:")[0]  # fmt: skip
        path = Path(tmp_path / "late.yaml")
        path.write_text(text)
        return path

    with pytest.raises(InvalidInput, match="lies in the past"):
        book.add_question(write("2026-10-31"))
    with pytest.raises(InvalidInput, match="must not come before closes"):
        book.add_question(write("31 Jan 2027", "resolves_by: 30 Jan 2027"))
    assert book.add_question(write("31 Jan 2027")) == ["late"]


# Who speaks

OF_THE_TOOL = (
    *("model", "Model", " prior ", "base-rate", "model without links", "climatology", "uniform"),
    *("always-0.5", "worldview:003", "pool:linear", "text:001", "crowd:metaculus", "Market:x"),
)


@pytest.mark.parametrize("name", OF_THE_TOOL)
def test_nobody_speaks_in_the_name_of_a_forecaster_of_the_tool(book, tmp_path, run, name):
    asked(book, tmp_path)
    db, before = ("--db", str(tmp_path / "book.db")), book.head()
    message = f"forecaster ({name.strip()}): is a model, crowd or market by its name, and no person"
    with pytest.raises(InvalidInput) as refused:
        book.log("q", 0.3, forecaster=name)
    assert refused.value.message == message
    for act in (
        lambda: book.ask("Will it?", 0.3, by="2027-01-31", forecaster=name),
        lambda: book.speaking_as(name).log("q", 0.3),
        lambda: book.speaking_as(name).withdraw("q"),
        lambda: book.watch("w", forecaster=name),
        lambda: book.reveal("q", forecaster=name),
        lambda: book.import_record(tmp_path / "q.jsonl", me=name),
        lambda: Book.make_workspace(tmp_path / "w", forecaster=name),
        lambda: Users(tmp_path / "users.json").put(name, "correct horse"),
    ):
        with pytest.raises(InvalidInput, match="by its name, and no person"):
            act()
    code, _, err = run(*db, "--as", name, "log", "q", "30%")
    assert (code, message in err, "Try: --as NAME" in err) == (2, True, True), err
    assert book.head() == before
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["modeller", "ana", "priory", "texter", "markéta", "pooh"])
def test_a_name_that_only_begins_like_one_of_the_tool_is_a_persons(book, tmp_path, name):
    asked(book, tmp_path)
    assert book.log("q", 0.3, forecaster=name)[0]["forecaster"] == name


def test_the_pattern_of_the_tools_names_is_what_tells_their_family():
    heads = [
        *OF_THE_TOOL,
        *(f"{name.strip()}@1" for name in OF_THE_TOOL),
        "pool",
        "a-pool",
        "ana",
        "pools",
    ]
    for name in heads:
        plain = name.strip().lower()
        assert bool(OURS.fullmatch(name)) == (family(plain) != "person"), name


def test_an_export_keeps_the_models_forecasts_as_imported_and_says_so(book, tmp_path):
    asked(book, tmp_path)
    path = tmp_path / "all.csv"
    path.write_text(
        "question,forecaster,forecast,issued_at\n"
        "q,model,0.3,2026-02-01T00:00Z\nq,ana,0.4,2026-02-01T00:00Z\n"
    )
    counts = book.import_record(path, "csv")
    assert (counts["added"], counts["refused"]) == (2, [])
    assert any(note.startswith("model: names of the program's own") for note in counts["notes"])
    assert {one.kind for one in book.ledger.forecasts()} == {"imported"}


@pytest.mark.parametrize("new", ["Ana", "anna", "Aná", "an", "ana.", "aan", "ана", "аna"])
def test_a_new_name_much_like_a_known_one_is_told_with_the_way_out(book, tmp_path, run, new):
    asked(book, tmp_path)
    book.log("q", 0.3)
    like = new not in ("an",)
    db = ("--db", str(tmp_path / "book.db"))
    code, _, err = run(*db, "--as", new, "log", "q", "30%")
    assert (code, "is a new forecaster beside ana" in err) == (0, like), err
    assert ("then say it with --as ana" in err) == like
    code, _, err = run(*db, "--as", new, "log", "q", "31%")
    assert "new forecaster" not in err  # It is known by now.


def test_ask_and_import_tell_a_new_name_much_like_a_known_one(book, tmp_path):
    asked(book, tmp_path)
    book.log("q", 0.3)
    notes = []
    with book.speaking_as("Ana", tell=notes.append) as spoken:
        spoken.ask("Will it?", 0.3, by="2027-01-31")
        assert [note.partition(";")[0] for note in notes] == ["Ana is a new forecaster beside ana"]
    path = tmp_path / "more.csv"
    path.write_text(
        "question,forecaster,forecast,issued_at\nq,anna,0.3,2026-02-01T00:00Z\n"
        "q,reader-1,0.4,2026-02-01T00:00Z\nq,reader-2,0.4,2026-02-01T00:00Z\n"
    )
    for expected in (["anna is a new forecaster beside Ana and ana"], []):
        notes = book.import_record(path, "csv")["notes"]
        assert [n.partition(";")[0] for n in notes if "new forecaster" in n] == expected


# A point that may mark thousands


TWICE = r"\(1\.200\): is 1\.2 or 1200.*1200 or 1\.2"


@pytest.mark.parametrize(("lower", "upper"), [(0, 5000), (100, 5000)])
def test_a_typed_point_before_three_digits_is_asked_about_where_both_numbers_fit(
    book, tmp_path, lower, upper
):
    asked(book, tmp_path, type="numeric", lower=str(lower), upper=str(upper))
    with pytest.raises(Ambiguous, match=TWICE):
        book.log("q", {"5": "1.200", "95": "4000"})
    with pytest.raises(Ambiguous, match=TWICE):
        book.resolve("q", "1.200", source="x", sure=True)
    assert not len(book.forecasts())


def test_a_point_that_only_a_decimal_can_be_is_none_of_thousands(book, tmp_path):
    asked(book, tmp_path, type="numeric", lower="0", upper="100")
    book.log("q", {"5": "1.200", "95": "4.250"})
    book.log("q", {5: 1.125, 95: 4.25})
    assert [*book.forecasts()["forecast"]] == [{"5": 1.2, "95": 4.25}, {"5": 1.125, "95": 4.25}]


def test_the_way_out_of_a_doubtful_number_is_read_at_the_same_door(book, tmp_path):
    asked(book, tmp_path, type="numeric", lower="0", upper="5000")
    for typed in ("1.234", "1,234"):
        with pytest.raises(Ambiguous) as refused:
            book.log("q", {"5": typed, "95": "4000"})
        for way_out, meant in zip(refused.value.hint.split(" or "), (1234, 1.234), strict=True):
            (row,) = book.log("q", {"5": way_out, "95": "4000"})
            assert row["forecast"]["5"] == meant


def test_a_file_whose_points_may_mark_thousands_is_read_with_a_note(book, tmp_path):
    asked(book, tmp_path, type="numeric", lower="0", upper="5000")
    file = tmp_path / "sheet.csv"
    file.write_text("question,forecast,issued_at\nq,5=1.200;95=4.000,2026-02-01T00:00Z\n")
    notes = book.import_record(file, "csv", me="ana", dry_run=True)["notes"]
    assert any("1.200 are read with a decimal point; decimal=comma" in note for note in notes)
    assert not book.import_record(file, "csv", me="ana", decimal="comma", dry_run=True)["notes"]
    book.import_record(file, "csv", me="ana", decimal="comma")
    assert book.forecasts()["forecast"][0] == {"5": 1200.0, "95": 4000.0}


def test_a_range_and_a_part_of_a_delivery_are_asked_about_too(book):
    with pytest.raises(Ambiguous, match=r"range \(1\.500\): is 1\.5 or 1500"):
        book.ask("How many?", by="2027-01-31", span="0..1.500")
    book.ask("How many tonnes?", by="2027-01-31", span="0..1500.0")
