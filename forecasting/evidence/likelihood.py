"""Reports into log-odds: source reliability integrated out, copies of one story discounted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

#: Admiralty grades as Beta priors on reliability: a judgement, exposed as configuration.
GRADE_PRIORS: Mapping[str, tuple[float, float]] = {
    "A": (19.0, 1.0),
    "B": (8.0, 2.0),
    "C": (6.0, 4.0),
    "D": (4.0, 6.0),
    "E": (2.0, 8.0),
    "F": (1.0, 1.0),
}
#: Dependence of reports that rewrite one story.
STORY_RHO = 0.9


@dataclass(frozen=True, slots=True)
class Report:
    """One report: its probability `a` if yes, `b` if no, `u` if the source knows nothing."""

    key: str
    source: str
    grade: str
    story: str
    a: float
    b: float
    u: float


def likelihood_ratio(a: float, b: float, u: float, reliability: ArrayLike) -> NDArray[np.float64]:
    """Give LR(r) = (r a + (1 - r) u) / (r b + (1 - r) u), the binary channel of a doubted source.

    Examples
    --------
    >>> [round(float(x), 3) for x in likelihood_ratio(0.6, 0.2, 0.4, [1.0, 0.8, 0.5, 0.2, 0.0])]
    [3.0, 2.333, 1.667, 1.222, 1.0]
    """
    r = np.asarray(reliability, dtype=float)
    ratio: NDArray[np.float64] = (r * a + (1 - r) * u) / (r * b + (1 - r) * u)
    return ratio


def story_discount(log_ratios: ArrayLike, rho: float = STORY_RHO) -> float:
    """Give the factor on each log ratio of one story: 1 / (1 + (m* - 1) rho).

    m* = (sum |l|)^2 / sum l^2 counts the items that say something, so that an uninformative item
    changes nothing and m equal items count m / (1 + (m - 1) rho) times one.

    Examples
    --------
    >>> story_discount([log(2)] * 5, rho=1.0), story_discount([log(2), 0.0], rho=0.9)
    (0.2, 1.0)
    """
    size = np.abs(np.asarray(log_ratios, dtype=float))
    total = float(np.sum(size**2))
    if total == 0.0:
        return 1.0
    effective = float(np.sum(size)) ** 2 / total
    return 1.0 / (1.0 + (effective - 1.0) * rho)


def log_odds_by_source(
    reports: Sequence[Report],
    *,
    grade_priors: Mapping[str, tuple[float, float]] = GRADE_PRIORS,
    rho: float = STORY_RHO,
) -> dict[str, float]:
    r"""Give what each source's reports add to the log-odds, reliability integrated out.

    .. math:: \log \frac{E_r \prod_i (r a_i + (1 - r) u_i)^{d_i}}
              {E_r \prod_i (r b_i + (1 - r) u_i)^{d_i}}

    with r ~ Beta(grade), one r per source, and d_i the discount of report i's story (computed at
    the sources' mean reliabilities).

    Raises
    ------
    InvalidInput
        A likelihood outside (0, ...) or an unknown grade.

    Examples
    --------
    >>> one = Report("n1", "wire", "B", "s1", 0.6, 0.2, 0.4)
    >>> round(log_odds_by_source([one])["wire"], 4)
    0.8473
    """
    from scipy.special import logsumexp, roots_jacobi

    for report in reports:
        if min(report.a, report.b, report.u) <= 0.0 or report.grade not in grade_priors:
            numbers = f"{report.a}/{report.b}, {report.grade}"
            msg = f"report {report.key} ({numbers}): needs likelihoods above 0 and a grade A-F"
            raise InvalidInput(msg)
    discounts = _discounts(reports, grade_priors, rho)
    totals: dict[str, float] = {}
    for source in sorted({report.source for report in reports}):
        mine = [report for report in reports if report.source == source]
        alpha, beta = grade_priors[min(report.grade for report in mine)]
        nodes, weights = roots_jacobi(64, beta - 1.0, alpha - 1.0)
        r = (nodes + 1.0) / 2.0
        log_weight = np.log(weights) - logsumexp(np.log(weights))
        sides = []
        for side in ("a", "b"):
            terms = [
                discounts[report.key] * np.log(r * getattr(report, side) + (1 - r) * report.u)
                for report in mine
            ]
            sides.append(float(logsumexp(log_weight + np.sum(terms, axis=0))))
        totals[source] = sides[0] - sides[1]
    return totals


def total_log_odds(
    reports: Sequence[Report],
    *,
    grade_priors: Mapping[str, tuple[float, float]] = GRADE_PRIORS,
    rho: float = STORY_RHO,
) -> float:
    """Give what all reports together add to the log-odds; no reports add 0."""
    return float(sum(log_odds_by_source(reports, grade_priors=grade_priors, rho=rho).values()))


def shift_probability(probability: ArrayLike, log_odds: float) -> NDArray[np.float64]:
    """Move probabilities by an amount in log-odds; 0 and 1 stay where they are.

    Examples
    --------
    >>> round(float(shift_probability(0.3, log(5 / 3))), 4)
    0.4167
    """
    p = np.asarray(probability, dtype=float)
    grown = p * np.exp(log_odds)
    moved: NDArray[np.float64] = grown / (grown + (1.0 - p))
    return moved


def _discounts(
    reports: Sequence[Report], grade_priors: Mapping[str, tuple[float, float]], rho: float
) -> dict[str, float]:
    stories: dict[str, list[Report]] = {}
    for report in reports:
        stories.setdefault(report.story or report.key, []).append(report)
    discounts = {}
    for members in stories.values():
        log_ratios = []
        for report in members:
            alpha, beta = grade_priors[report.grade]
            mean = alpha / (alpha + beta)
            log_ratios.append(log(float(likelihood_ratio(report.a, report.b, report.u, mean))))
        factor = story_discount(log_ratios, rho)
        discounts.update({report.key: factor for report in members})
    return discounts
