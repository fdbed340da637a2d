"""Read the worlds of a bank: ``worlds/*.yaml`` into processes, links, facts and short questions."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from forecasting.bank.build import Place
from forecasting.bank.schema import LINK_KEY, LinkFile, QuestionFile, WorldFile
from forecasting.bank.world_facts import evidence_of
from forecasting.bank.world_file import Past, WorldReader, read_process
from forecasting.bank.yaml_file import line_of, read_tree
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import parse_day
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.phrase import parse_ratio, parse_share
from forecasting.domain.predicate_text import parse_target
from forecasting.domain.process import DELIVERY_STATES, LinkSpec, ProcessSpec, WorldSpec
from forecasting.errors import InvalidInput, Problem, nearest

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
    """Read every file under ``worlds/``; `zone` is of days in a file that states none."""
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


EXAMPLE = "while truce=none: convoy x0.3 (0.1..0.8)"
_EFFECT = re.compile(r"(?P<target>.+?)\s+(?P<ratio>[x×]\s*[0-9.].*)")


def read_link(reader: WorldReader, place: int, item: Any) -> LinkSpec | None:
    """Read one link; None after a fault."""
    path = ("links", place)
    if not isinstance(item, dict):
        reader.fault(path, "link", "link: must hold while or once and its effect", EXAMPLE)
        return None
    heads = [key for key in item if re.fullmatch(LINK_KEY, str(key))]
    if len(heads) != 1:
        reader.fault(path, "link", "link: needs one while or once", EXAMPLE)
        return None
    head = heads[0]
    rest = {key: value for key, value in item.items() if key != head}
    file = reader.shaped(LinkFile, rest, path)
    word, _, cause = head.partition(" ")
    effect = _EFFECT.fullmatch(" ".join(str(item[head]).split()))
    if effect is None:
        message = f"link ({head}): must say what it speeds up or slows, and how much"
        reader.fault((*path, head), "link", message, EXAMPLE)
        return None
    try:
        parent, states = parse_target(cause)
        child, into = parse_target(effect["target"])
        median, low, high = parse_ratio(effect["ratio"])
        past = parse_share(file.past) if file and file.past is not None else None
    except InvalidInput as wrong:
        message = f"link ({head}): {wrong.message}"
        reader.fault((*path, head), "link", message, wrong.hint)
        return None
    if file is None:
        return None
    return LinkSpec(
        parent=parent,
        states=states,
        child=child,
        into=into,
        median=median,
        low=low,
        high=high,
        once=word == "once",
        because=file.because,
        source=file.source,
        known_by=parse_day(file.known_by) if file.known_by else None,
        past=past,
        place=(reader.source, line_of(reader.tree, (*path, head))),
    )


def check_links(
    links: Sequence[tuple[WorldReader, int, LinkSpec]],
    processes: Mapping[str, ProcessSpec],
    broken: Set[str],
) -> list[LinkSpec]:
    """Give the links that can be used; one to a `broken` process is left out in silence."""
    usable: dict[str, LinkSpec] = {}
    for reader, place, link in links:
        head = next(key for key in reader.tree["links"][place] if re.fullmatch(LINK_KEY, str(key)))
        path = ("links", place, head)
        # One fault a link: the later ones mostly follow from the first.
        fault = next(_faults(link, processes, broken), None)
        if fault is None and link.name in usable:
            source, line = usable[link.name].place
            fault = (f"is stated at {source}:{line} already", "")
        if fault is not None:
            reader.fault(path, "link", f"link ({link.name}): {fault[0]}", fault[1])
        elif not {link.parent, link.child} & broken:
            usable[link.name] = link
    return list(usable.values())


def _faults(
    link: LinkSpec, processes: Mapping[str, ProcessSpec], broken: Set[str]
) -> Iterator[tuple[str, str]]:
    """Give (message, hint) of each fault."""
    for name in dict.fromkeys((link.parent, link.child)):
        if name not in processes and name not in broken:
            yield f"no process named {name}", nearest(name, processes)
    parent, child = processes.get(link.parent), processes.get(link.child)
    if parent is not None:
        yield from _parent(link, parent)
    if child is not None:
        yield from _child(link, child)
    if parent is None or child is None:
        return
    if parent.name == child.name and not link.once:
        yield (
            "a process cannot speed itself up while it is in a state",
            "change the move's own rate",
        )
    if _needs_past(link, parent, child):
        message = f"{parent.name} has no dated history, so its share of the past must be stated"
        yield message, "past: 40%"


def _parent(link: LinkSpec, parent: ProcessSpec) -> Iterator[tuple[str, str]]:
    if parent.kind == "event":
        if link.states:
            yield f"{parent.name} is an event and has no states", f"once {parent.name}: ..."
        elif not link.once:
            yield f"{parent.name} is an event, which has no duration", f"once {parent.name}: ..."
        return
    if not link.states:
        yield f"{parent.name} needs a state", f"{parent.name}={parent.states[-1]}"
    for state in link.states:
        if state not in parent.states:
            message = f"{parent.name} has no state {state}"
            yield message, nearest(state, parent.states) or ", ".join(parent.states)


def _child(link: LinkSpec, child: ProcessSpec) -> Iterator[tuple[str, str]]:
    if child.kind == "scheduled":
        yield f"{child.name} has a fixed date, which no link can change", "at: another day"
        return
    if child.kind == "event" and link.into:
        yield f"{child.name} is an event and has no states", f"{child.name} x3 (1..9)"
        return
    ends = {move.end for move in child.moves}
    ways = [move for move in child.moves if not link.into or move.end in link.into]
    if ways and all(move.phrase.at is not None for move in ways):
        yield f"{ways[0].name} has a fixed date, which no link can change", "a move with a rate"
    for state in link.into:
        if state not in child.states:
            message = f"{child.name} has no state {state}"
            yield message, nearest(state, child.states) or ", ".join(child.states)
        elif state not in ends and child.kind != "own":
            leads = "its parts lead" if child.states == DELIVERY_STATES else "no move leads"
            yield f"{leads} to {child.name}={state}", ", ".join(sorted(ends))


def _needs_past(link: LinkSpec, parent: ProcessSpec, child: ProcessSpec) -> bool:
    """Say whether the child's history was made under a link whose own past nobody states."""
    if link.past is not None or parent.kind in {"scheduled", "delivery"}:
        return False
    return parent.since is None and child.since is not None
