"""Files that wait between a preview and its confirmation: few, for a while, in a folder of ours."""

import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from forecasting.web.bodies import Upload

#: Files that wait at once, and for how long (seconds).
MOST, LASTING = 8, 3600.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits: whose it is, what it is called, where it lies."""

    who: str
    name: str
    path: Path
    since: float


class Uploads:
    """The files of one running app; their names are never part of a path."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forecast-web-")
        self._lock = threading.Lock()
        self._files: OrderedDict[str, Waiting] = OrderedDict()

    def keep(self, who: str, upload: Upload) -> str:
        """Keep a file and give the key by which it is found again."""
        key = secrets.token_urlsafe(16)
        path = Path(self._folder.name) / key
        path.write_bytes(upload.content)
        with self._lock:
            now = time.monotonic()
            old = [k for k, each in self._files.items() if now - each.since > LASTING]
            for stale in (*old, *list(self._files)[: max(0, len(self._files) - MOST + 1)]):
                if (each := self._files.pop(stale, None)) is not None:
                    each.path.unlink(missing_ok=True)
            self._files[key] = Waiting(who, upload.name, path, now)
        return key

    def of(self, key: str, who: str) -> Waiting | None:
        """Give a file of somebody."""
        with self._lock:
            waiting = self._files.get(key)
        return waiting if waiting is not None and waiting.who == who else None

    def place(self, name: str) -> Path:
        """Give a path for a file that is about to be sent; a name of ours, never of a visitor."""
        return Path(self._folder.name) / f"{secrets.token_urlsafe(9)}-{name}"

    def close(self) -> None:
        """Remove them all."""
        self._folder.cleanup()
