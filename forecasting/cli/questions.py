"""questions list, show, check, add, new, edit, drop."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli import ask as asking
from forecasting.cli import options
from forecasting.cli.options import Group
from forecasting.cli.output import emit, say, settings

if TYPE_CHECKING:
    from forecasting.errors import Problem

COLUMNS = (
    *("id", "latest", "latest_model", "difference", "outcome", "status", "closes", "title"),
    *("type", "model"),
)


@click.group(cls=Group)
def questions() -> None:
    """List, show, check, add, change and drop questions."""


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


@questions.command()
@click.argument("title", required=False)
@asking.asking
def new(title: str | None, **given: Any) -> None:
    r"""Make a question, by options or guided on a terminal; `forecast ask` logs a number with it.

    \b
    Example:
      forecast questions new "Will the talks resume?" --by 2027-01-31 --tag talks
    """
    from forecasting import clock, config
    from forecasting.app import ask as use
    from forecasting.app.book import Book
    from forecasting.errors import InvalidInput

    if title is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            msg = "title: must be given where nobody can be asked"
            raise InvalidInput(msg, hint='forecast questions new "Will ...?" --by 2027-01-31')
        title = click.prompt("title", err=True)
        if not (given["by"] or given["ladder"]):
            given["by"] = click.prompt("by which day", err=True)
        for name, words in (
            ("options_", "options, with commas (none: a yes-no question)"),
            ("base", "how often it comes, such as 3 in 70 weeks (none: unknown)"),
            ("criteria", "criteria: what counts, whose word decides (none: later)"),
        ):
            if not given[name]:
                given[name] = click.prompt(words, default="", show_default=False, err=True)
    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        made = use.ask(
            book.ledger,
            asking.asked_of(title or "", given),
            forecaster=book.forecaster,
            now=clock.now(),
            zone=config.zone() or "",
        )
        asking.told(book, made)


@questions.command()
@click.argument("question")
@click.option(
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the YAML from this file instead of an editor.",
)
def edit(question: str, file: Path | None) -> None:
    r"""Open a question as YAML in your editor ($EDITOR), and record a new version of it.

    Once somebody has forecast it, its options and its window stay as they are.

    \b
    Example:
      forecast questions edit a-convoy-reach-el-fasher
    """
    from forecasting import clock
    from forecasting.app import edit as use
    from forecasting.app.book import Book

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        text = use.as_yaml(book.ledger, question)
        changed = (
            file.read_text(encoding="utf-8-sig")
            if file is not None
            else click.edit(text, extension=".yaml")
        )
        ids = [] if changed is None else use.edit(book.ledger, question, changed, clock.now())
    emit([{"question": name, "changed": True} for name in ids])
    say(f"{len(ids)} changed" if ids else "nothing changed")


@questions.command("same-as")
@click.argument("question", required=False)
@click.argument("url", required=False)
@click.option("--differs", default="", metavar="TEXT", help="Where the criteria differ.")
@click.option("--complement", is_flag=True, help="The other question asks the opposite.")
@click.option("--undo", is_flag=True, help="Take the match back.")
def same_as(question: str | None, url: str | None, **given: Any) -> None:
    r"""Match a question with one on another platform; without arguments, list the matches.

    Once that question was imported, its crowd or market stands beside your forecasts in the
    review. It is scored there only where the criteria agree: say with --differs where they do not.

    \b
    Examples:
      forecast questions same-as leaders-meet@2026-04-30 https://www.metaculus.com/questions/42490
      forecast questions same-as
    """
    from dataclasses import asdict

    from forecasting import clock
    from forecasting.app import same_as as use
    from forecasting.app.book import Book
    from forecasting.app.catalog import Catalog
    from forecasting.errors import InvalidInput

    if question is not None and url is None:
        msg = f"url: question {question} is the same as which"
        raise InvalidInput(msg, hint=f"forecast questions same-as {question} https://...")
    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        if question is None or url is None:
            found = use.matches(book.ledger, Catalog.of(book.ledger))
            emit([asdict(one) for one in found], title="matches")
            return
        made = use.same_as(
            book.ledger, question, url, forecaster=book.forecaster, now=clock.now(), **given
        )
    emit([asdict(made) | {"undone": given["undo"]}])


@questions.command()
@click.argument("question")
def drop(question: str) -> None:
    r"""Drop a question that nobody else has forecast: gone from every list, its entries stay.

    \b
    Example:
      forecast questions drop a-convoy-reach-el-fasher
    """
    from forecasting import clock
    from forecasting.app import edit as use
    from forecasting.app.book import Book

    with Book.open(settings().db, forecaster=settings().forecaster) as book:
        ids = use.drop(book.ledger, question, forecaster=book.forecaster, now=clock.now())
    emit([{"question": name, "dropped": True} for name in ids])
