"""Today's view, and due: what needs you, and what a fresh look is worth."""

import sys
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command
from forecasting.cli.output import counted, emit, opened, say, settings
from forecasting.cli.side_by_side import BRIEF, BY, brief
from forecasting.errors import InvalidInput

COLUMNS = (
    *("question", "value", "reason", "mine", "model", "by", "difference", "age_days"),
    *("staleness", "hazard", "news_since", "distance", "title"),
)
VIEW = ("question", "mine", "model", "difference", "by", "title")
#: What each part of today's view shows, and what its title says.
PARTS = {
    "fresh look": (("question", "value", *VIEW[1:]), "Worth a fresh look"),
    "due": (
        (*VIEW[:-1], "decided", "title"),
        "Due: the deadline has passed, or facts decide it (forecast resolve QUESTION OUTCOME)",
    ),
    "closes soon": (VIEW, "Closes within 7 days"),
    "moved": (
        ("question", "change", *VIEW[1:]),
        "The model moved since your forecast, or within 7 days",
    ),
    "never answered": (
        ("question", "model", "by", "title"),
        "Others open without a forecast of yours (forecast log)",
    ),
    "news not coded": (
        ("seq", "title", "on", "source", "known_at"),
        "News to be coded (forecast news show SEQ says how)",
    ),
}
#: Rows of a part; `forecast due` has all of them.
MOST = 8


@click.command(cls=Command)
@options.choice(
    "--by",
    ("value", "date"),
    default="value",
    help="Order by what a fresh look is worth, or by the deadline.",
)
@options.flag("--ics", help="Print a calendar with an event at each deadline.")
@options.flag("--mail", help="Print a mail to yourself, for `sendmail -t`.")
def due(by: str, ics: bool, mail: bool) -> None:
    r"""List what needs you: outcomes to record, forecasts worth a fresh look.

    `value` is the expected drop of your half Brier score from a fresh look: the share of the window
    that is left, times the sum of distance² (to the model), staleness² (what quiet days since
    your forecast should have changed) and what the news since may do. `hazard` is the chance a
    day of the less likely answer.

    \b
    Examples:
      forecast due
      forecast due --by date --ics > forecasts.ics
      forecast due --mail
    """
    if ics and mail:
        raise InvalidInput("due: print a calendar or a mail, not both", hint="forecast due --ics")
    with opened() as book:
        who = book.forecaster
        rows = book.due(by=by)
        lacking = book.without_criteria()
    if ics or mail:
        click.echo(book.calendar(rows) if ics else book.mail(rows), nl=False)
        return
    need = f"{counted(len(rows), 'question')} for {who}"
    title = f"{need}; value: expected drop of the half Brier score from a fresh look; {BY}"
    shown = [brief(row) for row in rows]
    emit(shown, columns=COLUMNS, title=title + BRIEF * (shown != rows) if rows else "", always=6)
    _say_lacking(lacking)


def show() -> None:
    """Print today's view."""
    with opened() as book:
        who = book.forecaster
        rows = times.named_days(book.today(), book.zone())
        lacking = book.without_criteria()
    if settings().format != "table":
        emit(rows)
        return
    if not rows and not lacking:
        say(f"nothing needs {who} today; forecast --help lists the commands")
    if len(rows):
        _parts(rows)
    _say_lacking(lacking)
    if len(rows) and sys.stdout.isatty():
        say("forecast --help lists the commands")


def _parts(rows: list[dict[str, Any]]) -> None:
    """Print each part that has something, under its title."""
    for section, (columns, title) in PARTS.items():
        part = [brief(row) for row in rows if row["section"] == section]
        if part:
            emit(part[:MOST], columns=columns, title=title, quiet=True, always=len(columns) - 1)
        if (more := len(part) - MOST) > 0:
            command = "forecast news list" if section == "news not coded" else "forecast due"
            say(f"and {more} more: {command}")


def _say_lacking(lacking: list[str]) -> None:
    """Remind of the questions without criteria in one line."""
    if lacking and settings().format == "table":
        n = counted(len(lacking), "open question")
        say(f"{n} without criteria: forecast questions edit {lacking[0]}")
