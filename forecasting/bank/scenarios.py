"""Read scenario files into graphs, every fault with its file, its node and its line."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from forecasting.bank.schema import LogitFile, NodeFile, RowFile, ScenarioFile
from forecasting.bank.yaml_file import line_of, read_yaml
from forecasting.domain.instants import parse_day
from forecasting.domain.question import Question
from forecasting.domain.reference import ReferenceClass
from forecasting.domain.scenario import (
    Fault,
    Logit,
    Named,
    Node,
    Row,
    ScenarioGraph,
    faults,
)
from forecasting.errors import InvalidInput, Problem

#: Kinds of class whose posterior is a row of probabilities.
ROW_KINDS = ("share", "dirichlet")


def read_scenarios(
    root: Path,
    questions: Sequence[Question],
    classes: Mapping[str, ReferenceClass],
    problems: list[Problem],
) -> list[ScenarioGraph]:
    """Read every file under ``scenarios/``; faults are collected and their graphs left out."""
    found: dict[str, ScenarioGraph] = {}
    for path in sorted((root / "scenarios").glob("*.yaml")):
        source = str(Path("questions") / path.relative_to(root))
        graph, its = read_scenario_file(path, questions, classes, source=source)
        problems.extend(its)
        if graph is None:
            continue
        if graph.id in found:
            message = f"scenario ({graph.id}): another file has that id"
            problems.append(Problem(source, 1, "duplicate-scenario", message))
            continue
        found[graph.id] = graph
    return list(found.values())


def read_scenario_file(
    path: Path,
    questions: Sequence[Question],
    classes: Mapping[str, ReferenceClass],
    *,
    source: str = "",
) -> tuple[ScenarioGraph | None, list[Problem]]:
    """Read one scenario file against the questions and classes of a bank.

    Returns
    -------
    (graph, problems)
        The graph, or None where there is a fault.
    """
    name = source or str(path)
    file, tree, problems = read_yaml(path, ScenarioFile, name)
    if file is None:
        return None, problems
    asked = {question.id: question for question in questions}
    states = {each.id: each.states for each in file.nodes}
    nodes = [_node(each, asked.get(each.question or ""), states) for each in file.nodes]
    named = [Named(each.name, each.title, dict(each.states)) for each in file.scenarios]
    told = [*faults(nodes, named), *_file_faults(file, asked, classes)]
    if told:
        return None, [_problem(name, tree, fault) for fault in told]
    try:
        graph = ScenarioGraph(file.id, file.title, tuple(nodes), tuple(named), file.note)
    except InvalidInput as fault:
        return None, [Problem(name, 1, "scenario", fault.message, fault.hint)]
    windows = {q.id: (q.opens, q.closes) for q in questions}
    return graph.with_windows(windows), []


def _problem(source: str, tree: Any, fault: Fault) -> Problem:
    return Problem(source, line_of(tree, fault.path), "scenario", fault.message, fault.hint)


def _node(file: NodeFile, question: Question | None, states: Mapping[str, Sequence[str]]) -> Node:
    options = () if question is None else _options(question)
    return Node(
        id=file.id,
        title=file.title,
        states=tuple(file.states),
        parents=tuple(file.parents),
        rows=tuple(_row(file, row) for row in file.rows),
        logit=None if file.logit is None else _logit(file, file.logit, states),
        question=file.question or "",
        outcomes={option: file.outcomes.get(option, option) for option in options},
    )


def _options(question: Question) -> tuple[str, ...]:
    """Give the outcomes in the order of a model's numbers: yes first."""
    return ("yes", "no") if question.type == "binary" else question.space.options


def _row(node: NodeFile, row: RowFile) -> Row:
    return Row(
        given=tuple(row.given.get(parent, "") for parent in node.parents),
        shares=tuple(row.shares.get(state, float("nan")) for state in node.states)
        if row.shares
        else (),
        kappa=row.kappa,
        reason=row.reason,
        source=row.source,
        known_by=parse_day(row.known_by),
        reference=row.reference or "",
    )


def _logit(node: NodeFile, logit: LogitFile, states: Mapping[str, Sequence[str]]) -> Logit:
    return Logit(
        share=logit.share,
        kappa=logit.kappa,
        effects=tuple(
            tuple(logit.effects.get(parent, {}).get(state, 0.0) for state in states.get(parent, ()))
            for parent in node.parents
        ),
        reason=logit.reason,
        source=logit.source,
        known_by=parse_day(logit.known_by),
    )


def _file_faults(
    file: ScenarioFile,
    questions: Mapping[str, Question],
    classes: Mapping[str, ReferenceClass],
) -> Iterator[Fault]:
    """List what only the file can show: names that the graph would silently drop."""
    for position, node in enumerate(file.nodes):
        place = ("nodes", position)
        yield from _question_faults(node, place, questions)
        for parent, effects in (node.logit.effects if node.logit else {}).items():
            known = next((each.states for each in file.nodes if each.id == parent), ())
            if parent not in node.parents or not set(effects) <= set(known):
                message = f"node {node.id}: effects ({parent}): a parent, with its states"
                yield Fault((*place, "logit", "effects"), message, ", ".join(node.parents))
        for j, row in enumerate(node.rows):
            for name in sorted(set(row.given) ^ set(node.parents)):
                message = f"node {node.id}: given ({name}): names each parent once"
                yield Fault((*place, "rows", j), message, ", ".join(node.parents) or "no given")
            for name in sorted(set(row.shares) - set(node.states)):
                message = f"node {node.id}: shares: there is no state {name}"
                yield Fault((*place, "rows", j, "shares"), message, ", ".join(node.states))
            if row.reference is None:
                continue
            reference = classes.get(row.reference)
            if reference is None or reference.kind not in ROW_KINDS:
                what = "there is none" if reference is None else f"is of kind {reference.kind}"
                message = f"node {node.id}: reference ({row.reference}): {what}"
                fitting = [each.id for each in classes.values() if each.kind in ROW_KINDS]
                yield Fault((*place, "rows", j, "reference"), message, ", ".join(fitting))


def _question_faults(
    node: NodeFile, place: tuple[str | int, ...], questions: Mapping[str, Question]
) -> Iterator[Fault]:
    if node.question is None:
        return
    question = questions.get(node.question)
    if question is None:
        rungs = [q.id for q in questions.values() if q.ladder == node.question]
        message = f"node {node.id}: question ({node.question}): there is none"
        yield Fault((*place, "question"), message, ", ".join(rungs))
        return
    if question.type == "numeric":
        message = f"node {node.id}: question ({node.question}): a number has no states"
        yield Fault((*place, "question"), message, "a yes-no question or one with options")
        return
    options = _options(question)
    for option in options:
        state = node.outcomes.get(option, option)
        if state not in node.states:
            message = f"node {node.id}: outcome {option} of {question.id} has no state"
            yield Fault((*place, "outcomes"), message, ", ".join(node.states))
    for name in sorted(set(node.outcomes) - set(options)):
        message = f"node {node.id}: outcomes ({name}): {question.id} has none of that name"
        yield Fault((*place, "outcomes", name), message, ", ".join(options))
