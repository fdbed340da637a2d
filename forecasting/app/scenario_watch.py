"""Watch: which open question would tell most about how a scenario goes on."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.app.scenario import POINTS, Live
from forecasting.bank import nearest
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.models.scenario_information import brier_reduction, mutual_information

FloatArray = NDArray[np.float64]
DAY = dt.timedelta(days=1)


def watch(found: Live, target: str = "") -> list[dict[str, Any]]:
    """Rank a scenario's open questions by what their answer would be worth.

    The worth is the expected drop of the Brier score of the target, and the mutual information,
    under the mean joint: what this forecaster would gain. The interval is over the draws.

    Parameters
    ----------
    target : str
        A node or its question; default: which of the named scenarios comes true.

    Returns
    -------
    list of dict
        question, target, value_of_information, lower, upper, mutual_information, days, per_day,
        rank_per_day; the most valuable first.
    """
    questions = tuple(found.catalog.questions.values())
    aim = _target(found, target, questions) if target else None
    rows: list[dict[str, Any]] = []
    for position, node in enumerate(found.graph.nodes):
        question = found.catalog.questions.get(node.question)
        if position == aim or question is None or position in found.known:
            continue
        if not question.opens <= found.as_of < found.catalog.ends(question):
            continue
        both = _with_target(found, position, aim)
        mean, spread = both.mean(axis=0), brier_reduction(both)
        days = (question.closes - found.as_of) / DAY
        value = float(brier_reduction(mean))
        low, high = np.quantile(spread, POINTS)
        rows.append(
            {
                "question": question.id,
                "target": target or "scenarios",
                "graph": found.graph.id,
                "value_of_information": value,
                "lower": float(low),
                "upper": float(high),
                "mutual_information": float(mutual_information(mean)),
                "days": days,
                "per_day": value / max(days, 1.0),
            }
        )
    fastest = sorted(rows, key=lambda row: -row["per_day"])
    for row in rows:
        row["rank_per_day"] = fastest.index(row) + 1
    return sorted(rows, key=lambda row: (-row["value_of_information"], row["question"]))


def _target(found: Live, target: str, questions: Sequence[Question]) -> int:
    for position, node in enumerate(found.graph.nodes):
        if target == node.id:
            return position
    node_of = {node.question: i for i, node in enumerate(found.graph.nodes) if node.question}
    ladders = {q.ladder: q.id for q in questions if q.ladder and q.id in node_of}
    name = ladders.get(target, target)
    if name not in node_of:
        msg = f"target ({target}): scenario {found.graph.id} has no such node"
        known_nodes = [node.id for node in found.graph.nodes]
        raise InvalidInput(msg, hint=nearest(target, set(known_nodes)) or ", ".join(known_nodes))
    return node_of[name]


def _with_target(found: Live, position: int, aim: int | None) -> FloatArray:
    """Give P(node and target) for every draw, (S, K, L)."""
    joint, given = found.joint, found.known
    if aim is not None:
        return joint.marginal([position, aim], given)
    whole = joint.marginal([position], given)
    base = joint.weight([], given)[:, None]
    columns = []
    for each in found.graph.named:
        event = found.event(each)
        agrees = all(given.get(node, state) == state for node, state in event.items())
        p = joint.weight([position], {**given, **event}) / base if agrees else np.zeros_like(whole)
        columns.append(p)
    rest = np.maximum(whole - sum(columns, np.zeros_like(whole)), 0.0)
    table = np.stack([*columns, rest], axis=2)
    return np.asarray(table / table.sum(axis=(1, 2), keepdims=True))
