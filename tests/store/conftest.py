import pytest

from forecasting.store import Ledger


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
