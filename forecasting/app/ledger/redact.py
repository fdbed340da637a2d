"""Redact a rationale: its text and salt leave the ledger, and the chain stays whole."""

import datetime as dt
from typing import Any

from forecasting.app.ledger.seal import kept_at
from forecasting.domain import Forecast, Redaction
from forecasting.errors import InvalidInput
from forecasting.store import Ledger


def redact(
    ledger: Ledger, name: str, *, forecaster: str, reason: str, now: dt.datetime
) -> dict[str, Any]:
    """Take the text of a forecast's rationale out of the ledger, and record that and why.

    The forecast stays, with the commitment to the text that it had. Only its own forecaster does
    this: it keeps from mistakes, for whoever holds the file can speak in any name. `reason` stays
    for good, so it must not repeat what is taken out; `copies` says where the text is still.
    """
    entry = ledger.entry(name)
    held = entry.value
    if not isinstance(held, Forecast):
        msg = f"entry ({name}): is a {entry.kind}, and only a forecast has a rationale"
        raise InvalidInput(msg, hint="forecast history QUESTION")
    before = {item.forecast: item for item in ledger.redactions()}.get(entry.seq)
    if before is not None:
        msg = f"entry ({name}): was redacted by entry {before.seq}: {before.reason}"
        raise InvalidInput(msg)
    if not held.because:
        msg = f"entry ({name}): has no rationale to redact"
        raise InvalidInput(msg, hint=f"forecast history {held.question}")
    if held.forecaster != forecaster:
        msg = f"entry ({name}): is {held.forecaster}'s, and {forecaster} cannot redact it"
        raise InvalidInput(msg, hint=f"forecaster={held.forecaster}")
    if not (said := " ".join(reason.split())):
        msg = "reason: must be given, because it is shown in place of the text"
        raise InvalidInput(msg, hint='because="names a source"')
    copies = []
    if held.sealed is not None:
        kept = kept_at(str(ledger.entry(held.sealed).row["commitment"]))
        copies = [str(kept)] if kept.exists() else []
    (recorded,) = ledger.append([Redaction(entry.seq, said)], recorded_at=now)
    return {
        "seq": recorded.seq,
        "id": recorded.id,
        "forecast": entry.seq,
        "question": held.question,
        "forecaster": forecaster,
        "reason": said,
        "recorded_at": recorded.recorded_at,
        "copies": copies,
    }


def reasons(ledger: Ledger) -> dict[int, str]:
    """Give what stands where a rationale stood, by the number of its forecast."""
    return {item.forecast: f"[redacted: {item.reason}]" for item in ledger.redactions()}
