"""What-if tells changes, and no noise: what the paths cannot tell from none is none."""

import pytest

from forecasting import clock
from forecasting.app.world import scenario, what_if
from forecasting.cli import run
from forecasting.domain.instants import parse_instant
from tests.app.quick import SMALL

NOW = parse_instant("2026-08-22T12:00:00Z")
#: Nothing leads from the gift to any of these.
APART = {"truce-comes", "truce-comes-too", "text-lies", "both", "convoys", "bridge-holds"}
NUMBER = """\
  how-many: {title: How many convoys, opens: 2026-01-10, closes: 2026-12-31, type: numeric,
    lower: 0, upper: 20, unit: convoys, answer: convoy count}
  given: {title: The gift is given, opens: 2026-01-10, closes: 2026-12-31,
    answer: gift=given by close}
"""


@pytest.mark.parametrize("condition", ["gift=given", "given=60%"])
def test_what_no_link_joins_does_not_move(own_book, condition):
    """Over 12 simulations: at twice the error about one number in twenty seems to move."""
    book, moved = own_book(SMALL + NUMBER), []
    for seed in range(12):
        rows = scenario.live(book.ledger, now=NOW, draws=4_096, seed=seed).what_if([condition])
        apart = [row for row in rows if row["question"] in APART and row["change"] is not None]
        assert apart
        moved += [row["change"] != 0 for row in apart]
    assert sum(moved) / len(moved) < 0.12


def test_what_is_linked_moves_and_stands_first(own_book):
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=8_192)
    rows = live.what_if(["text-lies=yes"])
    row = next(row for row in rows if row["question"] == "truce-comes")
    assert row["change"] == row["after"] - row["before"] > 0.05
    changes = [row["change"] for row in rows]
    shown = [change for change in changes if change is not None]
    assert changes[len(shown) :] == [None] * (len(changes) - len(shown))
    moving = [change for change in shown if change]
    assert shown == moving + [0.0] * (len(shown) - len(moving))
    assert 0 < len(moving) < len(shown)
    still = len(shown) - len(moving)
    assert what_if.unmoved(rows).startswith(f"{still} of {len(rows)} do")
    assert what_if.unmoved([row]) == ""


def test_a_target_that_is_the_number_there_was_moves_nothing(own_book):
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=4_096)
    before = next(
        row["before"] for row in live.what_if(["gift=given"]) if row["question"] == "text-lies"
    )
    rows = live.what_if([f"text-lies={before + 0.002:.4f}"])
    assert {row["change"] for row in rows} <= {0.0, None}


def test_the_command_says_none_and_why_in_one_line(own_book, tmp_path, capsys, monkeypatch):
    own_book(SMALL + NUMBER)
    monkeypatch.setenv("COLUMNS", "80")
    with clock.at(NOW):
        asked = ["scenario", "what-if", "--given", "gift=given"]
        assert run(["--db", str(tmp_path / "own0.db"), *asked]) == 0
    out, err = capsys.readouterr()
    line = next(line for line in out.splitlines() if line.lstrip().startswith("text-lies"))
    assert "none" in line.split()
    assert sum("does not move" in each or "do not move" in each for each in err.splitlines()) == 1
    assert "twice the Monte Carlo error" in err
