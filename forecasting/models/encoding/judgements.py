"""Answers of the forecaster family: a question without a process, from what people say of it.

Each judgement in force is read with its maker's bias, information and noise, as far as the record
of resolved questions tells them, and all together. Without a judgement the answer is the base
rate of the questions resolved so far; without any record, one half.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forecasting.inference.fit import Fit, array_hash
from forecasting.models.base_rate import BaseRate
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.closed import exact
from forecasting.models.encoding.truces import JEFFREYS, answer_of_draws
from forecasting.models.forecaster import Forecaster, room_for
from forecasting.models.forecaster_bin import CLIP, probit
from forecasting.models.forecaster_record import Judgement
from forecasting.models.protocol import PriorSpec, prior_arrays

if TYPE_CHECKING:
    from forecasting.models.encoding.rates import Case, Inputs


def model(case: "Case") -> Answer:
    """Answer from the judgements in force, read by their makers' records."""
    return _answer(case, case.judgements)


def prior(case: "Case") -> Answer:
    """Answer without a judgement and without a record: one half."""
    return _answer(case, ())


def base_rate(case: "Case") -> Answer | None:
    """Answer with the share of yes among the questions of the record; None without one."""
    outcomes = _outcomes(case.judgements)
    if not outcomes:
        return None
    family = BaseRate("share")
    data = {
        "successes": np.array(float(sum(outcomes.values()))),
        "trials": np.array(float(len(outcomes))),
    }
    priors = {"chance": JEFFREYS}
    (found,) = family.closed_form(data, priors)
    return exact(family.family, (found.mean,), found, data, priors)


def inputs(case: "Case") -> "Inputs":
    """Give everything the model's answer is computed from, as arrays."""
    judgements = case.judgements
    names = _people(judgements, case.question.id)
    now = _now(judgements, case.question.id)
    given = _priors(case, Forecaster(room_for(len(names))))
    return {
        **record_arrays(judgements, names),
        **prior_arrays(given, given),
        "said": probit([judgement.probability for judgement in now]),
        "speaker": np.array([float(names[judgement.forecaster]) for judgement in now]),
    }


def record_arrays(judgements: tuple[Judgement, ...], names: Mapping[str, int]) -> "Inputs":
    """Give the resolved judgements as the arrays that the family takes.

    The m questions of one event count 1 / m each: they resolve together.

    Parameters
    ----------
    judgements : tuple of Judgement
        Those without an outcome are passed over.
    names : mapping of str to int
        The column of each forecaster.

    Returns
    -------
    dict of str to ndarray
        ``probit, question, who`` (n,), ``outcome, weight`` (Q,); the order of the judgements does
        not matter.
    """
    outcomes = _outcomes(judgements)
    events = {j.question: j.event for j in judgements if j.outcome is not None}
    sizes = [sum(other == events[name] for other in events.values()) for name in outcomes]
    place = {name: index for index, name in enumerate(outcomes)}
    said = sorted(
        (place[j.question], names[j.forecaster], j.probability)
        for j in judgements
        if j.outcome is not None
    )
    question, who, p = (np.array([row[i] for row in said], dtype=np.float64) for i in range(3))
    return {
        "probit": probit(p),
        "question": question,
        "who": who,
        "outcome": np.array(list(outcomes.values()), dtype=np.float64),
        "weight": 1.0 / np.array(sizes, dtype=np.float64),
    }


def _outcomes(judgements: tuple[Judgement, ...]) -> dict[str, float]:
    found = {j.question: j.outcome for j in judgements if j.outcome is not None}
    return {name: found[name] for name in sorted(found)}


def _now(judgements: tuple[Judgement, ...], question: str) -> list[Judgement]:
    found = [j for j in judgements if j.question == question and j.outcome is None]
    return sorted(found, key=lambda judgement: judgement.forecaster)


def _people(judgements: tuple[Judgement, ...], question: str) -> dict[str, int]:
    """Give each forecaster a column: those with a record first, so that their fit is shared."""
    record = sorted({j.forecaster for j in judgements if j.outcome is not None})
    new = [j.forecaster for j in _now(judgements, question) if j.forecaster not in record]
    return {name: column for column, name in enumerate([*record, *new])}


def _priors(case: "Case", family: Forecaster) -> dict[str, PriorSpec]:
    given = case.priors.get(case.reference, {})
    return {name: given.get(name, spec) for name, spec in family.default_priors().items()}


def _answer(case: "Case", judgements: tuple[Judgement, ...]) -> Answer:
    names = _people(judgements, case.question.id)
    family = Forecaster(room_for(len(names)))
    priors = _priors(case, family)
    data = record_arrays(judgements, names)
    now = _now(judgements, case.question.id)
    said = [judgement.probability for judgement in now]
    columns = [names[judgement.forecaster] for judgement in now]

    def of(fit: Fit) -> Answer:
        return answer_of_draws(family.predict(fit.draws, said, columns), fit, family.family)

    answer = case.fits.answer(family, data, priors, of)
    clipped = sum(not CLIP <= judgement.probability <= 1 - CLIP for judgement in judgements)
    evidence = {**data, "said": probit(said), "speaker": np.array(columns, dtype=np.float64)}
    counts = {
        "judgements": float(len(now)),
        "resolved": float(len(data["outcome"])),
        "clipped": float(clipped),
    }
    return replace(
        answer,
        evidence_hash=array_hash(evidence),
        diagnostics={**answer.diagnostics, **counts},
    )
