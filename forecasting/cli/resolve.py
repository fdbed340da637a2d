"""resolve, annul, dispute, reopen, resolutions: outcomes and what becomes of them."""

from collections.abc import Callable
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import emit, in_order, opened, say, settings
from forecasting.errors import NotFound, Unsure

COLUMNS = (
    *("question", "outcome", "status", "stands", "version", "resolved_at", "source"),
    *("recorded_at", "seq", "note"),
)
SCORED = ("forecaster", "mean", "version", "outcome", "status", "n", "rule", "coverage", "question")
SOURCE = click.option("--source", required=True, help="Address of the source that decides.")
NOTE = options.text("--note", help="Remark to record.")


def _at(default: str) -> Callable[..., Any]:
    return options.text(
        "--at",
        metavar="TIME",
        help=f"When the outcome could be known; default: {default}. Times without an offset are in "
        "the question's zone.",
    )


AT = _at("now")


def _print(rows: list[dict[str, Any]], zone: str) -> None:
    shown = times.named_days(rows, zone)
    emit(shown[0] if len(shown) == 1 else shown)


def _narrate(lines: list[str]) -> None:
    for line in lines:
        say(line)


@click.command(cls=Command)
@click.argument("question")
@click.argument("outcome")
@SOURCE
@_at("now, or for a no after the deadline that deadline")
@NOTE
@options.flag(
    "--sure",
    "--early-no",
    "sure",
    help="The outcome is final, although before the deadline or against the facts on record.",
)
def resolve(question: str, outcome: str, source: str, at: str, note: str, sure: bool) -> None:
    r"""Resolve a question; another outcome, time, source or note appends a corrected version.

    yes and no are read in all their forms, options in any case; a number beyond a bound is
    recorded as beyond it. A yes on one rung of a ladder settles the later rungs too,
    and the earlier ones whose deadline was still to come when it was known.

    \b
    Example:
      forecast resolve convoy no --source https://example.org/news \
        --at 2027-01-31T22:00Z
    """
    with opened() as book:
        zone = book.zone(question)
        moment = times.optional(at, zone_name=zone, day_means="ends")

        details: dict[str, Any] = {"source": source, "at": moment, "note": note}
        try:
            rows = book.resolve(question, outcome, sure=sure, **details)
        except NotFound as absent:
            raise in_order(absent, book, "resolve", question, outcome) from None
        except Unsure as doubt:
            if not times.somebody_there() or not click.confirm(doubt.message, err=True):
                raise
            rows = book.resolve(question, outcome, sure=True, **details)
        for row in rows:
            if str(row["outcome"])[:1] in ("<", ">") and row["outcome"] != outcome.strip():
                say(f"{outcome} lies beyond the bounds: recorded as {row['outcome']}")
        _narrate(book.followers(rows))
    _print(rows, zone)


@click.command(cls=Command)
@click.argument("question")
@SOURCE
@AT
@NOTE
def annul(question: str, source: str, at: str, note: str) -> None:
    r"""Annul a question: it is not scored. Of a ladder, its unresolved rungs.

    \b
    Example:
      forecast annul convoy --source https://example.org/news --note "none was sent"
    """
    with opened() as book:
        zone = book.zone(question)
        moment = times.optional(at, zone_name=zone, day_means="ends")
        rows = book.annul(question, source=source, at=moment, note=note)
        _narrate(book.followers(rows))
    _print(rows, zone)


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
      forecast dispute convoy yes --at 2027-01-20 \
        --source https://example.org/it-had-arrived
    """
    with opened() as book:
        zone = book.zone(question)
        moment = times.optional(at, zone_name=zone, day_means="ends")
        try:
            rows = book.dispute(question, outcome, source=source, at=moment, note=note)
        except NotFound as absent:
            raise in_order(absent, book, "dispute", question, outcome) from None
    _print(rows, zone)


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
      forecast reopen convoy --source https://example.org/denial
    """
    with opened() as book:
        zone = book.zone(question)
        rows = book.reopen(question, source=source, note=note)
        _narrate(book.followers(rows))
    if settings().format == "table":
        # It has no outcome, and the moment is that of the reopening.
        rows = [{**row, "reopened_at": row["resolved_at"]} for row in rows]
        rows = [
            {k: v for k, v in row.items() if k not in ("outcome", "resolved_at")} for row in rows
        ]
    _print(rows, zone)


@click.command(cls=Command)
@click.argument("question")
@options.flag("--scores", help="Show the scores under each version.")
@options.kind()
@options.RUN
def resolutions(question: str, scores: bool, kind: str, run: str) -> None:
    r"""Show every version of a question's outcome: its source, its time, and which one counts.

    \b
    Examples:
      forecast resolutions convoy
      forecast resolutions convoy --scores --kind replay
    """
    with opened() as book:
        if not scores:
            versions = times.named_days(book.resolutions(question), book.zone(question))
            emit(versions, columns=COLUMNS, always=4)
            return
        rows = book.resolutions(question, scores=True, kind=kind, run=run)
    if rows and not any(row["n"] for row in rows):
        say(f"no {kind} forecast to score under any version of the outcome")
    title = f"{kind} forecasts, scheduled window, scored under each version; smaller is better"
    emit(rows, columns=SCORED, title=title if rows else "")
