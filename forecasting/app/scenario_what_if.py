"""What if: how a scenario would stand if something were seen, or were brought about."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.app.scenario import Live, told
from forecasting.bank import nearest
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.domain.scenario import ScenarioGraph
from forecasting.errors import InvalidInput
from forecasting.models.scenario_joint import Joint

FloatArray = NDArray[np.float64]
#: What a result of an intervention is worth: it stands beside every one.
ON_THE_GRAPH = "rests on the graph, never scored"
SEEN = "conditional on what is given"


def read_condition(
    graph: ScenarioGraph, text: str, questions: Sequence[Question]
) -> tuple[int, int]:
    """Read ``QUESTION=OUTCOME`` or ``NODE=STATE`` as positions in a graph.

    Raises
    ------
    InvalidInput
        No node of that name, none that stands for the question, or no such state.
    """
    name, separator, value = (part.strip() for part in text.partition("="))
    if not separator or not name or not value:
        msg = f"condition ({text}): must be QUESTION=OUTCOME or NODE=STATE"
        raise InvalidInput(msg, hint="--given guarantees-2026=firm")
    ladders = {q.id: q.ladder for q in questions}
    matching = [
        (i, node)
        for i, node in enumerate(graph.nodes)
        if name in (node.id, node.question)
        or (node.question and ladders.get(node.question) == name)
    ]
    if len(matching) != 1:
        names = [node.question or node.id for node in graph.nodes]
        what = "stands in it more than once" if matching else "no node of it stands for that"
        msg = f"condition ({text}): scenario {graph.id}: {what}"
        near = nearest(name, set(names) | {node.id for node in graph.nodes})
        raise InvalidInput(msg, hint=near or ", ".join(names))
    position, node = matching[0]
    state = value if value in node.states else node.outcomes.get(value, "")
    if not state:
        msg = f"condition ({text}): {name} has no outcome {value}"
        raise InvalidInput(msg, hint=", ".join(f"{name}={each}" for each in node.states))
    return position, node.states.index(state)


def what_if(found: Live, given: Sequence[str] = (), do: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Say how every node and scenario would stand if something were seen, or were brought about.

    Parameters
    ----------
    given : sequence of str
        Conditions to see: ``QUESTION=OUTCOME``. What is seen also speaks for what led to it.
    do : sequence of str
        Conditions to bring about from outside: what leads to them is cut off.

    Raises
    ------
    InvalidInput
        Conditions contradict each other, or have probability 0.
    """
    if not given and not do:
        msg = "what-if: needs a condition"
        raise InvalidInput(msg, hint="--given guarantees-2026=firm or --do guarantees-2026=firm")
    seen = _conditions(found, given)
    done = _conditions(found, do)
    if both := set(seen) & set(done):
        name = found.graph.nodes[min(both)].id
        msg = f"conditions: {name} is both seen and brought about"
        raise InvalidInput(msg, hint="one of --given and --do for each node")
    if clash := {n for n in {*seen, *done} & set(found.known)}:
        node = found.graph.nodes[min(clash)]
        told_state = node.states[found.known[min(clash)]]
        if {**seen, **done}[min(clash)] != found.known[min(clash)] or min(clash) in done:
            msg = f"condition ({node.id}): is known to be {told_state} already"
            raise InvalidInput(msg, hint="--as-of a moment before that was known")
    for place, wanted in done.items():
        _possible(found, found.joint, {**found.known, place: wanted}, do)
    after = found.joint.do(done) if done else found.joint
    conditions = {**{n: s for n, s in found.known.items() if n not in done}, **seen}
    _possible(found, after, conditions, [*given, *do])
    label = ON_THE_GRAPH if done else SEEN
    rows = []
    for position, node in enumerate(found.graph.nodes):
        if position in conditions or position in done:
            continue
        before = found.joint.marginal([position], found.known)
        then = after.marginal([position], conditions)
        states = node.states[:1] if len(node.states) == 2 else node.states
        for k, state in enumerate(states):
            name = node.question or node.id
            rows.append(_compared(name, node.id, state, before[:, k], then[:, k], label))
    now = {name: p for name, _, p in found.partition(found.joint, found.known)}
    certain = {**conditions, **done}
    for name, _, p in found.partition(after, certain):
        rows.append(_compared(f"scenario:{name}", "", "", now[name], p, label))
    return rows


def _compared(
    name: str, node: str, state: str, before: FloatArray, after: FloatArray, label: str
) -> dict[str, Any]:
    mean, low, high = told(after)
    return {
        "question": name,
        "node": node,
        "state": state,
        "before": float(before.mean()),
        "after": mean,
        "lower": low,
        "upper": high,
        "basis": label,
    }


def _conditions(found: Live, texts: Sequence[str]) -> dict[int, int]:
    questions = tuple(found.catalog.questions.values())
    conditions: dict[int, int] = {}
    for text in texts:
        node, state = read_condition(found.graph, text, questions)
        if conditions.get(node, state) != state:
            msg = f"conditions ({', '.join(texts)}): contradict each other"
            raise InvalidInput(msg, hint=f"one state for {found.graph.nodes[node].id}")
        conditions[node] = state
    return conditions


def _possible(
    found: Live, joint: Joint, conditions: Mapping[int, int], texts: Sequence[str]
) -> None:
    if np.any(joint.weight([], conditions) <= 0.0):
        msg = f"conditions ({', '.join(texts)}): have probability 0 as of {iso(found.as_of)}"
        raise InvalidInput(msg, hint=f"forecast scenario show {found.graph.id} --nodes")
