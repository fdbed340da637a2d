"""Which database and which forecaster: flag, environment, workspace, config file, default.

==============  ================================  =================  ============================
setting         environment                       ``config.toml``    default
==============  ================================  =================  ============================
database        ``FORECASTING_DATABASE_URL``      ``database``       ``forecasts.db``, data folder
forecaster      ``FORECASTING_FORECASTER``        ``forecaster``     the login name
==============  ================================  =================  ============================

``FORECASTING_HOME`` moves every folder: the database, ``config.toml`` and the ``cache`` are then
inside it. An empty variable counts as unset. A workspace is the nearest folder, from the working
folder upwards, that holds a ``forecast.toml``; its keys are ``bank``, ``database``, ``forecaster``
and ``zone``, and its paths start from it.
"""

import getpass
import os
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from platformdirs import user_cache_path, user_config_path, user_data_path

from forecasting import clock
from forecasting.errors import InvalidInput
from forecasting.files import read_plain

APPLICATION = "scenario-forecasting"
KEYS = ("database", "forecaster")
WORKSPACE = "forecast.toml"
WORKSPACE_KEYS = ("bank", "database", "forecaster", "zone")
MEMORY = "sqlite:///:memory:"
#: Of config.toml; reading takes the square of the length of a key with many dots.
MOST_BYTES = 10_000

