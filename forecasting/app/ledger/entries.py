"""The entries of a ledger as a list for a person: who said what of what, when."""

from typing import Any

from forecasting.app.ledger import redact
from forecasting.domain import (
    Evidence,
    Forecast,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Withdrawal,
)
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.store import Ledger


def entries(ledger: Ledger, *, before: int | None = None, most: int = 50) -> list[dict[str, Any]]:
    """Give the last entries, or the last before a number, newest first.

    `about` is a question where there is one; `said` a few words, or a forecast with its kind.
    """
    gone = redact.reasons(ledger)
    rows = []
    for found in ledger.entries(before=before, most=most):
        who, about, said = _of(found.value)
        rows.append(
            {
                "seq": found.seq,
                "id": found.id,
                "hash": found.hash,
                "kind": found.kind.replace("_", " "),
                "recorded_at": found.recorded_at,
                "who": who,
                "about": about,
                "said": said,
                "redacted": found.seq in gone,
            }
        )
    return rows


def _of(value: object) -> tuple[str, str, Any]:
    """Say whose entry it is, of which question, and what it says."""
    match value:
        case Forecast():
            kind = "" if value.kind == "live" else value.kind
            return value.forecaster, value.question, (value.value.plain, kind)
        case Question():
            return "", value.id, value.title
        case Resolution():
            return "", value.question, value.said if value.status else value.outcome
        case Withdrawal():
            return value.forecaster, value.question, "withdrawn"
        case Sealed():
            return value.forecaster, value.question, "sealed"
        case Redaction():
            return "", "", f"the text of entry {value.forecast}: {value.reason}"
        case Evidence():
            return value.source, "", value.title
        case Watch():
            return value.watcher, "", f"looked at {value.process}"
        case Setup():
            return value.said_by, "", f"{value.subject} {value.name}"
        case ModelRun():
            return "", "", f"{value.family}: {value.gate}"
        case ReplayMark():
            return "", "", f"replay {value.run} {value.event}"
    return "", "", ""
