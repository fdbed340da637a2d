"""The commands on PostgreSQL: the quick ones of the command suite, as they stand.

`make test-deep` runs every test that is not about files there (see :mod:`tests.engines`).
"""

# The tests and fixtures imported are collected here again, with the ledgers on a server.
# ruff: noqa: F401, F811

import pytest

from tests.cli.test_news_commands import laid, said, standing_clock, test_a_day_with_news
from tests.cli.test_scores_cli import database, forecast, test_keys_of_the_contract
from tests.databases import Databases, Elsewhere


@pytest.fixture(scope="module", autouse=True)
def on_a_server(postgresql):
    elsewhere = Elsewhere(Databases(postgresql))
    with pytest.MonkeyPatch.context() as patch:
        elsewhere.install(patch)
        yield


def test_the_ledgers_do_lie_on_the_server(said, home):
    from forecasting.app.book import Book

    with Book.open(str(home / "forecasts.db")) as book:
        assert book.ledger._engine.dialect.name == "postgresql"
        assert book.ledger.verify().ok