type Origin = Literal["flag", "environment", "workspace", "config file", "default"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and its `origin`: flag, environment, workspace, config file or default."""

    value: str
    origin: Origin


def data_folder() -> Path:
    """Return the folder of the default database; it need not exist yet."""
    return _home() or user_data_path(APPLICATION, appauthor=False)


def config_folder() -> Path:
    """Return the folder of ``config.toml``; it need not exist."""
    return _home() or user_config_path(APPLICATION, appauthor=False)


def cache_folder() -> Path:
    """Return the folder of what can be made again, such as model fits; it need not exist."""
    home = _home()
    return home / "cache" if home else user_cache_path(APPLICATION, appauthor=False)


def workspace() -> Path | None:
    """Find the workspace: the nearest folder with a ``forecast.toml``, from here upwards."""
    try:
        here = Path.cwd().absolute()
    except OSError:
        # The working folder was removed.
        return None
    for each in (here, *here.parents):
        if (each / WORKSPACE).is_file():
            return each
    return None


def stated(place: Path) -> dict[str, str]:
    """Read the ``forecast.toml`` of a workspace."""
    return _read(place / WORKSPACE, WORKSPACE_KEYS)


def bank() -> Path | None:
    """Give the folder of the workspace's question bank; None without a workspace."""
    place = workspace()
    if place is None:
        return None
    folder = stated(place).get("bank", "questions")
    return Path(os.path.normpath(place / Path(folder).expanduser()))


def zone() -> str | None:
    """Give the time zone that the workspace states; None without one."""
    place = workspace()
    return None if place is None else stated(place).get("zone")


def database(flag: str | None = None) -> Setting:
    """Choose the database, as a SQLAlchemy URL; `flag` is what ``--db`` or the caller said."""
    text, origin, base = _choose("database", flag, "FORECASTING_DATABASE_URL")
    if text is None:
        text = str(data_folder() / "forecasts.db")
    return Setting(database_url(text, base=base), origin)


def forecaster(flag: str | None = None) -> Setting:
    """Choose the forecaster in whose name a command speaks; `flag` is what ``--as`` said."""
    text, origin, _ = _choose("forecaster", flag, "FORECASTING_FORECASTER")
    if text is None:
        try:
            text = getpass.getuser()
        except (KeyError, ImportError, OSError):
            message = "forecaster (unset): must be named, because this login has no name"
            raise InvalidInput(message, hint="forecaster=NAME") from None
    name = text.strip()
    if not name or not name.isprintable():
        message = f"forecaster ({text!r}): must be a name on one line"
        raise InvalidInput(message, hint="forecaster=NAME")
    return Setting(name, origin)


def check_clock() -> None:
    """Refuse a ``FORECASTING_NOW`` that is no instant, before a command writes anything."""
    try:
        clock.now()
    except ValueError as error:
        raise InvalidInput(str(error), hint=f"unset {clock.VARIABLE}") from None


def database_url(text: str, *, base: Path | None = None) -> str:
    """Turn a path or a URL into the one SQLAlchemy URL that means it; paths start from `base`."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        return _sqlite(text.strip(), base)
    if scheme in {"postgresql+psycopg", "postgresql", "postgres"}:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"sqlite", "sqlite+pysqlite"}:
        if rest and not rest.startswith("/"):
            message = f"database ({text}): a SQLite URL has three slashes before its path"
            raise InvalidInput(message, hint=f"sqlite:///{rest}")
        path, question_mark, _ = rest.removeprefix("/").partition("?")
        if question_mark:
            message = f"database ({text}): a SQLite URL takes a path and no options"
            raise InvalidInput(message, hint=f"sqlite:///{path}")
        return _sqlite(unquote(path) or ":memory:", base)
    message = f"database ({scheme}://...): must be SQLite or PostgreSQL"
    raise InvalidInput(message, hint="a file's path, or postgresql+psycopg://USER@HOST/NAME")


def without_password(url: str) -> str:
    """Return a database URL that may be shown: the password is starred out."""
    shown = re.sub(r"(?<=://)([^/?#]*?):[^/?#]*@", r"\1:***@", url)
    return re.sub(r"(?<=[?&]password=)[^&]*", "***", shown)


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite URL as :func:`database` gives it; None for any other database."""
    path = url.removeprefix("sqlite:///")
    return None if path == url or url == MEMORY else Path(unquote(path))


def _home() -> Path | None:
    text = os.environ.get("FORECASTING_HOME", "").strip()
    return Path(text).expanduser().absolute() if text else None


def _sqlite(path: str, base: Path | None) -> str:
    if path == ":memory:":
        return MEMORY
    hint = "database=forecasts.db"
    if not path:
        raise InvalidInput("database (''): must be a path or a URL", hint=hint)
    if not path.isprintable():
        raise InvalidInput(f"database ({path!r}): a path has no control character", hint=hint)
    try:
        file = Path(os.path.normpath((base or Path.cwd()) / Path(path).expanduser()))
    except RuntimeError:
        message = f"database ({path}): names the home folder of an unknown user"
        raise InvalidInput(message, hint=hint) from None
    if file.is_dir():
        message = f"database ({path}): must be a file, and this is a folder"
        raise InvalidInput(message, hint=f"database={Path(path) / 'forecasts.db'}")
    # SQLAlchemy 2.1 reads options after a question mark and decodes the rest as percent-encoded.
    return "sqlite:///" + file.as_posix().replace("%", "%25").replace("?", "%3F")


def _choose(key: str, flag: str | None, variable: str) -> tuple[str | None, Origin, Path | None]:
    """Return the first value that is said, who said it, and where its relative path starts."""
    if flag is not None:
        return flag, "flag", None
    from_environment = os.environ.get(variable, "").strip()
    if from_environment:
        return from_environment, "environment", None
    place = workspace()
    if place is not None:
        value = _read(place / WORKSPACE, WORKSPACE_KEYS).get(key) or (
            "forecasts.db" if key == "database" else None
        )
        if value is not None:
            return value, "workspace", place
    from_file = _read(config_folder() / "config.toml", KEYS).get(key)
    if from_file is not None:
        return from_file, "config file", config_folder()
    return None, "default", None


def _read(file: Path, keys: tuple[str, ...]) -> dict[str, str]:
    """Read ``config.toml`` or ``forecast.toml``; an absent file says nothing."""
    try:
        status = file.stat()
    except OSError:
        return _parse(file, keys)
    return _parse_once(file, keys, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=8)
def _parse_once(file: Path, keys: tuple[str, ...], _: tuple[int, ...]) -> dict[str, str]:
    # A command asks three times, and a server at every request.
    return _parse(file, keys)


def _parse(file: Path, keys: tuple[str, ...]) -> dict[str, str]:
    mend = f"correct or remove {file}"

    def wrong(line: str, rule: str) -> InvalidInput:
        return InvalidInput(f"{file.name}{rule}", hint=mend, where=f"{file}{line}")

    try:
        table = tomllib.loads(read_plain(file, most=MOST_BYTES).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise wrong("", f" ({error.strerror}): must be a file that can be read") from None
    except UnicodeDecodeError as error:
        line = f":{error.object[: error.start].count(b'\n') + 1}"
        raise wrong(line, f" (byte {error.object[error.start]:#04x}): must be UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at line ")
        line = f":{place.partition(',')[0]}" if place else ""
        raise wrong(line, f" ({reason}): must be TOML") from None
    except (ValueError, RecursionError):
        raise wrong("", ": contains a number or a list, and every setting is text") from None
    for key, value in table.items():
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            message = f"key ({key}): {file.name} knows {', '.join(keys[:-1])} and {keys[-1]}"
            hint = f'{near[0]} = "..."' if near else mend
            raise InvalidInput(message, hint=hint, where=str(file))
        if not isinstance(value, str) or not value.strip():
            message = f"{key} ({repr(value)[:60]}): must be text in quotes"
            raise InvalidInput(message, hint=f'{key} = "..."', where=str(file))
    return table
