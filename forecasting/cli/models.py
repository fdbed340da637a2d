"""models list, show, priors: the graphs, the kinds of process, and every prior."""

from typing import Any

import click

from forecasting.cli import options
from forecasting.cli.options import Group
from forecasting.cli.output import counted, emit, opened, settings


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
    from forecasting.app.book import Book

    emit(Book.graphs(), columns=("name", "what", "is"))


@models.command()
@click.argument("name")
def show(name: str) -> None:
    r"""Show a fitted model: what it is, and its latest fits with the verdict of the gate.

    \b
    Example:
      forecast models show rates
    """
    with opened() as book:
        emit(book.graph(name))


@models.command()
@options.QUESTION
def priors(question: tuple[str, ...]) -> None:
    r"""List every prior, or those of a question, with its source and when it was known.

    \b
    Example:
      forecast models priors --question convoy
    """
    with opened() as book:
        rows = book.priors(*question)
    if settings().format == "table":
        rows = [
            {**row, "parameter": _parameter_name(row), "source": row["source"] or row["because"]}
            for row in rows
        ]
    emit(
        rows,
        columns=("parameter", "prior", "source", "known_by", "worldview"),
        title=counted(len(rows), "prior"),
        always=3,
    )


def _parameter_name(row: dict[str, Any]) -> str:
    """Name a parameter in words, with its letter; moves and links have names of their own."""
    named = {"rates": "rate", "spells": "duration", "deliveries": "delivery", "news": "reports"}
    of = named.get(row["family"], row["family"])
    return f"{of}: {row['is']} ({row['parameter']})" if row["is"] else row["parameter"]
