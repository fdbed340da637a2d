"""Two forecasters on the same questions."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.comparison.interval import Interval, difference_interval
from forecasting.scoring import checks

#: Said where only a difference that the score cannot have would be seen.
NONE_DETECTABLE = "So few events could show no difference in this score."


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much better one forecaster scored than another on the questions that they share.

    `difference` is the mean of score_a - score_b: below 0, A is the better; NaN where both are
    infinite. The interval is NaN if none can be given, and `note` then says why. `detectable` is
    the smallest difference that this many events could show (80 % power, 5 % level); NaN where it
    is as large as the scores can be apart.
    """

    difference: float
    lower: float
    upper: float
    level: float
    n_shared: int
    n_clusters: int
    detectable: float
    note: str = ""

    @property
    def reading(self) -> str:
        """The comparison in plain words."""
        basis = f"{_count(self.n_shared, 'shared question')} in {_count(self.n_clusters, 'event')}"
        if math.isnan(self.difference):
            return f"No comparison on {basis}: {self.note}."
        if self.difference == 0:
            size = "A and B score the same on average"
        else:
            better = "A" if self.difference < 0 else "B"
            by = f"{abs(self.difference):.3g}" if abs(self.difference) >= 0.001 else "under 0.001"
            by = "∞" if math.isinf(self.difference) else by
            size = f"{better} scores better by {by} on average"
        if self.note:
            return f"{size}, {basis}; no interval ({self.note})."
        chance = self.lower <= 0 <= self.upper
        verdict = "this may be chance" if chance else "more than chance explains"
        missed = f"With so many events a difference below {self.detectable:.3g} is easily missed."
        if math.isnan(self.detectable):
            missed = NONE_DETECTABLE
        return (
            f"{size}, {basis}; {100 * self.level:g} % interval of A - B {self.lower:.3g} to "
            f"{self.upper:.3g}: {verdict}. {missed}"
        )


def paired_bootstrap(
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    cluster: Iterable[object],
    level: float = 0.95,
    resamples: int = 4999,
    seed: int = 0,
    largest: float = math.inf,
) -> PairedDifference:
    """Mean difference of two scores on the same questions, with an interval over events.

    The unit is a question, never a forecast or a day: give one score a question, of the same
    rule and window for both. The interval is that of
    :func:`forecasting.comparison.difference_interval`, over events. Swapping A and B mirrors it.

    Parameters
    ----------
    score_a, score_b : array_like, shape (n,)
        Scores of A and B on the same n questions in the same order, smaller is better.
    cluster : array_like, shape (n,)
        The event of each question.
    level, resamples, seed
        As for :func:`forecasting.comparison.difference_interval`.
    largest : float
        How far apart two scores of the rule can be; of the half Brier score 1.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, a missing cluster.

    References
    ----------
    M. D. Webb (2023). Reworking wild bootstrap-based inference for clustered errors. Can. J.
    Econ. 56. https://doi.org/10.1111/caje.12661

    Examples
    --------
    >>> a, b = [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.0, 0.2], [0.3, 0.2, 0.4, 0.2, 0.3, 0.4, 0.3, 0.2]
    >>> pair = paired_bootstrap(a, b, cluster=range(8))
    >>> round(pair.difference, 4), pair.n_clusters, pair.lower < -0.1375 < pair.upper
    (-0.1375, 8, True)
    """
    a, b = checks.floats(score_a, "score_a"), checks.floats(score_b, "score_b")
    checks.same_length(a, b, "score_a", "score_b")
    with np.errstate(invalid="ignore"):
        difference = a - b
    both_infinite = np.isnan(difference)
    opposed = np.isposinf(difference).any() and np.isneginf(difference).any()
    if both_infinite.any() or opposed:
        none, events = math.nan, int(checks.clusters(cluster).max()) + 1
        note = "A and B both have infinite scores"
        interval = Interval(none, none, none, level, len(a), events, none, none, note)
    else:
        interval = difference_interval(
            difference, cluster, level=level, resamples=resamples, seed=seed
        )
    return PairedDifference(
        difference=interval.mean,
        lower=interval.lower,
        upper=interval.upper,
        level=interval.level,
        n_shared=interval.n,
        n_clusters=interval.n_clusters,
        detectable=math.nan if interval.detectable >= largest else interval.detectable,
        note=interval.note,
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
