"""Answers of the competing-risks family: the strongest state of guarantees by a deadline."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecasting.inference.fit import Fit, array_hash
from forecasting.models.competing_risks import CompetingRisks, strongest_state
from forecasting.models.encoding import closed, facts
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.rates import DAY, Case, Inputs
from forecasting.models.encoding.truces import answer_of_draws
from forecasting.models.protocol import PriorSpec, prior_arrays

CAUSES = ("soft", "firm", "collapse")
#: Draws a chain of the closed form: the path soft-then-firm has none of its own.
DRAWS = 4000
JEFFREYS = 0.5
State = Literal["none", "soft"]


def model(case: Case) -> Answer:
    """Answer from the steps so far and the time watched."""
    return _answer(case, _data(case), _reached(case), case.priors[case.reference])


def prior(case: Case) -> Answer:
    """Answer from the priors alone: no step, no time watched."""
    data = {"events": np.zeros(len(CAUSES)), "exposure": np.array(0.0)}
    return _answer(case, data, "none", case.priors[case.reference])


def base_rate(case: Case) -> Answer | None:
    """Answer from each cause's own rate, Jeffreys prior; None before any time was watched."""
    data = _data(case)
    if not data["exposure"] > 0:
        return None
    given = case.priors[case.reference]
    # Independent rates of Gamma(1/2, 0) each are one total of shape K/2 with shares of 1/2 each;
    # the rate of 0 becomes proper with the first day watched.
    flat = {
        "total": given["total"].with_values(JEFFREYS * len(CAUSES), 1e-9),
        "share": given["share"].with_values((JEFFREYS,) * len(CAUSES)),
    }
    return _answer(case, data, _reached(case), flat)


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    given = case.priors[case.reference]
    reached = np.array(0.0 if _reached(case) == "none" else 1.0)
    horizon = {"days": np.array(case.weeks_left * 7), "reached": reached}
    return {**_data(case), **prior_arrays(given, given), **horizon}


def _data(case: Case) -> Inputs:
    reference = case.book.reference(case.reference)
    now = case.as_of if case.timed else case.question.opens
    until = min(now, reference.observed_until)
    seen = [
        event.value
        for event in facts.occurrences(case.facts, case.reference)
        if reference.observed_from <= event.at <= min(case.as_of, reference.observed_until)
    ]
    events = np.array([float(seen.count(cause)) for cause in CAUSES])
    return {
        "events": events,
        "exposure": np.array(max(0.0, (until - reference.observed_from) / DAY)),
    }


def _reached(case: Case) -> State:
    steps = {event.value for event in facts.occurrences(case.facts, case.reference)}
    return "soft" if "soft" in steps else "none"


def _answer(case: Case, data: Inputs, reached: State, priors: Mapping[str, PriorSpec]) -> Answer:
    family = CompetingRisks(CAUSES)
    hashes = array_hash(data), array_hash(prior_arrays(priors, family.default_priors()))
    fit: Fit = case.fits.of(
        (family.family, *hashes), lambda seed: family.fit(data, priors, seed, draws=DRAWS)
    )
    days = case.weeks_left * 7
    soft, firm = CAUSES.index("soft"), CAUSES.index("firm")
    p: NDArray[np.float64] = strongest_state(
        fit.draws, [days], soft=soft, firm=firm, reached=reached
    )[:, 0, :]
    answer = answer_of_draws(p[:, 1], fit, family.family)
    numbers = p.mean(axis=0)
    numbers[0] = max(0.0, 1.0 - numbers[1:].sum())
    return replace(answer, numbers=closed.normalised(numbers), spread=None, draw=lambda: p)
