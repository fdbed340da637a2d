"""The priors of a question: what it rests on and nothing else, each with what it came from."""

import json

import pytest

from forecasting import clock
from forecasting.cli import run
from tests.workspace import NOW, workspace

WORLD = """\
watched: 2026-11-28
processes:
  strike: {event: 3 in 70 weeks, since 2026-09-01: ""}
  talks: {moves: {off > on: , on > off: }, since 2026-09-01: off}
  prisoners:
    delivery: {announced: 2026-09-20, known: 2026-09-20, agreed: 700, unit: people}
    2026-10-20: 157
links:
  - while talks=on: strike x0.3 (0.1..0.8)
    because: both say so in public
questions:
  struck: {title: Will there be a strike?, closes: 2027-03-31, answer: strike by close}
  back: {title: Are all of them back?, closes: 2027-03-31, answer: prisoners=done by close}
"""


@pytest.fixture
def database(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with clock.at(NOW):
        yield workspace(tmp_path, WORLD)


def rows_of(capsys, database, *words):
    capsys.readouterr()
    assert run(["models", "priors", *words, "--json", "--db", database]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_question_has_the_priors_of_what_it_rests_on(database, capsys):
    assert {row["family"] for row in rows_of(capsys, database, "--question", "struck")} == {
        *("rates", "news", "move", "link"),
    }
    assert {row["family"] for row in rows_of(capsys, database, "--question", "back")} == {
        *("deliveries", "news", "move"),
    }
    everything = {row["family"] for row in rows_of(capsys, database)}
    assert everything == {"rates", "spells", "deliveries", "news", "move", "link"}


def test_a_link_shows_why_and_no_prior_is_without_a_name(database, capsys):
    capsys.readouterr()
    assert run(["models", "priors", "--question", "struck", "--db", database]) == 0
    out = capsys.readouterr().out
    assert "reports: weight of all reports (gain)" in out
    assert not [line for line in out.splitlines() if line.strip().startswith(":")]
    (link,) = [line for line in out.splitlines() if "while talks=on" in line]
    assert "both say so in public" in link
