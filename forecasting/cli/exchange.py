"""import, export: whole track records, in and out."""

import sys
from pathlib import Path
from typing import Any

import click

from forecasting.cli.options import Group
from forecasting.cli.output import emit, say, settings

_SHOWN = 20


@click.group("import", cls=Group)
def import_() -> None:
    """Bring a track record in: questions, forecasts, outcomes, news."""


@click.group(cls=Group)
def export() -> None:
    """Write the track record to a file or to standard output."""


def _options(command: Any) -> Any:
    for option in (
        click.option("--me", default="", metavar="NAME", help="Who made rows that name nobody."),
        click.option(
            "--zone", default="", metavar="ZONE", help="Of days, and of times without an offset."
        ),
        click.option("--dry-run", is_flag=True, help="Show the result and write nothing."),
        click.option("--all-or-nothing", is_flag=True, help="One refused row refuses the file."),
        click.option("--create", is_flag=True, help="Make an absent database, empty of the bank."),
        click.argument("file", type=click.Path(path_type=Path, allow_dash=True)),
    ):
        command = option(command)
    return command


@import_.command("csv")
@_options
def import_csv(**given: Any) -> None:
    r"""Read a table with one row a forecast; - is standard input.

    Columns: question, title, forecaster, forecast, issued_at, opens, closes, outcome, resolved_at,
    tags; more are in forecasting/exchange/README.md. Needed are question (or title), forecaster
    (or --me), forecast and issued_at. Importing a file again adds nothing.

    \b
    Examples:
      forecast import csv record.csv --dry-run
      forecast import csv mine.csv --me ana --zone Europe/Kyiv
    """
    _import("csv", **given)


@import_.command("jsonl")
@_options
def import_jsonl(**given: Any) -> None:
    r"""Read JSON lines: an exported ledger, or records of kind question, forecast and more.

    Into an empty database (--create) an exported ledger goes entry for entry, its chain verified;
    into any other its forecasts come as imported ones. - is standard input.

    \b
    Example:
      forecast --db copy.db import jsonl ledger.jsonl --create
    """
    _import("jsonl", **given)


def _import(format: str, *, file: Path, create: bool, **options: Any) -> None:
    from forecasting import clock
    from forecasting.app.book import Book
    from forecasting.app.exchange import import_record

    with Book.open(settings().db, create=create and not options["dry_run"]) as book:
        found = import_record(book.ledger, file, format, now=clock.now(), **options)
    for note in found["notes"]:
        say(f"note: {note}")
    for refused in found["refused"][:_SHOWN]:
        say(f"{file.name}:{refused['line']}: refused: {refused['reason']}")
    if (more := len(found["refused"]) - _SHOWN) > 0:
        say(f"and {more:,} more refused rows (--json has them)")
    if found["forecasts"] and "entries" not in found:
        say("their kind is imported: --kind imported shows them, apart from the live record")
    if settings().format == "table":
        found = {**found, "refused": len(found["refused"]), "notes": len(found["notes"])}
    emit(found)


def _out(command: Any) -> Any:
    for option in (
        click.option("--force", is_flag=True, help="Replace the file."),
        click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it."),
    ):
        command = option(command)
    return command


@export.command("csv")
@_out
def export_csv(out: Path | None, force: bool) -> None:
    r"""Write a table with one row a forecast; replays, news and unforecast questions stay out.

    \b
    Example:
      forecast export csv --out record.csv
    """
    _export("csv", out, force)


@export.command("jsonl")
@_out
def export_jsonl(out: Path | None, force: bool) -> None:
    r"""Write the whole ledger, an entry a line, under a first line with its head.

    \b
    Example:
      forecast export jsonl --out ledger.jsonl
    """
    _export("jsonl", out, force)


def _export(format: str, out: Path | None, force: bool) -> None:
    from forecasting.app.book import Book
    from forecasting.app.exchange import export_record

    with Book.open(settings().db) as book:
        lines, about = export_record(book.ledger, format, out=out, force=force)
        sys.stdout.writelines(lines)
    say(f"head {about['head']} of {about['entries']:,} entries; forecast anchor keeps it elsewhere")
    if out is not None:
        emit(about)
