"""Repair: mend a forecaster's standing forecasts that no world can have; keep both sets.

The forecasts as they were made stay in the ledger untouched. The coherent set stands beside them
under the forecaster's name with ``coherent:`` before it, and each entry names the raw ones.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.app.catalog import Catalog
from forecasting.app.scenario import find, graphs
from forecasting.bank import Bank, nearest
from forecasting.domain.forecast import Forecast, Value, model_value
from forecasting.domain.question import Question
from forecasting.domain.scenario import CELLS, ScenarioGraph
from forecasting.errors import InvalidInput, NotFound
from forecasting.models.coherence import (
    Breach,
    breaches,
    nearest_coherent,
    nearest_ladder,
    worlds_of_ladder,
)
from forecasting.store import Ledger

FloatArray = NDArray[np.float64]
COHERENT = "coherent:"
#: Forecasts that move by less than this fit together: decimals are kept to 15 places.
SMALLEST = 1e-9
LADDER = "isotonic regression (pool adjacent violators)"
PROJECTION = "Euclidean projection onto the mixtures of possible worlds"


@dataclass(frozen=True, slots=True)
class Standing:
    """Forecasts of one person that speak of one thing, as probabilities of events.

    Attributes
    ----------
    forecasts
        The raw entries.
    events
        Position in `forecasts`, and the outcome: one event each.
    p
        Their probabilities.
    worlds
        Which events come true together: a row for each possible world.
    """

    forecasts: tuple[Forecast, ...]
    questions: tuple[Question, ...]
    events: tuple[tuple[int, str], ...]
    p: FloatArray
    worlds: FloatArray
    method: str

    def name(self, event: int) -> str:
        """Name an event: its question, with the outcome where that is not yes."""
        position, outcome = self.events[event]
        question = self.questions[position]
        return question.id if question.type == "binary" else f"{question.id}={outcome}"


def repair(
    ledger: Ledger,
    bank: Bank,
    target: str,
    *,
    forecaster: str,
    now: dt.datetime,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Make a forecaster's standing forecasts on a ladder or a scenario coherent.

    Returns
    -------
    dict
        target, forecaster, coherent, method, logged, breaches (which pair, by how much), forecasts
        (before and after).

    Raises
    ------
    InvalidInput, NotFound
        No such ladder or scenario, or fewer than two standing forecasts; nothing was written.
    """
    if forecaster.startswith(COHERENT):
        msg = f"forecaster ({forecaster}): is a repaired set already"
        raise InvalidInput(msg, hint=f"--forecaster {forecaster.removeprefix(COHERENT)}")
    catalog = Catalog.of(ledger)
    found = _standing_on(ledger, bank, catalog, target, forecaster, now)
    mended = (
        nearest_ladder(found.p)
        if found.method == LADDER
        else nearest_coherent(found.p, found.worlds)
    )
    broken = breaches(found.p, found.worlds)
    fits = bool(np.abs(mended - found.p).max() < SMALLEST)
    drafts = [] if fits else _drafts(found, mended, forecaster, now)
    already = _stored(ledger, drafts)
    logged = bool(drafts) and not dry_run and not already
    if logged:
        ledger.append(drafts, recorded_at=now)
    return {
        "target": target,
        "forecaster": forecaster,
        "coherent": fits,
        "method": "nothing to repair" if fits else found.method,
        "logged_as": f"{COHERENT}{forecaster}" if logged or already else None,
        "breaches": [] if fits else [_told(found, breach) for breach in broken],
        "forecasts": [
            {
                "seq": found.forecasts[found.events[i][0]].seq,
                "event": found.name(i),
                "before": float(found.p[i]),
                "after": float(found.p[i] if fits else mended[i]),
            }
            for i in range(len(found.events))
        ],
    }


def _told(found: Standing, breach: Breach) -> dict[str, Any]:
    first, second = found.name(breach.first), found.name(breach.second)
    p, q = found.p[breach.first], found.p[breach.second]
    rule = {
        "implies": f"{first} brings {second}, so it cannot be likelier",
        "exclude": f"{first} and {second} exclude each other, so they add up to at most 1",
        "cover": f"{first} or {second} comes true, so they add up to at least 1",
    }[breach.rule]
    return {"first": first, "second": second, "p": p, "q": q, "by": breach.by, "rule": rule}


def _standing_on(
    ledger: Ledger,
    bank: Bank,
    catalog: Catalog,
    target: str,
    forecaster: str,
    now: dt.datetime,
) -> Standing:
    rungs = catalog.ladder(target)
    have = graphs(bank)
    if not rungs and target not in have and not target.endswith((".yaml", ".yml")):
        names = {q.ladder: None for q in catalog.questions.values() if q.ladder} | {
            name: None for name in have
        }
        msg = f"target ({target}): neither a ladder nor a scenario"
        raise NotFound(msg, hint=nearest(target, names) or ", ".join(names))
    graph = None if rungs else find(bank, target)
    asked = rungs or _questions_of(graph, catalog)
    pairs = [
        (question, forecast)
        for question in catalog.open_at(now, asked)
        if (forecast := _latest(ledger, question, forecaster, now)) is not None
    ]
    if len(pairs) < 2:
        msg = f"forecasts ({forecaster} on {target}): {len(pairs)} stand, and a set needs two"
        said = {question.id for question, _ in pairs}
        free = [q.id for q in catalog.open_at(now, asked) if q.id not in said]
        way_out = f"forecast log {free[0]} 0.2" if free else "forecast questions list --status open"
        raise InvalidInput(msg, hint=way_out)
    questions = tuple(question for question, _ in pairs)
    forecasts = tuple(forecast for _, forecast in pairs)
    if graph is None:
        events = tuple((i, "yes") for i in range(len(pairs)))
        p = np.array([forecast.value.numbers[0] for forecast in forecasts])
        return Standing(forecasts, questions, events, p, worlds_of_ladder(len(pairs)), LADDER)
    events = tuple(
        (i, outcome)
        for i, question in enumerate(questions)
        for outcome in (("yes",) if question.type == "binary" else question.space.options)
    )
    p = np.array([x for forecast in forecasts for x in forecast.value.numbers])
    worlds = _worlds(graph, questions, events)
    return Standing(forecasts, questions, events, p, worlds, PROJECTION)


