"""reveal, redact: what the ledger holds back, and what is taken out of it."""

from pathlib import Path

import click

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
    help="The kept file, or a copy of it, if it is not in its place.",
)
@click.option("--all", "everything", is_flag=True, help="Every seal of yours whose file is there.")
def reveal(name: str, file: Path | None, everything: bool) -> None:
    r"""Reveal what you sealed: the forecast counts from when it was sealed.

    A seal that is not revealed when its question has resolved is scored as the worst forecast
    there could have been, for the time that it stood: so there is nothing to gain by hiding one.

    \b
    Examples:
      forecast reveal leaders-meet@2026-12-31
      forecast reveal 4711 --file ~/copies/1f2e3d4c5b6a.json
      forecast reveal --all
    """
    with opened() as book:
        rows = book.reveal(name, file=file, everything=everything)
    emit(rows)


@click.command(cls=Command)
@click.argument("entry")
@click.option(
    "--because", "reason", required=True, metavar="REASON", help="Why; it is recorded for good."
)
def redact(entry: str, reason: str) -> None:
    r"""Take the text of your rationale out of the database; the forecast and the chain stay.

    \b
    Example:
      forecast redact 4711 --because "names a source"
    """
    with opened() as book:
        row = book.redact(entry, because=reason)
    emit(row)
    say(ELSEWHERE)
    for copy in row["copies"]:
        say(f"{copy} holds it too: delete that file once you need it no more")
