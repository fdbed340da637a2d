"""Answers on the strongest state of guarantees by a deadline: none, soft or firm.

Of the competing-risks family: the first step is one of several, and firm follows soft at its own
hazard, which nothing else touches. Of the staged family: the same first step, then a stage of its
own from soft, which leads on to firm or collapses, so that soft can be lost; see
`forecasting.models.staged_competing`.
"""

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
from forecasting.models.staged import StagedProcess
from forecasting.models.staged_competing import Steps, posterior, state_chances

CAUSES = ("soft", "firm", "collapse")
#: Draws a chain of the closed form: the path soft-then-firm has none of its own.
DRAWS = 4000
JEFFREYS = 0.5
#: The state that stands after each cause; the collapse of an effort leaves none.
STATES = ("collapse", "soft", "firm")
FIRM = STATES.index("firm")
NOTHING = Steps((0.0,) * len(CAUSES), 0.0, (0.0,) * len(CAUSES), 0.0)
State = Literal["none", "soft"]


def model(case: Case) -> Answer:
    """Answer from the steps so far and the time watched."""
    if _staged(case):
        return _staged_answer(case, *_steps(case))
    return _answer(case, _data(case), _reached(case), case.priors[case.reference])


def prior(case: Case) -> Answer:
    """Answer from the priors alone: no step, no time watched."""
    if _staged(case):
        return _staged_answer(case, NOTHING, 0)
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
    if _staged(case):
        steps, now = _steps(case)
        horizon = {"days": np.array(case.weeks_left * 7), "reached": np.array(float(now))}
        return {**steps.arrays(), **prior_arrays(given, given), **horizon}
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
    priors = {name: priors[name] for name in family.default_priors()}
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


def _staged(case: Case) -> bool:
    return case.question.model.fitted == StagedProcess.family


def _steps(case: Case) -> tuple[Steps, int]:
    """Walk the steps in order: counts and days at none and at soft, and the state now."""
    reference = case.book.reference(case.reference)
    counts, days = [dict.fromkeys(CAUSES, 0.0) for _ in range(2)], [0.0, 0.0]
    state, since = 0, reference.observed_from
    until = max(since, min(case.as_of, reference.observed_until))
    for event in facts.occurrences(case.facts, case.reference):
        value = "collapse" if event.value == "collapsed" else event.value
        if value not in CAUSES or event.at < reference.observed_from or state == FIRM:
            continue
        if state == STATES.index("soft") and value == "soft":
            continue
        at = min(event.at, until)
        counts[state][value] += 1
        days[state] += (at - since) / DAY
        state, since = STATES.index(value), at
    if state != FIRM:
        last = until if case.timed else max(since, min(until, case.question.opens))
        days[state] += (last - since) / DAY
    first, later = (tuple(count.values()) for count in counts)
    return Steps(first, days[0], later, days[1]), state


def _staged_answer(case: Case, steps: Steps, now: int) -> Answer:
    given = case.priors[case.reference]
    priors = prior_arrays(given, given)
    data = steps.arrays()
    key = (StagedProcess.family, "competing", array_hash(data), array_hash(priors))
    soft, firm = CAUSES.index("soft"), CAUSES.index("firm")
    draws = case.fits.of(key, lambda seed: posterior(steps, priors, DRAWS, seed, soft=soft))
    p = state_chances(draws, case.weeks_left * 7, soft=soft, firm=firm, now=now)
    data["now"] = np.array(float(now))
    means = [float(mean) for mean in p.mean(axis=0)]
    return closed.exact(StagedProcess.family, means, None, data, given, lambda: p)
