"""Answers of the scenario family: one conditional of a graph that is tied to the other models.

A node that stands for an open question takes its level from that question's own model, draw by
draw, and the graph's links carry it on. All such nodes are reconciled at once, by the joint nearest
to the graph's (see `forecasting.models.scenario_raking`): a child is not simply overwritten, so
what its model knows also speaks for its parents.

A question is answered from the part of the graph that could be argued at its opening. A node's
question speaks only while it is open: before, its model's priors would know what came after.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.forecast import Spread
from forecasting.domain.instants import local_day
from forecasting.domain.scenario import Node, ScenarioGraph
from forecasting.errors import InvalidInput
from forecasting.inference.compile import library_versions
from forecasting.inference.fit import array_hash
from forecasting.models.encoding import closed, rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.rates import Case, Inputs
from forecasting.models.scenario_joint import Joint, joint
from forecasting.models.scenario_raking import rake
from forecasting.models.scenario_rows import (
    logit_rows,
    mcse_of_blocks,
    spaced_dirichlet,
    spaced_pick,
)

__all__ = ["DRAWS", "Tied", "base_rate", "inputs", "model", "prior", "tie", "weights_of_class"]

FloatArray = NDArray[np.float64]
#: Draws of a joint; evenly spaced, so the mean of a row is exact to about 1e-4.
DRAWS = 1000
FAMILY = "scenario"
Weights = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Tied:
    """A graph with its joint, before and after the models of its questions spoke.

    Attributes
    ----------
    bare
        From the rows alone.
    joint
        Reconciled with the models.
    linked
        The marginal that a model gave, by node.
    silent
        Nodes whose question is open and whose model does not speak, with the reason.
    """

    graph: ScenarioGraph
    bare: Joint
    joint: Joint
    linked: Mapping[str, FloatArray]
    silent: Mapping[str, str]


def tie(
    graph: ScenarioGraph,
    weights: Weights,
    ask: Callable[[str], Answer] | None,
    as_of: dt.datetime,
    *,
    seed: int,
) -> Tied:
    """Draw a graph's tables and reconcile them with what the models of its questions say.

    Parameters
    ----------
    graph : ScenarioGraph
        With the windows of its questions.
    weights : mapping
        For each class that supplies a row: how many cases speak for each state.
    ask : callable, optional
        Gives the model's answer on a question; None leaves the graph to its rows.
    as_of : datetime
        Only questions open then are asked.
    seed : int
        Seed of the draws.

    Raises
    ------
    InvalidInput
        The models' probabilities cannot stand together on this graph: which pair, by how much.
    """
    names = [node.id for node in graph.nodes]
    parents = [[names.index(p) for p in node.parents] for node in graph.nodes]
    sizes = {node.id: len(node.states) for node in graph.nodes}
    tables = [
        _table(node, [sizes[p] for p in node.parents], weights, (seed, position))
        for position, node in enumerate(graph.nodes)
    ]
    bare = joint(parents, tables)
    linked: dict[str, FloatArray] = {}
    silent: dict[str, str] = {}
    for node in graph.nodes if ask is not None else ():
        if not node.open_at(as_of) or ask is None:
            continue
        answer = ask(node.question)
        if answer.gate.startswith("refused") or answer.draw is None:
            silent[node.id] = answer.gate if answer.draw is not None else "gives no draws"
            continue
        rng = np.random.default_rng((seed, len(names), names.index(node.id)))
        linked[node.id] = _marginal(node, answer, rng)
    wanted = {names.index(name): p for name, p in linked.items()}
    return Tied(graph, bare, rake(bare, wanted, names=names), linked, silent)


def _table(node: Node, above: Sequence[int], weights: Weights, seed: tuple[int, int]) -> FloatArray:
    if node.logit is not None:
        logit = node.logit
        rng = np.random.default_rng(seed)
        return logit_rows(rng, logit.share, logit.kappa, logit.effects, DRAWS)
    cases = _cases(node, weights)
    rows = _rows(seed, cases.shape[1], tuple(cases.ravel().tolist()))
    return rows.reshape(DRAWS, *above, len(node.states))


@lru_cache(maxsize=64)
def _rows(seed: tuple[int, int], states: int, cases: tuple[float, ...]) -> FloatArray:
    """Draw a node's rows; a graph's rows seldom change from one question or moment to the next."""
    found = spaced_dirichlet(np.random.default_rng(seed), np.reshape(cases, (-1, states)), DRAWS)
    found.flags.writeable = False
    return found


def _cases(node: Node, weights: Weights) -> FloatArray:
    """Give the Dirichlet weights of a node's rows, in the order of its parents' states."""
    cases = []
    for row in node.rows:
        if row.reference and row.reference not in weights:
            msg = f"node {node.id}: class ({row.reference}): nothing says how often each state came"
            raise InvalidInput(msg, hint="a question whose reference it is")
        if row.reference:
            cases.append([weights[row.reference].get(state, 0.0) for state in node.states])
        else:
            cases.append([row.kappa * share for share in row.shares])
    return np.array(cases)


def _marginal(node: Node, answer: Answer, rng: np.random.Generator) -> FloatArray:
    """Give a question's draws as a marginal of its node; their mean is the answer's number."""
    assert answer.draw is not None
    p = np.asarray(answer.draw(), dtype=np.float64)
    if p.shape[1] == 1:
        p = np.hstack([p, 1.0 - p])
    numbers = np.array(answer.numbers if len(answer.numbers) > 1 else _both(answer.numbers[0]))
    p = spaced_pick(rng, p, DRAWS, answer.weights)
    if p.shape[1] == 2:
        p = _with_mean(p, numbers[0])
    states = np.zeros((DRAWS, len(node.states)))
    for column, state in enumerate(node.outcomes.values()):
        states[:, node.states.index(state)] += p[:, column]
    return states / states.sum(axis=1, keepdims=True)


def _both(yes: float) -> tuple[float, float]:
    return yes, 1.0 - yes


def _with_mean(p: FloatArray, mean: float) -> FloatArray:
    """Shift draws of a yes-no probability on the log-odds until their mean is the answer's.

    Coded reports move an answer and not its draws; this gives the draws the same evidence.
    """
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    if not 0.0 < mean < 1.0:
        return np.tile(_both(mean), (len(p), 1))
    odds = logit(np.clip(p[:, 0], 1e-12, 1.0 - 1e-12))
    if abs(p[:, 0].mean() - mean) < 1e-12:
        return p
    step = brentq(lambda x: float(expit(odds + x).mean()) - mean, -60.0, 60.0, xtol=1e-10)
    yes = expit(odds + step)
    return np.column_stack([yes, 1.0 - yes])


def weights_of_class(found: Inputs, options: Sequence[str]) -> dict[str, float]:
    """Give how many cases of a class, with its prior, speak for each state.

    Parameters
    ----------
    found : mapping
        Inputs of a base rate of kind share (``chance_a, chance_b, successes, trials``) or
        dirichlet (``share_a, counts``).
    options : sequence of str
        Of a question of that class; yes and no for a share.

    Examples
    --------
    >>> share = {"chance_a": 0.5, "chance_b": 0.5, "successes": 1.0, "trials": 3.0}
    >>> weights_of_class({k: np.array(v) for k, v in share.items()}, ())
    {'yes': 1.5, 'no': 2.5}
    """
    if "chance_a" in found:
        yes, trials = float(found["successes"]), float(found["trials"])
        return {
            "yes": float(found["chance_a"]) + yes,
            "no": float(found["chance_b"]) + trials - yes,
        }
    total = np.asarray(found["share_a"]) + np.asarray(found["counts"])
    return dict(zip(options, (float(each) for each in total), strict=True))


def model(case: Case) -> Answer:
    """Answer from the graph, tied to the models of its open questions."""
    return _answer(case, case.ask)


def prior(case: Case) -> Answer:
    """Answer from the graph's rows alone, as they could be argued at the opening."""
    return _answer(case, None)


