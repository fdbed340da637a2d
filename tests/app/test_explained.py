"""An explanation as a person reads it: effects beside their error, amounts and sums."""

from forecasting import clock
from forecasting.app.forecast import explain as use
from forecasting.app.forecast.explain import explain
from forecasting.cli import models as cli
from forecasting.cli.output import Amount, cell
from forecasting.domain.forecast import Quantiles
from forecasting.domain.instants import parse_instant
from forecasting.review import words

NOW = parse_instant("2026-08-22T12:00:00Z")


def test_what_is_below_its_error_is_told_as_zero_and_not_drawn():
    assert cli._effect(0.0, 0.06, clear=False) == "0 ±0.06"
    assert cli._effect(-0.09, 0.06, clear=False) == "-0.09 ±0.06"  # what such steps leave together
    assert cli._effect(-0.09, 0.01, clear=True) == "-0.09"
    assert cli._effect(0.001, 0.0, clear=True) == "0"
    # A bar has one scale for all answers: a small effect is a short bar.
    assert cli._bar(0.1, use.FULL_BAR).count("█") <= 1
    assert cli._bar(-1.0, use.FULL_BAR).count("█") == 5
    assert cli._bar(4.0, 4.0).count("█") == cli.HALF


def test_printed_parts_add_up_to_their_printed_total():
    assert words.adding_up([0.014, 0.014, 0.014], 0.042) == [0.02, 0.01, 0.01]
    assert words.adding_up([0.0, -0.006], -0.006) == [0.0, -0.01]
    assert words.adding_up([0.0], 0.0) == [0.0]
    assert words.adding_up([], 0.0) == []


CROWD = """\
zone: UTC
watched: 2026-08-22
processes:
  war: {moves: {peace > war: 1 in 2 y}, since 2026-01-01: peace}
  returns:
    delivery: {agreed: 40000, announced: 2026-02-01, delivered: 0, unit: people}
    moves: {agreed > begun: "median 30 d (10..90)", begun > begun: 9 in 65 d}
    2026-03-15: {amount: 4000, source: https://example.org/a, grade: A}
    2026-05-02: {amount: 6500, source: https://example.org/b, grade: A}
links:
  - while war=war: returns x0.2 (0.1..0.6)
    because: nobody goes home into fire
questions:
  back: {title: How many are back?, type: numeric, lower: 0, upper: 40000, unit: people,
    opens: 2026-02-10, closes: 2027-06-30, answer: returns total}
"""


def test_amounts_are_printed_as_amounts_within_the_bounds_of_their_question(own_book, capsys):
    book = own_book(CROWD)
    (explanation,) = explain(book.ledger, "back", now=NOW)
    cli._print(explanation)
    output = capsys.readouterr()
    start, now = words.amount(explanation["prior"]), words.amount(explanation["posterior"])
    assert f"start {start}, now {now}" in output.out
    assert "e+0" not in output.out + output.err
    assert "40,000" in output.out
    with clock.at(NOW):
        rows = book.simulated().what_if(["war=war"], [])
    (row,) = (row for row in rows if row["question"] == "back")
    assert 0 <= row["lower"] <= row["after"] <= row["upper"] <= 40_000
    assert cell(Amount(39_999.9995)) == "40,000"
    assert cell(Quantiles({"50": 10_500.0, "95": 39_999.9995})) == "50 %: 10,500  95 %: 40,000"
