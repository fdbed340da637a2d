"""A workspace, found as git finds its; and the health of its database, backup and restore."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

from forecasting import config
from forecasting.app.upkeep.banks import bank_of, load_bank, remembered
from forecasting.bank import Bank, check
from forecasting.bank.usable import bundled_bank, checked, example_folder, usable
from forecasting.domain import reading
from forecasting.domain.forecasters import person
from forecasting.domain.instants import DEFAULT_ZONE
from forecasting.domain.instants import zone as known_zone
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

README = """\
# Questions of this workspace

`worlds/world.yaml` describes what moves: processes, their dated facts, and the links between them.
`bank/` holds one question a file; a question needs `slug`, `title` and `closes`, and nothing else.
Several deadlines are `ladder: [DAY, DAY]` instead of `closes`; several answers are
`type: categorical` and `options: [a, b, c]`; a number is `type: numeric`, `lower` and `upper`; and
`links: {condition: {question: SLUG, outcome: yes}}` annuls it unless that one comes out so.

    forecast ask "Will ...?" 35% --by 2027-01-31    asks without a file
    forecast questions check                        checks everything here and lists every fault
    forecast init                                   loads what is new
    forecast update --watched                       updates the models to now
"""

WORLD = """\
# A world in ten lines: remove the leading marks, put in your own processes, run `forecast init`.
# processes:
#   truce:                                   # it moves between states
#     moves: {none > on: once in 8 mo, on > none: "median 60 d (15..240)"}
#     since 2026-01-01: none                 # watched from here, in this state
#     2026-10-10: on                         # a dated fact
#   convoy: {event: 3 in 70 weeks, since 2026-01-01: ""}   # it happens, and can happen again
# links:
#   - while truce=none: convoy x0.3 (0.1..0.8)             # and one makes the other rarer
# questions:
#   convoy-2027: {title: Will a convoy arrive?, closes: 2027-01-31, answer: convoy by close}
"""


def own_bank(database: str) -> Bank | None:
    """Read the bank of the workspace whose database this is; None for any other database."""
    folder = config.bank()
    place = config.workspace()
    if folder is None or place is None:
        return None
    if _database(place) != database:
        return None
    zone = config.zone() or DEFAULT_ZONE
    return usable(folder, zone=zone) if folder.is_dir() else None


def usual_zone(ledger: Ledger, database: str) -> str:
    """Give the zone of days that state none: the workspace's, else that of the ledger's bank."""
    place = config.workspace()
    if place is not None and _database(place) == database and (zone := config.zone()):
        return known_zone(zone).key
    last = remembered(ledger)
    return DEFAULT_ZONE if last is None else last.detail.get("zone", DEFAULT_ZONE)


def _database(place: Path) -> str:
    """Give the URL of a workspace's own database."""
    return config.database_url(config.stated(place).get("database", "forecasts.db"), base=place)


