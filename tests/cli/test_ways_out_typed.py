"""What somebody nearly typed: the way out is what they meant."""

import re
from pathlib import Path

import pytest

from forecasting.bank.read import read_bank
from forecasting.bank.schema import ScenarioFile
from forecasting.bank.yaml_file import read_yaml
from forecasting.cli import run
from forecasting.cli.output import cell
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.reading import probability
from forecasting.domain.reading.instants import day
from forecasting.errors import InvalidInput

BANK = Path(__file__).parents[2] / "questions"


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
    with pytest.raises(InvalidInput) as told:
        read(text)
    assert told.value.hint == hint
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
    assert run([*words]) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"Try: {hint}")


def test_words_in_a_row_are_apart():
    assert cell(("under 50", "50-250", "over 1000")) == "under 50, 50-250, over 1000"
    assert cell([1, 2]) == "1 2"


def test_the_example_of_a_scenario_file_is_one(tmp_path):
    text = (BANK / "README.md").read_text(encoding="utf-8").partition("## Scenarios")[2]
    file = tmp_path / "ladder.yaml"
    file.write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1], encoding="utf-8")
    example, _, faults = read_yaml(file, ScenarioFile, "ladder.yaml")
    assert faults == []
    world = read_bank(BANK).world
    assert len([parse_predicate(each.when, world=world) for each in example.scenarios]) == 2
