"""resolve, annul, dispute, reopen, resolutions: outcomes and what becomes of them."""

from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import emit, say, settings

COLUMNS = (
    "question",
    "outcome",
    "version",
    "status",
    "stands",
    "resolved_at",
    "source",
    "recorded_at",
    "seq",
    "note",
)
SCORED = ("forecaster", "mean", "version", "outcome", "status", "n", "rule", "coverage", "question")
SOURCE = click.option("--source", required=True, help="Address of the source that decides.")
NOTE = click.option("--note", default="", help="Remark to record.")
AT = click.option(
    "--at",
    default="",
    metavar="TIME",
    help="When the outcome could be known; default: now. Times without an offset are in the "
    "question's zone.",
)


def _print(rows: list[dict[str, Any]]) -> None:
    emit(rows[0] if len(rows) == 1 else rows)


def _narrate(lines: list[str]) -> None:
    for line in lines:
        say(line)


@click.command(cls=Command)
@click.argument("question")
@click.argument("outcome")
@SOURCE
@AT
@NOTE
@click.option(
    "--early-no",
    is_flag=True,
    help="Accept a no before the deadline, because yes has become impossible.",
)
def resolve(question: str, outcome: str, source: str, at: str, note: str, early_no: bool) -> None:
    r"""Resolve a question; resolving it again appends a corrected version.

    yes and no are read in all their forms, options in any case; a number beyond a bound is
    recorded as beyond it. A yes on one rung of a ladder settles the later rungs too.

    \b
    Example:
      forecast resolve leaders-meet@2026-12-31 no --source https://example.org/news \
        --at 2026-12-31T22:00Z
    """
    from forecasting import clock
    from forecasting.app import resolve as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        moment = times.on(book.ledger, question, at, day_means="ends")

        def rows_of(early: bool) -> list[dict[str, Any]]:
            return use.resolve(
                book.ledger,
                question,
                outcome,
                source=source,
                now=clock.now(),
                at=moment,
                note=note,
                early_no=early,
            )

        try:
            rows = rows_of(early_no)
        except use.EarlyNo as early:
            if not times.somebody_there() or not click.confirm(early.message, err=True):
                raise
            rows = rows_of(True)
        for row in rows:
            if str(row["outcome"])[:1] in ("<", ">") and row["outcome"] != outcome.strip():
                say(f"{outcome} lies beyond the bounds: recorded as {row['outcome']}")
        _narrate(use.followers(book.ledger, rows, clock.now()))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@SOURCE
@AT
@NOTE
def annul(question: str, source: str, at: str, note: str) -> None:
    r"""Annul a question: it is not scored. Of a ladder, its unresolved rungs.

    \b
    Example:
      forecast annul summit-venue --source https://example.org/news --note "no summit"
    """
    from forecasting import clock
    from forecasting.app import resolve as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        moment = times.on(book.ledger, question, at, day_means="ends")
        rows = use.annul(
            book.ledger, question, source=source, now=clock.now(), at=moment, note=note
        )
        _narrate(use.followers(book.ledger, rows, clock.now()))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@click.argument("outcome")
@SOURCE
@AT
@NOTE
def dispute(question: str, outcome: str, source: str, at: str, note: str) -> None:
    r"""Record another reading of an outcome; the official resolution is unchanged.

    Models never use it; `forecast score --reading disputed` scores with it. Without --at its time
    is that of the official outcome, else now.

    \b
    Example:
      forecast dispute general-ceasefire-2026@2026-12-31 yes --at 2026-05-11 \
        --source https://example.org/ceasefire-before-2027
    """
    from forecasting import clock
    from forecasting.app import resolve as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        moment = times.on(book.ledger, question, at, day_means="ends")
        rows = use.dispute(
            book.ledger, question, outcome, source=source, now=clock.now(), at=moment, note=note
        )
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@SOURCE
@NOTE
def reopen(question: str, source: str, note: str) -> None:
    r"""Withdraw the outcome of a question: from now on it is unresolved.

    Its status follows the clock again. What was scored before stays in the record: see
    `forecast score --as-of`.

    \b
    Example:
      forecast reopen exchange-1000-2026-first-stage --source https://example.org/denial
    """
    from forecasting import clock
    from forecasting.app import resolve as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = use.reopen(book.ledger, question, source=source, now=clock.now(), note=note)
        _narrate(use.followers(book.ledger, rows, clock.now()))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@click.option("--scores", is_flag=True, help="Show the scores under each version.")
@options.kind()
@options.RUN
def resolutions(question: str, scores: bool, kind: str, run: str) -> None:
    r"""Show every version of a question's outcome: its source, its time, and which one counts.

    \b
    Examples:
      forecast resolutions exchange-1000-2025
      forecast resolutions general-ceasefire-2026 --scores --kind replay
    """
    from forecasting.app import resolutions as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        if not scores:
            emit(use.resolutions(book.ledger, question), columns=COLUMNS)
            return
        rows = use.scored(book.ledger, question, kind=kind, run=run)
    if rows and not any(row["n"] for row in rows):
        say(f"no {kind} forecast to score under any version of the outcome")
    title = f"{kind} forecasts, scheduled window, scored under each version; smaller is better"
    emit(rows, columns=SCORED, title=title if rows else "")
