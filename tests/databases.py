"""Fresh ledgers on either engine, each a copy of one that the migrations made."""

import importlib
import shutil
import sqlite3
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import NullPool, create_engine, event

from forecasting.config import MEMORY, database_url, sqlite_path
from forecasting.store import Ledger, engine

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
        for module in ("engine", "ledger", "migrate", "condition"):
            patch.setattr(
                importlib.import_module(f"forecasting.store.{module}"), "connect", self.connect
            )