def _questions_of(graph: ScenarioGraph | None, catalog: Catalog) -> tuple[Question, ...]:
    """Give the questions that a graph's nodes stand for, with the other rungs of their ladders."""
    found: dict[str, Question] = {}
    for node in graph.nodes if graph else ():
        question = catalog.questions.get(node.question)
        if question is not None:
            rungs = catalog.ladder(question.ladder) if question.ladder else (question,)
            found |= {rung.id: rung for rung in rungs}
    return tuple(found.values())


def _latest(
    ledger: Ledger, question: Question, forecaster: str, now: dt.datetime
) -> Forecast | None:
    made = [
        forecast
        for forecast in ledger.forecasts(question=question.id, forecaster=forecaster)
        if forecast.kind != "replay" and forecast.issued_at <= now
    ]
    if not made:
        return None
    last = max(made, key=lambda forecast: (forecast.issued_at, forecast.seq or 0))
    taken = [
        withdrawal.withdrawn_at
        for withdrawal in ledger.withdrawals()
        if (withdrawal.question, withdrawal.forecaster) == (question.id, forecaster)
    ]
    return None if any(last.issued_at <= moment <= now for moment in taken) else last


def _worlds(
    graph: ScenarioGraph, questions: Sequence[Question], events: Sequence[tuple[int, str]]
) -> FloatArray:
    """List the possible worlds: states that no row excludes, deadlines that come in order."""
    node_of = {node.question: node for node in graph.nodes if node.question}
    groups: dict[str, list[int]] = {}
    for i, question in enumerate(questions):
        groups.setdefault(question.ladder or question.id, []).append(i)
    choices: list[list[dict[int, str]]] = []
    for members in groups.values():
        if questions[members[0]].ladder:
            ordered = sorted(members, key=lambda i: questions[i].closes)
            choices.append(
                [
                    dict(zip(ordered, ("yes" if x else "no" for x in world), strict=True))
                    for world in worlds_of_ladder(len(ordered))
                ]
            )
        else:
            (only,) = members
            question = questions[only]
            options = ("yes", "no") if question.type == "binary" else question.space.options
            choices.append([{only: option} for option in options])
    if np.prod([len(each) for each in choices]) > CELLS:
        msg = f"scenario ({graph.id}): more than {CELLS:,} worlds"
        raise InvalidInput(msg, hint="repair one of its ladders instead")
    allowed = _support(graph, [node_of[q.id].id for q in questions if q.id in node_of])
    rows = []
    for parts in product(*choices):
        outcome = {i: value for part in parts for i, value in part.items()}
        states = tuple(
            node_of[q.id].outcomes[outcome[i]] for i, q in enumerate(questions) if q.id in node_of
        )
        if states in allowed:
            rows.append([float(outcome[i] == value) for i, value in events])
    return np.unique(np.array(rows), axis=0)


def _support(graph: ScenarioGraph, names: Sequence[str]) -> set[tuple[str, ...]]:
    """Give the combinations of some nodes' states to which no row gives a probability of 0."""
    rows: list[dict[str, str]] = [{}]
    placed: set[str] = set()
    while len(placed) < len(graph.nodes):
        node = next(n for n in graph.nodes if n.id not in placed and placed.issuperset(n.parents))
        tables = {row.given: row for row in node.rows}
        grown: list[dict[str, str]] = []
        for world in rows:
            row = tables.get(tuple(world[parent] for parent in node.parents))
            for k, state in enumerate(node.states):
                shares = row.shares if row is not None else ()
                if not shares or shares[k] > 0:
                    grown.append({**world, node.id: state})
        rows = grown
        placed.add(node.id)
    return {tuple(world[name] for name in names) for world in rows}


def _drafts(
    found: Standing, mended: FloatArray, forecaster: str, now: dt.datetime
) -> list[Forecast]:
    raw = " ".join(str(forecast.seq) for forecast in found.forecasts)
    drafts = []
    for i, question in enumerate(found.questions):
        numbers = [float(mended[k]) for k, (owner, _) in enumerate(found.events) if owner == i]
        drafts.append(
            Forecast(
                question=question.id,
                question_hash=question.wording_hash,
                forecaster=f"{COHERENT}{forecaster}",
                value=_value(question, numbers),
                issued_at=now,
                kind="live",
                because=f"the coherent set nearest to {forecaster}'s standing forecasts",
                meta={"raw": raw, "method": found.method},
            )
        )
    return drafts


def _value(question: Question, numbers: Sequence[float]) -> Value:
    if question.type == "binary":
        return model_value(question.space, numbers)
    from forecasting.models.encoding.closed import normalised

    return model_value(question.space, normalised(np.array(numbers)))


def _stored(ledger: Ledger, drafts: Sequence[Forecast]) -> bool:
    """Say whether this very set stands already, so that a second run adds nothing."""
    return bool(drafts) and all(
        any(
            old.meta.get("raw") == draft.meta["raw"] and old.value == draft.value
            for old in ledger.forecasts(question=draft.question, forecaster=draft.forecaster)
        )
        for draft in drafts
    )
