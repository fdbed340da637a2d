"""Answers of the news family: what sources say moves the process of a question.

A stance is read against the base rate of its own moment: ``stance=0.7`` a month before the
deadline says less than the same words a week before it. It counts from when it was said, once it
is known. Stances from before the opening are history: they tell each source's level, and move
nothing by themselves. Reports of one outlet share its house effect, reports of one story that
story's. The items' likelihoods, where an analyst coded one instead, act as on every family.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import STANCE_LEAST, STANCE_MOST, Effect, Evidence
from forecasting.domain.forecast import Spread
from forecasting.domain.instants import day_ends, parse_day
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.inference import judge_probability, summary, verdict
from forecasting.inference.fit import Fit, array_hash
from forecasting.models.encoding import facts, rates
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.priors import rate_data, trial_counts
from forecasting.models.encoding.rates import DAY, WEEK, Case, Inputs
from forecasting.models.news_log_odds import NewsLogOdds
from forecasting.models.protocol import PriorSpec, prior_arrays

#: Families that read stances; on any other question a stance would be lost.
READS_STANCES = frozenset({NewsLogOdds.family})
#: An event learned late is taken as of the opening.
FIRST_MOMENT = 1e-3


@dataclass(frozen=True, slots=True)
class _Fitted:
    fit: Fit
    k_hat: float
    ess: float
    fits_class: str


def check_stance(effect: Effect, questions: Sequence[Question]) -> None:
    """Refuse a stance that no model would read.

    Parameters
    ----------
    effect : Effect
        Any; only stances are judged.
    questions : sequence of Question
        What its target names: a question, or the rungs of a ladder.

    Raises
    ------
    InvalidInput
        The question's family reads no stances, or a probability was put on a whole ladder.
    """
    if effect.form != "stance":
        return
    for question in questions:
        if question.model.fitted not in READS_STANCES:
            msg = (
                f"effect ({effect.stated}): {effect.target} is answered by "
                f"{question.model.fitted}, which reads no stances"
            )
            raise InvalidInput(msg, hint="a likelihood: 0.6/0.2, x3, +1")
        if question.ladder == effect.target and "probability" in effect.detail:
            msg = f"effect ({effect.stated}): a probability is about one deadline of the ladder"
            raise InvalidInput(msg, hint=f"--on {question.id}={effect.stated}, or stance=+1")


def model(case: Case) -> Answer:
    """Answer with the stances, and the time and events since the opening."""
    return _answer(case, _data(case, with_data=True))


def prior(case: Case) -> Answer:
    """Answer from the class's prior and the walk alone: nothing said, nothing passed."""
    return _answer(case, _data(case, with_data=False))


def base_rate(case: Case) -> Answer:
    """Answer from the class alone; for a share, times the chance that an occasion comes."""
    found = rates.base_rate(case)
    comes = _occasion(case)
    if comes == 1.0:
        return found
    spread, draw = found.spread, found.draw
    if spread is not None:
        scaled = {name: getattr(spread, name) * comes for name in ("sd", "p05", "p50", "p95")}
        spread = replace(spread, **scaled)
    return replace(
        found,
        numbers=(found.numbers[0] * comes,),
        spread=spread,
        draw=None if draw is None else lambda: draw() * comes,
    )


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    given = case.priors[case.reference]
    data = _data(case, with_data=True)
    horizon = {"days": np.array(_days_left(case, data)), "occasion": np.array(_occasion(case))}
    return {**data, **prior_arrays(given, given), **horizon}


def _kind(case: Case) -> Literal["event", "share"]:
    kind = case.book.reference(case.reference).kind
    if kind not in ("rate", "share"):
        msg = f"class ({case.reference}): news moves a rate or a share, not the kind {kind}"
        raise InvalidInput(msg)
    return "event" if kind == "rate" else "share"


def _priors(case: Case) -> dict[str, PriorSpec]:
    """Give the class's priors, the family's where the class has none; rates are a day here."""
    given = case.priors[case.reference]
    chosen = {
        name: given.get(name, spec)
        for name, spec in NewsLogOdds(_kind(case)).default_priors().items()
    }
    if "rate" in chosen:
        shape, weeks = (float(np.asarray(chosen["rate"].value(key))) for key in ("shape", "rate"))
        chosen["rate"] = chosen["rate"].with_values(shape, weeks * (WEEK / DAY))
    return chosen


