import importlib.util

import pytest

from forecasting.store import Ledger
from tests.store.server import Server, programs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path):
    with Ledger.open(str(path), create=True) as opened:
        yield opened


@pytest.fixture
def memory():
    with Ledger.open("sqlite:///:memory:", create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql(missing):
    """A server of this session's own."""
    found = programs()
    if found is None:
        missing("postgresql")
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg (pip install 'psycopg[binary]')")
    server = Server(found)
    yield server
    server.stop()
