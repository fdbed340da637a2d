"""A page costs what it shows, not what the ledger holds."""

import statistics

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.web.house import House
from tests.web.big import NOW, costs, fill

FEW, MANY = 100, 2_000
#: What a page may cost more where there are twenty times as many questions.
MOST = {"/q/q{n}": 2.5, "/ledger": 2.0, "/ask": 2.0, "/": 4.0, "/questions": 4.0}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    found = {}
    for size in (FEW, MANY):
        path = tmp_path_factory.mktemp("cost") / "ledger.db"
        with clock.at(NOW):
            fill(path, questions=size, each=6)
            with Book.plain(str(path), forecaster="ana") as book:
                took = costs(House(book), rounds=7, questions=size)
        found[size] = {page: statistics.median(each) for page, each in took.items()}
    return found


@pytest.mark.parametrize("page", MOST)
def test_twenty_times_as_many_questions(page, measured):
    ratio = measured[MANY][page] / measured[FEW][page]
    assert ratio < MOST[page], f"{page}: {ratio:.1f} times the cost"
