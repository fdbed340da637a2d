"""Track records in: read, planned against the ledger, recorded in one transaction, taken back."""

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from heapq import nsmallest
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any

from forecasting import exchange
from forecasting.app.catalog import Catalog
from forecasting.app.ledger.export import NOT_HERE, foreign, restored, whole
from forecasting.app.ledger.log import beside
from forecasting.app.ledger.undone import taken_back, undone, vacated
from forecasting.app.news.add import News, taken
from forecasting.domain import Evidence, Forecast, Withdrawal
from forecasting.domain.forecasters import OURS, person
from forecasting.domain.instants import DEFAULT_ZONE
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.question import ANNULLED, TOO_SOON, Question
from forecasting.domain.reading import Ambiguous, Manner, of_file, plainly
from forecasting.domain.reading.quantities import THOUSANDS
from forecasting.domain.resolution import Resolution, outcomes
from forecasting.domain.setup import Setup
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.exchange import Plan
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, QuestionHistory, detected
from forecasting.exchange.people import named
from forecasting.exchange.record import Statements, ends_to_come, gathered
from forecasting.exchange.rows import by_rows
from forecasting.exchange.source import opened
from forecasting.store import Draft, Ledger, transfer

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
    """Record what a track record states and the ledger lacks, in one transaction.

    Every forecast comes in as ``imported``, recorded now, because nobody can prove when it was
    made; but the export of a whole ledger, read into one that is empty or holds its beginning, is
    verified link by link and recorded as it is. Of ``in`` rows of the file each is added, a
    duplicate or refused, however many records it states (``questions``, ``forecasts``, ...); `run`
    takes the import back (`import_undo`), `first` shows five rows as understood.
    `name` is what to call the file, where it is not its own. `usual_zone` is that of the days of a
    table or of records of one's own, where neither they nor `zone` state another.
    """
    for whose in filter(None, (me, forecaster)):
        person(whose)
    place = known_zone(zone).key if zone else ""
    progress("reading", 0, 0)
    source = opened(file, name=name)
    of = detected(source, format)
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
        plan, news = _plan(
            ledger, statements, items, now=now, name=name, manner=manner, platform=not of.own
        )
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
        "notes": [*plan.notes, *_title_notes(plan.questions, before)],
        "run": None if dry_run else run,
        "first": first_rows(plan, before),
        "summary": summary(plan, before),
    }
    if check_scores:
        counts["scores"] = checked(ledger, of, statements, plan)
    return _result(ledger, file, digest, counts, dry_run)


def _run_name(head: int, plan: Plan) -> str | None:
    """Name an import by its first forecast and its last outcome or forecast, as the list does.

    One without forecasts is named by its first and last entry; one of news alone has no name.
    """
    if not plan.forecasts:
        count = len(plan.questions) + len(plan.withdrawals) + len(plan.resolutions)
        return f"{head + 1}-{head + count}" if count else None
    first = head + len(plan.questions) + 1
    last = first + len(plan.forecasts) - 1
    if plan.resolutions:
        last += len(plan.withdrawals) + len(plan.resolutions)
    return f"{first}-{last}"


def _title_notes(new: Iterable[Question], before: Catalog) -> list[str]:
    """Name the new questions whose title one on record has, under another id."""
    titles = before.titles()
    twice = [
        f"{one.id} ({name})"
        for one in new
        if one.id not in before.questions and (name := titles.get(one.whole_title.casefold()))
    ]
    if not twice:
        return []
    names = ", ".join(twice[:3]) + (f" and {len(twice) - 3} more" if len(twice) > 3 else "")
    return [
        f"the title of a question on record, under another id: {names}; if it is the same one, "
        "take the import back and give the id on record in the column question"
    ]


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
    *,
    now: dt.datetime,
    name: str,
    manner: Manner,
    platform: bool,
) -> tuple[exchange.Plan, News]:
    plan = exchange.plan(
        statements, _holdings(ledger), now=now, name=name, manner=manner, platform=platform
    )
    if not statements.news and not items:
        return plan, News()
    catalog = Catalog.of(ledger)
    new_questions = {question.id: question for question in plan.questions}
    catalog = replace(catalog, questions={**catalog.questions, **new_questions})
    return plan, taken(statements.news, items, ledger.evidence(), ledger, catalog, now)


def _holdings(ledger: Ledger) -> exchange.Existing:
    forecasts, undo = transfer.values_by_moment(ledger), undone(ledger)
    others = {f.question for kind in ("live", "backdated") for f in ledger.forecasts(kind=kind)}
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


SHOWN = 5


