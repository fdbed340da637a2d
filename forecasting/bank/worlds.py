"""Read the worlds of a bank: ``worlds/*.yaml`` into processes, links, facts and short questions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from forecasting.bank.build import Place
from forecasting.bank.schema import QuestionFile
from forecasting.bank.world_facts import evidence_of
from forecasting.bank.world_file import Past, WorldReader, read_process
from forecasting.bank.world_links import check_links, read_link
from forecasting.bank.world_schema import WorldFile
from forecasting.bank.yaml_file import read_tree
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.process import LinkSpec, ProcessSpec, WorldSpec
from forecasting.errors import InvalidInput, Problem

#: The zone of the days in a world file that states none.
WORLD_ZONE = "UTC"


class Worlds(NamedTuple):
    """What the world files of a bank say: what can be used, and every fault with its line.

    `evidence` are the dated facts, oldest known first; `past` what must have come by now, and
    `broken` the processes that cannot be used.
    """

    world: WorldSpec
    evidence: tuple[Evidence, ...]
    questions: list[Place]
    problems: list[Problem]
    past: list[Past]
    broken: frozenset[str]


def read_worlds(root: Path, zone: str = WORLD_ZONE) -> Worlds:
    """Read every file under ``worlds/`` of a bank folder; faults are collected, not raised.

    Parameters
    ----------
    zone : str
        Of the days in a file that states none.
    """
    paths = sorted((root / "worlds").glob("*.yaml"))
    return _read([(path, f"questions/{path.relative_to(root).as_posix()}") for path in paths], zone)


def _read(files: Sequence[tuple[Path, str]], zone: str) -> Worlds:
    processes: dict[str, ProcessSpec] = {}
    links: list[tuple[WorldReader, int, LinkSpec]] = []
    questions: list[Place] = []
    problems: list[Problem] = []
    past: list[Past] = []
    broken: set[str] = set()
    for path, source in files:
        reader = _open(path, source, zone, problems)
        if reader is None:
            continue
        for name, process in _processes(reader):
            if process is None:
                broken.add(name)
            elif name not in processes:
                processes[name] = process
            elif _content(processes[name]) != _content(process):
                first, line = processes[name].place
                message = f"process ({name}): {first}:{line} defines it differently"
                reader.fault(("processes", name), "duplicate-process", message, "a name of its own")
        for place, item in enumerate(reader.tree.get("links") or []):
            if (link := read_link(reader, place, item)) is not None:
                links.append((reader, place, link))
        questions += _questions(reader)
        problems += reader.problems
        past += reader.past
        # What is wrong with its links shows only when all files are read.
        reader.problems = problems
    usable = check_links(links, processes, broken)
    world = WorldSpec(processes, tuple(usable))
    evidence = [item for process in processes.values() for item in evidence_of(process)]
    ordered = tuple(sorted(evidence, key=lambda e: (e.known_at, e.key)))
    return Worlds(world, ordered, questions, problems, past, frozenset(broken - processes.keys()))


def zone_of(world: WorldSpec, default: str) -> str:
    """Give the zone in which all of a world is read; the default where there are several."""
    zones = {process.zone for process in world.processes.values()}
    return next(iter(zones)) if len(zones) == 1 else default


def _open(path: Path, source: str, zone: str, problems: list[Problem]) -> WorldReader | None:
    """Read a file and its own fields."""
    tree, faults = read_tree(path, source)
    problems += faults
    if tree is None:
        return None
    reader = WorldReader(source, tree, zone)
    file = reader.shaped(WorldFile, dict(tree), ())
    if file is not None and file.zone is not None:
        try:
            known_zone(file.zone)
            reader.zone = file.zone
        except InvalidInput as wrong:
            reader.fault(("zone",), "zone", wrong.message, wrong.hint)
    if file is None or reader.problems:
        problems += reader.problems
        return None
    return reader


def _processes(reader: WorldReader) -> Iterator[tuple[str, ProcessSpec | None]]:
    watched = None
    if (stated := reader.tree.get("watched")) is not None:
        watched = reader.been(stated, ("watched",), "watched")
    for name, node in (reader.tree.get("processes") or {}).items():
        yield str(name), read_process(reader, str(name), node, watched)


def _content(process: ProcessSpec) -> ProcessSpec:
    """Give what a process says, wherever it stands."""
    facts = tuple(replace(fact, line=0) for fact in process.facts)
    return replace(process, place=("", 0), facts=facts)


def _questions(reader: WorldReader) -> Iterator[Place]:
    """Read ``questions:``, slug to fields."""
    for slug, node in (reader.tree.get("questions") or {}).items():
        path = ("questions", slug)
        if not isinstance(node, Mapping):
            message = f"{slug}: must hold fields"
            hint = "{title: ..., closes: 2026-12-31, answer: truce=on by close}"
            reader.fault(path, "question", message, hint)
            continue
        fields: dict[Any, Any] = {"slug": str(slug), **node}
        file = reader.shaped(QuestionFile, fields, path)
        if file is not None:
            yield Place(reader.source, node, file, reader.zone)