def base_rate(case: Case) -> Answer:
    """Answer from the reference class: the plain share of its cases."""
    return rates.base_rate(case)


def inputs(case: Case) -> Inputs:
    """Give what the answer is computed from: the class's data and the weights of every row.

    The marginals of linked questions are their own answers, whose inputs are theirs.
    """
    graph = _graph(case)
    weights = _weights(case, graph)
    found = {f"rows_{node.id}": _cases(node, weights) for node in graph.nodes if node.logit is None}
    return {**rates.inputs(case), **found}


def linked(case: Case) -> tuple[str, ...]:
    """Give the questions whose models the answer rests on."""
    return tuple(node.question for node in _graph(case).nodes if node.open_at(case.as_of))


def _graph(case: Case) -> ScenarioGraph:
    name = case.setting("scenario")
    if name not in case.book.scenarios:
        msg = f"scenario ({name}): question {case.question.id} names one that there is not"
        raise InvalidInput(msg, hint=", ".join(case.book.scenarios) or "questions/scenarios")
    return case.book.scenarios[name].known(local_day(case.question.opens))


def _weights(case: Case, graph: ScenarioGraph) -> dict[str, dict[str, float]]:
    found = {}
    for reference in {row.reference for node in graph.nodes for row in node.rows} - {""}:
        choice = replace(case.question.model, reference=reference)
        sibling = replace(case, question=replace(case.question, model=choice))
        found[reference] = weights_of_class(rates.inputs(sibling), case.question.space.options)
    return found