def first_rows(plan: Plan, catalog: Catalog) -> list[dict[str, Any]]:
    """Give the first forecasts of an import as they were understood."""
    questions, settled = _questions_and_outcomes(plan, catalog)
    return [
        {
            "question": one.question,
            "title": questions[one.question].title,
            "forecaster": one.forecaster,
            "forecast": one.value.plain,
            "issued_at": one.issued_at,
            "closes": questions[one.question].closes,
            "outcome": None if (out := settled.get(one.question)) is None else out.outcome,
            "resolved_at": None if out is None else out.resolved_at,
        }
        for one in nsmallest(SHOWN, plan.forecasts, key=attrgetter("issued_at"))
    ]


def summary(plan: Plan, catalog: Catalog) -> str:
    """Say how many forecasts will be scored and over what; and what will not, and why."""
    questions, settled = _questions_and_outcomes(plan, catalog)
    counts = Counter(map(attrgetter("question"), plan.forecasts))
    if not counts:
        return "no new forecasts" if plan.duplicates else ""
    resolved = annulled = soon = scored = 0
    windows = []
    for name, count in counts.items():
        out, question = settled.get(name), questions[name]
        resolved += count * (out is not None)
        if out is None:
            continue
        if out.outcome == ANNULLED:
            annulled += count
        elif out.resolved_at - question.opens <= TOO_SOON:
            soon += count
        else:
            scored += count
            windows.append(question.closes - question.opens)
    n = counts.total()
    parts = [f"{n:,} forecast{'s' * (n != 1)}", f"{resolved:,} resolved"]
    if windows:
        low, high = (
            max(1, round(one / dt.timedelta(days=1))) for one in (min(windows), max(windows))
        )
        days = f"{low} days" if low == high else f"{low} to {high} days"
        parts.append(f"{scored:,} scored over the {days} from opening to closing")
    else:
        parts.append("none scored")
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (n - resolved, "without an outcome yet"),
            (soon, "resolved within two days of opening (too_soon=True scores them)"),
            (annulled, "annulled"),
        )
        if count
    ]
    return ", ".join(parts) + ("; left out: " + ", ".join(left_out) if left_out else "")


def _questions_and_outcomes(
    plan: Plan, catalog: Catalog
) -> tuple[dict[str, Question], dict[str, Resolution]]:
    questions = {**catalog.questions, **{question.id: question for question in plan.questions}}
    settled = {**catalog.outcomes, **outcomes(plan.resolutions)}
    return questions, settled


def checked(
    ledger: Ledger, of: Format, statements: Statements, plan: Plan
) -> dict[str, list[dict[str, Any]]]:
    """Score what the ledger holds of a file's questions by the rules of its platform.

    `rows` are a question, forecaster and rule each, with `theirs` (None where the file states none)
    and `ours`; `rules` say of each rule its convention and the largest difference. `ours` is the
    mean over the `n` pairs of a question and a forecaster, or over the `n_stated` that the file
    scores too, as `theirs` is. Of a rule that counts each forecast once, `per_forecast` is the mean
    over all `n_forecasts` of them: another number where some have forecast more often.
    """
    cases = list(_cases(ledger, statements, plan)) if of.rules else []
    of_question = {one.question.id: one for one in cases}
    rows: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for name, rule in of.rules.items():
        each: list[float] = []
        ours: dict[tuple[str, str], float] = {}
        for one in cases:
            for forecaster, score in sorted(rule.score(one).items()):
                once = score if isinstance(score, list) else []
                each += once
                ours[one.question.id, forecaster] = fmean(once) if once else score
        their_scores = {
            (s.question, s.forecaster): s.score for s in statements.scored if s.rule == name
        }
        mine: list[dict[str, Any]] = [
            {
                "question": question,
                "forecaster": forecaster,
                "rule": name,
                "theirs": (theirs := their_scores.get((question, forecaster))),
                "ours": (own := ours.get((question, forecaster))),
                "difference": None if own is None or theirs is None else own - theirs,
            }
            for question, forecaster in [*ours, *sorted(their_scores.keys() - ours.keys())]
        ]
        rows += mine
        scored = [row for row in mine if row["ours"] is not None]
        both = [row for row in mine if row["difference"] is not None]
        worst = max(both, key=lambda row: abs(row["difference"]), default=None)
        rules.append(
            {
                "rule": name,
                "convention": rule.convention,
                "n": len(scored),
                "n_stated": len(both),
                "theirs": fmean([row["theirs"] for row in both]) if both else None,
                "ours": fmean([row["ours"] for row in both or scored]) if scored else None,
                "per_forecast": fmean(each) if each else None,
                "n_forecasts": len(each) or None,
                "largest_difference": None if worst is None else abs(worst["difference"]),
                "where": "" if worst is None else worst["question"],
                "explained": rule.why
                if worst is None or rule.because is None
                else rule.because(of_question[worst["question"]]),
            }
        )
    return {"rules": rules, "rows": rows}


def _cases(ledger: Ledger, statements: Statements, plan: Plan) -> Iterator[QuestionHistory]:
    """Give what the ledger has of each resolved question that a file speaks of."""
    questions, settled = _questions_and_outcomes(plan, Catalog.of(ledger))
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
        )
