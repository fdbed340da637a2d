"""One running app: its database, who may come in, and what it keeps while it runs."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from forecasting.app.book import PlainBook
from forecasting.web.assets import digest
from forecasting.web.compute import Desk
from forecasting.web.hosts import answered, loopback
from forecasting.web.jobs import Jobs
from forecasting.web.sessions import Sessions
from forecasting.web.uploads import Uploads
from forecasting.web.users import Users

#: Values kept for one head; what comes on top is computed each time.
MOST_KEPT = 200


@dataclass(slots=True)
class Kept:
    """What is computed once for a head of the ledger and kept until the ledger grows."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _head: int = -1
    _values: dict[Any, Any] = field(default_factory=dict)

    def get(self, head: int, key: Any, make: Callable[[], Any]) -> Any:
        """Give the value of a key at a head; the first who asks makes it."""
        with self._lock:
            if head > self._head:
                self._head, self._values = head, {}
            if head == self._head and key in self._values:
                return self._values[key]
        value = make()
        with self._lock:
            if head == self._head and len(self._values) < MOST_KEPT:
                self._values[key] = value
        return value


@dataclass
class House:
    """The app at work; requests speak through copies of its book, each in its own name."""

    book: PlainBook
    host: str = "127.0.0.1"
    port: int = 8100
    names: tuple[str, ...] = ()
    secure: bool = False
    sessions: Sessions = field(default_factory=Sessions)
    kept: Kept = field(default_factory=Kept)

    @cached_property
    def jobs(self) -> Jobs:
        """The long work."""
        return Jobs(self.book.database)

    @cached_property
    def users(self) -> Users:
        """The people of a team."""
        return Users()

    @cached_property
    def uploads(self) -> Uploads:
        """Files that wait for a word, and files on their way out."""
        return Uploads()

    @property
    def team(self) -> bool:
        """Whether people sign in with a password: others reach it, by a proxy too."""
        return bool(self.names) or not loopback(self.host)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; cookies do not know ports, so it holds the port."""
        return f"{'__Host-' if self.secure else ''}forecast-{self.port}"

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Every value of the Host header that is ours."""
        return answered(self.host, self.port, self.names)

    @cached_property
    def stamp(self) -> str:
        """A digest of the assets: their address changes when they do."""
        return digest()

    @cached_property
    def desk(self) -> Desk:
        """Where figures that take seconds are asked for."""
        return Desk(self.book.database)

    def close(self) -> None:
        """End what runs beside the app."""
        for part in ("jobs", "desk", "uploads"):
            if part in self.__dict__:
                getattr(self, part).close()


def receipt_key(*parts: str) -> str:
    """Name one act of writing by who, where, the form's token and all that was typed."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
