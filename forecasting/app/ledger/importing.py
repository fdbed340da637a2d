"""Track records in: read, planned against the ledger, recorded in one transaction, taken back."""

import datetime as dt
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecasting import exchange
from forecasting.app.ledger.export import NOT_HERE, foreign, restored, whole
from forecasting.app.ledger.log import beside
from forecasting.app.news.add import News, taken
from forecasting.domain import Evidence, Forecast, Withdrawal
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import OURS, person
from forecasting.domain.instants import DEFAULT_ZONE, iso
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.question import ANNULLED, Question
from forecasting.domain.reading import Ambiguous, Manner, of_file, plainly
from forecasting.domain.reading.quantities import THOUSANDS
from forecasting.domain.resolution import REOPENED, Resolution, outcomes
from forecasting.domain.setup import Setup
from forecasting.errors import DatabaseUnusable, InvalidInput, NotFound
from forecasting.exchange import Plan
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, QuestionHistory, detected
from forecasting.exchange.people import named
from forecasting.exchange.record import Statements, ends_to_come, gathered
from forecasting.exchange.rows import by_rows
from forecasting.exchange.source import opened
from forecasting.exchange.summary import (
    checked,
    first_rows,
    questions_and_outcomes,
    summary,
    title_notes,
)
from forecasting.store import Draft, Ledger, transfer
from forecasting.store.undone import (
    bare_runs,
    bounds,
    import_runs,
    taken_back,
    undone,
    vacated,
    versions,
)

