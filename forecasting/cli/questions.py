"""questions list, show, check, add."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecasting.cli.options import Group
from forecasting.cli.output import emit, say, settings

if TYPE_CHECKING:
    from forecasting.errors import Problem

COLUMNS = ("id", "status", "closes", "outcome", "latest", "title", "type", "model")


@click.group(cls=Group)
def questions() -> None:
    """List, show, check and add questions."""


@questions.command("list")
@click.option(
    "--status",
    type=click.Choice(["upcoming", "open", "closed", "due", "resolved", "annulled"]),
    help="Only these.",
)
@click.option("--tag", default="", help="Only with this tag, topic or event.")
@click.option(
    "--from", "text", default="", metavar="TEXT", help="Only raised by this text, such as 003."
)
def list_(status: str | None, tag: str, text: str) -> None:
    r"""List the questions, a row each (a rung of a ladder is one).

    \b
    Example:
      forecast questions list --status open
    """
    from forecasting import clock
    from forecasting.app import questions as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = use.list_rows(book.ledger, clock.now(), status=status or "", tag=tag, text=text)
    emit(rows, columns=COLUMNS, title=f"{len(rows)} questions, times in UTC")


@questions.command()
@click.argument("question")
def show(question: str) -> None:
    r"""Show a question with its criteria, claims, evidence, forecasts and resolution.

    \b
    Example:
      forecast questions show leaders-meet@2026-12-31
    """
    from forecasting import clock
    from forecasting.app import questions as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        shown = use.show(book.ledger, question, clock.now())
    if len(shown) == 1:
        emit(shown[0])
    else:
        emit(shown, columns=COLUMNS)


@questions.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def check(path: Path | None) -> int:
    r"""Check a bank folder or one question file; without PATH the bank of this database.

    \b
    Example:
      forecast questions check questions
    """
    problems = _problems(path)
    rows = [
        {"source": p.source, "line": p.line, "rule": p.rule, "message": p.message, "hint": p.hint}
        for p in problems
    ]
    if settings().format == "table":
        for problem in problems:
            click.echo(str(problem))
        say(f"{len(problems)} faults" if problems else "no fault found")
    else:
        emit(rows)
    return 1 if problems else 0


def _problems(path: Path | None) -> "list[Problem]":
    """Check what is named, else the workspace's bank, else the bank of the database."""
    from forecasting import config
    from forecasting.app import questions as use
    from forecasting.app.book import Book

    own = config.bank()
    if path is None and settings().db is None and own is not None:
        path = own
    if path is not None and own is None:
        return use.check_bank(path)
    with Book.open(settings().db) as book:
        return use.check_bank(path, book.ledger)


@questions.command()
@click.argument("file", type=click.Path(path_type=Path))
def add(file: Path) -> None:
    r"""Add the question or ladder of a YAML file.

    \b
    Example:
      forecast questions add my-question.yaml
    """
    from forecasting import clock
    from forecasting.app import questions as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        added = use.add_file(book.ledger, file, clock.now())
    emit([{"id": q.id, "title": q.title, "type": q.type, "closes": q.closes} for q in added])
