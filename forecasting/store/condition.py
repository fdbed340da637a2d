"""The condition of a database and of the place of its file; every check runs, whatever it finds."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine

from forecasting import config
from forecasting.errors import ForecastingError
from forecasting.store import migrate, triggers
from forecasting.store.engine import WAL_SAFE, connected, journal, place, reading, translated_faults
from forecasting.store.verify import verify

RESTORE = "forecast restore BACKUP"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: its name, whether it is sound, what was found, how to fix it."""

    check: str
    ok: bool
    detail: str
    hint: str = ""


def condition(url: str) -> list[Check]:
    """Look at a database through a connection: server or library, schema, triggers, pages, chain.

    Examples
    --------
    >>> [item.check for item in condition("sqlite:///:memory:") if not item.ok]
    ['database']
    """
    where = place(url)
    try:
        with connected(url) as engine:
            return list(
                _checks(
                    engine, where, in_file=config.sqlite_path(config.database_url(url)) is not None
                )
            )
    except ForecastingError as fault:
        return [_failed("database", fault)]


def _checks(engine: Engine, where: str, *, in_file: bool) -> Iterator[Check]:
    sqlite = engine.dialect.name == "sqlite"
    looks: list[tuple[str, Callable[[Connection], Check]]] = [
        ("schema", lambda connection: _schema(connection, where)),
        ("triggers", _triggers),
        ("chain", _chain),
        ("clock", _last),
    ]
    if sqlite:
        looks.insert(0, ("sqlite", lambda connection: _library(connection, in_file=in_file)))
        looks.insert(2, ("pages", _pages))
    else:
        looks.insert(0, ("role", _role))
    with translated_faults(where), reading(engine).connect() as connection:
        migrate.schema(connection, where)
    for name, look in looks:
        try:
            with translated_faults(where), reading(engine).connect() as connection:
                yield look(connection)
        except ForecastingError as fault:
            yield _failed(name, fault)


def _failed(name: str, fault: ForecastingError) -> Check:
    return Check(name, False, fault.message, fault.hint)


def _library(connection: Connection, *, in_file: bool) -> Check:
    mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    wanted, level = journal()
    safe = ".".join(map(str, WAL_SAFE))
    detail = f"SQLite {sqlite3.sqlite_version}, journal {mode}, synchronous {level}"
    if in_file and mode != wanted:
        rule = f"below {safe} two connections can corrupt a database in WAL mode"
        return Check(
            "sqlite", False, f"{detail}; {rule}", "close the other program that has it open"
        )
    why = "" if wanted == "wal" else f" (WAL is kept for {safe} and newer, where it is safe)"
    return Check("sqlite", True, detail + why)


def _schema(connection: Connection, where: str) -> Check:
    version = migrate.schema(connection, where)
    if version != migrate.HEAD:
        newer = version > migrate.HEAD
        hint = "pip install --upgrade scenario-forecasting" if newer else "forecast db upgrade"
        return Check(
            "schema", False, f"{version}; this program reads and writes {migrate.HEAD}", hint
        )
    if connection.dialect.name == "sqlite":
        # Not above: it is a program of its own too.
        from forecasting.store import snapshot

        expected = snapshot.parts(snapshot.sqlite())
        actual = snapshot.parts(snapshot.text(connection))
        other = sorted(
            sql.split("(")[0].strip()
            for sql in expected ^ actual
            if not sql.startswith("CREATE TRIGGER")
        )
        if other:
            return Check("schema", False, f"{version}, but altered: {other[0]}", RESTORE)
    return Check("schema", True, version)


def _triggers(connection: Connection) -> Check:
    if names := triggers.missing(connection):
        detail = f"not as this program made them: {', '.join(names[:3])}"
        detail += f" and {len(names) - 3} more" if names[3:] else ""
        return Check("triggers", False, detail, "forecast verify, then forecast db upgrade")
    return Check("triggers", True, "the database refuses every change to an entry")


def _pages(connection: Connection) -> Check:
    report = connection.exec_driver_sql("PRAGMA integrity_check(3)").scalars().all()
    if report != ["ok"]:
        return Check("pages", False, "; ".join(" ".join(str(s).split()) for s in report), RESTORE)
    if (row := connection.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None:
        return Check("pages", False, f"a row of {row[0]} belongs to no entry", RESTORE)
    return Check("pages", True, "every page and index is intact")


def _chain(connection: Connection) -> Check:
    verification = verify(connection)
    if not verification.ok:
        return Check(
            "chain", False, f"entry {verification.first_bad}: {verification.reason}", RESTORE
        )
    return Check(
        "chain", True, f"{verification.entries} entries, head {verification.head_hash[:12]}"
    )


def _last(connection: Connection) -> Check:
    from forecasting import clock
    from forecasting.store.canonical import instant_text
    from forecasting.store.read import read_head

    last = read_head(connection)[1]
    now = clock.now()
    if last is not None and last > now:
        detail = f"the newest entry was recorded at {instant_text(last)}, which is in the future"
        return Check("clock", False, detail, "the machine's clock, then wait: entries keep order")
    return Check("clock", True, instant_text(now))


def _role(connection: Connection) -> Check:
    row = connection.exec_driver_sql(
        "SELECT current_user, rolsuper, version(), (SELECT pg_get_userbyid(relowner)"
        " FROM pg_class WHERE oid = 'entry'::regclass) FROM pg_roles WHERE rolname = current_user"
    ).one()
    name, superuser, version, owner = cast(tuple[str, bool, str, str], tuple(row))
    server = " ".join(version.split()[:2])
    if superuser or owner == name:
        what = "is a superuser" if superuser else "owns the tables"
        return Check(
            "role",
            False,
            f"{server}; {name} {what} and could drop a trigger",
            "forecasters as a role with SELECT and INSERT alone: db/README.md",
        )
    return Check("role", True, f"{server}; {name} may read and add, and owns nothing")


#: Below this a journal may not fit beside the database.
LEAST_FREE = 64 * 2**20


#: SQLite's locks do not hold over these.
NETWORK = {
    *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "9p"),
    *("ncpfs", "ceph", "glusterfs", "fuse.sshfs", "fuse.davfs", "fuse.rclone", "fuse.glusterfs"),
}


