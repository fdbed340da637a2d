"""A PostgreSQL server of the tests: made, started on the loopback address, stopped, removed."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path


def programs():
    """Give the folder of `initdb` and `postgres`; None where the system has none."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    places = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(places, key=lambda place: float(place.parts[-3]))
    return newest[-1].parent if newest else None


class Server:
    """A server with a superuser of its own; the superuser of the machine may not run it."""

    def __init__(self, programs):
        self.folder = Path(tempfile.mkdtemp(prefix="forecasting-postgresql-"))
        self.password = secrets.token_hex(16)
        self.names = count()
        self.process = None
        user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        secret = self.folder / "password"
        secret.write_text(self.password)
        if user:
            for place in (self.folder, secret):
                shutil.chown(place, **user)
        self.folder.chmod(0o700)
        data = self.folder / "data"
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", "chief", "--pwfile", secret),
                *("--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **user,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            # What the tests write need not outlive the machine.
            "fsync": "off",
            "max_connections": 100,
            "shared_buffers": "16MB",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", data, *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **user,
            )
        self._wait()

    def _wait(self):
        import psycopg

        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.plain("postgres")).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def plain(self, database, *, user="chief", password=None):
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def url(self, database, **who):
        return self.plain(database, **who).replace("postgresql:", "postgresql+psycopg:")

    def run(self, *statements, database="postgres", **who):
        import psycopg

        with psycopg.connect(self.plain(database, **who), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def database(self, template="template0"):
        """Make a database, empty or as its template is; give its name."""
        name = f"ledger_{next(self.names)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            # Closes every connection and ends; the number is that of the process started here.
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
