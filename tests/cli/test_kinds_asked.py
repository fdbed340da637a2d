"""The README's table of what can be asked: each row is asked and answered as it says."""

import re
import shlex
from itertools import chain
from pathlib import Path

import pytest

from forecasting.cli import run as cli

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("| what is asked |")[2].partition("\n\n")[0]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
DAYS = ("2027-01-31", "2027-03-31", "2027-06-30")
ASKED = {kind: (CODE.findall(how)[0], CODE.findall(said)) for kind, how, said in ROWS}
ASKED["what level"] = (ASKED["what level"][0], ["--p none=5% --p soft=93% --p firm=2%"])
KINDS = [kind for kind, (how, _) in ASKED.items() if how.startswith("--")]


def words(text):
    """Split a text as a shell does, with days where it says DAY."""
    days = chain(DAYS)
    return shlex.split(re.sub("DAY", lambda _: next(days), text))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    assert cli(["init", ".", "--as", "ana"]) == 0


def test_every_type_of_question_is_in_the_table():
    assert len(ROWS) == 6
    assert len(KINDS) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_asked_and_answered_as_the_table_says(kind, workspace, capsys):
    how, answers = ASKED[kind]
    assert cli(["ask", "Will a truce begin?", "--by", "2027-01-31", "--slug", "truce"]) == 0
    for number, answer in enumerate(answers):
        # A number in words or odds is one argument; options are several.
        number_words = words(answer) if answer.startswith("--") else [answer]
        slug = f"asked-{number}"
        asked = ["ask", "What comes?", *words(how), "--slug", slug, *number_words]
        if not answer.startswith("--"):
            asked = ["ask", "What comes?", answer, *words(how), "--slug", slug]
        assert cli(asked) == 0, capsys.readouterr().err
        assert cli(["log", slug, *number_words]) == 0, capsys.readouterr().err
    assert "mine" in capsys.readouterr().out


def test_a_question_of_a_number_says_its_range_and_unit(workspace, capsys):
    asked = ["ask", "How many lorries?", "--by", "2027-01-31", "--slug", "lorries"]
    assert cli([*asked, "--range", "0..5000", "--unit", "lorries"]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert cli(["questions", "show", "lorries"]) == 0
    assert re.search(r"range +0 to 5,000 lorries", capsys.readouterr().out)


def test_a_question_depends_on_one_other(workspace, capsys):
    """Of two conditions the last alone was recorded, and nobody was told."""
    for slug in ("truce", "talks"):
        assert cli(["ask", f"{slug}?", "--by", "2027-01-31", "--slug", slug]) == 0
    both = ["ask", "Then?", "--by", "2027-03-31", "--if", "truce=yes", "--if", "talks=yes"]
    assert cli(both) == 2
    assert "a question depends on one other" in capsys.readouterr().err
