"""init, verify, anchor, backup, restore, doctor, db: the database itself."""

import sys
from pathlib import Path

import click

from forecasting.cli.options import Command, Group
from forecasting.cli.output import emit, say, settings


@click.command(cls=Command)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--example", metavar="NAME", help="Copy an example bank into it.")
def init(folder: Path | None, example: str | None) -> None:
    r"""Make a workspace: forecast.toml, questions/ and forecasts.db; again, load what is new.

    Commands that run in the workspace, or anywhere below it, use its bank and its database. Without
    FOLDER the workspace is the one you stand in, else the working folder. With --db and outside a
    workspace, only that database is made.

    \b
    Examples:
      forecast init sudan --as ana
      forecast init
    """
    from forecasting import clock, config
    from forecasting.app import workspace as use

    chosen, now = config.database(settings().db), clock.now()
    named = settings().db if settings().db else None
    if chosen.origin == "environment":
        named = chosen.value
    place = folder or config.workspace()
    if place is None and named is not None:
        emit(use.init_database(named, example=example, now=now))
        return
    place = place or Path()
    new = not (place / config.WORKSPACE).exists()
    who = settings().forecaster or ""
    if new and not who and sys.stdin.isatty() and sys.stderr.isatty():
        who = click.prompt("your name, as forecaster", default=config.forecaster().value, err=True)
    made = use.init(place, example=example, forecaster=who, database=named, now=now)
    if settings().format == "table":
        # Of a new workspace the counts are all nothing, and its database is where it says.
        shown = ("workspace", "bank", "questions", "added", "changed", "evidence", "resolutions")
        emit({key: made[key] for key in shown if made[key]})
    else:
        emit(made)
    if new:
        inside = f"cd {place}, then " if folder is not None else ""
        say(f'next: {inside}forecast ask "Will ...?" 35% --by 2027-01-31')
    elif not (made["added"] or made["changed"] or made["evidence"] or made["resolutions"]):
        say("nothing new in the bank")


@click.command(cls=Command)
@click.option(
    "--anchor",
    "anchor_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What `forecast anchor` wrote, kept elsewhere; the stamp beside it is read too.",
)
@click.option(
    "--tsa-certificate",
    "certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Certificates, in PEM, that lead to the time-stamp authority that you believe.",
)
def verify(anchor_file: Path | None, certificate: Path | None) -> int:
    r"""Walk the hash chain and say what is proved, up to which entry.

    \b
    Examples:
      forecast verify
      forecast verify --anchor ~/mail/anchor.txt
      forecast verify --anchor 2026-11-22.anchor --tsa-certificate authority.pem
    """
    from forecasting.app.book import Book
    from forecasting.app.stamp import verify as verified

    with Book.open(settings().db) as book:
        result = verified(book.ledger, anchor_file, certificate=certificate)
    emit(result)
    if not result["ok"]:
        bad = result["first_bad"]
        say(f"error: {result['reason'] if bad is None else f'entry {bad}: {result["reason"]}'}")
        return 1
    return 0


@click.command(cls=Command)
@click.option(
    "--out", metavar="FILE", type=click.Path(path_type=Path), help="Write it there, a new file."
)
@click.option(
    "--stamp",
    default="",
    metavar="URL",
    help="Ask this time-stamp authority (RFC 3161) for its word; the token is FILE.tsr.",
)
def anchor(out: Path | None, stamp: str) -> None:
    r"""Write the head of the ledger in a few lines, to be kept where the database is not.

    Send it by mail, post it, or commit it elsewhere: `forecast verify --anchor FILE` then proves
    that nothing up to it was changed, cut off or made up later. The authority named by --stamp is
    sent the SHA-256 of the anchor and nothing else; without --out the file is named by the day.

    \b
    Examples:
      forecast anchor
      forecast anchor --out 2026-11-22.anchor
      forecast anchor --stamp https://tsa.example.org/tsr
    """
    from forecasting import clock
    from forecasting.app.anchor import anchor as anchored
    from forecasting.app.anchor import write_anchor
    from forecasting.app.book import Book
    from forecasting.app.stamp import stamped

    with Book.open(settings().db) as book:
        made = anchored(book.ledger, clock.now())
    if stamp:
        file = out or Path(f"{made.at.date().isoformat()}.anchor")
        say(f"{file}.tsr: {stamped(made, file, stamp).says}")
    elif out is not None:
        write_anchor(made, out)
    if settings().format == "table":
        click.echo(made.text, nl=False)
    else:
        emit(
            {
                "ledger": made.ledger,
                "entries": made.entries,
                "head": made.head,
                "at": made.at,
                "text": made.text,
            }
        )


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file.")
def backup(file: Path, force: bool) -> None:
    r"""Copy the database into a file while it is in use; the copy is verified.

    \b
    Example:
      forecast backup forecasts-2026-11-22.db
    """
    from forecasting.app.backup import backup as copied

    emit(copied(settings().db, file, force=force))


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also where a database is; that one is kept beside it.")
def restore(file: Path, force: bool) -> None:
    r"""Put a backup in the place of the database, if it verifies.

    \b
    Example:
      forecast restore forecasts-2026-11-22.db
    """
    from forecasting.app.backup import restore as restored

    emit(restored(file, settings().db, force=force))


@click.command(cls=Command)
def doctor() -> int:
    r"""Look at the settings, the disk and the database, and say what is wrong and what mends it.

    \b
    Example:
      forecast doctor
    """
    from forecasting.app.doctor import doctor as looked

    found = looked(settings().db)
    emit(found)
    wrong = [item for item in found if not item["ok"]]
    for item in wrong:
        say(f"error: {item['check']}: {item['detail']}. Try: {item['hint']}")
    return 1 if wrong else 0


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