def init(
    folder: Path,
    *,
    example: str | None = None,
    forecaster: str = "",
    database: str | None = None,
    now: dt.datetime,
) -> dict[str, Any]:
    """Make a workspace, or load what is new in the bank of the one that is there.

    The bank of an `example` is copied into it; `database` is another than its ``forecasts.db``.
    Where the bank cannot be read, or the example would overwrite one, nothing is written; what is
    wrong with what its questions ask of its world is given as `faults`, for they load all the same.
    """
    if forecaster:
        person(forecaster)
    place = folder.absolute()
    if place.exists() and not place.is_dir():
        raise InvalidInput(f"folder ({folder}): must be a folder", hint="forecast init FOLDER")
    if forecaster:
        forecaster = reading.forecaster(forecaster)
    file = place / config.WORKSPACE
    new = not file.exists()
    settings = {} if new else config.stated(place)
    bank_folder = place / settings.get("bank", "questions")
    source = None if example is None else example_folder(example)
    whose = str(settings.get("forecaster", ""))
    if not new and forecaster and forecaster != whose:
        msg = f"forecaster ({forecaster}): {file} says {whose or 'nobody'}"
        raise InvalidInput(msg, hint="another name in that file; a command takes forecaster=NAME")
    if source is not None and _is_filled(bank_folder):
        msg = f"example ({example}): the bank of this workspace is not empty ({bank_folder})"
        raise InvalidInput(msg, hint="forecast init ANOTHER_FOLDER --example " + str(example))
    if new:
        place.mkdir(parents=True, exist_ok=True)
        if source is not None:
            _copy(source, bank_folder)
        else:
            _lay(bank_folder)
        new_bank = checked(bank_folder)
        zone = new_bank.zone if source is not None else settings.get("zone", DEFAULT_ZONE)
        file.write_text(_settings(forecaster, zone), encoding="utf-8")
        settings = config.stated(place)
    elif source is not None:
        _copy(source, bank_folder)
    zone = settings.get("zone", DEFAULT_ZONE)
    known_zone(zone)
    # Read first: a bank with faults must not leave an empty database behind.
    bank = checked(bank_folder, zone=zone)
    url = config.database_url(database) if database else _database(place)
    with Ledger.open(url, create=True) as ledger:
        fresh = not ledger.head().seq
        counts = load_bank(ledger, bank, now)
        n_questions = len(ledger.questions())
    return {
        "workspace": str(place),
        "bank": str(bank_folder),
        **counted(url, counts, questions=n_questions, created=new or fresh),
        "faults": [str(fault) for fault in check(bank)],
    }


def init_database(database: str, *, example: str | None = None, now: dt.datetime) -> dict[str, Any]:
    """Make or complete a database that belongs to no workspace, with an example's bank or none."""
    if example is not None:
        example_folder(example)
    bank = bundled_bank() if example is not None else None
    url = config.database(database).value
    with Ledger.open(url, create=True) as ledger:
        fresh = not ledger.head().seq
        if bank is None:
            # A database made before banks were remembered goes on with the one that it had.
            has_bank = remembered(ledger) is not None or bool(ledger.questions())
            bank = bank_of(ledger) if has_bank else Bank()
        counts = load_bank(ledger, bank, now)
        n_questions = len(ledger.questions())
    return counted(url, counts, questions=n_questions, created=fresh)


def counted(url: str, counts: dict[str, int], *, questions: int, created: bool) -> dict[str, Any]:
    """Give what loading a bank did, as a row."""
    return {
        "database": config.without_password(url),
        "questions": questions,
        "created": created,
        **counts,
    }


def _settings(forecaster: str, zone: str) -> str:
    name = json.dumps(forecaster, ensure_ascii=False)
    return (
        "# A workspace: commands that run here or below use this bank and this database.\n"
        'bank = "questions"\n'
        'database = "forecasts.db"\n'
        + (f"forecaster = {name}\n" if forecaster else '# forecaster = "your-name"\n')
        + (f'zone = "{zone}"' if zone != DEFAULT_ZONE else '# zone = "Africa/Khartoum"')
        + "  # of days and local times; default: that of the bank's world, else UTC\n"
    )


def _is_filled(bank: Path) -> bool:
    """Tell whether a bank folder holds more than what `init` lays there."""
    if not bank.is_dir():
        return False
    files = [path for path in bank.rglob("*") if path.is_file()]
    laid = {bank / "README.md": README, bank / "worlds" / "world.yaml": WORLD}
    return any(
        path not in laid or path.read_text(encoding="utf-8", errors="replace") != laid[path]
        for path in files
    )


def _lay(bank: Path) -> None:
    (bank / "worlds").mkdir(parents=True, exist_ok=True)
    for path, text in ((bank / "README.md", README), (bank / "worlds" / "world.yaml", WORLD)):
        if not path.exists():
            path.write_text(text, encoding="utf-8")


def _copy(source: Path, bank: Path) -> None:
    laid = bank / "worlds" / "world.yaml"
    if laid.is_file() and laid.read_text(encoding="utf-8") == WORLD:
        laid.unlink()
    shutil.copytree(source, bank, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
