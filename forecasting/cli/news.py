"""news add, news list: evidence."""

import click

from forecasting.cli.options import Group
from forecasting.cli.output import emit, settings


@click.group(cls=Group)
def news() -> None:
    """News: dated items of evidence and what each bears on."""


@news.command()
@click.argument("title")
@click.option("--source", required=True, help="Who says so.")
@click.option(
    "--known-at",
    required=True,
    metavar="TIME",
    help="When the world could know it (ISO 8601 with zone).",
)
@click.option("--event-at", default="", metavar="TIME", help="When it happened.")
@click.option("--url", default="", help="Where it can be read; it is not fetched.")
@click.option(
    "--on",
    multiple=True,
    metavar="QUESTION=EFFECT",
    help="0.6/0.2, x3, +2..-2, or a datum such as delivered=205.",
)
@click.option(
    "--grade",
    default="F",
    type=click.Choice(list("ABCDEF")),
    help="Reliability of the source; F: unknown.",
)
@click.option("--story", default="", help="Items of one story share this name.")
@click.option("--because", default="", help="Why the effect is what it is.")
def add(
    title: str,
    source: str,
    known_at: str,
    event_at: str,
    url: str,
    on: tuple[str, ...],
    grade: str,
    story: str,
    because: str,
) -> None:
    r"""Add an item of evidence.

    \b
    Example:
      forecast news add "Venue agreed" --source wire --grade B \\
        --known-at 2026-11-20T09:00Z --on leaders-meet=x3
    """
    from forecasting import clock
    from forecasting.app import news as use
    from forecasting.app.book import Book
    from forecasting.domain.instants import parse_instant

    with Book.open(settings().db) as book:
        row = use.add(
            book.ledger,
            title,
            source=source,
            known_at=parse_instant(known_at),
            now=clock.now(),
            event_at=parse_instant(event_at) if event_at else None,
            url=url,
            on=on,
            grade=grade,
            story=story,
            because=because,
        )
    emit(row)


@news.command("list")
@click.option("--on", "question", default="", metavar="QUESTION", help="Only what bears on it.")
@click.option("--all", "everything", is_flag=True, help="Also the tables of reference cases.")
def list_(question: str, everything: bool) -> None:
    r"""List the evidence by the time it was known.

    \b
    Example:
      forecast news list --on general-ceasefire-2026
    """
    from forecasting.app import news as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = use.rows(book.ledger, question=question, everything=everything)
    emit(
        rows,
        columns=("seq", "known_at", "kind", "grade", "title", "on"),
        title=f"{len(rows)} items, times in UTC",
    )