def _answer(case: Case, data: Inputs) -> Answer:
    family, priors = NewsLogOdds(_kind(case)), _priors(case)
    data_hash = array_hash(data)
    given = case.priors[case.reference]
    priors_hash = array_hash(prior_arrays(given, given))
    key = (family.family, family.kind, data_hash, priors_hash)
    # One seed for all: two answers that differ by an item then differ by the item alone.
    seed = case.fits.seed
    found: _Fitted = case.fits.of(key, lambda _: _fitted(family, data, priors, seed))
    fit, comes = found.fit, _occasion(case)
    days = [_days_left(case, data)]
    p = comes * family.expected(fit.draws, data, priors, days, seed=seed)[:, 0]
    report = judge_probability(fit.report, p, fit.chains)

    def draw() -> NDArray[np.float64]:
        return _occasion_draws(case, len(p)) * family.predict(fit.draws, days, seed=seed)

    sampled = draw()[:, 0]
    low, middle, high = (float(value) for value in np.quantile(sampled, (0.05, 0.5, 0.95)))
    even = found.k_hat == 0.0 and not np.ptp(fit.draws["watched"]) > 0.0
    method: Literal["nuts", "psis", "conjugate"] = "conjugate" if even else "psis"
    method = "nuts" if fit.method == "nuts" else method
    mean = summary(p, fit.chains)
    diagnostics = {
        name: value
        for name in ("r_hat", "ess_bulk", "ess_tail")
        if (value := getattr(report, name)) is not None and np.isfinite(value)
    }
    if method == "psis":
        diagnostics |= {"k_hat": found.k_hat, "importance_ess": found.ess}
    return Answer(
        numbers=(min(1.0, max(0.0, mean.mean)),),
        spread=Spread(float(sampled.std(ddof=1)), low, middle, high, mean.mcse, method),
        family=family.family,
        method=method,
        seed=fit.seed,
        priors_hash=priors_hash,
        evidence_hash=data_hash,
        gate="passed" if report.passed else f"refused: {'; '.join(report.reasons)}",
        fit=found.fits_class,
        diagnostics=diagnostics,
        versions=dict(fit.versions),
        draw=draw,
    )


def _fitted(
    family: NewsLogOdds, data: Inputs, priors: Mapping[str, PriorSpec], seed: int
) -> _Fitted:
    fit, weighted = family.fit_points(data, priors, seed)
    if weighted.refusal:
        fit = family.fit(data, priors, seed, method="nuts")
    said = verdict(family.predictive_check(fit.draws, data, priors=priors))
    misfit = said if said.startswith("does not fit") else ""
    return _Fitted(fit, weighted.k_hat, weighted.ess, misfit)


def _data(case: Case, *, with_data: bool) -> Inputs:
    """Give the family's arrays; days are counted from the opening.

    The stances may be later than the end of the watch: the walk then goes to the latest of them,
    and the event is asked for from the end of the watch on.
    """
    opens = case.question.opens
    asked = max(0.0, (case.as_of - opens) / DAY)
    stances = _stances(case) if with_data else []
    now = max([asked, *(day for day, *_ in stances)])
    sources = sorted({source for _, source, _, _ in stances})
    stories = sorted({story for _, _, story, _ in stances})
    data = {
        "said": np.array([said for *_, said in stances], dtype=np.float64),
        "day": np.array([day for day, *_ in stances], dtype=np.float64),
        "source": np.array([float(sources.index(s)) for _, s, _, _ in stances]),
        "story": np.array([float(stories.index(s)) for _, _, s, _ in stances]),
        "now": np.array(now),
    }
    if _kind(case) == "event":
        days, exposure = _since_opening(case) if with_data else ([], 0.0)
        data["exposure"] = np.array(min(exposure, asked))
        data["asked_from"] = np.array(asked)
        data["event_day"] = np.array(days, dtype=np.float64)
        return data
    yes, trials = _new_trials(case) if with_data else (0, 0)
    return {**data, "successes": np.array(float(yes)), "trials": np.array(float(trials))}


def _days_left(case: Case, data: Inputs) -> float:
    now = case.question.opens + float(data["now"]) * DAY
    return max(0.0, (case.question.closes - now) / DAY)


def _stances(case: Case) -> list[tuple[float, str, str, float]]:
    """Give day, source, story and log-odds against the base rate, in an order of their own."""
    found = []
    for item, effect in _effects(case.facts, case.question):
        moment = item.event_at or item.known_at
        day = (moment - case.question.opens) / DAY
        if "code" in effect.detail:
            said = float(effect.detail["code"])
        else:
            usual = _usual(case, moment, _deadline(case.question, effect.target))
            said = _logit(float(effect.detail["probability"])) - _logit(usual)
        found.append((day, item.source, item.story or item.key, said))
    return sorted(found)


