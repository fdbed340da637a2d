"""import, export: whole track records, in and out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli import options
from forecasting.cli.options import Command, Group
from forecasting.cli.output import counting, emit, opened, relay, relay_refused, say, settings
from forecasting.cli.spelling import as_options
from forecasting.errors import DatabaseUnusable, InvalidInput

if TYPE_CHECKING:
    from forecasting.app.book import Book

#: Rows of scores of single questions and people that are shown of each rule.
_SHOWN_SCORES = 10
#: The columns of the platform's rules as shown, with their keys; the first four on any width.
_SCORES = {
    "rule": "rule",
    "ours": "ours",
    "theirs": "theirs",
    "largest_difference": "largest_difference",
    "where": "where",
    "n_pairs": "n",
    "n_stated": "n_stated",
    "per_forecast": "per_forecast",
    "n_forecasts": "n_forecasts",
}
#: The first rows of a trial: what may have been misread stands first, on any width.
_FIRST = ("title", "forecast", "issued_at", "outcome", "resolved_at", "forecaster", "closes",
          "question")  # fmt: skip
_EACH = ("question", "ours", "theirs", "difference", "forecaster")
#: What rounding alone may explain of a difference between two scores.
_ROUNDING = 5e-4
_OWN_SCORES = (
    "by the platform's own rules: ours from what the ledger holds, theirs as the file states it, "
    "both a mean over pairs of a question and a person (the n stated of them that the file scores, "
    "else all n pairs); per forecast: a mean over the n forecasts, each counted once"
)


def _with_example(what: str, example: str) -> str:
    return f"{what}\n\n\b\nExample:\n  {example}"


class _Formats(Group):
    """A command for each format; a file in its place is recognised by its content."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the formats, then what is done with imports."""
        return [*self._platforms(), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the command of a format."""
        return super().get_command(ctx, cmd_name) or self._platforms().get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first word that is no command, but looks like a file, for one."""
        first = next((one for one in args if not one.startswith("-") or one == "-"), "")
        if self.get_command(ctx, first) is None and (
            first == "-" or "." in first or "/" in first or Path(first).exists()
        ):
            whatever = _with_map(_command("", "Read a file of whatever format it is."))
            return "import", whatever, args
        return super().resolve_command(ctx, args)

    def _platforms(self) -> dict[str, click.Command]:
        from forecasting.exchange.format import formats

        return {
            name: _command(
                name, _with_example(f"Read {one.what}.", f"forecast import {name} FILE --me ana")
            )
            for name, one in formats().items()
            if not one.own
        }


@click.group("import", cls=_Formats)
def import_() -> None:
    r"""Import a track record: questions, forecasts, outcomes, news.

    FORMAT may be left out: forecast import FILE tells the format by the content.

    \b
    Examples:
      forecast import predictions.json --me ana
      forecast import csv record.csv --dry-run
    """


@click.group(cls=Group)
def export() -> None:
    """Export the track record to a file or to standard output."""


def _pairs(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> Any:
    pairs = {}
    for text in texts:
        head, _, column = text.rpartition("=")
        if not head.strip() or not column.strip():
            msg = f"map ({text}): must be HEADING=COLUMN"
            raise InvalidInput(msg, hint='map="My probability=forecast"')
        pairs[head.strip()] = column.strip()
    return pairs


def _options(command: Any) -> Any:
    for option in (
        options.choice("--decimal", ("point", "comma"), help="Decimal mark in the file."),
        options.choice(
            "--unit", ("percent", "probability"), help="Unit of forecasts without a % sign."
        ),
        options.DATES,
        options.text(
            "--me",
            metavar="NAME",
            help="Your name here, for your own rows and for those that name none; default: --as.",
        ),
        options.text("--user", metavar="NAME", help="Your name in the file, where it differs."),
        options.ZONE,
        options.DRY_RUN,
        options.flag(
            "--check-scores",
            help="Show each platform's own scores beside those that the file states.",
        ),
        options.flag("--all-or-nothing", help="Refuse the whole file if one row is refused."),
        options.flag(
            "--create",
            help="Create the database, without a question bank, if it does not exist yet.",
        ),
        click.argument("file", type=click.Path(path_type=Path, allow_dash=True)),
    ):
        command = option(command)
    return command


_with_map = click.option(
    "--map",
    "columns",
    multiple=True,
    callback=_pairs,
    metavar="HEADING=COLUMN",
    help="Name a column of a table, or ignore it (HEADING=ignore); repeatable.",
)


def _command(format: str, help: str) -> click.Command:
    """Make the command of a format that has no options of its own."""

    @click.command(format or "import", cls=Command, help=help)
    @_options
    def command(**values: Any) -> None:
        _import(format, **values)

    result: click.Command = command
    return result


@import_.command("csv")
@_with_map
@_options
def import_csv(**values: Any) -> None:
    r"""Read a table with one row per forecast; - is standard input.

    Columns: question, title, forecaster, forecast, issued_at, opens, closes, outcome, resolved_at,
    tags; their usual names are recognised (probability, date, result, resolution date and so on),
    and --map names others. Required: question (or title), forecaster (or --me), forecast and
    issued_at. A question with options has them in `options` (saudi;uae;nobody), and in `forecast`
    saudi=0.5;uae=0.3;nobody=0.2. Days are those of the workspace's zone, or of --zone. --dry-run
    shows five rows as understood and needs no database. Importing a file again adds nothing;
    `forecast import undo RUN` undoes an import.

    \b
    Examples:
      forecast import csv record.csv --dry-run
      forecast import csv mine.csv --me ana --zone Africa/Khartoum --map "Guess=forecast"
      forecast import csv theirs.csv --decimal comma --unit percent --dates dmy
    """
    _import("csv", **values)


#: Formats of our own without an option that no other has: what each says, and its example.
OWN = {
    "jsonl": (
        "Read JSON lines: an exported ledger, or records of kind question, forecast and more.\n\n"
        "An exported ledger is read entry for entry into an empty database (--create), and its "
        "chain is verified; into any other database its forecasts are imported. - is standard "
        "input.",
        "forecast --db copy.db import jsonl ledger.jsonl --create",
    ),
    "parquet": (
        "Read the same table as csv from Parquet, as `forecast export parquet` writes it.",
        "forecast import parquet record.parquet --dry-run",
    ),
}
for _format, (_what, _example) in OWN.items():
    import_.add_command(_command(_format, _with_example(_what, _example)))


@import_.command("undo")
@click.argument("run")
@options.flag("--drop", help="Drop its questions too, where nobody has forecast otherwise.")
def import_undo(run: str, drop: bool) -> None:
    r"""Undo an import: its forecasts are withdrawn, its outcomes are taken back.

    RUN is what the import printed, such as 4711-4790 (`forecast import runs` lists them). The
    entries stay in the record; no score counts them, and a corrected file may be imported.

    \b
    Example:
      forecast import undo 4711-4790
    """
    with opened() as book:
        undone = book.import_undo(run, drop=drop)
    plain = {"idle": "questions that stay", "dropped": "questions dropped"}
    spelled = settings().format == "table"
    emit({plain.get(name, name) if spelled else name: each for name, each in undone.items()})
    if idle := undone.get("idle"):
        say(f"{idle:,} of its questions stay; forecast import undo {run} --drop drops them")


@import_.command("runs")
def import_runs() -> None:
    r"""List the imports, with the run of each.

    \b
    Example:
      forecast import runs
    """
    with opened() as book:
        emit(book.import_runs(), title="imports")


def _import(format: str, *, file: Path, create: bool, **values: Any) -> None:
    values["forecaster"] = settings().forecaster or ""
    dry = values["dry_run"]
    called = "standard input" if str(file) == "-" else file.name
    with (
        _opened(create=create and not dry, absent_is_empty=dry) as book,
        counting(called) as progress,
    ):
        result = book.import_record(file, format, progress=progress, **values)
    for note in result["notes"]:
        relay(f"note: {note}")
    relay_refused(called, result["refused"])
    if summary := result.get("summary", ""):
        result["summary"] = as_options(summary)
        relay(summary)
    if result["forecasts"] and "entries" not in result and not dry:
        say("they are kept apart from the live track record: --kind imported shows them")
    first = result.get("first") or []
    if settings().format == "table":
        if dry and first:
            shown = [{name: row[name] for name in _FIRST} for row in first]
            emit(shown, title=f"{called}: the first rows as understood", always=4)
        result = {**result, "refused": len(result["refused"]), "notes": len(result["notes"])}
        for part in ("first", "summary"):
            result.pop(part, None)
        if (scores := result.pop("scores", None)) and not scores["rules"]:
            say("this format has no score of its own: `forecast score --kind imported` has ours")
        elif scores:
            ranked = [
                {name: rule[key] for name, key in _SCORES.items()} for rule in scores["rules"]
            ]
            emit(ranked, title=_OWN_SCORES, always=4)
            _each_score(scores["rows"])
            for rule in scores["rules"]:
                text = f"{rule['rule']}: {rule['convention']}"
                if not rule["n_stated"] or rule["largest_difference"] > _ROUNDING:
                    text += f"; {rule['explained']}"
                say(text)
    emit(result)
    if result.get("run"):
        say(f"forecast import undo {result['run']} undoes this import")


def _each_score(rows: list[dict[str, Any]]) -> None:
    """Show the scores of single questions by each rule, the largest differences first."""
    for rule in dict.fromkeys(row["rule"] for row in rows):
        ranked = sorted(
            (row for row in rows if row["rule"] == rule),
            key=lambda row: -abs(row["difference"] or 0.0),
        )
        shown = ranked if settings().wide else ranked[:_SHOWN_SCORES]
        compared = any(row["difference"] is not None for row in ranked)
        emit(
            [{name: row[name] for name in _EACH} for row in shown],
            title=f"{rule}: each question{', the largest differences first' * compared}",
            always=4,
        )
        if more := len(ranked) - len(shown):
            say(f"and {more:,} more of {rule} (--wide and --json have them)")


@contextmanager
def _opened(*, create: bool, absent_is_empty: bool) -> Iterator["Book[Any]"]:
    """Open the database; a trial run takes an absent one for an empty one."""
    from forecasting import config
    from forecasting.app.book import Book

    path = config.sqlite_path(config.database(settings().db).value) if create else None
    new_file = path if path is not None and not path.exists() else None
    try:
        book = opened(create=create)
    except DatabaseUnusable as absent:
        if not (absent_is_empty and absent.message.startswith("no database at")):
            raise
        book = Book.plain("sqlite:///:memory:", create=True)
    try:
        with book:
            yield book
            new_file = None
    finally:
        if new_file is not None:
            for end in ("", "-wal", "-shm"):
                Path(f"{new_file}{end}").unlink(missing_ok=True)


#: What each format of an export says of itself, and its example.
EXPORTS = {
    "csv": (
        "Write a table with one row per forecast, and one per question without any.\n\n"
        "Replays, news and sealed forecasts are not in it.",
        "forecast export csv --out record.csv",
    ),
    "jsonl": (
        "Write the whole ledger, one entry a line, after a first line with its head.",
        "forecast export jsonl --out ledger.jsonl",
    ),
    "parquet": (
        "Write the same table as Parquet, with times and numbers typed; --out names the file.",
        "forecast export parquet --out record.parquet",
    ),
    "fatebook": (
        "Write the spreadsheet form that Fatebook imports: your forecasts of yes-no questions.\n\n"
        "They are yours alone, under the name that --as says: others' are left out.",
        "forecast --as ana export fatebook --out fatebook.csv",
    ),
    "schema": (
        "Write the JSON Schema of the table's rows.",
        "forecast export schema --out layout.json",
    ),
}


def _export(format: str, out: Path | None, force: bool) -> None:
    with opened() as book:
        lines, about = book.export(
            format, file=out, force=force, forecaster=settings().forecaster or ""
        )
        sys.stdout.writelines(lines)
    if format == "schema":
        return
    if left := about.get("left_out"):
        say(f"{left:,} rows left out: withdrawals, and questions that are not of yes or no")
    if others := about.get("of_others"):
        say(f"{others:,} rows of others left out")
    say(f"head {about['head']} of {about['entries']:,} entries; forecast anchor keeps it elsewhere")
    if out is not None:
        emit(about)


_out = options.out("File to write; default: standard output.")
_force = options.flag("--force", help="Replace an existing file.")
for _format, (_what, _example) in EXPORTS.items():
    _command_of = export.command(_format, help=_with_example(_what, _example))
    _command_of(_out(_force(partial(_export, _format))))