#: How the export of a ledger is read with everything in it.
WHOLE = "a database of its own takes it whole: database=NEW.db, create=True"
_ATTEMPTS = 5
#: Rows after which it is told again how many were read.
_TELLING = 5000
type Progress = Callable[[str, int, int], None]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from walking millions of rows again and again: they form no cycles."""
    import gc

    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def _silent(stage: str, done: int, total: int) -> None:
    """Report no progress."""


def _with_progress[Row](rows: Iterable[Row], progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        if not number % _TELLING:
            progress("reading", number, 0)
        yield row


@_uncollected()
def import_record(
    ledger: Ledger,
    file: Path,
    format: str = "",
    *,
    now: dt.datetime,
    name: str = "",
    me: str = "",
    user: str = "",
    forecaster: str = "",
    zone: str = "",
    usual_zone: str = "",
    decimal: str = "",
    unit: str = "",
    dates: str = "",
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    check_scores: bool = False,
    progress: Progress = _silent,
) -> dict[str, Any]:
    """Record what a track record states and the ledger lacks, in one transaction."""
    for whose in filter(None, (me, forecaster)):
        person(whose)
    place = known_zone(zone).key if zone else ""
    progress("reading", 0, 0)
    source = opened(file, name=name)
    # Whoever names columns has a table of their own.
    of = detected(source, format or "csv" * bool(columns))
    here = "" if place or not of.own or usual_zone == DEFAULT_ZONE else usual_zone
    zone = place or here
    manner = Manner(zone=zone, decimal=decimal, unit=unit, dates=dates)  # type: ignore[arg-type]
    content, name = source.content, source.name
    digest = hashlib.sha256(content).hexdigest()
    reading = Reading(me=me or forecaster, manner=manner, columns=dict(columns or {}))
    items: list[tuple[int, Evidence]] = []
    declared = whole(content, name) if of.name == "jsonl" else None
    if declared is not None:
        copied = restored(ledger, content, name, declared, now=now, dry_run=dry_run)
        if copied is not None:
            return _result(ledger, file, digest, copied, dry_run)
        statements, items = foreign(content, name, declared)
    else:
        try:
            statements = gathered(_with_progress(of.read(source, reading), progress))
        except Ambiguous as cell:
            raise of_file(cell) from cell
        if not statements.rows:
            msg = f"file ({name}): states no question, forecast or outcome; nothing was written"
            raise InvalidInput(msg, hint="the whole file: it may be cut off")
        if not of.own:
            named(statements, of.platform or of.name, me=me, user=user, forecaster=forecaster)
            ends_to_come(statements, now)
            if of.place is not None:
                of.place(statements, {one.id: one for one in ledger.questions()})
    if here and "zone" in manner.seen:
        statements.notes.append(
            f"days and times without an offset, such as {plainly(manner.seen['zone'])}, are read "
            f"in {here}, the zone of this workspace; zone=ZONE names another"
        )
    people = {statement.forecaster for statement in statements.forecasts}
    if of.own and (ours := sorted(filter(OURS.fullmatch, people))):
        statements.notes.append(
            f"{', '.join(ours[:6])}{', ...' * (len(ours) > 6)}: names of the program's own "
            "forecasters; what the file says of them is kept as imported"
        )
    if declared is not None and any(one.reason in NOT_HERE for one in statements.refused):
        statements.notes.append(f"of another ledger not everything can come in; {WHOLE}")
    # A platform's names are spelled as the platform spells them.
    statements.notes += beside(
        ledger, (name for name in people if of.own or name == me), of_file=True
    )
    # The text of a million rows is as large as the statements read from it.
    del content, source
    for _ in range(_ATTEMPTS):
        progress("comparing with the ledger", 0, 0)
        head = ledger.head()
        before = Catalog.of(ledger)
        plan, news = _plan(ledger, statements, items, of, now=now, name=name, manner=manner)
        added = plan.added + len(news.items)
        duplicates = plan.duplicates + news.duplicates
        rows, refused = statements.rows, [*plan.refused, *news.refused]
        accepted = added + duplicates
        if not of.own:
            rows, added, duplicates, refused = by_rows(statements, plan)
        refused.sort(key=lambda one: (one.line, one.reason))
        if refused and (all_or_nothing or accepted == 0):
            first = refused[0]
            share = f"{len(refused):,} of {rows:,} rows refused"
            msg = f"{first.reason.rstrip('.')} ({share}; nothing was written)"
            way_out = "" if declared is None else WHOLE
            raise InvalidInput(msg, hint=way_out, where=f"{name}:{first.line}")
        drafts: list[Draft] = [*plan.questions, *plan.forecasts, *plan.withdrawals]
        run = _run_name(head.seq, plan)
        drafts += [*plan.resolutions, *news.items]
        if run and not plan.forecasts:
            drafts.append(Setup("import", run, {}))
        if dry_run or not drafts:
            break

        def report(done: int, total: int = len(drafts)) -> None:
            progress("recording", done, total)

        if transfer.record(ledger, drafts, recorded_at=now, head=head, progress=report):
            break
    else:
        msg = f"database ({ledger.where}): other programs keep writing to it; nothing was written"
        raise DatabaseUnusable(msg, hint="again when they have finished")
    if of.name == "csv" and (marked := manner.seen.get(THOUSANDS)):
        plan.notes.append(
            f"numbers such as {plainly(marked)} are read with a decimal point; decimal=comma says "
            "that it marks thousands"
        )
    counts = {
        "format": of.name,
        "in": rows,
        "added": added,
        "duplicates": duplicates,
        "questions": len(plan.questions),
        "forecasts": len(plan.forecasts),
        "withdrawals": len(plan.withdrawals),
        "resolutions": len(plan.resolutions),
        "news": len(news.items),
        "refused": [{"line": one.line, "reason": one.reason} for one in refused],
        "notes": [*plan.notes, *title_notes(plan.questions, before, platform=not of.own)],
        "run": None if dry_run else run,
        "first": first_rows(plan, before),
        "summary": summary(plan, before),
    }
    if check_scores:
        cases = _cases(ledger, statements, plan) if of.rules else ()
        counts["scores"] = checked(of, statements, list(cases))
    return _result(ledger, file, digest, counts, dry_run)


def _run_name(head: int, plan: Plan) -> str | None:
    """Name an import by its first forecast (or entry) and its last entry; news has no name."""
    if not plan.forecasts:
        count = len(plan.questions) + len(plan.withdrawals) + len(plan.resolutions)
        return f"{head + 1}-{head + count}" if count else None
    first = head + len(plan.questions) + 1
    last = first + len(plan.forecasts) - 1
    if plan.resolutions:
        last += len(plan.withdrawals) + len(plan.resolutions)
    return f"{first}-{last}"


def _result(
    ledger: Ledger, file: Path, digest: str, counts: Mapping[str, Any], dry_run: bool
) -> dict[str, Any]:
    head = ledger.head()
    return {
        "file": str(file),
        "sha256": digest,
        **counts,
        "total": head.seq,
        "head": head.hash,
        "dry_run": dry_run,
    }


def _plan(
    ledger: Ledger,
    statements: exchange.Statements,
    items: list[tuple[int, Evidence]],
    of: Format,
    *,
    now: dt.datetime,
    name: str,
    manner: Manner,
) -> tuple[exchange.Plan, News]:
    plan = exchange.plan(
        statements, _holdings(ledger), now=now, name=name, manner=manner,
        platform=not of.own, titled=of.own or of.titled,
    )  # fmt: skip
    if not statements.news and not items:
        return plan, News()
    catalog = Catalog.of(ledger)
    new_questions = {question.id: question for question in plan.questions}
    catalog = replace(catalog, questions={**catalog.questions, **new_questions})
    return plan, taken(statements.news, items, ledger.evidence(), ledger, catalog, now)


def _holdings(ledger: Ledger) -> exchange.Existing:
    forecasts, undo = transfer.values_by_moment(ledger), undone(ledger)
    others = ledger.spoken_of(("live", "backdated"))
    others |= {seal.question for seal in ledger.seals()}
    left = {question for question, _, _ in forecasts}
    back = set[int]()
    every = ledger.forecasts(kind="imported") if undo.forecasts or undo.runs else []
    if every or undo.runs:
        back = taken_back(ledger, every, undo)
        for one in every:
            forecasts.pop((one.question, one.forecaster, one.issued_at), None)
        for one in undo.left(every):
            key = (one.question, one.forecaster, one.issued_at)
            forecasts[key] = (one.value.labels, one.value.entered)
        left = {question for question, _, _ in forecasts}
        emptied = vacated(ledger, back) - left - others
    else:
        emptied = set()
    questions = ledger.questions()
    # The source of an imported question is empty or an address; that of others is not.
    left |= {one.id for one in questions if one.source.partition(":")[0] in ("", "http", "https")}
    return exchange.Existing(
        questions={question.id: question for question in questions},
        resolutions=ledger.resolutions(),
        forecasts=forecasts,
        withdrawals=frozenset(
            (withdrawal.question, withdrawal.forecaster, withdrawal.withdrawn_at)
            for withdrawal in undo.withdrawals
        ),
        vacant=frozenset(emptied),
        imported=frozenset(left - others),
        before=lambda name: [
            one.value
            for one in ledger.question_history(name)
            if isinstance(one.value, Question) and one.seq not in back
        ],
    )


def _cases(ledger: Ledger, statements: Statements, plan: Plan) -> Iterator[QuestionHistory]:
    """Give what the ledger has of each resolved question that a file speaks of."""
    questions, settled = questions_and_outcomes(plan, Catalog.of(ledger))
    about = {one.question for one in statements.facts} | {
        one.question for one in statements.forecasts
    }
    beyond: dict[str, dict[str, Any]] = defaultdict(dict)
    for facts in statements.facts:
        beyond[facts.question] |= facts.stated
    undo = undone(ledger)
    by_question: dict[str, dict[tuple[str, Any], Forecast]] = defaultdict(dict)
    forecasts = [
        *undo.left(ledger.forecasts(kind="imported")),
        *(one.forecast for one in plan.forecasts),
    ]
    for forecast in forecasts:
        if forecast.question in about:
            by_question[forecast.question][forecast.forecaster, forecast.issued_at] = forecast
    withdrawn: dict[str, set[tuple[str, Any]]] = defaultdict(set)
    for withdrawal in (*undo.withdrawals, *plan.withdrawals):
        withdrawn[withdrawal.question].add((withdrawal.forecaster, withdrawal.withdrawn_at))
    for name in sorted(about & questions.keys() & settled.keys()):
        if settled[name].outcome == ANNULLED:
            continue
        yield QuestionHistory(
            questions[name],
            settled[name],
            sorted(by_question[name].values(), key=lambda one: (one.issued_at, one.forecaster)),
            withdrawals=[
                Withdrawal(name, who, at) for who, at in sorted(withdrawn[name], key=lambda w: w[1])
            ],
            stated=beyond[name],
            bots=statements.bots,
        )


def _only_imported(
    ledger: Ledger,
    forecasts: Sequence[Forecast],
    undone_seqs: Collection[int],
    new_questions: Collection[str] = (),
) -> list[str]:
    """Give the questions, the new ones too, that only some imported forecasts are on."""
    mine = {one.seq for one in forecasts}
    others = {one.question for one in ledger.seals()} | ledger.spoken_of(("live", "backdated"))
    others |= {
        one.question
        for one in ledger.forecasts(kind="imported")
        if one.seq not in mine and one.seq not in undone_seqs
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

    before = [each for each in versions if (each.seq or 0) < (one.seq or 0)]
    if before and (before[-1].source, before[-1].recorded_at) == (UNDONE, one.recorded_at):
        content = (one.outcome, one.resolved_at, one.source, one.certainty, one.note)
        same = (
            each
            for each in reversed(before)
            if content == (each.outcome, each.resolved_at, each.source, each.certainty, each.note)
        )
        first = next(same, None)
        return one if first is None else _first_said(first, before)
    return one


def _outcomes_before(
    ledger: Ledger, versions_of: Mapping[str, Sequence[Resolution]], first: int
) -> dict[str, Resolution]:
    """Give the outcomes that stood before an import, without those of imports undone since."""
    gone = [
        bounds(row["run"])
        for row in import_runs(ledger)
        if row["undone"] and row["undone"] >= row["forecasts"]
    ]

    def counts(one: Resolution) -> bool:
        seq = _first_said(one, versions_of[one.question]).seq or 0
        return not any(begins <= seq <= ends for begins, ends in gone)

    before = (
        one for versions in versions_of.values() for one in versions if (one.seq or 0) < first
    )
    return outcomes(one for one in before if counts(one))


def _run_of(ledger: Ledger, forecasts: Sequence[Forecast], *, until: bool) -> str | None:
    """Give the import that some forecasts are only a part of; None where they are all of it."""
    seqs = [one.seq or 0 for one in forecasts]
    first, last = min(seqs), max(seqs)
    for row in import_runs(ledger):
        begins, ends = bounds(row["run"])
        if begins <= first <= ends and (
            first > begins or (until and last < begins + row["forecasts"] - 1)
        ):
            return str(row["run"])
    return None


def import_undo(
    ledger: Ledger, run: int | str, *, now: dt.datetime, drop: bool = False
) -> dict[str, Any]:
    """Take a mistaken import back: withdrawals and reopened outcomes, as entries."""
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
    bare = {bounds(each): was_undone for each, was_undone in bare_runs(ledger)}
    mine = next(
        ((a, b) for a, b in bare if a == first.seq and last in (b, math.inf) and not forecasts),
        None,
    )
    if not forecasts and mine is None:
        msg = f"run ({run}): no import recorded that entry"
        raise InvalidInput(msg, hint="forecast import runs")
    if forecasts and (whole := _run_of(ledger, forecasts, until=bool(until))) is not None:
        raise InvalidInput(f"run ({run}): is a part of the import {whole}", hint=whole)
    undone_seqs = undone(ledger).forecasts
    remaining = [one for one in forecasts if one.seq not in undone_seqs]
    reworded, new_questions = _wordings(ledger, mine)
    idle = _only_imported(ledger, forecasts, undone_seqs, new_questions)
    if not (remaining if mine is None else not bare[mine]) and not (drop and idle):
        raise InvalidInput(f"run ({run}): was already undone", hint="forecast import runs")
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