def _effects(items: Iterable[Evidence], question: Question) -> Iterable[tuple[Evidence, Effect]]:
    """Give the stances on a question or anywhere on its ladder, which has one process.

    A probability on a ladder as a whole names no deadline; `check_stance` refuses it at the door.
    """
    slug = question.ladder or question.id
    for item in items:
        for effect in item.effects:
            rung = effect.target == question.id or effect.target.startswith(f"{slug}@")
            whole = effect.target == slug and "code" in effect.detail
            if effect.form == "stance" and (rung or whole):
                yield item, effect


def _deadline(question: Question, target: str) -> dt.datetime:
    if target == question.id:
        return question.closes
    return day_ends(parse_day(target.rpartition("@")[2]), question.zone)


def _usual(case: Case, moment: dt.datetime, deadline: dt.datetime) -> float:
    """Give the base rate's probability as of a moment, for the deadline spoken of."""
    given = case.priors[case.reference]
    if _kind(case) == "share":
        a, b = (float(np.asarray(given["chance"].value(key))) for key in ("a", "b"))
        return _occasion(case) * a / (a + b)
    shape, rate = (float(np.asarray(given["rate"].value(key))) for key in ("shape", "rate"))
    quiet = rate + max(0.0, (moment - case.question.opens) / WEEK)
    left = max(0.0, (deadline - moment) / WEEK)
    return 1.0 - float((quiet / (quiet + left)) ** shape)


def _logit(p: float) -> float:
    clipped = min(max(p, STANCE_LEAST), STANCE_MOST)
    return log(clipped / (1.0 - clipped))


def _before(case: Case) -> list[Evidence]:
    return [item for item in case.facts if item.known_at < case.question.opens]


def _since_opening(case: Case) -> tuple[list[float], float]:
    """Give the days of the class's new events, and the days watched since the opening."""
    reference, opens = case.book.reference(case.reference), case.question.opens
    _, weeks_now = rate_data(reference, case.facts, case.as_of)
    _, weeks_then = rate_data(reference, _before(case), opens)
    exposure = max(0.0, weeks_now - weeks_then) * (WEEK / DAY) if case.timed else 0.0
    until = min(case.as_of, reference.observed_until)
    seen = Counter(
        event.at
        for event in facts.occurrences(case.facts, reference.id)
        if reference.observed_from <= event.at <= until
    )
    seen -= Counter(event.at for event in facts.occurrences(_before(case), reference.id))
    days = [max(FIRST_MOMENT, (at - opens) / DAY) for at in sorted(seen.elements())]
    # An event was watched even where quiet time does not count.
    return days, max([exposure, *days])


def _new_trials(case: Case) -> tuple[int, int]:
    reference = case.book.reference(case.reference)
    then, now = (trial_counts(reference, items, case.own) for items in (_before(case), case.facts))
    yes, no = (now.get(name, 0) - then.get(name, 0) for name in ("yes", "no"))
    return yes, yes + no


def _occasion(case: Case) -> float:
    """Give the chance that the occasion asked about comes within the window.

    Where the class has a prior of how often occasions come (``occasion``, Gamma, a week). The
    streams do not list occasions, so that time without one is unobserved, not quiet: the chance is
    that of the whole window, until a user enters that it has ``begun``.
    """
    spec = case.priors[case.reference].get("occasion")
    if spec is None or _begun(case):
        return 1.0
    shape, rate = (float(np.asarray(spec.value(key))) for key in ("shape", "rate"))
    return 1.0 - float((rate / (rate + _window(case))) ** shape)


def _occasion_draws(case: Case, size: int) -> NDArray[np.float64]:
    """Give the same chance for draws of its rate, shape (S, 1)."""
    spec = case.priors[case.reference].get("occasion")
    if spec is None or _begun(case):
        return np.ones((size, 1))
    shape, rate = (float(np.asarray(spec.value(key))) for key in ("shape", "rate"))
    drawn = np.random.default_rng([case.fits.seed, 2]).gamma(shape, 1.0 / rate, (size, 1))
    return np.asarray(-np.expm1(-drawn * _window(case)))


def _window(case: Case) -> float:
    return (case.question.closes - case.question.opens) / WEEK


def _begun(case: Case) -> bool:
    return any(
        event.value == "begun" and event.at >= case.question.opens
        for event in facts.occurrences(case.facts, case.reference)
    )
