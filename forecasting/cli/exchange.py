"""import, export: whole track records, in and out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.options import Group
from forecasting.cli.output import emit, opened, relay, say, settings
from forecasting.cli.spelling import as_options
from forecasting.errors import DatabaseUnusable, InvalidInput

if TYPE_CHECKING:
    from forecasting.app.book import Book

_SHOWN = 20


@click.group("import", cls=Group)
def import_() -> None:
    """Import a track record: questions, forecasts, outcomes, news."""


@click.group(cls=Group)
def export() -> None:
    """Export the track record to a file or to standard output."""


def _pairs(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> Any:
    pairs = {}
    for text in given:
        head, _, column = text.rpartition("=")
        if not head.strip() or not column.strip():
            msg = f"map ({text}): must be HEADING=COLUMN"
            raise InvalidInput(msg, hint='map="My probability=forecast"')
        pairs[head.strip()] = column.strip()
    return pairs


def _options(command: Any) -> Any:
    for option in (
        click.option(
            "--decimal", type=click.Choice(["point", "comma"]), help="Decimal mark in the file."
        ),
        click.option(
            "--unit",
            type=click.Choice(["percent", "probability"]),
            help="Unit of forecasts without a % sign.",
        ),
        click.option(
            "--dates",
            type=click.Choice(["dmy", "mdy"]),
            help="Order of numeric dates: day or month first.",
        ),
        click.option(
            "--me",
            default="",
            metavar="NAME",
            help="Forecaster of rows that name none; default: --as.",
        ),
        click.option(
            "--zone",
            default="",
            metavar="ZONE",
            help="Time zone of days and of times without an offset.",
        ),
        click.option("--dry-run", is_flag=True, help="Show the result and write nothing."),
        click.option(
            "--all-or-nothing", is_flag=True, help="Refuse the whole file if one row is refused."
        ),
        click.option(
            "--create", is_flag=True, help="Create the database if there is none, without a bank."
        ),
        click.argument("file", type=click.Path(path_type=Path, allow_dash=True)),
    ):
        command = option(command)
    return command


@import_.command("csv")
@click.option(
    "--map",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="HEADING=COLUMN",
    help="Name a column of the file; repeatable.",
)
@_options
def import_csv(**given: Any) -> None:
    r"""Read a table with one row per forecast; - is standard input.

    Columns: question, title, forecaster, forecast, issued_at, opens, closes, outcome, resolved_at,
    tags; their usual names are recognised (probability, date, result, resolution date and so on),
    and --map names others. Required: question (or title), forecaster (or --me), forecast and
    issued_at. --dry-run shows five rows as understood and needs no database. Importing a file again
    adds nothing; `forecast import undo RUN` undoes an import.

    \b
    Examples:
      forecast import csv record.csv --dry-run
      forecast import csv mine.csv --me ana --zone Africa/Khartoum --map "Guess=forecast"
      forecast import csv theirs.csv --decimal comma --unit percent --dates dmy
    """
    _import("csv", **given)


@import_.command("jsonl")
@_options
def import_jsonl(**given: Any) -> None:
    r"""Read JSON lines: an exported ledger, or records of kind question, forecast and more.

    An exported ledger is read entry for entry into an empty database (--create), and its chain is
    verified; into any other database its forecasts are imported. - is standard input.

    \b
    Example:
      forecast --db copy.db import jsonl ledger.jsonl --create
    """
    _import("jsonl", **given)


@import_.command("undo")
@click.argument("run")
def import_undo(run: str) -> None:
    r"""Undo an import: its forecasts are withdrawn, its outcomes reopened.

    RUN is what the import printed, such as 4711-4790 (`forecast import runs` lists them). The
    entries stay in the record; no score counts them, and a corrected file may be imported.

    \b
    Example:
      forecast import undo 4711-4790
    """
    with opened() as book:
        emit(book.import_undo(run))


@import_.command("runs")
def import_runs() -> None:
    r"""List the imports that forecasts came from, with the number of each.

    \b
    Example:
      forecast import runs
    """
    with opened() as book:
        emit(book.import_runs(), title="imports")


def _import(format: str, *, file: Path, create: bool, **options: Any) -> None:
    options["me"] = options["me"] or settings().forecaster or ""
    for name in ("decimal", "unit", "dates"):
        options[name] = options[name] or ""
    dry = options["dry_run"]
    with _opened(create=create and not dry, absent_is_empty=dry) as book:
        found = book.import_record(file, format, **options)
    for note in found["notes"]:
        relay(f"note: {note}")
    for refused in found["refused"][:_SHOWN]:
        relay(f"{file.name}:{refused['line']}: refused: {refused['reason']}")
    if (more := len(found["refused"]) - _SHOWN) > 0:
        say(f"and {more:,} more refused rows (--json has them)")
    if summary := found.get("summary", ""):
        found["summary"] = as_options(summary)
        relay(summary)
    if found["forecasts"] and "entries" not in found and not dry:
        say("they are kept apart from the live track record: --kind imported shows them")
    first = found.get("first") or []
    if settings().format == "table":
        if dry and first:
            emit(first, title=f"{file.name}: the first rows as understood")
        found = {**found, "refused": len(found["refused"]), "notes": len(found["notes"])}
        for told in ("first", "summary"):
            found.pop(told, None)
    emit(found)
    if found.get("run"):
        say(f"forecast import undo {found['run']} undoes this import")


@contextmanager
def _opened(*, create: bool, absent_is_empty: bool) -> Iterator["Book[Any]"]:
    """Open the database; a trial run takes an absent one for an empty one."""
    from forecasting.app.book import Book

    try:
        book = opened(create=create)
    except DatabaseUnusable as absent:
        if not (absent_is_empty and absent.message.startswith("no database at")):
            raise
        book = Book.plain("sqlite:///:memory:", create=True)
    with book:
        yield book


def _out(command: Any) -> Any:
    for option in (
        click.option("--force", is_flag=True, help="Replace an existing file."),
        click.option(
            "--out",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="File to write; default: standard output.",
        ),
    ):
        command = option(command)
    return command


@export.command("csv")
@_out
def export_csv(out: Path | None, force: bool) -> None:
    r"""Write a table with one row per forecast, without replays, news and unforecast questions.

    \b
    Example:
      forecast export csv --out record.csv
    """
    _export("csv", out, force)


@export.command("jsonl")
@_out
def export_jsonl(out: Path | None, force: bool) -> None:
    r"""Write the whole ledger, one entry a line, after a first line with its head.

    \b
    Example:
      forecast export jsonl --out ledger.jsonl
    """
    _export("jsonl", out, force)


def _export(format: str, out: Path | None, force: bool) -> None:
    with opened() as book:
        lines, about = book.export(format, file=out, force=force)
        sys.stdout.writelines(lines)
    say(f"head {about['head']} of {about['entries']:,} entries; forecast anchor keeps it elsewhere")
    if out is not None:
        emit(about)
