"""init, verify, db: the database itself."""

import click

from forecasting.cli.options import Command, Group
from forecasting.cli.output import emit, say, settings


@click.command(cls=Command)
def init() -> None:
    r"""Create or complete the database and load the bundled bank; running it again changes nothing.

    \b
    Example:
      forecast init
    """
    from forecasting.app.book import Book
    from forecasting.app.questions import bundled_bank

    # Read first: a bank with faults must not leave an empty database behind.
    bank = bundled_bank()
    with Book.open(settings().db, create=True) as book:
        emit(book.init(bank))


@click.command(cls=Command)
def verify() -> int:
    r"""Walk the hash chain and say what is proved.

    \b
    Example:
      forecast verify
    """
    from forecasting.app.book import Book

    with Book.open(settings().db) as book:
        result = book.verify()
    emit(result)
    if not result["ok"]:
        say(f"error: entry {result['first_bad']}: {result['reason']}")
        return 1
    return 0


@click.group(cls=Group)
def db() -> None:
    """Where the database is, its version, upgrades."""


@db.command()
def path() -> None:
    """Print where the database is."""
    from forecasting import config

    chosen = config.database(settings().db)
    shown = config.sqlite_path(chosen.value)
    text = config.without_password(chosen.value) if shown is None else str(shown)
    if settings().format == "table":
        click.echo(text)
    else:
        emit({"database": text, "origin": chosen.origin})


@db.command()
def status() -> None:
    """Print the schema's version, the number of entries and the head of the chain."""
    from dataclasses import asdict

    from forecasting import config, store

    emit(asdict(store.status(config.database(settings().db).value)))


@db.command()
def upgrade() -> None:
    """Bring an older database to this version's schema; all of it or nothing."""
    from dataclasses import asdict

    from forecasting import config, store

    url = config.database(settings().db).value
    store.upgrade(url)
    emit(asdict(store.status(url)))
