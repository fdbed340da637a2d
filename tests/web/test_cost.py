"""A page costs what it shows, not what the ledger holds; what is heavy is loaded beside the app."""

import subprocess
import sys
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.web.house import House
from tests.steps import steps
from tests.web.big import NOW, fill
from tests.web.conftest import Browser

FEW, MANY = 100, 2_000
#: What a page may cost more where there are twenty times as many questions.
MOST = {"/q/q{n}": 1.2, "/ledger": 1.2, "/ask": 1.2, "/": 2.0, "/questions": 1.2}


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return {size: _counted(tmp_path_factory.mktemp("cost"), size) for size in (FEW, MANY)}


def _counted(folder, size):
    """Give the steps that each page takes when it is looked at again."""
    with clock.at(NOW):
        fill(folder / "ledger.db", questions=size, each=6)
        with Book.plain(str(folder / "ledger.db"), forecaster="ana") as book:
            browser = Browser(House(book))
            took = {}
            for page in MOST:
                assert browser.get(page.format(n=0)).status_code == 200
                took[page] = steps(lambda page=page: browser.get(page.format(n=37)))
            return took


@pytest.mark.parametrize("page", MOST)
def test_twenty_times_as_many_questions(page, counted):
    ratio = counted[MANY][page] / counted[FEW][page]
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
