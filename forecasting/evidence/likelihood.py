"""A report and its source: how far it is believed, the grades, and stories reported twice.

Items of one story share its name. ``EVENT/SOURCING`` is the finer form: items with the same event
and another sourcing differ from rewrites of one wire story, so ``summit/reuters`` twice
counts as copies (dependence .9), ``summit/reuters`` and ``summit/own-reporter`` as one event
sourced twice (dependence .5), and another event as independent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Admiralty grades as Beta priors on reliability: a judgement, exposed as configuration.
GRADE_PRIORS: Mapping[str, tuple[float, float]] = {
    "A": (19.0, 1.0),
    "B": (8.0, 2.0),
    "C": (6.0, 4.0),
    "D": (4.0, 6.0),
    "E": (2.0, 8.0),
    "F": (1.0, 1.0),
}
#: Dependence of reports that rewrite one story: a judgement, exposed as configuration.
STORY_RHO = 0.9
#: Dependence of reports of one event that were sourced apart.
EVENT_RHO = 0.5


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


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What is believed of one source's reliability: weights on rising nodes in [0, 1], shape (K,).

    Its prior came from the Admiralty `grade`. Of its reports, `claims` were on questions that have
    resolved; they count `effective` once copies of one story are discounted; `right` of them leaned
    to the answer that came, `wrong` to the other.
    """

    source: str
    grade: str
    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]
    claims: int = 0
    effective: float = 0.0
    right: int = 0
    wrong: int = 0

    @property
    def mean(self) -> float:
        """The expected reliability."""
        return float(self.nodes @ self.weights)

    def quantile(self, level: float) -> float:
        """Give the reliability that lies above this one with probability 1 - `level`."""
        between = (self.nodes[1:] + self.nodes[:-1]) / 2.0
        return float(np.interp(level, np.cumsum(self.weights)[:-1], between))


def likelihood_ratio(a: float, b: float, u: float, reliability: ArrayLike) -> NDArray[np.float64]:
    """Give LR(r) = (r a + (1 - r) u) / (r b + (1 - r) u), the binary channel of a doubted source.

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

    >>> story_discount([log(2)] * 5, rho=1.0), story_discount([log(2), 0.0], rho=0.9)
    (0.2, 1.0)
    """
    size = np.abs(np.asarray(log_ratios, dtype=float))
    total = float(np.sum(size**2))
    if total == 0.0:
        return 1.0
    effective = float(np.sum(size)) ** 2 / total
    return 1.0 / (1.0 + (effective - 1.0) * rho)


def story_discounts(
    reports: Sequence[Report], mean: Callable[[Report], float], *, rho: float = STORY_RHO
) -> dict[str, float]:
    """Give the discount of each report, by key: copies within a story, then stories of one event.

    Sizes are compared at `mean`, the mean reliability of a report's source.

    >>> three = [Report(k, k, "A", s, 2.0, 1.0, 1.5) for k, s in zip("abc", ("e/x", "e/x", "e/y"))]
    >>> {key: round(d, 3) for key, d in story_discounts(three, lambda report: 1.0).items()}
    {'a': 0.351, 'b': 0.351, 'c': 0.667}
    """
    events: dict[str, dict[str, list[Report]]] = {}
    for report in reports:
        story = report.story or report.key
        event = story.partition("/")[0]
        events.setdefault(event, {}).setdefault(story, []).append(report)
    discounts = {}
    for stories in events.values():
        within, totals = {}, {}
        for story, members in stories.items():
            sizes = [
                log(float(likelihood_ratio(member.a, member.b, member.u, mean(member))))
                for member in members
            ]
            within[story] = story_discount(sizes, rho)
            totals[story] = within[story] * sum(sizes)
        between = story_discount(list(totals.values()), EVENT_RHO)
        for story, members in stories.items():
            discounts.update({member.key: within[story] * between for member in members})
    return discounts


def of_grade(grade: str, source: str = "") -> Reliability:
    """Give a grade's Beta prior on 64 Gauss-Jacobi nodes."""
    from scipy.special import roots_jacobi

    alpha, beta = GRADE_PRIORS[grade]
    nodes, weights = roots_jacobi(64, beta - 1.0, alpha - 1.0)
    return Reliability(source, grade, (nodes + 1.0) / 2.0, weights / np.sum(weights))
