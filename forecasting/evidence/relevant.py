"""What a question rests on: the processes of its predicate, and what is linked into them."""

import datetime as dt
from collections.abc import Mapping

from forecasting.domain import predicate as ask
from forecasting.domain.predicate_check import processes_of as asked
from forecasting.domain.predicate_check import windows
from forecasting.domain.process import WorldSpec, ancestors

__all__ = ["ancestors", "asked", "groups", "last_moment", "moments", "part_of"]


def part_of(world: WorldSpec, names: frozenset[str]) -> WorldSpec:
    """Give the part of a world that some processes rest on; the rest cannot change them."""
    members = ancestors(world.links, names) & set(world.processes)
    return WorldSpec(
        {name: process for name, process in world.processes.items() if name in members},
        tuple(link for link in world.links if link.child in members),
    )


def last_moment(predicate: ask.Predicate, closes: dt.datetime) -> dt.datetime:
    """Give the latest moment that a predicate looks at."""
    return max([closes, *moments(predicate.event, closes), *moments(predicate.given, closes)])


def moments(event: ask.Event | None, closes: dt.datetime) -> list[dt.datetime]:
    """Give the moments that an event looks at; a part that states none looks at the close."""
    parts = [] if event is None else list(ask.parts(event))
    ends = [[until for _, until in windows(part)] or [ask.Moment()] for part in parts]
    return [until.of(closes) for each in ends for until in each]


def groups(world: WorldSpec, asked_of: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Give the number of the group that each question belongs to: by a process or by links."""
    root = {name: name for name in world.processes}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    joined = [(link.parent, link.child) for link in world.links]
    joined += [(a, b) for names in asked_of.values() for a in names for b in names]
    for a, b in joined:
        if a in root and b in root:
            root[find(a)] = find(b)
    numbers: dict[str, int] = {}
    return {
        question: numbers.setdefault(find(min(names)), len(numbers))
        for question, names in asked_of.items()
        if names and min(names) in root
    }
