"""Fresh ledgers on either engine, each a copy of one that the migrations made."""

import importlib
import re
import shutil
import sqlite3
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

from sqlalchemy import NullPool, create_engine, event

from forecasting.config import MEMORY, database_url, sqlite_path
from forecasting.resources import locate
from forecasting.store import Ledger, engine, guard, migrate, triggers
from forecasting.store.engine import translated_faults

ENGINES = ("sqlite", "postgresql")


class Files:
    """SQLite files in a folder."""

    engine = "sqlite"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.names = count()
        self.template = self.folder / "template.db"
        Ledger.open(str(self.template), create=True).close()

    def fresh(self):
        path = self.folder / f"ledger-{next(self.names)}.db"
        # No connection of this process has the template.
        shutil.copyfile(self.template, path)
        return str(path)

    def drop(self, url):
        for side in ("", "-journal", "-wal", "-shm"):
            Path(url + side).unlink(missing_ok=True)

    @contextmanager
    def bare(self, url):
        """Connect as any program would: none of the recipe, the triggers alone."""

        def opened():
            return sqlite3.connect(url, isolation_level=None)

        engine = create_engine("sqlite://", creator=opened, poolclass=NullPool)
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.connect() as connection:
            yield connection


class Databases:
    """Databases of a PostgreSQL server of the tests."""

    engine = "postgresql"

    def __init__(self, server):
        self.server = server
        self.template = server.database()
        Ledger.open(server.url(self.template), create=True).close()

    def fresh(self):
        return self.server.url(self.server.database(self.template))

    def drop(self, url):
        self.server.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def copy(self, source, target):
        """Make one database what another is."""
        self.drop(target)
        name, template = (url.rpartition("/")[2] for url in (target, source))
        self.server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'",
            f"CREATE DATABASE {name} TEMPLATE {template}",
        )

    @contextmanager
    def bare(self, url):
        """Connect as the owner of everything: the triggers alone refuse."""
        with create_engine(url, poolclass=NullPool).connect() as connection:
            yield connection


def of(name, request):
    """Give the databases of an engine by name, for a fixture."""
    if name == "sqlite":
        return Files(request.getfixturevalue("tmp_path_factory").mktemp("ledgers"))
    return Databases(request.getfixturevalue("postgresql"))


class Ready:
    """Makes a new SQLite ledger by the snapshot of its tables, and waits for no disk.

    That takes a quarter of the migrations' time, and no law but those of the store is of either: a
    test of these asks for the fixture `as_shipped`, and every process of its own is so anyway.
    """

    def __init__(self):
        self.bring_up, self.open = migrate.bring_up, engine._open

    @cached_property
    def statements(self):
        written = (locate("migrations").parent / "schema.sqlite.sql").read_text(encoding="utf-8")
        revision = f"INSERT INTO alembic_version VALUES ('{migrate.HEAD}')"
        parts = re.split(r";\n(?=\n|PRAGMA)", written)
        return [*(part for part in parts if "CREATE TRIGGER" not in part), revision]

    def made(self, engine, where):
        """Stand in for `forecasting.store.migrate.bring_up`, where there is nothing yet."""
        if engine.dialect.name == "sqlite":
            with translated_faults(where), engine.begin() as connection, guard.lifted(connection):
                if migrate.revision(connection, where) is None:
                    for statement in self.statements:
                        connection.exec_driver_sql(statement)
                    triggers.install(connection)
                    return
        self.bring_up(engine, where)

    def opened(self, path, **options):
        """Stand in for `forecasting.store.engine._open`: only a crash of the machine tells it."""
        connection = self.open(path, **options)
        connection.set_authorizer(None)
        sqlite3.Connection.execute(connection, "PRAGMA synchronous=OFF")
        connection.set_authorizer(guard.answer)
        return connection

    def install(self, patch):
        patch.setattr(migrate, "bring_up", self.made)
        patch.setattr(engine, "_open", self.opened)

    def remove(self, patch):
        patch.setattr(migrate, "bring_up", self.bring_up)
        patch.setattr(engine, "_open", self.open)


class Elsewhere:
    """Lets a program that is told a file keep its ledger on a server, so that the same tests run.

    What lies at the path is a note that names a database and the path; a copy of the note, which
    names another path than its own, becomes a copy of the database when it is first opened.
    """

    MARK = b"a ledger of the tests: "

    def __init__(self, made):
        self.made = made
        self.real = engine.connect

    def connect(self, url, *, create=False, timeout=30.0):
        """Stand in for `forecasting.store.engine.connect`."""
        path = sqlite_path(database_url(url))
        if path is None:
            within = database_url(url) == MEMORY
            return self.real(self.made.fresh() if within else url, create=create, timeout=timeout)
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            if not create:
                raise engine.missing(str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            return self.opened(path, self.made.template)
        note = path.read_bytes() if path.is_file() else b""
        if not note.startswith(self.MARK):
            return self.real(url, create=create, timeout=timeout)
        name, _, at = note.removeprefix(self.MARK).decode().partition(" ")
        if at != str(path):
            return self.opened(path, name)
        return self.real(self.made.server.url(name))

    def opened(self, path, template):
        server = self.made.server
        server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"
        )
        name = server.database(template)
        path.write_bytes(self.MARK + f"{name} {path}".encode())
        return self.real(server.url(name))

    def install(self, patch):
        """Put it wherever the store opens a database."""
        for module in ("engine", "ledger"):
            patch.setattr(
                importlib.import_module(f"forecasting.store.{module}"), "connect", self.connect
            )
