"""What the store refuses at its edge, whoever asks, and what it lets through there."""

import sqlite3
from dataclasses import replace

import pytest

from forecasting.domain import Value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import Ledger, guard, transfer
from forecasting.store.entries import prepare
from tests.store.samples import NOW, binary, numeric_question


@pytest.mark.parametrize(
    ("entered", "rule"),
    [
        (("-0.1", "1.1"), "must lie from 0 to 1"),
        (("1.5", "-0.5"), "must lie from 0 to 1"),
        (("0.5", "0.5000001"), "must sum to 1"),
    ],
)
def test_the_probabilities_of_options_are_probabilities(memory, entered, rule):
    draft = replace(binary(), value=Value("options", ("none", "all"), entered))
    with pytest.raises(InvalidInput, match=rule):
        memory.append([draft], recorded_at=NOW)
    assert memory.head().seq == 0


@pytest.mark.parametrize("entered", ["-0.1", "1.0000001"])
def test_a_probability_is_refused_before_the_database_sees_it(entered):
    draft = replace(binary(), value=Value("binary", ("yes",), (entered,)))
    with pytest.raises(InvalidInput, match="must lie from 0 to 1"):
        prepare(draft)


def test_the_ends_of_a_scale_are_on_it(memory):
    options = replace(binary(), value=Value("options", ("none", "all"), ("0", "1")))
    memory.append([binary("0"), binary("1"), options], recorded_at=NOW)
    assert memory.verify().ok


def test_a_wording_that_would_hash_otherwise_once_stored_is_refused(memory):
    """An option in decomposed Unicode: the forecasts of it would name a wording of no question."""
    space = OutcomeSpace("categorical", ("cafe\u0301", "none"), None, None, "")
    asked = numeric_question(space=space)
    with pytest.raises(InvalidInput, match="must be Unicode in NFC"):
        memory.append([asked], recorded_at=NOW)
    assert memory.head().seq == 0


def test_an_empty_ledger_has_a_digest(memory):
    empty = memory.content_digest()
    memory.append([binary()], recorded_at=NOW)
    assert memory.content_digest(head=0) == empty != memory.content_digest()


def test_a_file_without_a_schema_is_not_made_one_unasked(path):
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(DatabaseUnusable, match="no database"):
        Ledger.open(str(path))


def test_a_table_is_not_brought_into_a_ledger_without_its_guards(memory, monkeypatch):
    monkeypatch.setattr(memory, "_unguarded", DatabaseUnusable("unguarded"))
    with pytest.raises(DatabaseUnusable, match="unguarded"):
        transfer.record(memory, [binary()], recorded_at=NOW, head=memory.head())


@pytest.mark.parametrize(("value", "allowed"), [(None, True), ("5000", True), ("-1", False)])
def test_a_number_of_the_connection_may_be_asked_and_set_to_a_number(value, allowed):
    assert guard.permits(sqlite3.SQLITE_PRAGMA, "busy_timeout", value) == allowed
