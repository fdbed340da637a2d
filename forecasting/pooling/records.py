"""What resolved questions say of each forecaster: slope, bias, worth beside the crowd, habits.

Everything is shrunk towards the forecasters' common values, by amounts learned from the spread
between them, so that a person without a record is the common forecaster.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pooling.events import Events, ends_of_instants
from forecasting.scoring.checks import FloatArray, IntArray

# Spread between forecasters before any record: log-odds of bias, slope, worth of a departure.
BIAS_SPREAD, SLOPE_SPREAD, WORTH_SPREAD = 0.3, 0.3, 0.3
# As many forecasters as that prior counts for.
SPREAD_WEIGHT = 20.0
ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Records:
    """Each forecaster's shrunk record; the last row is the forecaster nobody knows.

    Attributes
    ----------
    bias, slope : ndarray, shape (J + 1,)
        Of logit P(yes) = a_j + b_j logit p, as departures from the common values.
    worth : ndarray, shape (J + 1,)
        How much of a departure from the others' mean log-odds at that moment came true, as a
        departure from the common share.
    relative : ndarray, shape (J + 1,)
        Brier of the others' pool at that moment minus the forecaster's own: above 0 is better.
    questions : ndarray, shape (J + 1,)
        Resolved questions forecast.
    fine, apart : ndarray, shape (J + 1,)
        Share of forecasts that are no multiple of 5 %, and mean distance in log-odds from the
        others: habits, for which no outcome is needed.
    """

    bias: FloatArray
    slope: FloatArray
    worth: FloatArray
    relative: FloatArray
    questions: FloatArray
    fine: FloatArray
    apart: FloatArray


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
    """Work out the records as they stood at time `by`.

    Parameters
    ----------
    events : Events
    others : Company
    by : float
        Only forecasts issued, and outcomes known, by then count.
    """
    people = len(events.forecasters)
    issued = events.time <= by
    known = issued & (events.resolved_at[events.question] <= by)
    known &= ~np.isnan(events.outcome[events.question])
    who, x = events.forecaster[known], events.log_odds[known]
    y = events.outcome[events.question[known]]
    share = _shares(events, known)
    n = np.bincount(who, weights=share, minlength=people)

    ones = np.ones(len(x))
    common, _ = _common(np.column_stack([ones, x]), y, _capped(share, who, n), [0.0, 1.0])
    own = _shrunk_logistic(
        np.column_stack([ones, x]), np.zeros(len(x)), y, share, who, people, common,
        [BIAS_SPREAD, SLOPE_SPREAD],
    )  # fmt: skip

    met = others.number[known] > 0
    c = others.mean[known][met]
    apart = x[met] - c
    y_met, share_met, who_met = y[met], share[met], who[met]
    capped = _capped(share_met, who_met, n)
    beside, _ = _common(np.column_stack([np.ones(len(c)), c, apart]), y_met, capped, [0, 1, 0.5])
    worth = _shrunk_logistic(
        np.column_stack([np.zeros(len(c)), apart]), beside[0] + beside[1] * c, y_met,
        share_met, who_met, people, np.array([0.0, beside[2]]), [1.0, WORTH_SPREAD],
    )  # fmt: skip
    gain = (_expit(c) - y_met) ** 2 - (_expit(x[met]) - y_met) ** 2
    relative = _shrunk_mean(gain, share_met, who_met, people)

    habit_share = _shares(events, issued)
    twentieths = events.forecast[issued] * 20
    fine = np.abs(twentieths - np.round(twentieths)) > 1e-6
    habit = _shrunk_mean(
        fine.astype(np.float64), habit_share, events.forecaster[issued], people, least=5.0
    )
    accompanied = issued & (others.number > 0)
    distance = np.abs(events.log_odds - others.mean)[accompanied]
    far = _shrunk_mean(
        distance, _shares(events, accompanied), events.forecaster[accompanied], people, least=5.0
    )
    return Records(
        bias=np.append(own[:, 0] - common[0], 0.0),
        slope=np.append(own[:, 1] - common[1], 0.0),
        worth=np.append(worth[:, 1] - beside[2], 0.0),
        relative=relative,
        questions=np.append(n, 0.0),
        fine=habit,
        apart=far,
    )


def _shares(events: Events, kept: NDArray[np.bool_]) -> FloatArray:
    """Weights that sum to 1 over one person's forecasts on one question."""
    pair = events.question[kept] * max(len(events.forecasters), 1) + events.forecaster[kept]
    _, place, size = np.unique(pair, return_inverse=True, return_counts=True)
    shares: FloatArray = 1.0 / size[place]
    return shares


