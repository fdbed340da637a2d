"""Imports that were taken back: what they brought counts for nothing, whoever reads it."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import and_, select

from forecasting.domain import Withdrawal
from forecasting.domain.catalog import Undone
from forecasting.domain.forecast import Forecast
from forecasting.domain.resolution import Resolution
from forecasting.store import tables
from forecasting.store.ledger import Ledger
from forecasting.store.read import up_to, without_dropped


def undone(ledger: Ledger, *, head: int | None = None) -> Undone:
    """Read which imported forecasts were taken back, up to a head.

    A withdrawal at the very instant of an imported forecast, recorded later, says that it was never
    made: neither counts. One recorded before is the end of an earlier forecast, and counts where no
    forecast stands at that instant. The ends that an import brought go with its forecasts.
    """
    withdrawals = ledger.withdrawals(head=head)
    runs = tuple(bounds(run) for run, was_undone in bare_runs(ledger, head=head) if was_undone)
    if not withdrawals:
        return Undone(frozenset(), [], runs)
    forecasts_at: dict[int, set[int]] = defaultdict(set)
    ends_at: dict[int, set[int]] = defaultdict(set)
    for forecast, end in at_one_instant(ledger, head=head):
        forecasts_at[end].add(forecast)
        ends_at[forecast].add(end)
    undone_seqs, spent_ends = set[int](), set[int]()
    for end, forecasts in forecasts_at.items():
        # Every withdrawal at an instant is paired with every forecast at it.
        ends = ends_at[min(forecasts)]
        if end == min(ends):
            back, spent = _undone_at_instant(forecasts, ends)
            undone_seqs |= back
            spent_ends |= spent
    spent_ends |= _ends_of_undone(ledger, withdrawals, undone_seqs)
    for first, last in runs:
        spent_ends.update(range(first, last + 1))
    return Undone(
        frozenset(undone_seqs), [one for one in withdrawals if one.seq not in spent_ends], runs
    )


def bare_runs(ledger: Ledger, *, head: int | None = None) -> list[tuple[str, bool]]:
    """Give every import that brought no forecast, and whether it was undone."""
    setups = [setup for setup in ledger.setups(head=head) if setup.subject == "import"]
    return list({setup.name: bool(setup.detail) for setup in setups}.items())


def bounds(run: str) -> tuple[int, int]:
    """Give the first and the last entry of an import by its name."""
    first, _, last = run.partition("-")
    return int(first), int(last)


def _undone_at_instant(forecasts: set[int], ends: set[int]) -> tuple[set[int], set[int]]:
    """Go through what was recorded of one instant; give what was taken back, and by what."""
    undone_seqs, spent_ends = set[int](), set[int]()
    standing: set[int] = set()
    for seq in sorted(forecasts | ends):
        if seq in forecasts:
            standing.add(seq)
        elif standing:
            undone_seqs |= standing
            spent_ends.add(seq)
            standing = set()
    return undone_seqs, ends if standing else spent_ends


def _ends_of_undone(
    ledger: Ledger, withdrawals: Sequence[Withdrawal], undone_seqs: set[int]
) -> set[int]:
    """Give the withdrawals that an import brought behind its forecasts, where those are undone."""
    ends: set[int] = set()
    last, whole = -1, False
    for one in sorted(withdrawals, key=lambda each: each.seq or 0):
        seq = one.seq or 0
        if seq != last + 1:
            whole = seq - 1 in undone_seqs and _all_undone(ledger, one, undone_seqs)
        last = seq
        if whole:
            ends.add(seq)
    return ends


def _all_undone(ledger: Ledger, end: Withdrawal, undone_seqs: set[int]) -> bool:
    """Whether the forecasts that stand in one row before an end, of one import, are all undone."""
    expected = (end.seq or 0) - 1
    for seq in brought_with(ledger, end, expected):
        if seq != expected:
            break
        if seq not in undone_seqs:
            return False
        expected -= 1
    return expected < (end.seq or 0) - 1


def taken_back(ledger: Ledger, every: Iterable[Forecast], undo: Undone) -> set[int]:
    """Give the versions of questions, by number, whose import was taken back whole."""
    recorded_at = {seq: at for seq, _, at in versions(ledger)}
    back = {seq for seq in recorded_at if any(first <= seq <= last for first, last in undo.runs)}
    for block in blocks(every):
        if all(one.seq in undo.forecasts for one in block):
            seq, at = (block[0].seq or 0) - 1, block[0].recorded_at
            while recorded_at.get(seq) == at:
                back.add(seq)
                seq -= 1
    return back


def vacated(ledger: Ledger, back: Collection[int]) -> set[str]:
    """Give the questions all of whose versions were taken back."""
    wordings = versions(ledger)
    return {name for _, name, _ in wordings} - {
        name for seq, name, _ in wordings if seq not in back
    }


def blocks(imported: Iterable[Forecast]) -> list[list[Forecast]]:
    """Group imported forecasts by import: those of one stand side by side in the ledger."""
    groups: list[list[Forecast]] = []
    for one in sorted(imported, key=lambda one: one.seq or 0):
        last = groups[-1][-1] if groups else None
        if last is None or (one.recorded_at, one.seq) != (last.recorded_at, (last.seq or 0) + 1):
            groups.append([])
        groups[-1].append(one)
    return groups


def _seq(one: Forecast | Resolution | Withdrawal) -> int:
    return one.seq or 0


def import_runs(ledger: Ledger) -> list[dict[str, Any]]:
    """Give every import: its run, when it was, what it brought, and how much of that is undone."""
    undone_seqs = undone(ledger).forecasts
    settled = [one for one in ledger.resolutions() if not one.status]
    withdrawals = ledger.withdrawals()
    imports = blocks(ledger.forecasts(kind="imported"))
    begins = [_seq(block[0]) for block in imports]
    rows = []
    # The outcomes of an import stand behind its forecasts.
    for block, next_begins in zip(imports, [*begins[1:], math.inf][: len(imports)], strict=True):
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
                "withdrawals": _count_ends_behind(withdrawals, block[-1]),
                "outcomes": len(behind),
                "undone": sum(one.seq in undone_seqs for one in block),
            }
        )
    for run, was_undone in bare_runs(ledger):
        first, last = bounds(run)
        rows.append(
            {
                "run": run,
                "recorded_at": ledger.entry(first).recorded_at,
                "forecasts": 0,
                "withdrawals": sum(first <= _seq(one) <= last for one in withdrawals),
                "outcomes": sum(first <= _seq(one) <= last for one in settled),
                "undone": was_undone * (last - first + 1),
            }
        )
    return sorted(rows, key=lambda row: bounds(row["run"]))


def _count_ends_behind(withdrawals: Sequence[Withdrawal], last: Forecast) -> int:
    """Count the withdrawals that stand in one row behind the last forecast of an import."""
    behind = {one.seq for one in withdrawals if one.recorded_at == last.recorded_at}
    count = 0
    while _seq(last) + count + 1 in behind:
        count += 1
    return count


def at_one_instant(ledger: Ledger, *, head: int | None = None) -> list[tuple[int, int]]:
    """Pair imported forecasts with withdrawals by the same person at the same instant."""
    together = and_(
        tables.forecast.c.question == tables.withdrawal.c.question,
        tables.forecast.c.forecaster == tables.withdrawal.c.forecaster,
        tables.forecast.c.issued_at == tables.withdrawal.c.withdrawn_at,
    )
    statement = (
        select(tables.forecast.c.seq, tables.withdrawal.c.seq)
        .select_from(tables.withdrawal.join(tables.forecast, together))
        .where(
            tables.forecast.c.kind == "imported",
            *without_dropped(tables.forecast, head),
            *up_to(tables.withdrawal, head),
        )
    )
    with ledger.reading() as connection:
        return [
            (forecast_seq, withdrawal_seq)
            for forecast_seq, withdrawal_seq in connection.execute(statement)
        ]


def brought_with(ledger: Ledger, taken: Withdrawal, last: int) -> list[int]:
    """Give the imported forecasts up to a number that were recorded at the moment of one end."""
    statement = (
        select(tables.forecast.c.seq)
        .select_from(
            tables.forecast.join(tables.entry, tables.entry.c.seq == tables.forecast.c.seq)
        )
        .where(
            tables.forecast.c.kind == "imported",
            tables.forecast.c.seq <= last,
            tables.entry.c.recorded_at == taken.recorded_at,
        )
        .order_by(tables.forecast.c.seq.desc())
    )
    with ledger.reading() as connection:
        return list(connection.execute(statement).scalars())


def versions(ledger: Ledger) -> list[tuple[int, str, dt.datetime]]:
    """Give every version of every question, by number: its id, and when it was recorded."""
    statement = (
        select(tables.question.c.seq, tables.question.c.question, tables.entry.c.recorded_at)
        .select_from(
            tables.question.join(tables.entry, tables.entry.c.seq == tables.question.c.seq)
        )
        .where(*without_dropped(tables.question, None))
        .order_by(tables.question.c.seq)
    )
    with ledger.reading() as connection:
        return [(seq, name, at) for seq, name, at in connection.execute(statement)]
