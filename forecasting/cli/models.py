"""models list, show, priors: the graphs, the kinds of process, and every prior."""

import click

from forecasting.cli import options
from forecasting.cli.options import Group
from forecasting.cli.output import emit, settings


@click.group(cls=Group)
def models() -> None:
    """Show the fitted models, the kinds of process, and every prior with its source."""


@models.command("list")
def list_() -> None:
    r"""List the fitted models, and the kinds of process that a world may have.

    \b
    Example:
      forecast models list
    """
    from forecasting import models as registry

    rows = [
        {"name": name, "what": (graph.__doc__ or "").strip().split("\n")[0], "is": "graph"}
        for name, graph in registry.graphs().items()
    ]
    rows += [
        {"name": name, "what": what, "is": "kind of process"}
        for name, what in registry.kinds().items()
    ]
    emit(rows, columns=("name", "what", "is"))


@models.command()
@click.argument("name")
def show(name: str) -> None:
    r"""Show a fitted model: what it is, and its latest fits with the verdict of the gate.

    \b
    Example:
      forecast models show rates
    """
    from forecasting.app import models_shown
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        emit(models_shown.graph_report(book.ledger, name))


@models.command()
@options.QUESTION
def priors(question: tuple[str, ...]) -> None:
    r"""List every prior, or those of a question, with its source and when it was known.

    \b
    Example:
      forecast models priors --question exchange-1000-2025
    """
    from forecasting.app import models_shown
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = models_shown.prior_rows(book.ledger, questions=question)
    emit(
        rows,
        columns=("parameter", "prior", "known_by", "worldview", "family", "source"),
        title=f"{len(rows)} priors",
    )
