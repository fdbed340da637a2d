"""Who is who: one-use tokens, sessions kept by the server, and the tokens of their forms.

Only digests of secrets are kept, so that a dump of memory opens no door.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: A session ends when nobody used it for this long (seconds), and a one-use token goes stale.
IDLE = 14 * 24 * 3600.0
STALE = 15 * 60.0
#: More sessions than these are not kept: the one used longest ago goes.
MOST = 1_000

Role = Literal["forecaster", "reader"]


@dataclass(frozen=True, slots=True)
class Note:
    """What the next page says was done; `undo` is the form that takes it back, and its fields."""

    kind: str
    words: str
    undo: tuple[str, Mapping[str, str]] | None = None


@dataclass(slots=True)
class Session:
    """Somebody who came in: their name, what they may do, the secret of their forms.

    `digest` is of the password by which they signed in: with another one the session is over.
    """

    who: str
    role: Role = "forecaster"
    digest: str = field(default="", repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    used: float = field(default_factory=time.monotonic)
    notes: list["Note"] = field(default_factory=list)

    @property
    def csrf(self) -> str:
        """The token that each form of this visitor carries."""
        return hmac.new(self.secret, b"csrf", hashlib.sha256).hexdigest()

    def owns(self, token: str) -> bool:
        """Say whether a form's token is this visitor's."""
        return hmac.compare_digest(token.encode(), self.csrf.encode())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class Sessions:
    """The sessions of one running app, and the tokens that open new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secret = secrets.token_bytes(32)
        self._open: dict[bytes, Session] = {}
        self._tokens: dict[bytes, tuple[str, float]] = {}

    def invite(self, who: str, *, lasting: bool = False) -> str:
        """Make a token that opens one session; a `lasting` one waits until it is used."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            until = float("inf") if lasting else time.monotonic() + STALE
            self._tokens[_digest(token)] = (who, until)
        return token

    def redeem(self, token: str) -> str | None:
        """Open a session with a token, once; give the session's key, or None."""
        with self._lock:
            who, until = self._tokens.pop(_digest(token), ("", 0.0))
        return self.open(Session(who)) if who and time.monotonic() <= until else None

    def open(self, session: Session) -> str:
        """Keep a session and give its cookie's key; its forms' secret stays its owner's."""
        session.secret = hmac.digest(self._secret, session.who.encode(), "sha256")
        key = secrets.token_urlsafe(32)
        with self._lock:
            if len(self._open) >= MOST:
                del self._open[min(self._open, key=lambda one: self._open[one].used)]
            self._open[_digest(key)] = session
        return key

    def of(self, key: str) -> Session | None:
        """Give the session of a key, if it is open still."""
        now = time.monotonic()
        with self._lock:
            session = self._open.get(_digest(key))
            if session is None:
                return None
            if now - session.used > IDLE:
                del self._open[_digest(key)]
                return None
            session.used = now
            return session

    def close(self, key: str) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(_digest(key), None)
