"""What the gate refuses is kept with its reasons; only a stated reason logs it all the same."""

from dataclasses import replace

import pytest

from forecasting.app.forecast.update import update
from forecasting.domain.instants import parse_instant
from forecasting.models.world.model import WorldModel

NOW = parse_instant("2026-08-01T12:00:00Z")
ASKED = "gift-comes"


@pytest.fixture
def refusing(monkeypatch):
    read = WorldModel.read

    def refused(self, *arguments):
        return replace(read(self, *arguments), gate="refused: Monte Carlo error .03 above .01")

    monkeypatch.setattr(WorldModel, "read", refused)


def test_a_refused_model_logs_nothing_and_leaves_the_last_forecast_standing(own_book, request):
    book = own_book()
    update(book.ledger, [ASKED], now=NOW)
    (first,) = book.ledger.forecasts(question=ASKED, forecaster="model")
    request.getfixturevalue("refusing")
    (row,), _ = update(book.ledger, [ASKED], now=NOW, everything=True)
    assert row["after"] is None
    assert row["before"] == first.value.plain
    assert row["gate"].startswith("refused: Monte Carlo")
    assert not row["logged"]
    assert book.ledger.forecasts(question=ASKED, forecaster="model") == [first]


@pytest.mark.usefixtures("refusing")
def test_an_override_needs_a_reason_and_keeps_it_with_the_refusal(own_book):
    book = own_book()
    (row,), _ = update(book.ledger, [ASKED], now=NOW, accept_because="more paths agree")
    assert row["after"] is not None
    (logged,) = book.ledger.forecasts(question=ASKED, forecaster="model")
    (run,) = [run for run in book.ledger.model_runs() if run.seq == logged.model_run]
    assert run.gate == "overridden: more paths agree; refused: Monte Carlo error .03 above .01"


@pytest.mark.usefixtures("refusing")
def test_a_blank_reason_is_none(own_book):
    book = own_book()
    (row,), _ = update(book.ledger, [ASKED], now=NOW, accept_because="   ")
    assert row["after"] is None
    assert book.ledger.forecasts(forecaster="model") == []
