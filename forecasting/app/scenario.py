"""Scenarios: what a graph of questions says together, tied to the models as of a moment."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.app.catalog import Catalog
from forecasting.app.log import check_moment, kind_of
from forecasting.app.predict import Predictor
from forecasting.app.questions import bundled_bank
from forecasting.bank import Bank, nearest
from forecasting.bank.scenarios import read_scenario_file
from forecasting.domain.instants import iso, local_day
from forecasting.domain.question import ANNULLED
from forecasting.domain.scenario import OTHERWISE, Named, Node, ScenarioGraph
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known
from forecasting.models.encoding.fits import live_fits
from forecasting.models.encoding.scenarios import Tied, tie, weights_of_class
from forecasting.models.scenario_joint import Joint
from forecasting.store import Ledger

FloatArray = NDArray[np.float64]
POINTS = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Live:
    """A scenario as of a moment, tied to the models, with what is known of its nodes."""

    graph: ScenarioGraph
    tied: Tied
    known: Mapping[int, int]
    catalog: Catalog
    as_of: dt.datetime
    notes: tuple[str, ...]

    @property
    def joint(self) -> Joint:
        """The joint that the models and the links agree on."""
        return self.tied.joint

    def event(self, named: Named) -> dict[int, int]:
        """Give a named scenario as states of nodes, by position."""
        return {
            self.graph.position(name): self.graph.node(name).states.index(state)
            for name, state in named.states.items()
        }

    def partition(
        self, joint: Joint, given: Mapping[int, int]
    ) -> list[tuple[str, str, FloatArray]]:
        """Give each named scenario and the rest: name, title, probability in every draw."""
        found = []
        rest = np.ones(joint.draws)
        for each in self.graph.named:
            p = joint.probability(self.event(each), given)
            rest = rest - p
            found.append((each.name, each.title, p))
        rest = np.where(np.abs(rest) < 1e-12, 0.0, rest)
        return [*found, (OTHERWISE, "None of these", rest)]


def graphs(bank: Bank) -> dict[str, ScenarioGraph]:
    """Give the scenarios of a bank by id."""
    return {graph.id: graph for graph in bank.scenarios}


def listed(bank: Bank) -> list[dict[str, Any]]:
    """Give a row for each scenario of the bank."""
    return [
        {
            "scenario": graph.id,
            "title": graph.title,
            "nodes": [node.id for node in graph.nodes],
            "questions": [node.question for node in graph.nodes if node.question],
            "named": [named.name for named in graph.named],
            "known_by": graph.known_by.isoformat(),
        }
        for graph in bank.scenarios
    ]


def find(bank: Bank, name: str) -> ScenarioGraph:
    """Give a scenario by its id, by the path of its file, or the only one there is.

    Raises
    ------
    InvalidInput
        The file has a fault (which node, which line), or there are several and none is named.
    NotFound
        There is no such scenario.
    """
    have = graphs(bank)
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            msg = f"file ({name}): does not exist"
            raise InvalidInput(msg, hint="forecast scenario show settlement")
        graph, problems = read_scenario_file(path, bank.questions, bank.classes)
        if graph is None:
            first = problems[0]
            msg = f"[{first.rule}] {first.message}"
            raise InvalidInput(msg, hint=first.hint, where=f"{first.source}:{first.line}")
        return graph
    if not name and len(have) == 1:
        return next(iter(have.values()))
    if not name:
        msg = "scenario: there are several, name one"
        raise InvalidInput(msg, hint=", ".join(have))
    if name not in have:
        msg = f"scenario ({name}): there is none"
        raise NotFound(msg, hint=nearest(name, have) or ", ".join(have))
    return have[name]


def live(
    ledger: Ledger,
    graph: ScenarioGraph,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    seed: int = 0,
    bank: Bank | None = None,
) -> Live:
    """Tie a scenario to the models as of a moment.

    Raises
    ------
    InvalidInput
        The moment lies in the future or before the graph could be argued, or the models'
        probabilities cannot stand together on it.
    """
    moment = as_of or now
    check_moment(moment, now)
    bank = bank or bundled_bank()
    catalog = Catalog.of(ledger, recorded_by=moment)
    part = graph.known(local_day(moment))
    evidence = known(ledger.evidence(), moment, recorded=kind_of(moment, now) == "live")
    predictor = Predictor(catalog, evidence, bank, seed=seed, fits=live_fits(seed))
    facts = predictor.facts(moment)
    own = predictor.answers.fits.of(("scenario", part.id), lambda found: found)
    outcomes = _outcomes(part, catalog, moment)
    notes = [
        f"{part.nodes[node].id} is known: {part.nodes[node].states[state]}"
        for node, state in outcomes.items()
    ]
    weights = {
        reference: _weights(predictor, reference, facts, moment)
        for reference in {row.reference for node in part.nodes for row in node.rows} - {""}
    }
    tied = tie(
        part,
        weights,
        lambda name: predictor.answer(catalog.one(name), facts, moment),
        moment,
        seed=int(own),
    )
    notes += [f"{node}: its model does not speak ({why})" for node, why in tied.silent.items()]
    if moment > bank.observed_until:
        notes.append(
            f"the bank's streams are observed until {iso(bank.observed_until)}: later time is "
            "unobserved, not quiet, so the models answer as from then"
        )
    return Live(part, tied, outcomes, catalog, moment, tuple(notes))


def _outcomes(graph: ScenarioGraph, catalog: Catalog, moment: dt.datetime) -> dict[int, int]:
    found = {}
    for position, node in enumerate(graph.nodes):
        resolution = catalog.outcomes.get(node.question)
        if resolution is None or resolution.resolved_at > moment or resolution.outcome == ANNULLED:
            continue
        found[position] = node.states.index(node.outcomes[resolution.outcome])
    return found


def _weights(
    predictor: Predictor, reference: str, facts: Sequence[Any], moment: dt.datetime
) -> dict[str, float]:
    for question in predictor.catalog.questions.values():
        fits = question.model.fitted in {"scenario", "base-rate"}
        if question.model.reference == reference and fits and question.opens <= moment:
            options = ("yes", "no") if question.type == "binary" else question.space.options
            return weights_of_class(predictor.answers.inputs(question, facts, moment), options)
    msg = f"class ({reference}): no open question rests on it at {iso(moment)}"
    raise InvalidInput(msg, hint="a later --as-of, or shares in the scenario's row")


def told(p: FloatArray) -> tuple[float, float, float]:
    """Give the mean and the 5 and 95 % points over the draws."""
    low, high = np.quantile(p, POINTS)
    return float(p.mean()), float(low), float(high)


def show(found: Live) -> list[dict[str, Any]]:
    """Give the probability of each named scenario, and of none of them; they sum to one."""
    rows = []
    for name, title, p in found.partition(found.joint, found.known):
        mean, low, high = told(p)
        rows.append(
            {
                "scenario": name,
                "probability": mean,
                "lower": low,
                "upper": high,
                "title": title,
                "graph": found.graph.id,
            }
        )
    return rows


def nodes(found: Live) -> list[dict[str, Any]]:
    """Give the marginal of each node's states, with where its level comes from."""
    rows = []
    for position, node in enumerate(found.graph.nodes):
        p = found.joint.marginal([position], found.known)
        bare = found.tied.bare.marginal([position])
        for k, state in enumerate(node.states):
            mean, low, high = told(p[:, k])
            rows.append(
                {
                    "node": node.id,
                    "state": state,
                    "probability": mean,
                    "lower": low,
                    "upper": high,
                    "from_rows": float(bare[:, k].mean()),
                    "level": _level(found, position, node),
                    "parents": list(node.parents),
                    "question": node.question,
                    "title": node.title,
                }
            )
    return rows


def _level(found: Live, position: int, node: Node) -> str:
    if position in found.known:
        return "outcome"
    return "model" if node.id in found.tied.linked else "graph"


def elicited(graph: ScenarioGraph) -> list[dict[str, Any]]:
    """Give every row of the graph's tables with its worth, its reason and its source."""
    rows: list[dict[str, Any]] = []
    for node in graph.nodes:
        for row in node.rows:
            given = " ".join(f"{p}={s}" for p, s in zip(node.parents, row.given, strict=True))
            shares = dict(zip(node.states, row.shares, strict=False))
            rows.append(
                {
                    "node": node.id,
                    "given": given,
                    "shares": shares or f"class {row.reference}",
                    "kappa": row.kappa if shares else None,
                    "known_by": row.known_by.isoformat(),
                    "source": row.source,
                    "because": row.reason,
                }
            )
        if node.logit is not None:
            rows.append(
                {
                    "node": node.id,
                    "given": f"log-odds of {node.states[0]}: {' '.join(node.parents)}",
                    "shares": {node.states[0]: node.logit.share},
                    "kappa": node.logit.kappa,
                    "known_by": node.logit.known_by.isoformat(),
                    "source": node.logit.source,
                    "because": node.logit.reason,
                }
            )
    return rows
