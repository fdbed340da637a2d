"""resolve, annul, dispute, reopen, resolutions: outcomes and what becomes of them."""

from typing import Any

import click

from forecasting.cli import times
from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say
from forecasting.errors import EarlyNo

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
SOURCE = click.option("--source", required=True, help="Whose word decides: an address.")
NOTE = click.option("--note", default="", help="A remark.")
AT = click.option(
    "--at",
    default="",
    metavar="TIME",
    help="When that could be known, if not now; without an offset in the question's zone.",
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
@click.option("--early-no", is_flag=True, help="It is no before the deadline, and cannot change.")
def resolve(question: str, outcome: str, source: str, at: str, note: str, early_no: bool) -> None:
    r"""Resolve a question; resolving it again appends a corrected version.

    yes and no are read in all their forms, options in any case; a number beyond a bound is
    recorded as beyond it. A yes on one rung of a ladder settles the later rungs too.

    \b
    Example:
      forecast resolve leaders-meet@2026-12-31 no --source https://example.org/news \
        --at 2026-12-31T22:00Z
    """
    with opened() as book:
        moment = times.optional(at, zone_name=book.zone(question), day_means="ends")

        given: dict[str, Any] = {"source": source, "at": moment, "note": note}
        try:
            rows = book.resolve(question, outcome, early_no=early_no, **given)
        except EarlyNo as early:
            if not times.somebody_there() or not click.confirm(early.message, err=True):
                raise
            rows = book.resolve(question, outcome, early_no=True, **given)
        for row in rows:
            if str(row["outcome"])[:1] in ("<", ">") and row["outcome"] != outcome.strip():
                say(f"{outcome} lies beyond the bounds: recorded as {row['outcome']}")
        _narrate(book.followers(rows))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@SOURCE
@AT
@NOTE
def annul(question: str, source: str, at: str, note: str) -> None:
    r"""Annul a question: it counts for nobody. Of a ladder, its unresolved rungs.

    \b
    Example:
      forecast annul summit-venue --source https://example.org/news --note "no summit"
    """
    with opened() as book:
        moment = times.optional(at, zone_name=book.zone(question), day_means="ends")
        rows = book.annul(question, source=source, at=moment, note=note)
        _narrate(book.followers(rows))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@click.argument("outcome")
@SOURCE
@AT
@NOTE
def dispute(question: str, outcome: str, source: str, at: str, note: str) -> None:
    r"""Record another reading of an outcome; the official resolution is unchanged.

    No model ever sees it; `forecast score --reading disputed` scores under it. Without --at it
    was known when the standing outcome was, else now.

    \b
    Example:
      forecast dispute general-ceasefire-2026@2026-12-31 yes --at 2026-05-11 \
        --source https://example.org/ceasefire-before-2027
    """
    with opened() as book:
        moment = times.optional(at, zone_name=book.zone(question), day_means="ends")
        rows = book.dispute(question, outcome, source=source, at=moment, note=note)
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@SOURCE
@NOTE
def reopen(question: str, source: str, note: str) -> None:
    r"""Take the standing outcome of a question back: from now on it has none.

    Its status follows the clock again. What was scored before stays in the record: see
    `forecast score --as-of`.

    \b
    Example:
      forecast reopen exchange-1000-2026-first-stage --source https://example.org/denial
    """
    with opened() as book:
        rows = book.reopen(question, source=source, note=note)
        _narrate(book.followers(rows))
    _print(rows)


@click.command(cls=Command)
@click.argument("question")
@click.option("--scores", is_flag=True, help="The scores had each version stood.")
@click.option(
    "--kind", type=click.Choice(KINDS[:-1]), default="live", help="Only forecasts of this kind."
)
@click.option("--run", default="", help="Replay run; default: the latest complete one.")
def resolutions(question: str, scores: bool, kind: str, run: str) -> None:
    r"""Show every version of a question's outcome: who said so, when, and which one stands.

    \b
    Examples:
      forecast resolutions exchange-1000-2025
      forecast resolutions general-ceasefire-2026 --scores --kind replay
    """
    with opened() as book:
        if not scores:
            emit(book.resolutions(question), columns=COLUMNS)
            return
        rows = book.resolutions(question, scores=True, kind=kind, run=run)
    if rows and not any(row["n"] for row in rows):
        say(f"no {kind} forecast that a version of the outcome meets")
    title = f"{kind} forecasts, scheduled window, had each version stood; smaller is better"
    emit(rows, columns=SCORED, title=title if rows else "")
