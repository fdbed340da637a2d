"""Whole track records in and out: read, planned against the ledger, recorded in one transaction."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from forecasting import exchange
from forecasting.app.catalog import Catalog
from forecasting.app.exchange import ledger_lines
from forecasting.app.exchange.check_scores import checked
from forecasting.app.exchange.news_lines import News, taken
from forecasting.app.ledger.undone import undone
from forecasting.domain import Evidence
from forecasting.domain.question import ANNULLED, TOO_SOON, Question
from forecasting.domain.reading import Manner
from forecasting.domain.resolution import Resolution, outcomes
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.exchange import Plan
from forecasting.exchange.format import detected
from forecasting.exchange.people import named
from forecasting.exchange.record import gathered
from forecasting.exchange.source import opened
from forecasting.exchange.stated import Reading
from forecasting.store import Draft, Ledger, transfer

_ATTEMPTS = 5
type Progress = Callable[[str, int, int], None]


def import_record(
    ledger: Ledger,
    file: Path,
    format: str = "",
    *,
    now: dt.datetime,
    me: str = "",
    user: str = "",
    forecaster: str = "",
    zone: str = "",
    decimal: str = "",
    unit: str = "",
    dates: str = "",
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    check_scores: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Record what a track record states and the ledger lacks, in one transaction.

    Every forecast comes in as ``imported``, recorded now, because nobody can prove when it was
    made; but the export of a whole ledger, read into one that is empty or holds its beginning, is
    verified link by link and recorded as it is. Of ``in`` rows each is added, a duplicate or
    refused; `run` takes the import back (`import_undo`), `first` shows five rows as understood.
    """
    with _uncollected():
        return _imported(
            ledger,
            file,
            format,
            now=now,
            manner=Manner(zone=_zone(zone), decimal=decimal, unit=unit, dates=dates),  # type: ignore[arg-type]
            me=me,
            user=user,
            forecaster=forecaster,
            columns=dict(columns or {}),
            dry_run=dry_run,
            all_or_nothing=all_or_nothing,
            check_scores=check_scores,
            progress=progress or _silent,
        )


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


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


def _imported(
    ledger: Ledger,
    file: Path,
    format: str,
    *,
    now: dt.datetime,
    manner: Manner,
    me: str,
    user: str,
    forecaster: str,
    columns: Mapping[str, str],
    dry_run: bool,
    all_or_nothing: bool,
    check_scores: bool,
    progress: Progress,
) -> dict[str, Any]:
    progress("reading", 0, 0)
    source = opened(file)
    of = detected(source, format)
    found, name = source.content, source.name
    digest = hashlib.sha256(found).hexdigest()
    reading = Reading(me=me or forecaster, manner=manner, columns=columns)
    items: list[tuple[int, Evidence]] = []
    declared = ledger_lines.whole(found, name) if of.name == "jsonl" else None
    if declared is not None:
        restored = ledger_lines.restored(ledger, found, name, declared, now=now, dry_run=dry_run)
        if restored is not None:
            return _result(ledger, file, digest, restored, dry_run)
        statements, items = ledger_lines.foreign(found, name, declared)
    else:
        statements = gathered(of.read(source, reading))
        if not of.own:
            named(statements, of.platform or of.name, me=me, user=user, forecaster=forecaster)
    # Of a million rows the text is as large as what was read of it.
    del found, source
    for _ in range(_ATTEMPTS):
        progress("comparing with the ledger", 0, 0)
        head = ledger.head()
        before = Catalog.of(ledger)
        made, news = _planned(
            ledger, statements, items, now=now, name=name, manner=manner, platform=not of.own
        )
        refused = sorted([*made.refused, *news.refused], key=lambda one: (one.line, one.reason))
        added = made.added + len(news.items)
        duplicates = made.duplicates + news.duplicates
        if refused and (all_or_nothing or added + duplicates == 0):
            raise _nothing(refused, name, statements.rows)
        drafts: Iterable[Draft] = chain(
            made.questions, made.forecasts, made.withdrawals, made.resolutions, news.items
        )
        if dry_run or not (added or made.resolutions):
            break
        entries = added + len(made.questions) + len(made.resolutions)

        def told(done: int, total: int = entries) -> None:
            progress("recording", done, total)

        if transfer.record(ledger, drafts, recorded_at=now, head=head, told=told):
            break
    else:
        msg = f"database ({ledger.where}): other programs keep writing to it; nothing was written"
        raise DatabaseUnusable(msg, hint="again when they have finished")
    counts = {
        "format": of.name,
        "in": statements.rows,
        "added": added,
        "duplicates": duplicates,
        "questions": len(made.questions),
        "forecasts": len(made.forecasts),
        "withdrawals": len(made.withdrawals),
        "resolutions": len(made.resolutions),
        "news": len(news.items),
        "refused": [{"line": one.line, "reason": one.reason} for one in refused],
        "notes": made.notes,
        "run": None if dry_run or not made.forecasts else _run(head.seq, made, news),
        "first": first_rows(made, before),
        "summary": summary(made, before, now),
    }
    if check_scores:
        counts["scores"] = checked(ledger, of, statements, made)
    return _result(ledger, file, digest, counts, dry_run)


