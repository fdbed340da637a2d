"""A notebook shows an object in one line; a call without arguments works or says what it needs."""

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.errors import InvalidInput
from tests.workspace import NOW, workspace


@pytest.fixture
def book(tmp_path):
    with clock.at(NOW), Book.open(workspace(tmp_path), forecaster="ana") as opened:
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
