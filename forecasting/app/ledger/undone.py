"""Take an import back, and read what was taken back: it counts for nothing, whoever reads it."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from forecasting.domain import Question, Withdrawal
from forecasting.domain.forecast import BriefForecast, Forecast
from forecasting.domain.instants import iso
from forecasting.domain.resolution import REOPENED, Resolution, outcomes
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Draft, Ledger
from forecasting.store.import_ends import at_one_instant, brought_with, versions


class Undone(NamedTuple):
    """The imported forecasts that were taken back, by number, and the withdrawals that remain.

    `runs` are the imports without forecasts that were taken back, by their first and last entry.
    """

    forecasts: frozenset[int]
    withdrawals: list[Withdrawal]
    runs: tuple[tuple[int, int], ...] = ()

    def left[One: (Forecast, BriefForecast)](self, forecasts: Iterable[One]) -> list[One]:
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
    runs = tuple(_bounds(run) for run, was_undone in bare_runs(ledger, head=head) if was_undone)
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


def _bounds(run: str) -> tuple[int, int]:
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
        first, last = _bounds(run)
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
    return sorted(rows, key=lambda row: _bounds(row["run"]))


def _count_ends_behind(withdrawals: Sequence[Withdrawal], last: Forecast) -> int:
    """Count the withdrawals that stand in one row behind the last forecast of an import."""
    behind = {one.seq for one in withdrawals if one.recorded_at == last.recorded_at}
    count = 0
    while _seq(last) + count + 1 in behind:
        count += 1
    return count


def _only_imported(
    ledger: Ledger,
    forecasts: Sequence[Forecast],
    undone_seqs: Collection[int],
    new_questions: Collection[str] = (),
) -> list[str]:
    """Give the questions, the new ones too, that only some imported forecasts are on."""
    mine = {one.seq for one in forecasts}
    others = {one.question for one in ledger.seals()}
    for kind in ("live", "backdated", "imported"):
        every = ledger.forecasts(kind=kind)
        others |= {
            one.question for one in every if one.seq not in mine and one.seq not in undone_seqs
        }
    names = ({one.question for one in forecasts} | {*new_questions}) - others
    return [
        question.id
        for question in ledger.questions()
        # The source of an imported question is empty or an address; that of others is not.
        if question.id in names and question.source.partition(":")[0] in ("", "http", "https")
    ]


def _wordings(ledger: Ledger, run: tuple[int, int] | None) -> tuple[list[Question], list[str]]:
    """Give the former words of questions that an import changed, and the questions it made."""
    if run is None:
        return [], []
    first, last = run
    of: dict[str, list[int]] = defaultdict(list)
    for seq, name, _ in versions(ledger):
        of[name].append(seq)
    reworded, new_questions = [], []
    for name, numbers in of.items():
        before = [seq for seq in numbers if seq < first]
        if any(first <= seq <= last for seq in numbers) and not before:
            new_questions.append(name)
        elif before and first <= numbers[-1] <= last:
            former = ledger.entry(before[-1]).value
            reworded += [former] if isinstance(former, Question) else []
    return reworded, new_questions


def _first_said(one: Resolution, versions: Sequence[Resolution]) -> Resolution:
    """Give the version of an outcome that one restores after an undone import; else itself."""
    from forecasting.exchange.outcomes import UNDONE

    before = [each for each in versions if _seq(each) < _seq(one)]
    if before and (before[-1].source, before[-1].recorded_at) == (UNDONE, one.recorded_at):
        content = (one.outcome, one.resolved_at, one.source, one.certainty, one.note)
        for each in reversed(before):
            if content == (each.outcome, each.resolved_at, each.source, each.certainty, each.note):
                return _first_said(each, before)
    return one


def _outcomes_before(
    ledger: Ledger, versions_of: Mapping[str, Sequence[Resolution]], first: int
) -> dict[str, Resolution]:
    """Give the outcomes that stood before an import, without those of imports undone since."""
    gone = [
        _bounds(row["run"])
        for row in import_runs(ledger)
        if row["undone"] and row["undone"] >= row["forecasts"]
    ]

    def counts(one: Resolution) -> bool:
        seq = _seq(_first_said(one, versions_of[one.question]))
        return not any(begins <= seq <= ends for begins, ends in gone)

    before = (one for versions in versions_of.values() for one in versions if _seq(one) < first)
    return outcomes(one for one in before if counts(one))


def import_undo(
    ledger: Ledger, run: int | str, *, now: dt.datetime, drop: bool = False
) -> dict[str, Any]:
    """Take a mistaken import back: withdrawals and reopened outcomes, as entries.

    With `drop`, the questions on which nobody has forecast otherwise leave every list; without it
    they stay, and are `idle`. An outcome that the import corrected stands again as it was
    (`restored`). `run` is its first and last entry, as it printed them; or the first.
    Of an import without forecasts the ends count no more and each question has its former words.
    """
    from forecasting.exchange.outcomes import UNDONE

    start, _, until = str(run).strip().partition("-")
    try:
        first = ledger.entry(start)
        last = ledger.entry(until).seq if until else math.inf
    except NotFound as absent:
        raise NotFound(absent.message, hint="forecast import runs") from absent
    at = first.recorded_at

    def within(one: Forecast | Resolution) -> bool:
        return one.recorded_at == at and first.seq <= (one.seq or 0) <= last

    forecasts = [one for one in ledger.forecasts(kind="imported") if within(one)]
    settled = [one for one in ledger.resolutions() if within(one) and not one.status]
    bare = {_bounds(each): was_undone for each, was_undone in bare_runs(ledger)}
    mine = next(
        ((a, b) for a, b in bare if a == first.seq and last in (b, math.inf) and not forecasts),
        None,
    )
    if not forecasts and mine is None:
        msg = f"run ({run}): no import recorded that entry"
        raise InvalidInput(msg, hint="forecast import runs")
    undone_seqs = undone(ledger).forecasts
    remaining = [one for one in forecasts if one.seq not in undone_seqs]
    reworded, new_questions = _wordings(ledger, mine)
    idle = _only_imported(ledger, forecasts, undone_seqs, new_questions)
    if not (remaining if mine is None else not bare[mine]) and not (drop and idle):
        msg = f"run ({run}): was already undone"
        raise InvalidInput(msg, hint="forecast import runs")
    versions_of: dict[str, list[Resolution]] = defaultdict(list)
    for one in ledger.resolutions():
        versions_of[one.question].append(one)
    standing = outcomes(each for versions in versions_of.values() for each in versions)
    drafts: list[Draft] = [
        Withdrawal(one.question, one.forecaster, one.issued_at) for one in remaining
    ]
    reopened = [
        one.question
        for one in settled
        if (current := standing.get(one.question)) is not None
        and _first_said(current, versions_of[one.question]).seq == one.seq
    ]
    earlier = _outcomes_before(ledger, versions_of, first.seq)
    restored = [question for question in reopened if question in earlier]
    for question in reopened:
        end = Resolution(
            question=question,
            outcome="",
            resolved_at=now,
            source=UNDONE,
            version=1 + max(one.version for one in versions_of[question]),
            status=REOPENED,
            note=f"the import of {iso(at)} was taken back",
        )
        drafts.append(end)
        if question in earlier:
            drafts.append(
                replace(earlier[question], version=end.version + 1, recorded_at=None, seq=None)
            )
    if mine is not None and not bare[mine]:
        drafts += reworded
        drafts.append(Setup("import", f"{mine[0]}-{mine[1]}", {"undone": "yes"}))
    drafts += [Setup("dropped", question, {}) for question in idle if drop]
    recorded = ledger.append(drafts, recorded_at=now)
    return {
        "run": run,
        "recorded_at": at,
        "withdrawn": len(remaining),
        "reopened": len(reopened) - len(restored),
        **({"restored": len(restored)} if restored else {}),
        **({} if mine is None else {"reworded": len(reworded)}),
        "dropped" if drop else "idle": len(idle),
        "seq": recorded[0].seq,
    }
