"""Read scenario files: named scenarios as predicates on the world, each fault with its line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forecasting.bank.schema import ScenarioFile
from forecasting.bank.yaml_file import line_of, read_folder
from forecasting.domain.instants import day_begins, day_ends, parse_day
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.predicate import Truth
from forecasting.domain.predicate_check import check_predicate
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.process import WorldSpec
from forecasting.domain.scenario import Named, ScenarioSet
from forecasting.errors import InvalidInput, Problem


def read_scenarios(
    root: Path, world: WorldSpec, zone: str, problems: list[Problem]
) -> list[ScenarioSet]:
    """Read every file under ``scenarios/``; faults are collected and their sets left out."""
    sets: dict[str, ScenarioSet] = {}
    for source, tree, file in read_folder(root, "scenarios", ScenarioFile, problems):
        if file.id in sets:
            message = f"scenario ({file.id}): another file has that id"
            problems.append(Problem(source, 1, "duplicate-scenario", message))
            continue
        scenario_set = _set(file, tree, source, world, file.zone or zone, problems)
        if scenario_set is not None:
            sets[file.id] = scenario_set
    return list(sets.values())


def _set(
    file: ScenarioFile, tree: Any, source: str, world: WorldSpec, zone: str, problems: list[Problem]
) -> ScenarioSet | None:
    opens, closes = day_begins(parse_day(file.opens), zone), day_ends(parse_day(file.closes), zone)
    named: list[Named] = []
    own_problems: list[Problem] = []
    for position, each in enumerate(file.scenarios):
        line = line_of(tree, ("scenarios", position, "when"))
        try:
            predicate = parse_predicate(each.when, zone=zone, world=world)
            faults: Sequence[str] = check_predicate(
                predicate, world, OutcomeSpace.binary(), opens, closes
            )
        except InvalidInput as fault:
            faults = [fault.message]
        if faults:
            own_problems += [Problem(source, line, "scenario", f"{each.name}: {f}") for f in faults]
            continue
        if predicate.given is not None or not isinstance(predicate.event, Truth.__value__):
            message = f"{each.name}: when ({each.when}): must be true or false, without given"
            own_problems.append(Problem(source, line, "scenario", message))
            continue
        if each.name in {other.name for other in named}:
            own_problems.append(Problem(source, line, "scenario", f"{each.name}: named twice"))
            continue
        named.append(Named(each.name, each.title, predicate.event, each.when))
    problems.extend(own_problems)
    if own_problems:
        return None
    return ScenarioSet(file.id, file.title, opens, closes, tuple(named), file.note, (source, 1))