def condition(graph: ScenarioGraph, text: str) -> tuple[int, int]:
    """Read ``node=state`` as positions.

    Raises
    ------
    InvalidInput
        No such node or state.
    """
    name, _, state = text.partition("=")
    node = graph.node(name.strip())
    if state.strip() not in node.states:
        msg = f"condition ({text}): {node.id} has no state {state.strip()}"
        raise InvalidInput(msg, hint=", ".join(f"{node.id}={each}" for each in node.states))
    return graph.position(node.id), node.states.index(state.strip())


def _answer(case: Case, ask: Callable[[str], Answer] | None) -> Answer:
    graph = _graph(case)
    weights = _weights(case, graph)
    arrays = {f"rows_{node.id}": _cases(node, weights) for node in graph.nodes if not node.logit}
    digest = array_hash(arrays)
    seed: int = case.fits.of((FAMILY, graph.id, digest), lambda found: found)
    refused = ""
    try:
        tied = tie(graph, weights, ask, case.as_of, seed=seed)
    except InvalidInput as impossible:
        refused = f"refused: {impossible.message}"
        tied = tie(graph, weights, None, case.as_of, seed=seed)
    given = case.question.model.settings.get("given", ())
    fixed = dict(condition(graph, str(text)) for text in _each(given))
    node = graph.node(case.setting("node"))
    p = tied.joint.marginal([graph.position(node.id)], fixed)
    asked = p[:, [node.states.index(option) for option in _asked(case)]]
    numbers = asked.mean(axis=0)
    silent = "; ".join(f"{name} {why}" for name, why in tied.silent.items())
    marginals = {f"marginal_{name}": found.mean(axis=0) for name, found in tied.linked.items()}
    return Answer(
        numbers=(float(numbers[0]),) if asked.shape[1] == 1 else closed.normalised(numbers),
        spread=_spread(asked[:, 0]) if asked.shape[1] == 1 else None,
        family=FAMILY,
        method="conjugate",
        seed=seed,
        priors_hash=digest,
        evidence_hash=array_hash({**rates.inputs(case), **marginals}),
        gate=refused or "passed",
        diagnostics={
            "scenario": graph.id,
            "linked": " ".join(tied.linked) or "none",
            **({"silent": silent} if silent else {}),
        },
        versions=dict(library_versions()),
        draw=lambda: asked,
    )


def _asked(case: Case) -> tuple[str, ...]:
    return ("yes",) if case.question.type == "binary" else case.question.space.options


def _each(given: object) -> tuple[object, ...]:
    return given if isinstance(given, tuple) else (given,)


def _spread(p: FloatArray) -> Spread:
    low, middle, high = (float(x) for x in np.quantile(p, closed.QUANTILES))
    mcse = float(mcse_of_blocks(p))
    return Spread(float(p.std(ddof=1)), low, middle, high, mcse, "conjugate")
