"""init, verify, anchor, backup, restore, doctor, db: the database itself."""

import shlex
from pathlib import Path

import click

from forecasting.cli import options, times
from forecasting.cli.options import Command, Group
from forecasting.cli.output import emit, opened, say, settings

#: The most faults that are printed; `questions check` has the rest.
MOST_FAULTS = 3


@click.command(cls=Command)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--example", metavar="NAME", help="Copy an example bank into the workspace.")
def init(folder: Path | None, example: str | None) -> None:
    r"""Make a workspace (forecast.toml, questions/, forecasts.db), or load what is new in it.

    Commands that run in the workspace, or anywhere below it, use its bank and its database. Without
    FOLDER it is the workspace that holds the working folder, else the working folder itself. With
    --db, outside a workspace, only that database is made.

    \b
    Examples:
      forecast init sudan --as ana
      forecast init
    """
    from forecasting import config
    from forecasting.app.book import Book

    chosen = config.database(settings().db)
    named = settings().db or None
    if chosen.origin == "environment":
        named = chosen.value
    place = folder or config.workspace()
    if place is None and named is not None:
        emit(Book.make_database(named, example=example))
        return
    place = place or Path()
    new = not (place / config.WORKSPACE).exists()
    who = settings().forecaster or ""
    if new and not who and times.somebody_there():
        who = click.prompt("your name, as forecaster", default=config.forecaster().value, err=True)
    result = Book.make_workspace(place, example=example, forecaster=who, database=named)
    if settings().format == "table":
        # Counts of 0 are left out, and so is the database where it lies in the workspace.
        shown = ("workspace", "bank", "questions", "added", "changed", "evidence", "resolutions")
        result["database"] = result["database"] if named else ""
        emit({key: result[key] for key in ("database", *shown) if result[key]})
        for fault in result["faults"][:MOST_FAULTS]:
            say(f"note: {fault}")
        if len(result["faults"]) > MOST_FAULTS:
            say(f"note: {len(result['faults'])} such faults: forecast questions check")
    else:
        emit(result)
    if new:
        here = place.resolve() == Path.cwd()
        inside = "" if here else f"cd {shlex.quote(str(place))}, then "
        say(f'next: {inside}forecast ask "Will ...?" 35% --by 2027-01-31')
    elif not (result["added"] or result["changed"] or result["evidence"] or result["resolutions"]):
        say("nothing new in the bank")


@click.command(cls=Command)
@click.option(
    "--anchor",
    "anchor_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file that `forecast anchor` wrote; a time stamp beside it is read too.",
)
@click.option(
    "--tsa-certificate",
    "certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Certificates (PEM) of a time-stamp authority that you trust.",
)
def verify(anchor_file: Path | None, certificate: Path | None) -> int:
    r"""Check the hash chain and say up to which entry it proves the ledger unaltered.

    \b
    Examples:
      forecast verify
      forecast verify --anchor ~/mail/anchor.txt
      forecast verify --anchor 2026-11-22.anchor --tsa-certificate authority.pem
    """
    with opened() as book:
        result = book.verify(anchor_file, certificate=certificate)
    emit(result)
    if not result["ok"]:
        bad = result["first_bad"]
        say(f"error: {result['reason'] if bad is None else f'entry {bad}: {result["reason"]}'}")
        return 1
    return 0


@click.command(cls=Command)
@options.out("New file to write the anchor to.")
@options.text(
    "--stamp", metavar="URL", help="Time-stamp authority (RFC 3161) to ask; its token is FILE.tsr."
)
def anchor(out: Path | None, stamp: str) -> None:
    r"""Write the head of the ledger in a few lines, to keep away from the database.

    Send it by mail, post it, or commit it elsewhere: `forecast verify --anchor FILE` then proves
    that nothing up to it was changed, cut off or made up later. The authority named by --stamp is
    sent the SHA-256 of the anchor and nothing else; without --out the file is named by the day.

    \b
    Examples:
      forecast anchor
      forecast anchor --out 2026-11-22.anchor
      forecast anchor --stamp https://tsa.example.org/tsr
    """
    with opened() as book:
        if stamp:
            record, note = book.stamped_anchor(stamp, out)
            say(note)
        else:
            record = book.anchor(out)
    if settings().format == "table":
        click.echo(record.text, nl=False)
    else:
        names = ("ledger", "entries", "head", "at", "text")
        emit({name: getattr(record, name) for name in names})


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@options.flag("--force", help="Replace an existing file.")
def backup(file: Path, force: bool) -> None:
    r"""Copy the database into a file while it is in use; the copy is verified.

    \b
    Example:
      forecast backup forecasts-2026-11-22.db
    """
    from forecasting.app.book import Book

    emit(Book.backup(settings().db, file, force=force))


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@options.flag("--force", help="Replace an existing file; a database is kept beside it.")
def restore(file: Path, force: bool) -> None:
    r"""Replace the database with a backup, if the backup verifies.

    \b
    Example:
      forecast restore forecasts-2026-11-22.db
    """
    from forecasting.app.book import Book

    emit(Book.restore(file, settings().db, force=force))


@click.command(cls=Command)
def doctor() -> int:
    r"""Check the settings, the disk and the database; say what is wrong and how to fix it.

    \b
    Example:
      forecast doctor
    """
    from forecasting.app.book import Book

    checks = Book.doctor(settings().db)
    emit(checks)
    wrong = [item for item in checks if not item["ok"]]
    for item in wrong:
        say(f"error: {item['check']}: {item['detail'].rstrip('.')}. Try: {item['hint']}")
    return 1 if wrong else 0


@click.group(cls=Group)
def db() -> None:
    """Show where the database is and its version; upgrade it."""


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
    from forecasting.app.book import Book

    emit(Book.status(settings().db))


@db.command()
def upgrade() -> None:
    """Upgrade an older database to this version's schema, in one transaction."""
    from forecasting.app.book import Book

    emit(Book.upgrade(settings().db))
