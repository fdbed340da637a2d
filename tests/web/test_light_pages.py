"""The app's own process stays light: what is heavy is loaded beside it."""

import subprocess
import sys
from pathlib import Path

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
