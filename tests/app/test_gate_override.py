"""What the gate refuses is kept with its reasons; only a stated reason logs it all the same."""

from dataclasses import replace
from typing import Any

import pytest

from forecasting.app.book import Book
from forecasting.app.update import update
from forecasting.domain.instants import parse_instant
from forecasting.models.encoding.answers import Answers

NOW = parse_instant("2026-08-01T12:00:00Z")
RUNG = "leaders-meet@2026-12-31"


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answers.model

    def refused(self: Answers, *arguments: Any, **options: Any) -> Any:
        return replace(answer(self, *arguments, **options), gate="refused: R-hat 1.20 above 1.01")

    monkeypatch.setattr(Answers, "model", refused)


def test_a_refused_model_logs_nothing_and_leaves_the_last_forecast_standing(
    bank_book: Book, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    update(bank_book.ledger, [RUNG], now=NOW)
    (first,) = bank_book.ledger.forecasts(question=RUNG, forecaster="model")
    request.getfixturevalue("refusing")
    (row,), _ = update(bank_book.ledger, [RUNG], now=NOW)
    assert row["after"] is None
    assert row["before"] == first.value.plain
    assert row["gate"].startswith("refused: R-hat")
    assert bank_book.ledger.forecasts(question=RUNG, forecaster="model") == [first]
    assert any(
        run.gate == "refused: R-hat 1.20 above 1.01" for run in bank_book.ledger.model_runs()
    )


@pytest.mark.usefixtures("refusing")
def test_an_override_needs_a_reason_and_keeps_it_with_the_refusal(bank_book: Book) -> None:
    (row,), _ = update(bank_book.ledger, [RUNG], now=NOW, accept_because="chains agree by eye")
    assert row["after"] is not None
    (logged,) = bank_book.ledger.forecasts(question=RUNG, forecaster="model")
    (run,) = [run for run in bank_book.ledger.model_runs() if run.seq == logged.model_run]
    assert run.gate == "overridden: chains agree by eye; refused: R-hat 1.20 above 1.01"


@pytest.mark.usefixtures("refusing")
def test_a_blank_reason_is_none(bank_book: Book) -> None:
    (row,), _ = update(bank_book.ledger, [RUNG], now=NOW, accept_because="   ")
    assert row["after"] is None
