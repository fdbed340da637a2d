"""A database with the bundled bank, laid once and copied for each test."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.app.book import Book, open_book


@pytest.fixture(scope="session")
def bank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds the bank and nothing else."""
    path = tmp_path_factory.mktemp("bank") / "bank.db"
    # Before any moment that a test plays in: what is recorded later than its now does not count.
    with clock.at(dt.datetime(2026, 11, 1, tzinfo=dt.UTC)):
        open_book(str(path)).close()
    return path


@pytest.fixture
def fresh_book(bank_database: Path, tmp_path: Path) -> Callable[[], AbstractContextManager[Book]]:
    """Open a new copy of it each time."""
    made = 0

    @contextmanager
    def fresh() -> Iterator[Book]:
        nonlocal made
        made += 1
        path = tmp_path / f"book{made}.db"
        shutil.copy(bank_database, path)
        with Book.open(str(path), forecaster="ana") as book:
            yield book

    return fresh


@pytest.fixture
def bank_book(fresh_book: Callable[[], AbstractContextManager[Book]]) -> Iterator[Book]:
    """A copy of it, open."""
    with fresh_book() as book:
        yield book
