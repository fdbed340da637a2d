"""Who may come in to a team's app: names with the scrypt digests of their passwords, in one file.

The file lies in the folder of the settings, readable by its owner alone. It is read again when it
changes, so that somebody who is struck out is out at once.
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from forecasting import config
from forecasting.domain.forecasters import person
from forecasting.errors import InvalidInput
from forecasting.files import drafted
from forecasting.web.sessions import Role

#: Cost of scrypt: about 32 MB and a twentieth of a second for one try.
N, R, P = 2**15, 8, 1
LEAST_LETTERS = 10
#: Wrong passwords for one name before it has to wait, and how long (seconds).
TRIES, WAIT = 5, 30.0


@dataclass(frozen=True, slots=True)
class User:
    """One person."""

    role: Role
    salt: str
    digest: str


class Users:
    """The people of a team."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config.config_folder() / "web-users.json"
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._users: dict[str, User] = {}
        self._wrong: dict[str, list[float]] = {}

    def all(self) -> dict[str, User]:
        """Give everybody by name."""
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._users, self._stamp = {}, None
                return {}
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                try:
                    people = json.loads(self.path.read_text("utf-8"))
                    self._users = {str(name): User(**each) for name, each in people.items()}
                except (ValueError, TypeError, AttributeError):
                    msg = f"users ({self.path}): is damaged"
                    raise InvalidInput(msg, hint="remove it, and add everybody again") from None
                self._stamp = stamp
            return dict(self._users)

    def put(self, name: str, password: str, *, role: Role = "forecaster") -> None:
        """Add somebody, or give them another password or role."""
        if not name.strip() or not name.isprintable() or len(name) > 80:
            raise InvalidInput(f"user ({name!r}): must be a name on one line")
        person(name)
        if role not in get_args(Role):
            raise InvalidInput(f"role ({role}): must be one of {', '.join(get_args(Role))}")
        if len(password) < LEAST_LETTERS:
            raise InvalidInput(f"password: must have {LEAST_LETTERS} letters or more")
        salt = secrets.token_bytes(16)
        user = User(role, salt.hex(), _scrypt(password, salt).hex())
        self._write({**self.all(), name.strip(): user})

    def strike(self, name: str) -> None:
        """Strike somebody out."""
        people = self.all()
        if name not in people:
            msg = f"no user {name}"
            raise InvalidInput(msg, hint=", ".join(people) or "forecast serve --add-user NAME")
        del people[name]
        self._write(people)

    def _write(self, people: dict[str, User]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: asdict(each) for name, each in people.items()}, indent=1)
        with drafted(self.path, private=True) as draft:
            draft.write_text(text, encoding="utf-8")

    def waits(self, name: str) -> float:
        """Give the seconds for which a name has to wait after too many wrong passwords."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._wrong.get(name, ()) if now - at < WAIT]
            self._wrong[name] = recent
            if len(self._wrong) > 1_000:
                self._wrong = {name: recent}
            return WAIT - (now - recent[0]) if len(recent) >= TRIES else 0.0

    def knows(self, name: str, password: str) -> User | None:
        """Give the user of a name and a password; it takes as long where there is no such name."""
        user = self.all().get(name)
        salt = bytes.fromhex(user.salt) if user else b"\x00" * 16
        digest = _scrypt(password[:1_000], salt)
        if user is not None and hmac.compare_digest(digest.hex(), user.digest):
            return user
        with self._lock:
            self._wrong.setdefault(name, []).append(time.monotonic())
        return None


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=N, r=R, p=P, maxmem=2**27, dklen=32)
