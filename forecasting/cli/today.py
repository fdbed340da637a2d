"""Today's view, and due: what needs you, and what a fresh look is worth."""

import sys
from typing import Any

import click

from forecasting.cli.options import Command
from forecasting.cli.output import emit, opened, say, settings
from forecasting.domain.question import NO_CRITERIA
from forecasting.errors import InvalidInput

COLUMNS = (
    *("question", "value", "reason", "mine", "model", "difference", "by", "age_days"),
    *("staleness", "hazard", "news_since", "distance", "deadline", "title"),
)
VIEW = ("question", "mine", "model", "difference", "by", "title")
#: What each part of today's view shows, and what its title says.
PARTS = {
    "fresh look": (("question", "value", *VIEW[1:]), "Worth a fresh look"),
    "due": (VIEW, "Due: the deadline has passed and no outcome is recorded (forecast resolve)"),
    "closes soon": (VIEW, "Closes within 7 days"),
    "moved": (
        ("question", "change", *VIEW[1:]),
        "The model moved since your forecast, or within 7 days",
    ),
    "never answered": (VIEW, "Open, without a forecast of yours (forecast log)"),
    "news not coded": (
        ("seq", "title", "known_at", "source", "on"),
        "News to be coded (forecast news show SEQ says how)",
    ),
}
#: Rows of a part; `forecast due` has all of them.
MOST = 8


@click.command(cls=Command)
@click.option(
    "--by",
    type=click.Choice(["value", "date"]),
    default="value",
    help="Order by what a fresh look is worth, or by the deadline.",
)
@click.option("--ics", is_flag=True, help="Print a calendar with an event at each deadline.")
@click.option("--mail", is_flag=True, help="Print a mail to yourself, for `sendmail -t`.")
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
        msg = "due: print a calendar or a mail, not both"
        raise InvalidInput(msg, hint="forecast due --ics")
    with opened() as book:
        who = book.forecaster
        rows = book.due(by=by)
    if ics or mail:
        click.echo(book.calendar(rows) if ics else book.mail(rows), nl=False)
        return
    title = f"{len(rows)} questions need {who}; value: expected drop of the half Brier score"
    emit([_shown(row) for row in rows], columns=COLUMNS, title=title if rows else "")
    if any(NO_CRITERIA in row["reason"] for row in rows):
        say(f"{NO_CRITERIA}: forecast questions edit QUESTION")


def show() -> None:
    """Print today's view."""
    with opened() as book:
        who = book.forecaster
        rows = book.today()
        due_ones = [] if len(rows) else book.due()
    if settings().format != "table":
        emit(rows)
        return
    lacking = sum(NO_CRITERIA in row["reason"] for row in due_ones)
    if not rows:
        said = f"; {lacking} without criteria: forecast due" if lacking else ""
        say(f"nothing needs {who} today{said}; forecast --help lists the commands")
        return
    for section, (columns, title) in PARTS.items():
        part = [_shown(row) for row in rows if row["section"] == section]
        if part:
            emit(part[:MOST], columns=columns, title=title, quiet=True)
        if (more := len(part) - MOST) > 0:
            said = "forecast news list" if section == "news not coded" else "forecast due"
            say(f"and {more} more: {said}")
    if sys.stdout.isatty():
        say("forecast --help lists the commands")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Write a withdrawn forecast as the word."""
    if settings().format == "table" and row.get("withdrawn"):
        return row | {"mine": "withdrawn"}
    return row
