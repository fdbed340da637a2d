"""What the past says of each forecaster: a slope from resolved questions, and a habit.

Both are shrunk towards the forecasters' common values, by amounts learned from the spread between
them, so that a person without a record is the common forecaster.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.pooling.events import Events, ends_of_instants
from forecasting.pooling.members import probability

# Spread between forecasters before any record: log-odds of bias, slope.
SPREADS = (0.3, 0.3)
# As many forecasters as that prior counts for.
SPREAD_WEIGHT = 20.0
ROUNDS = 8
# Questions that a habit is drawn to the common one by, at least and at most.
LEAST, MOST = 5.0, 1e3


@dataclass(frozen=True, slots=True)
class Records:
    """Each forecaster's shrunk record, shape (J + 1,); the last row, 0, is a stranger's.

    `bias` and `slope` are of logit P(yes) = a + b logit p, beside the common ones; `apart` is the
    mean distance in log-odds from the others in force; `questions` were resolved.
    """

    bias: FloatArray
    slope: FloatArray
    apart: FloatArray
    questions: FloatArray


@dataclass(frozen=True, slots=True)
class Company:
    """The others in force when each forecast was made: their number and mean log-odds (0: none)."""

    number: FloatArray
    mean: FloatArray


def company(events: Events) -> Company:
    """Find what the others said at each forecast's moment; of one instant all count."""
    x = events.log_odds
    fresh = (events.previous < 0).astype(np.float64)
    change = x - np.where(fresh, 0.0, x[events.previous])
    end = ends_of_instants(events)
    others = _so_far(fresh, events)[end] - 1
    total = _so_far(change, events)[end] - x
    return Company(others, np.where(others > 0, total / np.maximum(others, 1), 0.0))


def _so_far(step: FloatArray, events: Events) -> FloatArray:
    """Sum the steps of each question up to each event."""
    running = np.cumsum(step)
    start = events.first[events.question]
    summed: FloatArray = running - running[start] + step[start]
    return summed


def records(events: Events, others: Company, by: float) -> Records:
    """Work out the records as they stood at time `by`: from what was known by then."""
    people = len(events.forecasters)
    issued = events.time <= by
    known = issued & (events.resolved_at[events.question] <= by)
    known &= ~np.isnan(events.outcome[events.question])
    who, x = events.forecaster[known], events.log_odds[known]
    y = events.outcome[events.question[known]]
    share = _shares(events, known)
    n = np.bincount(who, weights=share, minlength=people)
    common = _common(x, y, share / np.sqrt(np.maximum(n[who], 1.0)))
    own = _own(x, y, share, who, people, common) - common

    met = issued & (others.number > 0)
    distance = np.abs(events.log_odds - others.mean)[met]
    apart = _shrunk_mean(distance, _shares(events, met), events.forecaster[met], people)
    return Records(*(np.append(each, 0.0) for each in (*own.T, apart, n)))


def _shares(events: Events, rows: NDArray[np.bool_]) -> FloatArray:
    """Weights that sum to 1 over one person's forecasts on one question."""
    pair = events.question[rows] * max(len(events.forecasters), 1) + events.forecaster[rows]
    _, place, size = np.unique(pair, return_inverse=True, return_counts=True)
    shares: FloatArray = 1.0 / size[place]
    return shares


def _common(x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Intercept and slope of all, held to (0, 1) by the weight of some ten questions."""
    design, b = np.column_stack([np.ones(len(x)), x]), np.array([0.0, 1.0])
    precision = np.eye(2) / 0.3**2
    for _ in range(ROUNDS):
        p = probability(design @ b)
        slope = design.T @ (weight * (y - p)) - precision @ (b - (0.0, 1.0))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + precision
        b = b + np.clip(np.linalg.solve(hessian, slope), -1, 1)
    return b


def _own(
    x: FloatArray, y: FloatArray, weight: FloatArray, who: IntArray, people: int, common: FloatArray
) -> FloatArray:
    """Each person's intercept and slope by empirical Bayes: Laplace steps, variances by EM."""
    variance = np.square(SPREADS)
    prior_variance = variance.copy()
    b = np.tile(common, (people, 1))
    seen = np.bincount(who, minlength=people) > 0

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(who, weights=values, minlength=people)

    for _ in range(ROUNDS):
        p = probability(b[who, 0] + x * b[who, 1])
        error, curve = weight * (y - p), weight * p * (1 - p)
        g0 = total(error) - (b[:, 0] - common[0]) / variance[0]
        g1 = total(error * x) - (b[:, 1] - common[1]) / variance[1]
        h00, h11 = total(curve) + 1 / variance[0], total(curve * x * x) + 1 / variance[1]
        h01 = total(curve * x)
        det = h00 * h11 - h01**2
        b[:, 0] += np.clip((h11 * g0 - h01 * g1) / det, -1, 1)
        b[:, 1] += np.clip((h00 * g1 - h01 * g0) / det, -1, 1)
        about = np.column_stack([h11 / det, h00 / det]) + (b - common) ** 2
        variance = (SPREAD_WEIGHT * prior_variance + about[seen].sum(axis=0)) / (
            SPREAD_WEIGHT + seen.sum()
        )
    b[~seen] = common
    return b


def _shrunk_mean(values: FloatArray, weight: FloatArray, who: IntArray, people: int) -> FloatArray:
    """Each person's mean beside the common one, drawn to it by variance components."""
    n = np.bincount(who, weights=weight, minlength=people)
    total = np.bincount(who, weights=weight * values, minlength=people)
    seen = n > 0
    if not seen.any():
        return np.zeros(people)
    say = np.sqrt(np.maximum(n, 1e-12))
    # Some ten invisible questions of no distance steady the common mean.
    common = float((total[seen] / say[seen]).sum() / (say[seen].sum() + 3.0))
    mean = np.where(seen, total / np.maximum(n, 1e-12), common)
    free = max(float(n.sum() - seen.sum()), 1.0)
    within = float((weight * (values - mean[who]) ** 2).sum()) / free
    much = n > 2
    between = 0.0
    if much.sum() > 2:
        between = float(np.mean((mean[much] - common) ** 2 - within / n[much]))
    strength = float(np.clip(within / between if between > 0 else MOST, LEAST, MOST))
    return np.where(seen, (total - n * common) / (n + strength), 0.0)
