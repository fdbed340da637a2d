r"""Source reliability: the grade as a prior, and what each source's resolved claims taught.

A report whose question later resolved is a claim. Given the outcome it passed through the same
channel that doubts reports: with a, b the report's probability if yes and if no, and u if the
source knows nothing,

.. math:: p(\text{claim} \mid r, \text{yes}) \propto (r a + (1 - r) u)^d, \qquad
          p(\text{claim} \mid r, \text{no}) \propto (r b + (1 - r) u)^d

where d discounts copies of one story. Only the ratios of a, b and u matter, so ``x3`` teaches what
``0.6/0.2`` teaches.

Sources learn from each other through a common shift of all grades. It enters as the common factor
z ~ N(0, 1) of a Gaussian copula: r_s = Q_s(Phi(c_s z + sqrt(1 - c_s^2) e_s)) with Q_s the quantile
function of the grade's Beta and c_s = .5 / sd(logit r_s), so that one standard deviation of z
shifts a source by about .5 on the logit scale. Adding an N(0, .5) shift to the logit instead would
widen every grade; here each source's marginal is its grade's Beta exactly, whatever the number of
sources, until a claim resolves. z and e are both integrated by the trapezoid rule on a fine grid,
which for these analytic integrands converges faster than any power of the step.

Dawid and Skene 1979 (doi:10.2307/2346806) is the channel; the grades and the shift's size are
judgements and stand in one place each.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import GRADES, GRADES_STREAM, Evidence
from forecasting.domain.question import Question
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput
from forecasting.evidence.as_of import known, without_retracted
from forecasting.evidence.likelihood import (
    GRADE_PRIORS,
    STORY_RHO,
    Reliability,
    Report,
    story_discounts,
)

#: How far one standard deviation of the common shift moves a source, on the logit scale.
SHIFT_SD = 0.5
STREAM = GRADES_STREAM
_UNSTATED = "F"
_FACTOR = np.arange(-7.0, 7.025, 0.05)
_OWN = np.arange(-8.0, 8.01, 0.02)


@dataclass(frozen=True, slots=True)
class Claim:
    """A report and the answer that its question later had."""

    report: Report
    yes: bool

    @property
    def right(self) -> bool | None:
        """Whether it leaned to the answer that came; None where it leaned nowhere."""
        if self.report.a == self.report.b:
            return None
        return (self.report.a > self.report.b) == self.yes


class Reliabilities:
    """The reliability of every source, as learned from all sources' claims together.

    `grades` overrides what the claims carry; `rho` is the dependence of the copies of one story,
    `shift_sd` the size of the common shift on the logit scale (0 keeps the sources apart).

    Without claims the grade's Beta; one right claim with a negligible u is one success.

    >>> round(Reliabilities([]).of("wire", "B").mean, 6)
    0.8
    >>> right = Claim(Report("n1", "wire", "B", "s1", 0.9, 1e-9, 1e-9), yes=True)
    >>> round(Reliabilities([right], shift_sd=0.0).of("wire", "B").mean, 4)
    0.8182
    """

    def __init__(
        self,
        claims: Sequence[Claim],
        *,
        grades: Mapping[str, str] | None = None,
        rho: float = STORY_RHO,
        shift_sd: float = SHIFT_SD,
    ) -> None:
        self._shift_sd = shift_sd
        self._grades = dict(grades or {})
        for claim in sorted(claims, key=lambda claim: claim.report.key):
            self._grades.setdefault(claim.report.source, claim.report.grade)
        self._claims: dict[str, list[Claim]] = {}
        for claim in claims:
            self._claims.setdefault(claim.report.source, []).append(claim)
        self._discounts = story_discounts(
            [claim.report for claim in claims],
            lambda report: _mean(GRADE_PRIORS[self._grades[report.source]]),
            rho=rho,
        )
        self._evidence = {
            source: self._log_evidence(source, mine) for source, mine in self._claims.items()
        }
        # Summed by name, so that the order of the claims cannot reach the last digit.
        self._factor = -(_FACTOR**2) / 2.0 + sum(
            (self._evidence[source] for source in sorted(self._evidence)),
            start=np.zeros_like(_FACTOR),
        )
        self._posteriors: dict[tuple[str, str], Reliability] = {}

    def of(self, source: str, grade: str = "") -> Reliability:
        """Give a source's reliability under a grade: an item's, or (empty) its own."""
        grade = grade or self._grades.get(source, _UNSTATED)
        if grade not in GRADE_PRIORS:
            raise InvalidInput(f"grade ({grade}): must be one of {', '.join(GRADE_PRIORS)}")
        mine = self._claims.get(source, [])
        key = (source if mine else "", grade)
        if key not in self._posteriors:
            self._posteriors[key] = self._posterior(key[0], grade)
        posterior = self._posteriors[key]
        return Reliability(
            source,
            grade,
            posterior.nodes,
            posterior.weights,
            claims=len(mine),
            effective=sum(self._discounts[claim.report.key] for claim in mine),
            right=sum(claim.right is True for claim in mine),
            wrong=sum(claim.right is False for claim in mine),
        )

    def _posterior(self, source: str, grade: str) -> Reliability:
        nodes, given_factor = self._tables(grade)
        log_factor = self._factor
        likelihood = np.ones_like(nodes)
        if source:
            log_factor = log_factor - self._evidence[source]
            likelihood = self._likelihood(grade, self._claims[source])
        factor = np.exp(log_factor - np.max(log_factor))
        weights = (factor @ given_factor) * likelihood
        return Reliability(source, grade, nodes, weights / np.sum(weights))

    def _log_evidence(self, source: str, claims: Sequence[Claim]) -> NDArray[np.float64]:
        """Give the log integral of the likelihood at each shift."""
        grade = self._grades[source]
        log_evidence: NDArray[np.float64] = np.log(
            self._tables(grade)[1] @ self._likelihood(grade, claims)
        )
        return log_evidence

    def _likelihood(self, grade: str, claims: Sequence[Claim]) -> NDArray[np.float64]:
        """Give the likelihood of claims on a grade's nodes, its peak at 1."""
        nodes, _ = self._tables(grade)
        total = np.zeros_like(nodes)
        for claim in sorted(claims, key=lambda claim: claim.report.key):
            report = claim.report
            side = report.a if claim.yes else report.b
            channel = nodes * side + (1.0 - nodes) * report.u
            total += self._discounts[report.key] * np.log(channel)
        likelihood: NDArray[np.float64] = np.exp(total - np.max(total))
        return likelihood

    def _tables(self, grade: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _tables(*GRADE_PRIORS[grade], self._shift_sd)


def claims_of(
    items: Iterable[Evidence],
    questions: Mapping[str, Question],
    outcomes: Mapping[str, Resolution],
    as_of: dt.datetime,
) -> list[Claim]:
    """Give the reports that had become claims by a moment: their yes-no question had resolved."""
    last_rung: dict[str, Question] = {}
    for question in questions.values():
        if question.ladder:
            last = last_rung.get(question.ladder)
            if last is None or question.closes > last.closes:
                last_rung[question.ladder] = question
    claims = []
    for item in items:
        for effect in item.effects:
            if effect.form != "likelihood":
                continue
            about = questions.get(effect.target) or last_rung.get(effect.target)
            outcome = None if about is None else outcomes.get(about.id)
            if outcome is None or outcome.resolved_at > as_of or outcome.outcome not in _ANSWERS:
                continue
            if item.known_at >= outcome.resolved_at:
                continue
            a, b = float(effect.detail["a"]), float(effect.detail["b"])
            # What is stored for u is of before: a source that knows nothing lies half-way.
            report = Report(
                key=f"{item.key}/{effect.target}",
                source=item.source,
                grade=item.grade,
                story=item.story or item.key,
                a=a,
                b=b,
                u=(a + b) / 2.0,
            )
            claims.append(Claim(report, outcome.outcome == "yes"))
    return sorted(claims, key=lambda claim: claim.report.key)


_ANSWERS = frozenset({"yes", "no"})


def grades_of(items: Iterable[Evidence]) -> dict[str, str]:
    """Give each source's grade: as set last, else as its latest item but an F states."""
    stated: dict[str, str] = {}
    entries = list(items)
    for item in sorted(entries, key=_order):
        if item.stream != STREAM and (item.grade != _UNSTATED or item.source not in stated):
            stated[item.source] = item.grade
    return stated | _set_grades(entries)


def item_grades(items: Iterable[Evidence]) -> dict[str, str]:
    """Give each item's grade by key, as of its recording: no later item regrades an earlier one."""
    entries = list(items)
    grades: dict[str, str] = {}
    stated: dict[str, list[Evidence]] = {}
    for item in sorted(entries, key=_order):
        if item.stream == STREAM:
            continue
        before = stated.setdefault(item.source, [])
        if item.grade != _UNSTATED:
            grades[item.key] = item.grade
            before.append(item)
            continue
        recorded = [other for other in before if (other.seq or 0) <= (item.seq or 0)]
        grades[item.key] = recorded[-1].grade if recorded else item.grade
    by_source = _set_grades(entries)
    return grades | {i.key: by_source[i.source] for i in entries if i.source in by_source}


def _order(item: Evidence) -> tuple[dt.datetime, int, str]:
    return item.known_at, item.seq or 0, item.key


def _set_grades(items: Sequence[Evidence]) -> dict[str, str]:
    """Give what ``sources set`` said last of each source."""
    return {
        effect.target.removeprefix("source/"): str(effect.detail["grade"])
        for item in sorted(items, key=_order)
        if item.stream == STREAM
        for effect in item.effects
        if effect.name == "graded"
    }


def learned(
    items: Iterable[Evidence],
    questions: Mapping[str, Question],
    outcomes: Mapping[str, Resolution],
    as_of: dt.datetime,
) -> Reliabilities:
    """Give every source's reliability as of a moment, from the information available by then.

    `outcomes` are the standing resolutions; what was known later or retracted is left out here.
    """
    standing = without_retracted(known(items, as_of))
    claims = claims_of(standing, questions, outcomes, as_of)
    return Reliabilities(claims, grades=grades_of(standing))


def check_grade(grade: str) -> str:
    """Give a grade in capitals; refuse another word."""
    wanted = grade.strip().upper()
    if wanted not in GRADES:
        msg = f"grade ({grade}): must be one of {', '.join(GRADES)}"
        hint = "A reliable ... E unreliable, F cannot be judged"
        if wanted[:1] in GRADES and wanted[1:] in "123456":
            # Of the Admiralty code's pair the digit grades the item, which its ratio says here.
            hint = f"{wanted[0]}, the letter alone: the digit is in the item's ratio"
        raise InvalidInput(msg, hint=hint)
    return wanted


def _mean(parameters: tuple[float, float]) -> float:
    return parameters[0] / sum(parameters)


@lru_cache(maxsize=32)
def _tables(
    alpha: float, beta: float, shift_sd: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give r on the grid of its own normal score, (K,), and the weights at each shift, (J, K)."""
    from scipy.special import betaincinv, ndtr, polygamma

    # Each tail from its own side: 1 - p has no digits left where p is close to 1.
    tail = ndtr(-np.abs(_OWN))
    nodes = np.where(_OWN < 0.0, betaincinv(alpha, beta, tail), 1.0 - betaincinv(beta, alpha, tail))
    loading = min(0.95, shift_sd / sqrt(float(polygamma(1, alpha) + polygamma(1, beta))))
    spread = sqrt(1.0 - loading**2)
    weights = np.exp(-(((_OWN - loading * _FACTOR[:, None]) / spread) ** 2) / 2.0)
    weights /= np.sum(weights, axis=1, keepdims=True)
    for array in (nodes, weights):
        array.setflags(write=False)
    return nodes, weights
