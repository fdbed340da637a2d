"""A clock, a ledger in memory, and files of a few lines."""

import datetime as dt
import json
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forecasting.app.ledger.importing import import_record
from forecasting.store import Ledger

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


_numbers = count()


@cache
def _empty():
    """Give the bytes of an empty ledger, which take longer to make than a record to import."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Ledger.open(str(path), create=True).close()
        return path.read_bytes()


@contextmanager
def memory(folder):
    """Open a ledger of its own."""
    path = folder / f"{next(_numbers)}.db"
    path.write_bytes(_empty())
    with Ledger.open(str(path)) as ledger:
        yield ledger
    path.unlink()


@pytest.fixture
def ledger(tmp_path_factory):
    with memory(tmp_path_factory.mktemp("ledger")) as opened:
        yield opened


@pytest.fixture
def import_text(ledger, tmp_path):
    """Import some text, or data as the JSON of another platform, and give the counts."""

    def call(text, *, format="csv", into=None, name=None, **options):
        if not isinstance(text, str | bytes):
            text, format, name = json.dumps(text), "", name or "given.json"
        path = tmp_path / (name or f"record.{format}")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_record(into or ledger, path, format, now=NOW, **options)

    return call
