"""sources list, set: how reliable each source is."""

import click

from forecasting.cli import options, times
from forecasting.cli.forecasts import KINDS
from forecasting.cli.options import Group
from forecasting.cli.output import emit, settings


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def sources(context: click.Context) -> None:
    """Show how reliable each source is, by its grade and by its resolved claims."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@sources.command("list")
@click.option("--all", "everything", is_flag=True, help="Also each source of the data sets.")
@click.option(
    "--kind", type=click.Choice(KINDS[:-1]), default="live", help="Review forecasts of this kind."
)
@options.AS_OF
def list_(everything: bool = False, kind: str = "live", as_of: str = "") -> None:
    r"""List the sources: those of your own news first, then those with resolved claims.

    `reliability, lower, upper` are the mean and the 90 % interval as learned; `prior` is the
    grade's. A claim is a report with a coded likelihood on a question that has resolved since.

    `change` reviews a source like a forecaster: the mean Brier score of the model's numbers on
    resolved questions after its reports, less that of the same numbers without what they moved;
    below 0 is better after. With fewer than 8 events nothing is said.

    \b
    Examples:
      forecast sources
      forecast sources list --kind replay
    """
    from forecasting import clock
    from forecasting.app import sources as use
    from forecasting.app.book import Book
    from forecasting.app.frames import Selection
    from forecasting.app.report_worth import ALL, worth

    now = clock.now()
    asked = times.optional(as_of)
    with Book.open(settings().db) as book:
        rows = use.rows(book.ledger, as_of=asked or now, now=now)
        changes = worth(book.ledger, Selection(kind=kind, as_of=asked))
    nothing = {name: None for name in next(iter(changes.values()), {})}
    rows = [row | changes.get(row["source"], nothing) for row in rows]
    shown = use.folded(rows) if settings().format == "table" and not everything else rows
    if ALL in changes:
        shown = [*shown, {"source": ALL, **changes[ALL]}]
    emit(
        shown,
        columns=(
            *("source", "reliability", "grade", "lower", "upper", "items", "claims", "bound"),
            *(("change", "verdict") if changes else ()),
            *("right", "wrong", "prior", "prior_lower", "prior_upper"),
        ),
        title=f"{len(rows)} sources; reliability with its 90 % interval; bound: the most that one "
        "multiplies a hazard by" + ("; --all lists those of data sets" * (len(shown) < len(rows))),
    )


@sources.command("set")
@click.argument("name")
@click.option(
    "--grade",
    required=True,
    metavar="A..F",
    help="A: reliable ... E: unreliable, F: cannot be judged.",
)
@click.option("--because", default="", help="Why.")
@click.option("--new", is_flag=True, help="Grade a source that no item names yet.")
def set_(name: str, grade: str, because: str, new: bool) -> None:
    r"""Grade a source from now on; this overrides the grades of its items.

    \b
    Example:
      forecast sources set wire --grade B --because "its sources are named"
    """
    from forecasting import clock
    from forecasting.app import sources as use
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        row = use.set_grade(book.ledger, name, grade, now=clock.now(), because=because, new=new)
    emit(row)
