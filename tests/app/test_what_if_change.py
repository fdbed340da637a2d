"""What-if tells changes, and no noise: what the paths cannot tell from none is none."""

import pytest

from forecasting import clock
from forecasting.app.world import scenario
from forecasting.cli import run
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput
from forecasting.review import words
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
    found = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=8_192)
    rows = found.what_if(["text-lies=yes"])
    row = next(row for row in rows if row["question"] == "truce-comes")
    assert row["change"] == row["after"] - row["before"] > 0.05
    changes = [row["change"] for row in rows]
    told = [change for change in changes if change is not None]
    assert changes[len(told) :] == [None] * (len(changes) - len(told))
    moving = [change for change in told if change]
    assert told == moving + [0.0] * (len(told) - len(moving))
    assert 0 < len(moving) < len(told)
    still = len(told) - len(moving)
    assert words.unmoved(rows).startswith(f"{still} of {len(rows)} do")
    assert words.unmoved([row]) == ""


def test_what_is_barred_until_a_deadline_may_come_after_it(own_book):
    """``gift-soon=no`` bars the gift until 15 October; it may be given by the end of December."""
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=8_192)
    rows = {row["question"]: row for row in live.what_if(do=["gift-soon=no"])}
    assert 0.05 < rows["gift-comes"]["after"] < rows["gift-comes"]["before"] - 0.05
    rows = {row["question"]: row for row in live.what_if(do=["gift-comes=no"])}
    assert rows["gift-soon"]["after"] == 0.0


def test_to_bring_about_that_a_state_holds_is_to_bar_the_others(own_book):
    """It was no more than to force the state that holds now, which could end the next day."""
    text = SMALL.replace("truce=on: convoy x0.5 (0.2..1.2)", "bridge=down: convoy x8 (4..16)")
    live = scenario.live(own_book(text).ledger, now=NOW, draws=8_192)
    rows = {row["question"]: row for row in live.what_if(do=["bridge-holds=yes"])}
    other = {row["question"]: row for row in live.what_if(do=["bridge=down"])}
    assert rows["convoys"]["after"] < rows["convoys"]["before"] - 0.02
    assert other["convoys"]["after"] > rows["convoys"]["before"] + 0.1


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (["truce=on", "truce=none"], "contradict each other"),
        (["truce-comes=no", "truce=on@2026-10-01"], "contradict each other"),
        (["bridge-holds=no"], "which state comes instead is not said. Try: bridge=STATE@TIME"),
        (["truce=on@2026-08-01"], "has passed.*Try: truce=on for now, or truce=on@2026-08-23"),
    ],
)
def test_what_cannot_be_brought_about_is_refused_with_what_can(own_book, do, message):
    live = scenario.live(own_book().ledger, now=NOW, draws=2_048)
    with pytest.raises(InvalidInput, match=message):
        live.what_if(do=do)
    for fine in (["truce=on", "truce=none@2026-10-01"], ["truce=on@2026-08-23"]):
        assert live.what_if(do=fine)


def test_a_target_that_is_the_number_there_was_moves_nothing(own_book):
    found = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=4_096)
    before = next(
        row["before"] for row in found.what_if(["gift=given"]) if row["question"] == "text-lies"
    )
    rows = found.what_if([f"text-lies={before + 0.002:.4f}"])
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
