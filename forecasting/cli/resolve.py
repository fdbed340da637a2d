"""resolve, resolutions: outcomes."""

import click

from forecasting.cli.options import Command
from forecasting.cli.output import emit, settings


@click.command(cls=Command)
@click.argument("question")
@click.argument("outcome")
@click.option("--source", required=True, help="Whose word decides: an address.")
@click.option(
    "--at", default="", metavar="TIME", help="When the outcome could be known, if not now."
)
@click.option("--note", default="", help="A remark.")
def resolve(question: str, outcome: str, source: str, at: str, note: str) -> None:
    r"""Resolve a question; resolving it again appends a corrected version.

    \b
    Example:
      forecast resolve leaders-meet@2026-12-31 no --source https://example.org/news \\
        --at 2026-12-31T22:00Z
    """
    from forecasting import clock
    from forecasting.app import resolve as use
    from forecasting.app.book import Book
    from forecasting.domain.instants import parse_when

    with Book.open(settings().db) as book:
        moment = parse_when(at, day_means="ends") if at else None
        rows = use.resolve(
            book.ledger, question, outcome, source=source, now=clock.now(), at=moment, note=note
        )
    emit(rows[0] if len(rows) == 1 else rows)


@click.command(cls=Command)
@click.argument("question")
def resolutions(question: str) -> None:
    r"""Show every version of a question's outcome.

    \b
    Example:
      forecast resolutions exchange-1000-2025
    """
    from forecasting.app.book import Book
    from forecasting.app.catalog import Catalog
    from forecasting.app.questions import resolution_row

    with Book.open(settings().db) as book:
        names = {found.id for found in Catalog.of(book.ledger).find(question)}
        rows = [resolution_row(r) for r in book.ledger.resolutions() if r.question in names]
    emit(rows, columns=("seq", "question", "outcome", "resolved_at", "version", "source", "note"))
