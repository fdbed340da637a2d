"""Backups: a whole, verified copy in one file, and its way back."""

from pathlib import Path
from typing import Any

from forecasting import config, store


def backup(database: str | None, target: Path, *, force: bool = False) -> dict[str, Any]:
    """Copy a database into a file while it is in use; the copy verifies or is not made.

    Returns
    -------
    dict
        ``file, entries, head`` of the copy.
    """
    url = config.database(database).value
    found = store.backup(url, target.expanduser(), force=force)
    return {"file": str(target), "entries": found.entries, "head": found.head_hash}


def restore(source: Path, database: str | None, *, force: bool = False) -> dict[str, Any]:
    """Put a verified backup in the place of a database; what was there is kept beside it.

    Returns
    -------
    dict
        ``database, entries, head``, and as ``kept`` where the replaced file lies now.
    """
    url = config.database(database).value
    found, kept = store.restore(source.expanduser(), url, force=force)
    return {
        "database": config.without_password(url),
        "entries": found.entries,
        "head": found.head_hash,
        "kept": None if kept is None else str(kept),
    }
