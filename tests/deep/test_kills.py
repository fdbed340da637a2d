"""A fit that is killed while it samples leaves nothing behind, and the next one is recorded."""

import pytest

from forecasting.cli import run
from tests.store.faults import NOW
from tests.store.test_kills import needs_fork, survives


@pytest.mark.deep
@needs_fork
def test_a_fit_killed_half_way_leaves_nothing(tmp_path, root, monkeypatch):
    """Drawing takes seconds, so most of the kills fall into it: no model run, no forecast."""
    template = tmp_path / "bank.db"
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    assert run(["init", "--example", "ukraine", "--db", str(template)]) == 0
    names = ("update:exchange-1000-2026@2026-12-31",)
    survives(10, names, longest=6.0, template=template, tmp_path=tmp_path, root=root)
