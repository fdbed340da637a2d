"""`forecast import` and `forecast export` as people and scripts meet them."""

import csv
import io
import json
import re
import sys

import pytest

from forecasting.cli import run as cli
from tests.exchange.tables import FORMATS, row, table


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own; give its output and its narration."""
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        capsys.readouterr()
        assert cli(list(arguments)) == code, capsys.readouterr().err
        return capsys.readouterr()

    return call


def test_into_a_ledger_with_the_bank_and_out_again(run, tmp_path):
    (tmp_path / "r.csv").write_text(table([row(), row(day=2), row(day=2), row(day=-1)]))
    run("init", "--example", "ukraine")
    counts = json.loads(run("import", "csv", "r.csv", "--json").out)
    names = ("in", "added", "duplicates", "questions", "forecasts", "resolutions", "news")
    assert [counts[name] for name in names] == [4, 2, 1, 1, 2, 1, 0]
    assert [one["line"] for one in counts["refused"]] == [5]
    rehearsal = run("import", "csv", "r.csv", "--dry-run")
    assert "r.csv:5: refused: issued_at" in rehearsal.err
    assert "in" in rehearsal.out
    assert "forecaster" in run("score", "--kind", "imported").out
    out = run("export", "csv")
    assert "head " in out.err
    rows = list(csv.DictReader(io.StringIO(out.out)))
    assert [one["forecaster"] for one in rows if one["forecast"]] == ["ana", "ana"]
    # The questions of the bank that nobody has forecast are written too, and come in again.
    assert len({one["question"] for one in rows}) == 49
    run("export", "csv", "--out", "a.csv")
    once = json.loads(run("--db", "b.db", "import", "csv", "a.csv", "--create", "--json").out)
    assert (once["questions"], once["refused"]) == (49, [])
    run("--db", "b.db", "export", "csv", "--out", "b.csv")
    written = [
        sorted(
            [cell for name, cell in one.items() if name not in ("tags", "kind")]
            for one in csv.DictReader(io.StringIO((tmp_path / name).read_text()))
        )
        for name in ("a.csv", "b.csv")
    ]
    assert written[0] == written[1]
    about = json.loads(run("export", "jsonl", "--out", "l.jsonl", "--json").out)
    assert about["lines"] == about["entries"] + 1
    run("export", "jsonl", "--out", "l.jsonl", code=2)
    run("--db", "copy.db", "import", "jsonl", "l.jsonl", code=3)
    copied = run("--db", "copy.db", "import", "jsonl", "l.jsonl", "--create", "--json")
    whole = json.loads(copied.out)
    assert (whole["entries"], whole["head"]) == (about["entries"], about["head"])


def test_an_open_imported_question_does_not_stop_the_models(run, tmp_path):
    rows = [row(closes="2027-01-01", outcome="", resolved_at="")]
    (tmp_path / "r.csv").write_text(table(rows))
    run("--db", "a.db", "import", "csv", "r.csv", "--create")
    assert json.loads(run("--db", "a.db", "update", "--json").out) == []
    assert "q" in run("--db", "a.db", "questions", "list", "--status", "open").out


def test_many_refused_rows_are_told_of_shortly(run, tmp_path):
    rows = [row(), *(row(day=-n) for n in range(1, 31))]
    (tmp_path / "r.csv").write_text(table(rows))
    narration = run("--db", "a.db", "import", "csv", "r.csv", "--create").err
    assert narration.count("refused: issued_at") == 20
    assert "and 10 more refused rows" in narration
    # Many with one reason are one line, so that the others are seen.
    rows = [row(), *(row(forecast="abc") for _ in range(40)), row(day=-1)]
    (tmp_path / "r.csv").write_text(table(rows))
    narration = run("--db", "b.db", "import", "csv", "r.csv", "--create").err
    assert "r.csv:3 and 39 more rows: refused: forecast (abc)" in narration
    assert "r.csv:43: refused: issued_at" in narration
    refused = run("--db", "a.db", "import", "csv", "r.csv", "--all-or-nothing", code=2).err
    assert refused.startswith("error: r.csv:3: ")


def test_a_platforms_question_with_a_title_on_record_is_matched_by_the_command_that_is_named(run):
    run("init", ".", "--as", "ana")
    run("ask", "Will a truce be signed by June 30?", "35%", "--by", "2027-06-30")
    err = run("import", str(FORMATS / "polymarket.json")).err
    command = re.search(r"forecast (questions same-as \S+ \S+) sets", err)[1]
    assert "column question" not in err
    [match] = json.loads(run(*command.split(), "--json").out)
    assert match["other"].startswith("polymarket-0xabc")


def test_what_the_hint_names_is_an_option_without_the_word_csv_too(run, tmp_path):
    (tmp_path / "r.csv").write_text("question,Guess,date\nq,0.4,2025-02-01\n")
    err = run("--db", "a.db", "import", "r.csv", "--create", "--me", "ana", code=2).err
    assert '--map "My column=forecast"' in err
    options = ("--create", "--me", "ana", "--map", "Guess=forecast", "--json")
    assert json.loads(run("--db", "a.db", "import", "r.csv", *options).out)["added"] == 1
    zipped = str(FORMATS / "metaculus.zip")
    err = run("--db", "a.db", "import", zipped, *options[1:], code=2).err
    assert "it looks like a Metaculus zip" in err


def test_a_format_without_scores_of_its_own_says_so(run):
    path = str(FORMATS / "kalshi.json")
    err = run("--db", "a.db", "import", path, "--create", "--check-scores").err
    assert "this format has no score of its own" in err
    assert "nothing to show" not in err


def test_from_standard_input(run, monkeypatch):
    text = table([row(), row(forecast="lots", day=2)]).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    brought = run("--db", "a.db", "import", "csv", "-", "--create")
    assert "added" in brought.out
    assert "standard input:3: refused" in brought.err


def test_a_title_that_is_on_record_under_another_id_is_told(run, tmp_path):
    run("init", ".", "--as", "ana")
    run("ask", "Will the pause hold?", "35%", "--by", "2027-01-31")
    (tmp_path / "r.csv").write_text(
        "title,forecaster,forecast,issued_at,closes\n"
        "will the pause hold?,ana,0.4,2026-11-22,2027-01-31\n"
        "Will another one hold?,ana,0.4,2026-11-22,2027-01-31\n"
    )
    err = run("import", "csv", "r.csv").err
    assert "under another id: will-the-pause-hold-" in err
    assert "(the-pause-hold);" in err
    assert "another-one" not in err
    assert "under another id" not in run("import", "csv", "r.csv").err