#: Programs that copy a file while it is written to, and copy it back.
SYNCED = ("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "iCloud", "Nextcloud", "pCloud")


_SIDES = ("-journal", "-wal", "-shm")


def doctor(database: str | None = None) -> list[dict[str, Any]]:
    """Look at the settings, the place of the database and the database, in that order."""
    return [asdict(item) for item in _looked(database)]


def _looked(database: str | None) -> Iterator[Check]:
    try:
        setting = config.database(database)
        config.forecaster()
    except ForecastingError as fault:
        yield Check("config", False, fault.message, fault.hint)
        return
    url = config.without_password(setting.value)
    yield Check("config", True, f"{url} ({setting.origin})")
    path = config.sqlite_path(setting.value)
    if path is None:
        yield from condition(setting.value)
        return
    if path.exists():
        yield permissions(path)
        yield network(path)
        yield space(path)
        # Checked before a connection plays the journals back or removes them.
        yield stray(path)
    yield from condition(setting.value)


def permissions(path: Path) -> Check:
    """Look whether the file and its folder are writable, by this user and by nobody else."""
    for part, what in ((path, "the file"), (path.parent, "its folder, where the journal lies,")):
        lacks = [
            word
            for may, word in ((os.R_OK, "read"), (os.W_OK, "written to"))
            if not os.access(part, may)
        ]
        if lacks:
            detail = f"{what} cannot be {' or '.join(lacks)} ({part})"
            return Check("permissions", False, detail, f"chmod u+rw {part}")
    if os.name == "posix" and path.stat().st_mode & stat.S_IWOTH:
        detail = f"every user of this machine can write to {path}"
        return Check("permissions", False, detail, f"chmod o-w {path}")
    return Check("permissions", True, "the file and its folder are writable")


def network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> Check:
    """Look whether the file lies on a network drive, or where a program synchronises files."""
    whole = path.resolve()
    kind = _file_system(whole, mounts)
    hint = "the database on a disk of this machine, and `forecast backup` to the drive"
    if kind in NETWORK:
        detail = f"{whole.parent} is a network drive ({kind}), where file locks are unreliable"
        return Check("network", False, detail, hint)
    for part in whole.parts:
        if part.startswith(SYNCED):
            detail = f"{part} copies files while they are being written"
            return Check("network", False, detail, hint)
    return Check("network", True, f"on {kind or 'a disk'}")


def _file_system(whole: Path, mounts: Path) -> str:
    """Give the kind of the file system with the longest mount point above a path; '' unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kinds: Mapping[Path, str] = {
        # A space in a mount point is written as an octal escape.
        Path(fields[1].replace("\\040", " ")): fields[2]
        for line in lines
        if len(fields := line.split()) > 2
    }
    return next((kinds[place] for place in (whole, *whole.parents) if place in kinds), "")


def space(path: Path) -> Check:
    """Look whether the disk has room for the journal and for as much again as there is."""
    free = shutil.disk_usage(path.parent).free
    needed = max(LEAST_FREE, 2 * path.stat().st_size)
    detail = f"{free // 2**20:,} MiB free"
    if free < needed:
        detail += f", of {needed // 2**20:,} MiB needed"
        return Check("space", False, detail, "free some space")
    return Check("space", True, detail)


def stray(path: Path) -> Check:
    """Look for what an interrupted program has left beside the database."""
    side_files = [Path(f"{path}{side}") for side in _SIDES]
    journals = [each.name for each in side_files if each.exists() and each.stat().st_size]
    copies = sorted(each.name for each in path.parent.glob(f".{path.name}.*.partial*"))
    if journals:
        detail = (
            f"{', '.join(journals)}: a program is writing, or ended while it wrote; "
            f"the next one to open the database puts it right"
        )
        return Check("stray files", True, detail, "never move or delete it without the database")
    if copies:
        detail = f"{', '.join(copies)}: a backup or restore was interrupted"
        return Check("stray files", False, detail, f"rm {path.parent / copies[0]}")
    return Check("stray files", True, "none")
