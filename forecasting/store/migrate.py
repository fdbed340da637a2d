"""The schema's history: create, upgrade, and say where a database stands."""

import io
import sqlite3
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, inspect, select, text

from forecasting.errors import DatabaseUnusable
from forecasting.resources import locate
from forecasting.store import guard, triggers
from forecasting.store.canonical import FIRST
from forecasting.store.engine import connected, missing, place, reading, translated_faults
from forecasting.store.tables import entry

if TYPE_CHECKING:
    from alembic.config import Config

#: The schema that this program reads and writes; the newest migration, which a test compares.
HEAD = "r0005"
APPLICATION_ID = 0x46435354


@dataclass(frozen=True, slots=True)
class Status:
    """Where a database stands: its schema and this program's, its entries and last hash.

    What is said of SQLite is empty on PostgreSQL.
    """

    database: str
    current: str
    head: str
    entries: int
    ledger_head: str
    sqlite_version: str
    journal_mode: str


def revision(connection: Connection, where: str) -> str | None:
    """Read the schema's revision; None for an empty database."""
    tables = inspect(connection).get_table_names()
    if connection.dialect.name == "sqlite":
        owner = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        if owner != APPLICATION_ID and (tables or owner):
            message = f"database ({where}): belongs to another program"
            raise DatabaseUnusable(message, hint="database=ANOTHER_FILE")
    if "alembic_version" in tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if version is not None:
            return str(version)
    if "entry" in tables:
        message = f"database ({where}): damaged: it does not say which schema it has"
        raise DatabaseUnusable(message, hint="forecast restore BACKUP")
    return None


def schema(connection: Connection, where: str) -> str:
    """Read the schema's revision; an empty database counts as missing."""
    if (version := revision(connection, where)) is None:
        raise missing(where)
    return version


def check(engine: Engine, where: str) -> bool:
    """Tell whether the schema is there; refuse one that is newer or older than the program's."""
    with translated_faults(where), reading(engine).connect() as connection:
        version = revision(connection, where)
    if version is None or version == HEAD:
        return version is not None
    _refuse_newer(version, where)
    message = f"database ({where}): its schema {version} is older than this program's {HEAD}"
    raise DatabaseUnusable(message, hint="forecast db upgrade")


def _refuse_newer(version: str | None, where: str) -> None:
    if version is not None and version > HEAD:
        message = f"database ({where}): its schema {version} is newer than this program's {HEAD}"
        raise DatabaseUnusable(message, hint="pip install --upgrade scenario-forecasting")


@cache
def sound(head: str) -> dict[str, str]:
    """Give what :func:`forecasting.store.engine.standing` reads where all is well, at a schema."""
    return {"": f"{APPLICATION_ID} {head}", **triggers.wanted("sqlite")}


def unguarded(engine: Engine, where: str) -> DatabaseUnusable | None:
    """Give the refusal to write where the triggers of this program do not all stand."""
    with translated_faults(where), reading(engine).connect() as connection:
        names = triggers.missing(connection)
    if not names:
        return None
    more = f" and {len(names) - 1} more" if names[1:] else ""
    message = f"database ({where}): trigger {names[0]}{more} is not as this program made it"
    return DatabaseUnusable(message, hint="forecast verify, then forecast db upgrade to repair it")


def bring_up(engine: Engine, where: str) -> None:
    """Run what is missing of the migrations, then install the triggers, in one transaction."""
    from alembic import command
    from alembic.util.exc import CommandError

    with translated_faults(where), engine.begin() as connection, guard.lifted(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({APPLICATION_ID})")
        _refuse_newer(revision(connection, where), where)
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as fault:
            message = f"database ({where}): cannot be upgraded ({fault})"
            raise DatabaseUnusable(message, hint="forecast restore BACKUP") from fault
        triggers.install(connection)


def upgrade(url: str) -> Status:
    """Bring a database to the schema of this program; a failing step changes nothing.

    Raises
    ------
    DatabaseUnusable
        It is missing, newer, another program's, read-only, full or locked.
    """
    where = place(url)
    with connected(url) as engine:
        with translated_faults(where), reading(engine).connect() as connection:
            schema(connection, where)
        bring_up(engine, where)
    return status(url)


def status(url: str) -> Status:
    """Say where a database stands, whether or not this program can use it."""
    where = place(url)
    with (
        connected(url) as engine,
        translated_faults(where),
        reading(engine).connect() as connection,
    ):
        current = schema(connection, where)
        entries = connection.execute(select(func.count()).select_from(entry)).scalar_one()
        newest = select(entry.c.hash).order_by(entry.c.seq.desc()).limit(1)
        ledger_head = connection.execute(newest).scalar() or FIRST.hex()
        sqlite = connection.dialect.name == "sqlite"
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar() if sqlite else ""
    return Status(
        database=where,
        current=current,
        head=HEAD,
        entries=entries,
        ledger_head=ledger_head,
        sqlite_version=sqlite3.sqlite_version if sqlite else "",
        journal_mode=str(mode),
    )


def ddl(dialect: str) -> str:
    """Write the migrations and triggers as SQL text, without a database."""
    from alembic import command

    written = io.StringIO()
    config = _config()
    config.output_buffer = written
    config.attributes["dialect"] = dialect
    command.upgrade(config, "head", sql=True)
    return written.getvalue() + ";\n\n".join(triggers.statements(dialect)) + ";\n"


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    # The configuration interpolates percent signs, which a path may hold.
    config.set_main_option("script_location", str(locate("migrations")).replace("%", "%%"))
    return config
