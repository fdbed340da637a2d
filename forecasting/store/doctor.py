"""The health of a database: settings, the place of its file, and what is in it."""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forecasting import config, store
from forecasting.errors import ForecastingError
from forecasting.store import Check

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
    return [asdict(item) for item in _checks(database)]


def _checks(database: str | None) -> Iterator[Check]:
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
        yield from store.condition(setting.value)
        return
    if path.exists():
        yield permissions(path)
        yield network(path)
        yield space(path)
        # Checked before a connection plays the journals back or removes them.
        yield stray(path)
    yield from store.condition(setting.value)


def permissions(path: Path) -> Check:
    """Look whether the file and its folder are writable, by this user and by nobody else."""
    for place, what in ((path, "the file"), (path.parent, "its folder, where the journal lies,")):
        lacks = [
            word
            for may, word in ((os.R_OK, "read"), (os.W_OK, "written to"))
            if not os.access(place, may)
        ]
        if lacks:
            detail = f"{what} cannot be {' or '.join(lacks)} ({place})"
            return Check("permissions", False, detail, f"chmod u+rw {place}")
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
