"""The list of entries: who said what of what, newest first."""

from forecasting.app.ledger.log import entries
from tests.store.samples import fill


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