def _capped(share: FloatArray, who: IntArray, n: FloatArray) -> FloatArray:
    """Let a person's say on the common values grow with the root of their record."""
    capped: FloatArray = share / np.sqrt(np.maximum(n[who], 1.0))
    return capped


def _expit(x: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(x), dtype=np.float64)


def _common(
    design: FloatArray, y: FloatArray, weight: FloatArray, prior: list[float] | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Logistic regression of all, held to its prior by the weight of some ten questions."""
    centre = np.asarray(prior, dtype=np.float64)
    b = centre.copy()
    precision = np.eye(len(b)) / 0.3**2
    hessian = precision
    for _ in range(ROUNDS):
        p = _expit(design @ b)
        slope = design.T @ (weight * (y - p)) - precision @ (b - centre)
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + precision
        b = b + np.clip(np.linalg.solve(hessian, slope), -1, 1)
    return b, hessian


def _shrunk_logistic(
    design: FloatArray,
    offset: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    who: IntArray,
    people: int,
    centre: FloatArray,
    spread: list[float],
) -> FloatArray:
    """Each person's two coefficients by empirical Bayes: Laplace steps, variances by EM."""
    variance = np.square(spread)
    prior_variance = variance.copy()
    b = np.tile(centre, (people, 1))
    seen = np.bincount(who, minlength=people) > 0
    d0, d1 = design[:, 0], design[:, 1]
    for _ in range(ROUNDS):
        p = _expit(offset + d0 * b[who, 0] + d1 * b[who, 1])
        error, curve = weight * (y - p), weight * p * (1 - p)

        def total(values: FloatArray) -> FloatArray:
            return np.bincount(who, weights=values, minlength=people)

        g0 = total(error * d0) - (b[:, 0] - centre[0]) / variance[0]
        g1 = total(error * d1) - (b[:, 1] - centre[1]) / variance[1]
        h00 = total(curve * d0 * d0) + 1 / variance[0]
        h11 = total(curve * d1 * d1) + 1 / variance[1]
        h01 = total(curve * d0 * d1)
        det = h00 * h11 - h01**2
        b[:, 0] += np.clip((h11 * g0 - h01 * g1) / det, -1, 1)
        b[:, 1] += np.clip((h00 * g1 - h01 * g0) / det, -1, 1)
        about = np.column_stack([h11 / det, h00 / det]) + (b - centre) ** 2
        variance = (SPREAD_WEIGHT * prior_variance + about[seen].sum(axis=0)) / (
            SPREAD_WEIGHT + seen.sum()
        )
    b[~seen] = centre
    return b


def _shrunk_mean(
    values: FloatArray, weight: FloatArray, who: IntArray, people: int, least: float = 10.0
) -> FloatArray:
    """Each person's mean drawn to the common one (the last row), by variance components."""
    n = np.bincount(who, weights=weight, minlength=people)
    total = np.bincount(who, weights=weight * values, minlength=people)
    seen = n > 0
    # Ten invisible questions of no difference steady the common mean.
    say = np.sqrt(np.maximum(n, 1e-12))
    common = float((total[seen] / say[seen]).sum() / (say[seen].sum() + 3.0)) if seen.any() else 0.0
    mean = np.where(seen, total / np.maximum(n, 1e-12), common)
    free = max(float(n.sum() - seen.sum()), 0.0)
    within = float((weight * (values - mean[who]) ** 2).sum()) / max(free, 1.0)
    much = n > 2
    between = 0.0
    if much.sum() > 2:
        between = float(np.mean((mean[much] - common) ** 2 - within / n[much]))
    strength = within / between if between > 0 else 1e3
    strength = float(np.clip(strength, least, 1e3))
    shrunk = (total + strength * common) / (n + strength)
    return np.append(np.where(seen, shrunk, common), common)
