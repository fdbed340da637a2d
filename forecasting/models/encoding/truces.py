"""Answers of the survival family: truces by claim or by formal end, and peace agreements."""

import datetime as dt
from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Evidence
from forecasting.domain.forecast import Spread
from forecasting.domain.instants import parse_when
from forecasting.evidence import known
from forecasting.inference import Summary, judge_probability, resampled, summary, verdict
from forecasting.inference.fit import Fit
from forecasting.models.base_rate import BaseRate
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.closed import exact
from forecasting.models.encoding.priors import PriorBook, class_priors
from forecasting.models.encoding.rates import DAY, Case, Inputs
from forecasting.models.encoding.spells import Rows, agreement_rows, share_held, truce_rows
from forecasting.models.instant_failure import compare_instant
from forecasting.models.protocol import PriorSpec, prior_arrays
from forecasting.models.survival import Survival

JEFFREYS = PriorSpec.of(
    "chance",
    "beta",
    0.5,
    0.5,
    source="Jeffreys 1946, doi:10.1098/rspa.1946.0056",
    known_by=dt.date(1946, 9, 24),
)
#: What of the gate's report goes beside an answer.
DIAGNOSTICS = (
    "r_hat",
    "ess_bulk",
    "ess_tail",
    "bfmi",
    "divergences",
    "k_hat",
    "importance_ess",
)
SETTINGS = {"claim": "first-claim", "formal": "formal-end", "agreement": "peace-agreement"}


def model(case: Case) -> Answer:
    """Answer from the class's spells, the asked truce entering as one that has held so far."""
    return _answer(case, _rows(case))


def prior(case: Case) -> Answer:
    """Answer from the priors without a single spell."""
    return _answer(case, agreement_rows((), case.book.reference(case.reference), case.as_of))


def inputs(case: Case) -> Inputs:
    """Give everything the model's answer is computed from, as arrays."""
    given = case.priors[case.reference]
    age, horizon = _age_and_horizon(case)
    return {
        **_rows(case),
        **prior_arrays(given, given),
        "age": np.array(age),
        "horizon": np.array(horizon),
    }


def base_rate(case: Case) -> Answer:
    """Answer with the share of the class that held as long as is asked, Jeffreys prior."""
    start, until = _window(case)
    rows = _rows(case, own=False)
    held, n = share_held(rows, (until - start) / DAY)
    yes = held if _yes_is_holding(case) else n - held
    family = BaseRate("share")
    data = {"successes": np.array(float(yes)), "trials": np.array(float(n))}
    priors = {"chance": JEFFREYS}
    return exact(family.family, *_one(family, data, priors), data, priors)


def _one(
    family: BaseRate, data: Inputs, priors: Mapping[str, PriorSpec]
) -> tuple[tuple[float], Summary]:
    (found,) = family.closed_form(data, priors)
    return (found.mean,), found


def _yes_is_holding(case: Case) -> bool:
    return case.setting("yes") != "fails"


def _window(case: Case) -> tuple[dt.datetime, dt.datetime]:
    start = parse_when(case.setting("start"), day_means="begins")
    return start, parse_when(case.setting("until"), day_means="ends")


def _age_and_horizon(case: Case) -> tuple[float, float]:
    """Give how long the spell has lasted by now, and how much longer is asked, in days."""
    start, until = _window(case)
    age = max(0.0, (case.as_of - start) / DAY)
    return age, max(0.0, (until - max(case.as_of, start)) / DAY)


def _rows(case: Case, *, own: bool = True) -> Rows:
    definition = case.setting("definition")
    reference = case.book.reference(case.reference)
    if definition == "agreement":
        return agreement_rows(case.facts, reference, case.as_of)
    facts = case.facts
    rows = truce_rows(facts, reference, definition, case.as_of, case.own)
    if own and case.timed:
        return rows
    others = [
        item for item in facts if f"truces/{case.own}" not in {e.target for e in item.effects}
    ]
    return truce_rows(others, reference, definition, case.as_of, case.own)


def _answer(case: Case, rows: Rows) -> Answer:
    definition = case.setting("definition")
    family = Survival(SETTINGS[definition])
    given = case.priors[case.reference]
    defaults = family.default_priors()
    priors = {name: given[name] for name in defaults}
    age, horizon = _age_and_horizon(case)

    def of(fit: Fit) -> Answer:
        draws = _for_the_case(fit, given.get("case"))
        holds = family.predict(draws, [horizon], age_days=age)[:, 0]
        p = holds if _yes_is_holding(case) else 1.0 - holds
        key = ("check", family.family, definition, fit.method, fit.data_hash, fit.priors_hash)
        fits_class = case.fits.of(key, lambda seed: _verdict(family, fit, rows, seed))
        return answer_of_draws(p, fit, family.family, fits_class)

    return case.fits.answer(family, rows, priors, of)


def _for_the_case(fit: Fit, case_prior: PriorSpec | None) -> dict[str, NDArray[np.float64]]:
    """Move the log hazard of the asked case against its class, where a worldview says so."""
    draws = dict(fit.draws)
    if case_prior is not None:
        draws["theta"] = draws["theta"] + float(np.asarray(case_prior.value("value")))
    return draws


def _verdict(family: Survival, fit: Fit, rows: Rows, seed: int) -> str:
    if not len(rows["lower"]):
        return ""
    said = verdict(family.predictive_check(resampled(fit, seed), rows, seed=seed))
    return said if said.startswith("does not fit") else ""


def answer_of_draws(p: NDArray[np.float64], fit: Fit, family: str, fits_class: str = "") -> Answer:
    """Reduce draws of a probability to an answer, with the gate's verdict on it."""
    report = judge_probability(fit.report, p, fit.chains, weights=fit.weights)
    found = summary(p, fit.chains, weights=fit.weights)
    return Answer(
        numbers=(min(1.0, max(0.0, found.mean)),),
        spread=Spread(found.sd, found.p05, found.p50, found.p95, found.mcse, fit.method),
        family=family,
        method=fit.method,
        seed=fit.seed,
        priors_hash=fit.priors_hash,
        evidence_hash=fit.data_hash,
        gate="passed" if report.passed else f"refused: {'; '.join(report.reasons)}",
        fit=fits_class,
        diagnostics={
            name: value
            for name in DIAGNOSTICS
            if (value := getattr(report, name)) is not None and isfinite(value)
        }
        | ({"rerun": report.rerun} if report.rerun else {}),
        versions=dict(fit.versions),
        draw=lambda: p[:, None],
        weights=fit.weights,
    )


def instant_failures(
    book: PriorBook, evidence: Sequence[Evidence], as_of: dt.datetime, *, seed: int = 0
) -> str:
    """Say whether a share of truces sees a claim at once: the class with and without one."""
    reference = book.reference("truces-claim")
    rows = truce_rows(known(evidence, as_of), reference, "claim", as_of, "")
    given = class_priors(book, reference.id, evidence, as_of)
    priors = {name: given[name] for name in Survival(SETTINGS["claim"]).default_priors()}
    return compare_instant(rows, priors, seed).reading
