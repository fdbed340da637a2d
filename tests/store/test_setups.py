"""Setups: what a ledger was told about itself, and what a dropped question leaves behind."""

import dataclasses
import datetime as dt

import pytest

from forecasting.domain.setup import Setup
from forecasting.errors import ForecastingError
from tests.store.samples import DAY, NOW, binary, numeric_question

SAID = Setup("bank", "questions", {"digest": "ab" * 32, "zone": "UTC"}, said_by="ana")


def test_a_setup_reads_back_equal_and_a_head_hides_it(ledger):
    (recorded,) = ledger.append([SAID], recorded_at=NOW)
    (setup,) = ledger.setups()
    assert dataclasses.replace(setup, seq=None, recorded_at=None) == SAID
    assert setup.seq == recorded.seq == 1
    assert ledger.setups(head=0) == []
    assert ledger.verify().ok


def test_an_unknown_subject_is_refused_by_the_database(ledger):
    with pytest.raises(ForecastingError, match="no such subject"):
        ledger.append([dataclasses.replace(SAID, subject="weather")], recorded_at=NOW)
    assert ledger.head().seq == 0


def test_a_dropped_question_is_gone_with_its_forecasts_and_its_entries_stay(ledger):
    dropped = numeric_question(id="q")
    other = numeric_question(id="kept")
    ledger.append([dropped, other, binary(question="q"), binary(question="kept")], recorded_at=NOW)
    ledger.append([Setup("dropped", "q", {})], recorded_at=NOW + DAY)
    assert [question.id for question in ledger.questions()] == ["kept"]
    assert [forecast.question for forecast in ledger.forecasts()] == ["kept"]
    # As it stood before, it is still there; and so are its entries.
    assert len(ledger.questions(head=4)) == 2
    assert ledger.entry(3).value.question == "q"
    assert ledger.verify().ok


def test_a_question_may_be_made_again_after_it_was_dropped(ledger):
    first = numeric_question(id="q")
    ledger.append([first, binary(question="q"), Setup("dropped", "q", {})], recorded_at=NOW)
    again = dataclasses.replace(first, title="Another one", opens=NOW + dt.timedelta(1))
    ledger.append([again], recorded_at=NOW + DAY)
    assert [question.title for question in ledger.questions()] == ["Another one"]
    assert ledger.forecasts() == []
