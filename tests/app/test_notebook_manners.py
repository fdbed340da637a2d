"""A notebook shows an object in one line; a call without arguments works or says what it needs."""

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput

NOW = parse_instant("2026-11-29T07:45Z")
WORLD = """\
watched: 2026-11-28
processes:
  peace: {moves: {none > deal: once in 8 mo, deal > none: once in 8 mo}, since 2026-09-01: none}
questions:
  peace-2027: {title: Will they sign it?, closes: 2027-03-31, answer: peace=deal by close}
"""


@pytest.fixture
def book(tmp_path):
    with clock.at(NOW):
        made = Book.make_workspace(tmp_path, forecaster="ana")
        (tmp_path / "questions" / "worlds" / "world.yaml").write_text(WORLD)
        Book.make_workspace(tmp_path, forecaster="ana")
        with Book.open(made["database"], forecaster="ana") as opened:
            yield opened


def test_a_world_and_a_calibration_are_shown_in_a_line(book):
    assert repr(book.world(draws=1_024)) == (
        "<World of 1 questions, 29 Nov 2026 to 31 Mar 2027, 1,024 paths of 1 processes>"
    )
    shown = repr(book.calibration())
    assert shown.startswith("<Calibration of live, 0 events: ")
    assert len(shown) < 300
    assert "0x" not in shown


def test_a_leaderboard_needs_no_word_more_than_on_the_command_line(book):
    for kind in ("live", "backdated", "imported"):
        with pytest.warns(UserWarning, match=f"no {kind} forecast"):
            assert len(book.leaderboard(kind=kind)) == 0


def test_news_without_an_item_says_where_the_items_are(book):
    with pytest.raises(InvalidInput, match=r"Try: book.evidence\(\) for all"):
        book.news()
