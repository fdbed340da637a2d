"""models list, priors: the families and what they believe before any data."""

import click

from forecasting.cli.options import Group
from forecasting.cli.output import emit, settings


@click.group(cls=Group)
def models() -> None:
    """Show the model families and their priors."""


@models.command("list")
def list_() -> None:
    """List the families and the question types they answer."""
    from forecasting import models as registry

    emit(
        [
            {
                "family": name,
                "version": family.version,
                "outcome_types": sorted(family.outcome_types),
                "what": (family.__doc__ or "").strip().split("\n")[0],
            }
            for name, family in registry.families().items()
        ]
    )


@models.command()
@click.argument("family")
def show(family: str) -> None:
    r"""Show a family: what it is, its latest fits with their diagnostics, how it fits its classes.

    For survival it also holds the model against one with a share of instant failures.

    \b
    Example:
      forecast models show survival
    """
    from forecasting import clock
    from forecasting.app import models_shown
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        emit(models_shown.family_report(book.ledger, family, clock.now()))


@models.command()
@click.option("--question", default="", help="Only this question's or ladder's.")
def priors(question: str) -> None:
    r"""List every prior with its source and the day it was known by.

    \b
    Example:
      forecast models priors --question exchange-1000-2025
    """
    from forecasting.app import models_shown
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        rows = models_shown.prior_rows(book.ledger, question=question)
    emit(
        rows,
        columns=("question", "worldview", "family", "parameter", "prior", "known_by", "source"),
        title=f"{len(rows)} priors",
    )
