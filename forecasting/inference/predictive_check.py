"""The model half of the gate: whether a model fits the class of cases it learned from.

A sampler can be perfect and the model wrong. The verdict here is printed beside the
probability; it never withholds it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput

# Below this many cases a share inside an interval is noise.
LEAST_CASES = 5
SURPRISE = 0.05


@dataclass(frozen=True, slots=True)
class CountCheck:
    """An observed count (of ``ended within 1 d``) beside its 95 % posterior predictive interval."""

    label: str
    observed: float
    lower: float
    upper: float

    @property
    def inside(self) -> bool:
        """Whether the observed count lies in its interval."""
        return self.lower <= self.observed <= self.upper


@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """How the observed cases lie within the model's own predictions for them.

    Of `n` cases the shares inside the central 50 % and 90 % predictive intervals, and counts.
    """

    family: str
    n: int
    inside_50: float
    inside_90: float
    counts: tuple[CountCheck, ...] = ()


def interval_shares(lower: ArrayLike, upper: ArrayLike) -> tuple[float, float]:
    """Return the shares of cases inside the central 50 % and 90 % predictive intervals.

    A case known exactly has ``lower == upper``, its predictive probability F(t). A case known
    only to lie between two times is spread evenly over [F(L), F(R)] and counts in part
    (Czado, Gneiting, Held 2009, the non-randomised PIT, doi:10.1111/j.1541-0420.2009.01191.x).

    `lower, upper` (n,): predictive probabilities of the two ends of each case; NaN without a case.

    >>> interval_shares([0.5, 0.1, 0.0], [0.5, 0.1, 0.5])
    (0.5, 0.9666666666666667)
    """
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if low.shape != high.shape or low.ndim != 1:
        raise InvalidInput(f"lower and upper must both be (n,), got {low.shape} and {high.shape}.")
    if low.size == 0:
        return float("nan"), float("nan")
    shares = []
    for level in (0.5, 0.9):
        start, stop = (1 - level) / 2, (1 + level) / 2
        overlap = np.clip(np.minimum(high, stop) - np.maximum(low, start), 0.0, None)
        width = high - low
        point = (low >= start) & (low <= stop)
        inside = np.where(width > 0, overlap / np.where(width > 0, width, 1.0), point)
        shares.append(float(inside.mean()))
    return shares[0], shares[1]


def verdict(check: PredictiveCheck) -> str:
    """Say in one line whether a model fits its own class; a remark, never a refusal.

    The number inside each interval is held against Binomial(n, level); a two-sided probability
    below .05, or a count outside its 95 % predictive interval, is called a misfit.

    >>> verdict(PredictiveCheck("survival", 10, 0.5, 0.9))
    'fits its own class: 50 % of 10 inside its 50 % interval, 90 % inside its 90 %'
    >>> verdict(PredictiveCheck("survival", 3, 0.0, 0.0))
    'too few cases to tell whether it fits its own class (3)'
    """
    missed = [count for count in check.counts if not count.inside]
    shares = (
        (
            f"{check.inside_50:.0%} of {check.n} inside its 50 % interval, "
            f"{check.inside_90:.0%} inside its 90 %"
        )
        .replace("%", " %")
        .replace("  %", " %")
    )
    if check.n < LEAST_CASES:
        if not missed:
            return f"too few cases to tell whether it fits its own class ({check.n})"
        return f"does not fit its own class: {_counts(missed)}"
    surprising = any(
        _two_sided(round(share * check.n), check.n, level) < SURPRISE
        for share, level in ((check.inside_50, 0.5), (check.inside_90, 0.9))
    )
    if not surprising and not missed:
        return f"fits its own class: {shares}"
    remarks = "; ".join(part for part in (shares, _counts(missed)) if part)
    return f"does not fit its own class: {remarks}"


def _counts(missed: list[CountCheck]) -> str:
    return "; ".join(
        f"{count.label}: {count.observed:g} where it expects {count.lower:g} to {count.upper:g}"
        for count in missed
    )


def _two_sided(observed: int, n: int, level: float) -> float:
    """Return the exact two-sided binomial probability, by the smaller tail doubled."""
    from scipy.special import bdtr, bdtrc  # scipy.stats takes a second to import

    above = bdtrc(observed - 1, n, level) if observed > 0 else 1.0
    tail = min(bdtr(observed, n, level), above)
    return float(min(1.0, 2.0 * tail))
