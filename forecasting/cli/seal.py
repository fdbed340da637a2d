"""reveal, redact: what the ledger holds back, and what is taken out of it."""

from pathlib import Path

import click

from forecasting.cli import options
from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say

#: Said whenever a text was taken out.
ELSEWHERE = (
    "the text is out of this database; backups, exports, printed pages and earlier copies "
    "still hold it"
)


@click.command(cls=Command)
@click.argument("name", metavar="[ENTRY|QUESTION]", required=False, default="")
@click.option(
    "--file",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File that holds the sealed number; default: where it was written.",
)
@options.flag("--all", "everything", help="Reveal all your seals whose files are in their place.")
def reveal(name: str, file: Path | None, everything: bool) -> None:
    r"""Reveal what you sealed: the forecast counts from when it was sealed.

    A seal that is not revealed by the time its question resolves is scored as the worst possible
    forecast while it was in force, so hiding one gains nothing.

    \b
    Examples:
      forecast reveal convoy
      forecast reveal 4711 --file ~/copies/1f2e3d4c5b6a.json
      forecast reveal --all
    """
    with opened() as book:
        rows = book.reveal(name, file=file, everything=everything)
    emit(rows)


@click.command(cls=Command)
@click.argument("entry")
@click.option(
    "--because",
    "reason",
    required=True,
    metavar="REASON",
    help="Reason, shown in place of the text.",
)
def redact(entry: str, reason: str) -> None:
    r"""Remove the text of your rationale from the database; the forecast and the chain stay.

    \b
    Example:
      forecast redact 4711 --because "names a source"
    """
    with opened() as book:
        row = book.redact(entry, because=reason)
    emit(row)
    say(ELSEWHERE)
    for copy in row["copies"]:
        say(f"{copy} still holds the text: delete that file when you no longer need it")
