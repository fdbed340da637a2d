"""Imports taken back: forecasts withdrawn at the instant they were made, by later entries."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from forecasting.domain import Forecast, Resolution, Withdrawal
from forecasting.domain.instants import iso
from forecasting.domain.resolution import REOPENED, outcomes
from forecasting.errors import InvalidInput, NotFound
from forecasting.exchange.plan import UNDONE
from forecasting.store import Draft, Ledger


class Undone(NamedTuple):
    """The imported forecasts that were taken back, by number, and the withdrawals that remain."""

    forecasts: frozenset[int]
    withdrawals: list[Withdrawal]

    def left(self, forecasts: Iterable[Forecast]) -> list[Forecast]:
        """Give the forecasts that were not taken back."""
        return [one for one in forecasts if one.seq not in self.forecasts]


def undone(ledger: Ledger, *, head: int | None = None) -> Undone:
    """Read which imported forecasts were taken back, up to a head.

    A withdrawal at the very instant of an imported forecast, recorded later, says that it was
    never made: neither counts for anything, and the same may be said again.
    """
    withdrawals = ledger.withdrawals(head=head)
    if not withdrawals:
        return Undone(frozenset(), [])
    taken = {(one.question, one.forecaster, one.withdrawn_at): one for one in withdrawals}
    gone: set[int] = set()
    used: set[int | None] = set()
    for one in ledger.forecasts(kind="imported", head=head):
        by = taken.get((one.question, one.forecaster, one.issued_at))
        if by is None or one.seq is None:
            continue
        used.add(by.seq)
        if by.seq is None or one.seq < by.seq:
            gone.add(one.seq)
    return Undone(frozenset(gone), [one for one in withdrawals if one.seq not in used])


def import_runs(ledger: Ledger) -> list[dict[str, Any]]:
    """Give every import that forecasts came from: its number, when it was, and what it brought."""
    gone = undone(ledger).forecasts
    runs: dict[dt.datetime, dict[str, Any]] = {}
    for one in ledger.forecasts(kind="imported"):
        if one.recorded_at is None or one.seq is None:
            continue
        row = runs.setdefault(
            one.recorded_at,
            {"run": one.seq, "recorded_at": one.recorded_at, "forecasts": 0, "undone": 0},
        )
        row["run"] = min(row["run"], one.seq)
        row["forecasts"] += 1
        row["undone"] += one.seq in gone
    return [runs[at] for at in sorted(runs)]


def import_undo(ledger: Ledger, run: int | str, *, now: dt.datetime) -> dict[str, Any]:
    """Take a mistaken import back: withdrawals and reopened outcomes, as entries.

    Parameters
    ----------
    run : int or str
        The number of any entry that the import recorded, as the import printed it.

    Raises
    ------
    InvalidInput, NotFound
        No import, or one that was taken back already; nothing was written.
    """
    try:
        at = ledger.entry(run).recorded_at
    except NotFound as absent:
        raise NotFound(absent.message, hint="forecast import runs") from absent
    brought = [one for one in ledger.forecasts(kind="imported") if one.recorded_at == at]
    settled = [one for one in ledger.resolutions() if one.recorded_at == at and not one.status]
    if not brought:
        msg = f"run ({run}): no import of forecasts recorded that entry"
        raise InvalidInput(msg, hint="forecast import runs")
    gone = undone(ledger).forecasts
    left = [one for one in brought if one.seq not in gone]
    if not left:
        msg = f"run ({run}): was taken back already"
        raise InvalidInput(msg, hint="forecast import runs")
    standing = outcomes(ledger.resolutions())
    held = ledger.resolutions()
    drafts: list[Draft] = [Withdrawal(one.question, one.forecaster, one.issued_at) for one in left]
    reopened = [
        one.question
        for one in settled
        if (now_stands := standing.get(one.question)) is not None and now_stands.seq == one.seq
    ]
    drafts += [
        Resolution(
            question=question,
            outcome="",
            resolved_at=now,
            source=UNDONE,
            version=1 + max(one.version for one in held if one.question == question),
            status=REOPENED,
            note=f"the import of {iso(at)} was taken back",
        )
        for question in reopened
    ]
    recorded = ledger.append(drafts, recorded_at=now)
    return {
        "run": run,
        "recorded_at": at,
        "withdrawn": len(left),
        "reopened": len(reopened),
        "seq": recorded[0].seq,
    }
