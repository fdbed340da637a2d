"""Answers of the exchange-count family: an agreed exchange completes, begins, or brings how many.

Routine exchanges since the running count that the prior is made of are the history; earlier
packages say how often and how soon packages begin; the deliveries of the asked package so far, and
the silence since, say where it stands.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.evidence import known
from forecasting.inference import resampled, verdict
from forecasting.inference.fit import Fit
from forecasting.models import compound
from forecasting.models.conjugate import gamma_poisson
from forecasting.models.encoding import closed, facts
from forecasting.models.encoding.answer import LEVELS, Answer
from forecasting.models.encoding.rates import DAY, WEEK, Case, Inputs
from forecasting.models.encoding.truces import answer_of_draws
from forecasting.models.exchange import ExchangeCount
from forecasting.models.exchange_arrays import exchange_data
from forecasting.models.protocol import prior_arrays

SHARES = tuple(level / 100 for level in LEVELS)
BASE = "base-rate"
#: Draws of the routine rate behind the base rate.
BASE_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Package:
    """The package asked about, as the moment knows it."""

    agreed_at: dt.datetime
    size: float
    tranches: tuple[tuple[dt.datetime, float], ...]

    @property
    def delivered(self) -> float:
        """How many have been delivered."""
        return sum(number for _, number in self.tranches)


def model(case: Case) -> Answer:
    """Answer from the package so far, the routine history and earlier packages."""
    return _answer(case, _data(case))


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    given = case.priors[case.reference]
    return {**_data(case), **prior_arrays(given, given), "days": np.array(case.weeks_left * 7)}


def _data(case: Case) -> Inputs:
    mine = _package(case)
    # Without the passing of time only what was delivered shows that any went by.
    last = max((at for at, _ in mine.tranches), default=mine.agreed_at)
    elapsed = max(0.0, ((case.as_of if case.timed else last) - mine.agreed_at) / DAY)
    return exchange_data(
        agreed=mine.size,
        elapsed_days=elapsed,
        delivery_days=[min(elapsed, (at - mine.agreed_at) / DAY) for at, _ in mine.tranches],
        delivered=[number for _, number in mine.tranches],
        **_history(case),
        **_past(case),
    )


def prior(case: Case) -> Answer:
    """Answer from the priors alone: nothing delivered, no time waited, no earlier package."""
    return _answer(case, exchange_data(agreed=_package(case).size, elapsed_days=0.0))


def base_rate(case: Case) -> Answer:
    """Answer from routine exchanges alone, at the rate and the sizes of the running count."""
    mine, history = _package(case), _history(case)
    rng = np.random.default_rng(case.fits.seed)
    given = case.priors[case.reference]
    shape, rate = (float(np.asarray(value)) for _, value in given["lam"].parameters)
    shape, rate = shape + float(history["history_events"]), rate + float(history["history_weeks"])
    posterior = {"lam": given["lam"].with_values(shape, rate)}
    lam = rng.gamma(shape, 1.0 / rate, BASE_DRAWS)
    m, nu = (_lognormal(case, name, rng) for name in ("m", "nu"))
    left = max(0.0, mine.size - mine.delivered)
    target = case.setting("target")
    if target == "first-stage":
        if mine.tranches:
            return closed.exact(BASE, (1.0,), None, {}, posterior)
        found = gamma_poisson(shape, rate, case.weeks_left)
        return closed.exact(BASE, (found.mean,), found, {}, posterior)
    if target == "delivered":
        more = compound.routine_total(rng, lam, nu, m, case.weeks_left)
        total = np.clip(mine.delivered + more, 0.0, mine.size)
        answer = closed.exact(BASE, (0.0,), None, {"left": np.array(left)}, posterior)
        return replace(answer, numbers=closed.quantiles_of(np.round(total), LEVELS))
    if left == 0.0:
        return closed.exact(BASE, (1.0,), None, {}, posterior)
    p = compound.routine_completion(lam, nu, m, left, np.array([case.weeks_left]))[:, 0]
    answer = closed.exact(BASE, (float(p.mean()),), None, {"left": np.array(left)}, posterior)
    return replace(answer, spread=closed.spread_of_draws(p))


def _lognormal(case: Case, name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    mu, sd = (float(np.asarray(v)) for _, v in case.priors[case.reference][name].parameters)
    return np.exp(mu + sd * rng.standard_normal(BASE_DRAWS))


def _package(case: Case) -> Package:
    size = float(case.setting("size"))
    found = facts.packages(case.facts).get(case.own)
    if found is None:
        # Before the agreement is known: the question's own wording names its size.
        return Package(case.as_of, size, ())
    tranches = tuple((max(at, found.agreed), number) for at, number in found.tranches)
    return Package(found.agreed, size, tranches)


def _history(case: Case) -> dict[str, Any]:
    """Give the routine exchanges since the running count that the prior was made of."""
    reference = case.book.reference(case.reference)
    totals = facts.exchange_totals(known(case.facts, case.question.opens - dt.timedelta.resolution))
    since = totals[-1][0] if totals else case.question.opens
    until = min(case.as_of, reference.observed_until)
    of_packages = {
        moment for package in facts.packages(case.facts).values() for moment in package.stages
    }
    routine = [
        (at, moved)
        for at, moved in facts.swaps(case.facts)
        if since < at <= until and at not in of_packages
    ]
    return {
        "history_events": float(len(routine)),
        "history_weeks": max(0.0, (until - since) / WEEK),
        "sizes": [moved for _, moved in routine if moved],
    }


def _past(case: Case) -> dict[str, Any]:
    """Give the earlier packages: whether and when each began, its stages, its silence since."""
    reference = case.book.reference(case.reference)
    until = min(case.as_of, reference.observed_until)
    columns: dict[str, list[float]] = {
        name: []
        for name in ("begun", "wait_weeks", "tranches", "active_days", "completed", "quiet_days")
    }
    shares: list[float] = []
    for package in sorted(facts.packages(case.facts).values(), key=lambda p: (p.agreed, p.id)):
        if package.id == case.own or not package.usable or package.agreed >= until:
            continue
        stages = package.stages
        counted = len(package.tranches) == len(stages)
        left, complete = package.size, False
        for _, number in package.tranches if counted else ():
            if number >= left:
                complete = True
            elif left > 0:
                shares.append(number / left)
            left -= number
        first, last = (stages[0], stages[-1]) if stages else (until, until)
        columns["begun"].append(1.0 if stages else 0.0)
        columns["wait_weeks"].append(max(0.0, (first - package.agreed) / WEEK))
        columns["tranches"].append(float(len(stages)))
        columns["active_days"].append((last - first) / DAY)
        columns["completed"].append(1.0 if complete else 0.0)
        # Stages without numbers do not tell whether anything was left to come.
        watched = bool(stages) and counted and not complete
        columns["quiet_days"].append((until - last) / DAY if watched else 0.0)
    return {f"past_{name}": values for name, values in columns.items()} | {"past_shares": shares}


def _answer(case: Case, data: Inputs) -> Answer:
    family = ExchangeCount()
    given = case.priors[case.reference]
    defaults = family.default_priors()
    priors = {name: given[name] for name in defaults}
    days = max(0.0, (case.question.closes - case.as_of) / DAY)
    target = case.setting("target")

    def of(fit: Fit) -> Answer:
        key = (family.family, fit.method, fit.data_hash, fit.priors_hash)
        chances = family.predict_first_stage if target == "first-stage" else family.predict
        p = chances(fit.draws, data, [days])[:, 0]
        said = case.fits.of(
            ("check", *key),
            lambda seed: verdict(family.predictive_check(resampled(fit, seed), data, seed=seed)),
        )
        misfit = said if said.startswith("does not fit") else ""
        answer = answer_of_draws(p, fit, family.family, misfit)
        if target != "delivered":
            return answer
        number = case.fits.of(
            ("number", *key, f"{days:.6f}"),
            lambda seed: family.predict_number(
                resampled(fit, seed), data, days, seed=seed, levels=SHARES
            ),
        )
        values = tuple(float(round(value)) for value in number.values)
        return replace(answer, numbers=values, spread=None)

    return case.fits.answer(family, data, priors, of)