def _zone(name: str) -> str:
    from forecasting.domain.instants import zone

    return zone(name).key if name else ""


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


def _nothing(refused: list[exchange.Refused], name: str, rows: int) -> InvalidInput:
    first = refused[0]
    more = f" ({len(refused):,} of {rows:,} rows refused; nothing was written)"
    return InvalidInput(first.reason.rstrip(".") + more, where=f"{name}:{first.line}")


def _planned(
    ledger: Ledger,
    statements: exchange.Statements,
    items: list[tuple[int, Evidence]],
    *,
    now: dt.datetime,
    name: str,
    manner: Manner,
    platform: bool,
) -> tuple[exchange.Plan, News]:
    made = exchange.plan(
        statements, _held(ledger), now=now, name=name, manner=manner, platform=platform
    )
    if not statements.news and not items:
        return made, News()
    catalog = Catalog.of(ledger)
    known = {question.id: question for question in made.questions}
    catalog = replace(catalog, questions={**catalog.questions, **known})
    return made, taken(statements.news, items, ledger.evidence(), ledger, catalog, now)


def _run(before: int, made: exchange.Plan, news: News) -> str:
    """Name the entries of an import by its first and its last."""
    of_question = len(made.questions) + len(made.forecasts) + len(made.withdrawals)
    after = before + of_question + len(made.resolutions) + len(news.items)
    return f"{before + 1}-{after}"


def _held(ledger: Ledger) -> exchange.Held:
    forecasts, gone = transfer.said_when(ledger), undone(ledger)
    others = {f.question for kind in ("live", "backdated") for f in ledger.forecasts(kind=kind)}
    others |= {seal.question for seal in ledger.seals()}
    left = {question for question, _, _ in forecasts}
    if gone.forecasts:
        every = ledger.forecasts(kind="imported")
        for one in every:
            forecasts.pop((one.question, one.forecaster, one.issued_at), None)
        for one in gone.left(every):
            key = (one.question, one.forecaster, one.issued_at)
            forecasts[key] = (one.value.labels, one.value.entered)
        left = {question for question, _, _ in forecasts}
        emptied = {one.question for one in every} - left - others
    else:
        emptied = set()
    return exchange.Held(
        questions={question.id: question for question in ledger.questions()},
        resolutions=ledger.resolutions(),
        forecasts=forecasts,
        withdrawals=frozenset(
            (taken.question, taken.forecaster, taken.withdrawn_at) for taken in gone.withdrawals
        ),
        vacant=frozenset(emptied),
        imported=frozenset(left - others),
    )


SHOWN = 5


def first_rows(made: Plan, catalog: Catalog) -> list[dict[str, Any]]:
    """Give the first forecasts of an import as they were understood."""
    questions, settled = _together(made, catalog)
    return [
        {
            "question": one.question,
            "forecaster": one.forecaster,
            "forecast": one.value.plain,
            "issued_at": one.issued_at,
            "closes": questions[one.question].closes,
            "outcome": None if (out := settled.get(one.question)) is None else out.outcome,
            "resolved_at": None if out is None else out.resolved_at,
        }
        for one in made.forecasts[:SHOWN]
    ]


def summary(made: Plan, catalog: Catalog, now: dt.datetime) -> str:
    """Say how many forecasts will be scored and over what; and what will not, and why."""
    questions, settled = _together(made, catalog)
    counts = Counter(map(attrgetter("question"), made.forecasts))
    if not counts:
        return "no new forecasts" if made.duplicates else ""
    known = annulled = soon = scored = 0
    windows = []
    for name, count in counts.items():
        out, question = settled.get(name), questions[name]
        known += count * (out is not None)
        if out is None:
            continue
        if out.outcome == ANNULLED:
            annulled += count
        elif _too_soon(question, out):
            soon += count
        else:
            scored += count
            windows.append(question.closes - question.opens)
    n = counts.total()
    parts = [f"{n:,} forecast{'s' * (n != 1)}", f"{known:,} resolved"]
    if windows:
        low, high = (
            max(1, round(one / dt.timedelta(days=1))) for one in (min(windows), max(windows))
        )
        days = f"{low} days" if low == high else f"{low} to {high} days"
        parts.append(f"{scored:,} scored over the {days} from opening to closing")
    else:
        parts.append("none scored")
    left = [
        f"{count:,} {why}"
        for count, why in (
            (n - known, "without an outcome yet"),
            (soon, "resolved within two days of opening (too_soon=True scores them)"),
            (annulled, "annulled"),
        )
        if count
    ]
    return ", ".join(parts) + ("; left out: " + ", ".join(left) if left else "")


def _too_soon(question: Question, out: Resolution) -> bool:
    return out.outcome != ANNULLED and out.resolved_at - question.opens <= TOO_SOON


def _together(made: Plan, catalog: Catalog) -> tuple[dict[str, Question], dict[str, Resolution]]:
    questions = {**catalog.questions, **{question.id: question for question in made.questions}}
    settled = {**catalog.outcomes, **outcomes(made.resolutions)}
    return questions, settled
