"""Banks in use: those of the package, faults that stop one, and processes stated in a phrase."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from forecasting import clock
from forecasting.bank import Bank, nearest, read_bank
from forecasting.bank.world_file import Past, ahead
from forecasting.domain.instants import DEFAULT_ZONE, parse_instant
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.process import EVENT_STATE, MoveSpec, ProcessSpec, WorldSpec
from forecasting.domain.setup import Setup
from forecasting.errors import InvalidInput, Problem
from forecasting.resources import locate

#: Files that no question and no process rests on: a faulty one stops itself alone.
OPTIONAL = ("questions/scenarios/", "questions/worldviews/", "questions/texts/")


def bundled_folder() -> Path:
    """Give the folder of the bank that travels with the package."""
    return locate("questions")


def examples() -> list[str]:
    """Name the banks that travel with the package."""
    return sorted(path.stem for path in (bundled_folder() / "worlds").glob("*.yaml"))


def example_folder(name: str) -> Path:
    """Give the folder of an example."""
    names = examples()
    if name not in names:
        msg = f"example ({name}): no such example"
        raise InvalidInput(msg, hint=nearest(name, names) or ", ".join(names))
    return bundled_folder()


def checked(root: Path, *, zone: str = DEFAULT_ZONE) -> Bank:
    """Read a bank that must have no faults; the first is named."""
    bank = read_bank(root, zone=zone)
    return _without_faults(bank, root, [*bank.problems, *_faults_ahead(bank.past)])


def _faults_ahead(past: Iterable[Past]) -> list[Problem]:
    """Give the faults of what lies ahead; none where the clock is set by hand."""
    return [] if clock.overridden() else list(ahead(past, clock.now()))


def ahead_of(bank: Bank) -> dict[str, Problem]:
    """Give the processes with an event of the past that is dated after now, with the fault."""
    faults: dict[str, Problem] = {}
    for one in bank.past:
        for fault in _faults_ahead([one]):
            of_file = [
                name
                for name, process in bank.world.processes.items()
                if process.place[0] == fault.source
            ]
            for name in [one.process] if one.process else of_file:
                faults.setdefault(name, fault)
    return faults


def left_out(bank: Bank) -> list[Problem]:
    """Give the first fault of each scenario, worldview or text that is left out, by its file."""
    return list({fault.source: fault for fault in reversed(bank.problems)}.values())[::-1]


def told_of_files(bank: Bank, *, ahead: bool = False) -> list[str]:
    """Say which optional files are left out, and with `ahead` which processes say nothing."""
    lines = [f"left out: {fault}" for fault in left_out(bank)]
    of: dict[str, list[str]] = {}
    for name, fault in (ahead_of(bank) if ahead else {}).items():
        of.setdefault(str(fault), []).append(name)
    return lines + [f"what rests on {', '.join(n)} is skipped: {why}" for why, n in of.items()]


def usable(root: Path, *, zone: str = DEFAULT_ZONE) -> Bank:
    """Read a bank without its faulty optional files; what lies ahead silences its process alone."""
    bank = _cached_bank(root, zone)
    faults = [fault for fault in bank.problems if not fault.source.startswith(OPTIONAL)]
    return _without_faults(bank, root, faults)


def loaded(bank: Bank | str | Path) -> Bank:
    """Give a bank, read from its folder where a folder is named; one with faults is refused."""
    bank = bank if isinstance(bank, Bank) else read_bank(Path(bank))
    return _without_faults(bank, bank.root or "FOLDER", bank.problems)


def _without_faults(bank: Bank, root: Path | str, faults: Sequence[Problem]) -> Bank:
    if faults:
        msg = f"bank ({len(faults)} fault{'s' * (len(faults) > 1)}): {faults[0]}"
        raise InvalidInput(msg, hint=f"forecast questions check {root}")
    return bank


def _cached_bank(root: Path, zone: str) -> Bank:
    """Give the bank of a folder, read again only where a file of it has changed."""
    stamps = []
    for folder, _, names in os.walk(root):
        for path in (os.path.join(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(path)
                stamps.append((path, status.st_mtime_ns, status.st_size))
    return _read_stamped(root, zone, tuple(sorted(stamps)))


@lru_cache(maxsize=4)
def _read_stamped(root: Path, zone: str, _: tuple[tuple[str, int, int], ...]) -> Bank:
    return read_bank(root, zone=zone)


def bundled_bank() -> Bank:
    """Read the bank that travels with the package; it must have no faults."""
    return checked(bundled_folder())


def with_setups(bank: Bank, setups: Iterable[Setup]) -> Bank:
    """Give a bank whose world has these processes too; its own stay as they are."""
    more = {setup.name: process_of(setup) for setup in setups}
    own = {name: process for name, process in more.items() if name not in bank.world.processes}
    if not own:
        return bank
    world = WorldSpec({**bank.world.processes, **own}, bank.world.links)
    phrases = "".join(f"\0{name}\0{process.moves[0].phrase.text}" for name, process in own.items())
    return replace(
        bank, world=world, digest=hashlib.sha256(f"{bank.digest}{phrases}".encode()).hexdigest()
    )


def process_of(setup: Setup) -> ProcessSpec:
    """Build the event process of a phrase, which states its rate; it is watched from its making."""
    detail = setup.detail
    since = parse_instant(detail["since"])
    phrase = parse_phrase(detail["event"], detail["zone"])
    if phrase.form in {"date", "class"} or phrase.at_once or phrase.for_good:
        msg = f"base ({detail['event']}): must say how often the event happens"
        raise InvalidInput(msg, hint="3 in 70 weeks")
    move = MoveSpec(
        EVENT_STATE,
        EVENT_STATE,
        phrase,
        source=f"stated by {setup.said_by or 'a forecaster'}",
        known_by=since.date(),
        because=detail.get("because", ""),
    )
    return ProcessSpec(
        name=setup.name,
        kind="event",
        states=(EVENT_STATE,),
        moves=(move,),
        title=detail.get("title", ""),
        since=since,
        start=EVENT_STATE,
        watched=since,
        zone=detail["zone"],
        source=move.source,
        known_by=move.known_by,
        place=("the database", setup.seq or 0),
    )
