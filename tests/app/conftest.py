"""Copies of the database with the bundled bank, banks of one's own, and fits that take no time."""

import datetime as dt
import shutil

import pytest

from forecasting import clock
from forecasting.app.book import Book, open_book
from forecasting.app.forecast import predict, replay
from forecasting.bank import usable
from forecasting.cli import run
from forecasting.config import MEMORY
from forecasting.inference.fits import FitCache
from forecasting.resources import locate
from forecasting.store import Ledger
from tests.app.quick import SMALL, quick_fit, write_bank

#: Of the bundled bank, and of a small one, where the gate is to pass.
DRAWS, OWN_DRAWS = 1_024, 8_192
BEGUN = dt.datetime(2026, 1, 10, tzinfo=dt.UTC)


@pytest.fixture
def ledger():
    """A ledger in memory."""
    with Ledger.open(MEMORY, create=True) as opened:
        yield opened


@pytest.fixture
def bank_book(bank_database, tmp_path):
    """A copy of the database with the bundled bank, open."""
    path = tmp_path / "book1.db"
    shutil.copy(bank_database, path)
    with Book.open(str(path), forecaster="ana") as book:
        yield book


@pytest.fixture
def forecast(bank_database, tmp_path, capsys, monkeypatch):
    """Run a command as ana on a copy of the bank; give its output and what it narrates."""
    monkeypatch.setenv("FORECASTING_FORECASTER", "ana")
    path = tmp_path / "book.db"
    path.write_bytes(bank_database.read_bytes())

    def call(*arguments, now="2026-11-22T12:00:00Z", code=0):
        monkeypatch.setenv("FORECASTING_NOW", now)
        capsys.readouterr()
        assert run(["--db", str(path), *arguments]) == code, capsys.readouterr().err
        return capsys.readouterr()

    call.path = path
    return call


@pytest.fixture
def quick_fits(monkeypatch):
    """Fits that take no time; see `tests.app.quick`."""
    monkeypatch.setattr(FitCache, "fit", quick_fit)


@pytest.fixture
def few_draws(monkeypatch):
    """Simulate little, live and in a replay."""
    monkeypatch.setitem(predict.Predictor.__init__.__kwdefaults__, "draws", DRAWS)
    monkeypatch.setattr(predict, "REPLAY_DRAWS", DRAWS)
    monkeypatch.setattr(replay, "REPLAY_DRAWS", DRAWS)
    return DRAWS


@pytest.fixture
def own_book(tmp_path, monkeypatch, quick_fits):
    """Open a book on a bank whose world is a text: `tests.app.quick.SMALL`, if none is given."""
    books = []
    monkeypatch.setitem(predict.Predictor.__init__.__kwdefaults__, "draws", OWN_DRAWS)

    def book(text=SMALL, *, at=BEGUN):
        folder = write_bank(tmp_path / f"bank{len(books)}", text)
        monkeypatch.setattr(
            usable, "locate", lambda name: folder if name == "questions" else locate(name)
        )
        with clock.at(at):
            books.append(
                open_book(str(tmp_path / f"own{len(books)}.db"), forecaster="ana", create=True)
            )
        return books[-1]

    yield book
    for one in books:
        one.close()
