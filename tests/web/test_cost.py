"""A page costs what it shows, not what the ledger holds; what is heavy is loaded beside the app."""

import statistics
import subprocess
import sys
from pathlib import Path

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
    medians = {}
    for size in (FEW, MANY):
        path = tmp_path_factory.mktemp("cost") / "ledger.db"
        with clock.at(NOW):
            fill(path, questions=size, each=6)
            with Book.plain(str(path), forecaster="ana") as book:
                took = costs(House(book), rounds=7, questions=size, pages=MOST)
        medians[size] = {page: statistics.median(each) for page, each in took.items()}
    return medians


@pytest.mark.parametrize("page", MOST)
def test_twenty_times_as_many_questions(page, measured):
    ratio = measured[MANY][page] / measured[FEW][page]
    assert ratio < MOST[page], f"{page}: {ratio:.1f} times the cost"


SCRIPT = """
import sys
from forecasting.app.book import Book
from forecasting.web.house import House
from tests.web.conftest import Browser
with Book.plain(sys.argv[1], forecaster="ana") as book:
    house = House(book, port=8100)
    browser = Browser(house)
    for address in ("/news", "/news/new", "/world", "/world/what-if", "/world/views", "/review"):
        assert browser.get(address).status_code == 200, address
    house.close()
print(*sorted({"pymc", "matplotlib", "arviz", "numba", "pandas"} & set(sys.modules)))
"""


def test_no_page_of_news_world_or_review_loads_a_sampler_or_a_plotting_library(database):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(database)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
