"""What imports brought and their undoing took back: it counts for nothing, whoever reads it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from forecasting.domain import Withdrawal
from forecasting.domain.forecast import Forecast, Said
from forecasting.store import Ledger
from forecasting.store.taken import at_one_instant, brought_with, versions


class Undone(NamedTuple):
    """The imported forecasts that were taken back, by number, and the withdrawals that remain."""

    forecasts: frozenset[int]
    withdrawals: list[Withdrawal]

    def left[One: (Forecast, Said)](self, forecasts: Iterable[One]) -> list[One]:
        """Give the forecasts that were not taken back."""
        return [one for one in forecasts if one.seq not in self.forecasts]


def undone(ledger: Ledger, *, head: int | None = None) -> Undone:
    """Read which imported forecasts were taken back, up to a head.

    A withdrawal at the very instant of an imported forecast, recorded later, says that it was never
    made: neither counts for anything, and the same may be said again, and taken back again. One
    recorded before is the end of an earlier forecast, whose next one was not known yet: it counts
    where no forecast stands at that instant. The ends that an import brought go with its forecasts,
    once all of those are taken back.
    """
    withdrawals = ledger.withdrawals(head=head)
    if not withdrawals:
        return Undone(frozenset(), [])
    said: dict[int, set[int]] = defaultdict(set)
    taken: dict[int, set[int]] = defaultdict(set)
    for forecast, end in at_one_instant(ledger, head=head):
        said[end].add(forecast)
        taken[forecast].add(end)
    gone, used = set[int](), set[int]()
    for end, forecasts in said.items():
        # Every withdrawal at an instant is paired with every forecast at it.
        ends = taken[min(forecasts)]
        if end == min(ends):
            back, spent = _replayed(forecasts, ends)
            gone |= back
            used |= spent
    used |= _ends_of_undone(ledger, withdrawals, gone)
    return Undone(frozenset(gone), [one for one in withdrawals if one.seq not in used])


def _replayed(forecasts: set[int], ends: set[int]) -> tuple[set[int], set[int]]:
    """Go through what was recorded of one instant; give what was taken back, and by what."""
    gone, used = set[int](), set[int]()
    stand: set[int] = set()
    for seq in sorted(forecasts | ends):
        if seq in forecasts:
            stand.add(seq)
        elif stand:
            gone |= stand
            used.add(seq)
            stand = set()
    return gone, ends if stand else used


def _ends_of_undone(ledger: Ledger, withdrawals: Sequence[Withdrawal], gone: set[int]) -> set[int]:
    """Give the withdrawals that an import brought behind its forecasts, where those are gone."""
    found: set[int] = set()
    last, whole = -1, False
    for one in sorted(withdrawals, key=lambda each: each.seq or 0):
        seq = one.seq or 0
        if seq != last + 1:
            whole = seq - 1 in gone and _all_gone(ledger, one, gone)
        last = seq
        if whole:
            found.add(seq)
    return found


def _all_gone(ledger: Ledger, end: Withdrawal, gone: set[int]) -> bool:
    """Whether the forecasts that stand in one row before an end, of one import, are all gone."""
    expected = (end.seq or 0) - 1
    for seq in brought_with(ledger, end, expected):
        if seq != expected:
            break
        if seq not in gone:
            return False
        expected -= 1
    return expected < (end.seq or 0) - 1


def vacated(ledger: Ledger, every: Iterable[Forecast], gone: Undone) -> set[str]:
    """Give the questions all of whose versions came in imports that were taken back whole."""
    told = versions(ledger)
    known = {seq: at for seq, _, at in told}
    back: set[int] = set()
    for block in blocks(every):
        if all(one.seq in gone.forecasts for one in block):
            seq, at = (block[0].seq or 0) - 1, block[0].recorded_at
            while known.get(seq) == at:
                back.add(seq)
                seq -= 1
    return {name for _, name, _ in told} - {name for seq, name, _ in told if seq not in back}


def blocks(imported: Iterable[Forecast]) -> list[list[Forecast]]:
    """Part imported forecasts by the import that brought them: there they stand side by side."""
    found: list[list[Forecast]] = []
    for one in sorted(imported, key=lambda one: one.seq or 0):
        last = found[-1][-1] if found else None
        if last is None or (one.recorded_at, one.seq) != (last.recorded_at, (last.seq or 0) + 1):
            found.append([])
        found[-1].append(one)
    return found
