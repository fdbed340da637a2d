"""Imports taken back: forecasts withdrawn at the instant they were made, by later entries."""

import datetime as dt
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from forecasting.domain import Forecast, Resolution, Withdrawal
from forecasting.domain.instants import iso
from forecasting.domain.resolution import REOPENED, outcomes
from forecasting.errors import InvalidInput, NotFound
from forecasting.exchange.settle import UNDONE
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

    A withdrawal at the very instant of an imported forecast, recorded later, says that it was never
    made: neither counts for anything, and the same may be said again.
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


def _seq(one: Forecast | Resolution) -> int:
    return one.seq or 0


def import_runs(ledger: Ledger) -> list[dict[str, Any]]:
    """Give every import that forecasts came from: its run, when it was, and what it brought."""
    gone = undone(ledger).forecasts
    found = sorted(ledger.forecasts(kind="imported"), key=lambda one: one.seq or 0)
    settled = [one for one in ledger.resolutions() if not one.status]
    # The forecasts of one import stand side by side, its outcomes behind them.
    blocks: list[list[Forecast]] = []
    for one in found:
        last = blocks[-1][-1] if blocks else None
        if last is None or one.recorded_at != last.recorded_at or _seq(one) != _seq(last) + 1:
            blocks.append([])
        blocks[-1].append(one)
    if not blocks:
        return []
    begins = [_seq(block[0]) for block in blocks]
    rows = []
    for block, next_begins in zip(blocks, [*begins, math.inf][1:], strict=True):
        end = _seq(block[-1])
        behind = [
            _seq(one)
            for one in settled
            if one.recorded_at == block[0].recorded_at and end < _seq(one) < next_begins
        ]
        rows.append(
            {
                "run": f"{_seq(block[0])}-{max([end, *behind])}",
                "recorded_at": block[0].recorded_at,
                "forecasts": len(block),
                "outcomes": len(behind),
                "undone": sum(one.seq in gone for one in block),
            }
        )
    return rows


def import_undo(ledger: Ledger, run: int | str, *, now: dt.datetime) -> dict[str, Any]:
    """Take a mistaken import back: withdrawals and reopened outcomes, as entries.

    `run` is its first and last entry, as it printed them; or the first.
    """
    stated, _, until = str(run).strip().partition("-")
    try:
        first = ledger.entry(stated)
        last = ledger.entry(until).seq if until else math.inf
    except NotFound as absent:
        raise NotFound(absent.message, hint="forecast import runs") from absent
    at = first.recorded_at

    def within(one: Forecast | Resolution) -> bool:
        return one.recorded_at == at and first.seq <= (one.seq or 0) <= last

    brought = [one for one in ledger.forecasts(kind="imported") if within(one)]
    settled = [one for one in ledger.resolutions() if within(one) and not one.status]
    if not brought:
        msg = f"run ({run}): no import of forecasts recorded that entry"
        raise InvalidInput(msg, hint="forecast import runs")
    gone = undone(ledger).forecasts
    left = [one for one in brought if one.seq not in gone]
    if not left:
        msg = f"run ({run}): was already undone"
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
