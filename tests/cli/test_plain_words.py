"""Questions end in a question mark, and a hint names what was meant and mends the fault."""

import re
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.bank import check, read_bank
from forecasting.bank.schema import ScenarioFile
from forecasting.bank.yaml_file import read_yaml
from forecasting.cli import run as cli
from forecasting.cli.output import styled
from forecasting.domain.instants import zone
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.reading import probability
from forecasting.domain.reading.instants import day
from forecasting.errors import InvalidInput
from forecasting.evidence.reliability import check_grade
from forecasting.web.typed import percent_typed
from tests.workspace import NOW, workspace

BANK = Path(__file__).parents[2] / "questions"


@pytest.fixture
def output(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    database = workspace(tmp_path / "w", forecaster="ben")

    def call(*words):
        capsys.readouterr()
        with clock.at(NOW):
            cli(["--db", database, "--as", "ben", *words])
        return "".join(capsys.readouterr())

    return call


@pytest.mark.parametrize("ask", [
    lambda: probability("40"),
    lambda: percent_typed("0.35"),
])  # fmt: skip
def test_a_question_ends_in_a_question_mark_and_its_way_out_follows(ask):
    with pytest.raises(InvalidInput, match=r"\? Try: ") as asked:
        ask()
    assert "?. " not in str(asked.value)


@pytest.mark.parametrize(("name", "hint"), [
    ("Africa/Kinshas", "Africa/Kinshasa"),
    ("Europe/Kiev ", "Europe/Kiev"),
    ("Africa/Goma", "the city that names its zone, such as Africa/Khartoum"),
])  # fmt: skip
def test_a_zone_that_is_none_is_answered_by_the_one_that_was_meant_or_by_the_rule(name, hint):
    with pytest.raises(InvalidInput) as wrong:
        zone(name)
    assert wrong.value.hint == hint


def test_the_pair_of_the_admiralty_code_is_told_which_half_is_a_grade():
    assert check_grade("b") == "B"
    with pytest.raises(InvalidInput, match="B, the letter alone"):
        check_grade("B2")
    with pytest.raises(InvalidInput, match="A reliable"):
        check_grade("X2")


def test_hints_name_what_was_meant(output):
    assert "peace has none, signed. Try: peace=signed" in output(
        "scenario", "what-if", "--given", "peace=sgned"
    )
    output("log", "peace-2027", "30%")
    output("log", "peace-2027", "30%", "--as", "bo")
    output("update")
    missed = output("compare", "zoe", "ben")
    assert "no forecaster named zoe. Try: ben" in missed
    # Two letters of six are no slip of the pen: the names are listed.
    assert "no forecaster named nobody. Try: ben, bo" in output("compare", "nobody", "ana")
    lacking = output("news", "add", "x", "--source", "s")
    assert "--known-at" in lacking.partition("Try: ")[2]
    assert not lacking.rstrip().endswith("\\")


def test_more_parts_than_were_agreed_is_not_answered_by_a_number_below_nothing(tmp_path):
    (tmp_path / "worlds").mkdir()
    text = (
        "processes:\n  back:\n    delivery: {announced: 2026-01-01, agreed: 100}\n"
        "    2026-02-01: 90\n    2026-03-01: 300\n"
    )
    (tmp_path / "worlds" / "w.yaml").write_text(text)
    with clock.at(NOW):
        (fault,) = check(read_bank(tmp_path))
    assert fault.hint == "at most 10"


def test_the_time_since_a_number_is_told_in_whole_days(output):
    output("log", "peace-2027", "30%", "--at", "2026-11-29T01:00Z")
    assert "0.281" not in output("due", "--wide")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_codes_go_to_a_terminal_that_shows_them(monkeypatch, name, value):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled()
    monkeypatch.setenv(name, value)
    assert not styled()


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (probability, "1/20", "1 in 20"),
        (probability, "3 / 4", "3 in 4"),
        (probability, "~30%", "30%"),
        (probability, "4/3", "0.35, 35%, 1:3 or a verbal band such as likely"),
        (parse_phrase, "3 per year", "3 in 1 year"),
        (parse_phrase, "2 times a month", "2 in 1 month"),
        (day, "31.11.2026", "2026-11-30"),
        (day, "30 Feb 2028", "2028-02-29"),
        (day, "2026-02-31", "2026-02-28"),
        (day, "45.11.2026", "2026-12-31"),
    ],
)
def test_the_way_out_is_what_was_meant(read, text, hint):
    with pytest.raises(InvalidInput) as error:
        read(text)
    assert error.value.hint == hint
    if "verbal" not in hint:
        read(hint)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("export", "csv", "out.csv"), "forecast export csv --out out.csv"),
        (("annul", "q", "--source", "x", "--because", "y"), "--note TEXT"),
    ],
)
def test_an_option_that_was_meant_is_named(words, hint, capsys):
    assert cli([*words]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"Try: {hint}")


def test_the_example_of_a_scenario_file_is_one(tmp_path):
    text = (BANK / "README.md").read_text(encoding="utf-8").partition("## Scenarios")[2]
    file = tmp_path / "ladder.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1], encoding="utf-8")
    example, _, faults = read_yaml(file, ScenarioFile, "ladder.yaml")
    assert faults == []
    world = read_bank(BANK).world
    assert len([parse_predicate(each.when, world=world) for each in example.scenarios]) == 2
