"""What the store refuses at its edge and lets through there, and what its list of entries says."""

import sqlite3
from dataclasses import replace

import pytest

from forecasting.app.ledger.log import entries
from forecasting.domain import Value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import Ledger, guard, transfer
from forecasting.store.entries import prepare
from tests.store.samples import NOW, binary, fill, numeric_question


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


def test_every_kind_of_entry_says_who_said_what_of_what(memory):
    recorded = fill(memory)
    rows = entries(memory)
    assert [row["seq"] for row in rows] == [each.seq for each in reversed(recorded)]
    shown = {row["kind"]: (row["who"], row["about"], row["said"]) for row in reversed(rows)}
    assert shown == {
        "question": ("", "truce@2026-12-31", "How many strikes?"),
        "model run": ("", "", "staged: overridden: the tail is known to be heavy"),
        "replay run": ("", "", "replay a1b2 started"),
        "forecast": ("ana", "truce@2026-12-31", (0.8, "")),
        "evidence": ("desk", "", "Nothing known of it"),
        "resolution": ("", "truce@2026-12-31", "no"),
        "withdrawal": ("ana", "truce@2026-12-31", "withdrawn"),
        "sealed": ("ana", "truce@2026-12-31", "sealed"),
        "redaction": ("", "", "the text of entry 15: it named one"),
        "watch": ("ana", "", "looked at truce"),
        "setup": ("ana", "", "bank questions"),
    }
    assert [row["seq"] for row in rows if row["redacted"]] == [15]


def test_forecasts_that_are_not_live_say_so(memory):
    fill(memory)
    kinds = {row["said"][1] for row in entries(memory) if row["kind"] == "forecast"}
    assert kinds == {"", "backdated", "replay"}


def test_pages_go_back_from_an_entry(memory):
    fill(memory)
    assert [row["seq"] for row in entries(memory, before=6, most=2)] == [5, 4]
