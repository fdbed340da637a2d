"""questions list, show, check, add."""

from pathlib import Path

import click

from forecasting.cli import options
from forecasting.cli.options import Group
from forecasting.cli.output import emit, say, settings

COLUMNS = (
    *("id", "latest", "latest_model", "difference", "outcome", "status", "closes", "title"),
    *("type", "model"),
)


@click.group(cls=Group)
def questions() -> None:
    """List, show, check and add questions."""


@questions.command("list")
@click.option(
    "--status",
    type=click.Choice(["upcoming", "open", "closed", "due", "resolved", "annulled"]),
    help="Only these.",
)
@options.TAG
@click.option(
    "--from", "text", default="", metavar="TEXT", help="Only raised by this text, such as 003."
)
def list_(status: str | None, tag: str, text: str) -> None:
    r"""List the questions, a row each (a rung of a ladder is one).

    `latest` is your forecast in force, `latest model` the model's, `difference` yours less the
    model's.

    \b
    Example:
      forecast questions list --status open
    """
    from forecasting import clock
    from forecasting.app import questions as use
    from forecasting.app.book import Book

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        rows = use.list_rows(
            book.ledger,
            clock.now(),
            forecaster=book.forecaster,
            status=status or "",
            tag=tag,
            text=text,
        )
    if settings().format == "table":
        rows = [row | {"latest": "withdrawn"} if row["withdrawn"] else row for row in rows]
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
    r"""Check a bank folder or one question file; without PATH the bundled bank.

    \b
    Example:
      forecast questions check questions
    """
    from forecasting.app import questions as use

    problems = use.check_bank(path)
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
