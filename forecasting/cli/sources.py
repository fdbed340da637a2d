"""sources list, set: how reliable each source is."""

from collections.abc import Mapping
from typing import Any

import click

from forecasting.cli import options, times
from forecasting.cli.options import Group
from forecasting.cli.output import counted, emit, opened, say, settings


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def sources(context: click.Context) -> None:
    """Show how reliable each source is, by its Admiralty grade and its track record."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@sources.command("list")
@options.flag("--all", "everything", help="List each source of the data sets too.")
@options.kind()
@options.AS_OF
def list_(everything: bool = False, kind: str = "live", as_of: str = "") -> None:
    r"""List the sources: those of your own news first, then those with resolved claims.

    `reliability, lower, upper` are the mean and the 90 % interval as learned; `prior` is the
    grade's. A claim is a report with a coded likelihood on a question that has resolved since.

    `worth` reviews a source like a forecaster: the mean half Brier score of the model's numbers on
    resolved yes-or-no questions after its reports, less that of the same numbers without what they
    moved, with a 95 % interval; below 0 is better after. With fewer than 8 events nothing is said.

    \b
    Examples:
      forecast sources
      forecast sources list --kind replay
    """
    with opened() as book:
        rows = book.sources(as_of=times.optional(as_of), kind=kind)
        data = settings().format != "table" or everything
        shown = rows if data else book.folded(rows)
    judged = any(row.get("verdict") for row in rows)
    if settings().format == "table":
        shown = [{**row, "worth": _worth(row)} for row in shown]
    emit(
        shown,
        columns=(
            *("source", "reliability", "lower", "upper", *(("worth",) if judged else ())),
            *("bound", "grade", "items", "claims"),
            *("right", "wrong", "prior", "prior_lower", "prior_upper"),
        ),
        always=4 + judged,
        title=f"{counted(len(rows), 'source')}; reliability with its 90 % interval; bound: the "
        "most that one multiplies a hazard by"
        + ("; worth: half Brier score after its reports less before, 95 % over events" * judged)
        + ("; --all lists those of data sets" * (len(shown) < len(rows))),
    )
    if rows and not judged:
        from forecasting.scoring.checks import LEAST_CLUSTERS

        say(
            f"what reports were worth: no {kind} number of the model that a report moved is on a "
            f"resolved question yet, and it takes {LEAST_CLUSTERS} events"
        )


def _worth(row: Mapping[str, Any]) -> str | None:
    """Say whether numbers were better after a source's reports: how much, and of how many."""
    from forecasting.review import words

    if not row.get("verdict"):
        return None
    n = counted(row["moved_events"], "event")
    if row["change"] is None:
        return str(row["verdict"])
    text = words.signed(row["change"])
    if row["change_lower"] is not None:
        text += f" ({words.span(row['change_lower'], row['change_upper'], sign=True)})"
    return f"{row['verdict']}: {text}, {n}"


@sources.command("set")
@click.argument("name")
@options.grade(required=True)
@options.text("--because", help="Your reasons.")
@options.flag("--new", help="Accept a source that no news item has yet.")
def set_(name: str, grade: str, because: str, new: bool) -> None:
    r"""Grade a source from now on; this overrides the grades of its items.

    \b
    Example:
      forecast sources set wire --grade B --because "its sources are named"
    """
    with opened() as book:
        row = book.grade_source(name, grade, because=because, new=new)
    emit(row)
    if row["reweighed"]:
        one = row["reweighed"] == 1
        reports = "1 report" if one else f"{row['reweighed']} reports"
        say(
            f"{reports} of {row['source']} that {'stands weighs' if one else 'stand weigh'} "
            f"as graded {row['grade']} from now on"
        )
