"""Two forecasters compared after every step, as often as one likes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks, timeline

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Sequential:
    """How the comparison of two forecasters stood after each of n steps.

    `difference` is the mean of score_a - score_b so far: below 0, A is the better; `lower` and
    `upper` are a confidence sequence for it, valid at all steps together. `e_a` (`e_b`) is evidence
    that A (B) is the better, against the claim that so far it was not: at `1/alpha` and above, the
    claim falls at level `alpha`, whenever one stops.
    """

    difference: FloatArray
    lower: FloatArray
    upper: FloatArray
    e_a: FloatArray
    e_b: FloatArray
    alpha: float

    @property
    def reading(self) -> str:
        """The last step in plain words."""
        low, high = float(self.lower[-1]), float(self.upper[-1])
        steps = len(self.lower)
        basis = (
            f"After {steps} step{'' if steps == 1 else 's'}, the {100 * (1 - self.alpha):g} % "
            f"confidence sequence for A - B runs from {low:.3g} to {high:.3g}"
        )
        if low <= 0 <= high:
            return f"{basis}: neither is shown to be better; look again after any step."
        better = "A" if high < 0 else "B"
        return (
            f"{basis}: {better} scored better on these questions, however often this was looked "
            "at; it says nothing of other questions."
        )


def sequential(
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    alpha: float = 0.05,
    bounds: tuple[float, float] = (-1, 1),
    v_opt: float = 100,
) -> Sequential:
    r"""Confidence sequence and e-processes for the mean difference of two scores.

    With :math:`\delta_i` = score_a - score_b, :math:`c` the width of `bounds`,
    :math:`V_t = \sum_{i \le t} (\delta_i - \bar\delta_{i-1})^2` (:math:`\bar\delta_0 = 0`), and
    :math:`m` the gamma-exponential mixture with
    :math:`\rho = v_{opt} / (2 \ln\frac1\alpha + \ln(1 + 2 \ln\frac1\alpha))`,

    .. math:: \bar\delta_t \pm S_t / t, \quad m(S_t, \max(1, V_t)) = 2/\alpha; \qquad
              e_t = m(\mp \textstyle\sum_{i \le t} \delta_i, V_t).

    The sequence holds the running mean of the expected differences at every step with probability
    1 - alpha, without independence or a model of the questions. It is about the questions asked,
    not about a wider population. It moves with them, so it is not intersected over time.

    Order is everything: the steps must be in an order fixed before any outcome was known, see
    :func:`sequential_steps`. In order of resolution, equal forecasters differ "surely" as soon
    as one answer tends to come early. Only bounded scores have this guarantee (Brier, spherical;
    not log). Swapping A and B mirrors the result.

    Parameters
    ----------
    score_a, score_b : array_like, shape (n,)
        Scores of A and B, one a step, smaller is better.
    alpha : float
        Level, strictly between 0 and 1, of the sequence; the mixture is tuned to it too.
    bounds : (float, float)
        What a difference cannot go beyond, one below 0 and one above: (-1, 1) for half Brier
        scores, (-2, 2) for full ones.
    v_opt : float
        The :math:`V_t`, above 0, at which the sequence is tightest.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, a difference beyond the bounds, other bounds,
        alpha or v_opt.

    References
    ----------
    Y. J. Choe, A. Ramdas (2023). Comparing sequential forecasters. Operations Research.
    https://arxiv.org/abs/2110.00115

    Examples
    --------
    >>> a, b = [0.04] * 60, [0.36] * 60
    >>> result = sequential(a, b)
    >>> [float(at_last[-1]) for at_last in (result.upper, result.e_a, result.e_b)]
    [-0.0876, 307.41, 0.3777]
    >>> sequential(a[:2], b[:2]).reading
    'After 2 steps, the 95 % confidence sequence for A - B runs from -1 to 1: neither is shown to
    be better; look again after any step.'
    """
    checks.between(alpha, 0, 1, "alpha")
    low, high = _bounds(bounds)
    if not 0 < v_opt < math.inf:
        raise InvalidInput(f"v_opt ({v_opt}): must be above 0 and finite")
    a, b = checks.floats(score_a, "score_a"), checks.floats(score_b, "score_b")
    checks.same_length(a, b, "score_a", "score_b")
    with np.errstate(invalid="ignore"):
        difference = a - b
    outside = ~((low <= difference) & (difference <= high))
    if outside.any():
        step = int(np.argmax(outside))
        message = f"score_a - score_b ({difference[step]} at {step}): must lie in [{low}, {high}]"
        raise InvalidInput(message, hint="bounds=(-2, 2) for full Brier scores; log has no bounds")
    count = np.arange(1, len(difference) + 1)
    total = np.cumsum(difference)
    mean = total / count
    expected = np.concatenate([[0.0], mean[:-1]])
    variance = np.cumsum((difference - expected) ** 2)
    rho, scale = prior_scale(alpha, v_opt), high - low
    reach = radius(np.maximum(variance, 1), alpha=alpha / 2, rho=rho, scale=scale) / count
    with np.errstate(over="ignore"):
        for_a = np.exp(log_mixture(-total, variance, rho=rho, scale=scale))
        for_b = np.exp(log_mixture(total, variance, rho=rho, scale=scale))
    return Sequential(
        difference=mean,
        lower=np.maximum(mean - reach, low),
        upper=np.minimum(mean + reach, high),
        e_a=for_a,
        e_b=for_b,
        alpha=alpha,
    )


def _bounds(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = float(bounds[0]), float(bounds[1])
    if not -math.inf < low < 0 < high < math.inf:
        raise InvalidInput(f"bounds ({bounds}): must be finite, one below 0 and one above")
    return low, high


@dataclass(frozen=True, slots=True)
class Steps:
    """Questions as steps of a comparison, in an order that no outcome could alter.

    Of each step (m,): its event, mean scores over the event's questions, for :func:`sequential`,
    and their number. `waiting` questions have a score that has not entered yet; `held_by` is the
    event that is past its close but lacks an answer, and holds up those after it.
    """

    cluster: NDArray[np.object_]
    score_a: FloatArray
    score_b: FloatArray
    n_questions: IntArray
    waiting: int
    held_by: object = None


def sequential_steps(
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    scheduled_close: "ArrayLike | pd.Series[Any]",
    cluster: Iterable[object],
    as_of: float | datetime,
) -> Steps:
    """Turn scored questions into steps: one an event, at its latest scheduled close.

    A question resolved early waits for its scheduled close, and an event for its last question:
    order and steps are then known before any outcome. An event that is past its close and still
    without an answer holds up all later ones, since leaving it out would let slow answers choose
    the order. Events that close together go by their names.

    Parameters
    ----------
    score_a, score_b : array_like, shape (n,)
        Scores of A and B on n questions, smaller is better; NaN in both: not resolved. Questions
        that were annulled are left out by the caller.
    scheduled_close : array_like, shape (n,)
        When each was to close, as published: numbers, or datetimes with their time zone.
    cluster : iterable, length n
        The event of each question.
    as_of : float or datetime
        The moment of looking, in the units of `scheduled_close`.

    Returns
    -------
    Steps
        In order; without any step where nothing has closed yet.

    Raises
    ------
    InvalidInput
        On lengths that differ, empty input, a score missing for one of the two only, naive
        times, a missing cluster.

    Examples
    --------
    The truce closes on day 9 with its second question; the summit, known early, waits for day 20.

    >>> steps = sequential_steps(
    ...     [0.1, 0.3, 0.0], [0.2, 0.4, 0.5], scheduled_close=[5, 9, 20],
    ...     cluster=["truce", "truce", "summit"], as_of=10,
    ... )
    >>> steps.cluster.tolist(), steps.score_a.round(2).tolist(), steps.waiting
    (['truce'], [0.2], 1)
    """
    names = list(cluster)
    code = checks.clusters(names)
    a, b = _scores(score_a, "score_a", len(code)), _scores(score_b, "score_b", len(code))
    open_a, open_b = np.isnan(a), np.isnan(b)
    if np.any(open_a != open_b):
        row = int(np.argmax(open_a != open_b))
        message = f"score_a and score_b ({a[row]} and {b[row]} at {row}): both or neither is NaN"
        raise InvalidInput(message, hint="compare on the questions that both forecast")
    closes, now = _moments(scheduled_close, as_of, len(code))
    groups = int(code.max()) + 1
    size = np.bincount(code, minlength=groups)
    last = np.full(groups, -np.inf)
    np.maximum.at(last, code, closes)
    label = np.empty(groups, dtype=object)
    for index, name in zip(code.tolist(), names, strict=True):
        label[index] = name
    order = np.array(sorted(range(groups), key=lambda group: (last[group], str(label[group]))))
    due = order[last[order] <= now]
    unanswered = np.bincount(code, weights=open_a, minlength=groups)[due] > 0
    entered = due[: int(np.argmax(unanswered))] if unanswered.any() else due
    means = [
        np.bincount(code, weights=np.where(open_a, 0.0, score), minlength=groups) / size
        for score in (a, b)
    ]
    return Steps(
        cluster=label[entered],
        score_a=means[0][entered],
        score_b=means[1][entered],
        n_questions=size[entered],
        waiting=int((~open_a).sum() - size[entered].sum()),
        held_by=label[due[len(entered)]] if len(entered) < len(due) else None,
    )


def _scores(values: ArrayLike, name: str, n: int) -> FloatArray:
    array = np.asarray(values)
    scores = array.astype(np.float64) if array.dtype.kind in "biuf" else np.empty(0)
    if scores.shape != (n,):
        message = f"{name} (shape {array.shape}, {array.dtype}): must be {n} numbers, one a cluster"
        raise InvalidInput(message)
    return scores


def _moments(closes: Any, as_of: float | datetime, n: int) -> tuple[FloatArray, float]:
    import pandas as pd

    column = pd.Series(closes) if not isinstance(closes, pd.Series) else closes
    if column.empty:
        raise InvalidInput(f"scheduled_close (empty): must be one for each of {n} questions")
    if column.dtype.kind in "biuf":
        times, now = checks.floats(column.to_numpy(), "scheduled_close"), as_of
    else:
        times = timeline.instants(column, "scheduled_close").astype(np.float64)
        now = float(timeline.instants(pd.Series([as_of]), "as_of")[0])
    if times.shape != (n,):
        message = f"scheduled_close (shape {times.shape}): must be one for each of {n} questions"
        raise InvalidInput(message)
    if isinstance(now, datetime) or not math.isfinite(now):
        message = f"as_of ({as_of!r}): must be a finite time in the units of scheduled_close"
        raise InvalidInput(message)
    return times, float(now)


# Below this share the incomplete gamma function loses digits, and then underflows.
_SMALL_SHARE = 1e-250


def prior_scale(alpha: float, v_opt: float) -> float:
    """Mixing parameter that makes the bound tightest at variance `v_opt` for one-sided `alpha`."""
    log_odds = 2 * math.log(1 / alpha)
    return v_opt / (log_odds + math.log1p(log_odds))


def log_mixture(
    deviation: FloatArray, variance: FloatArray, *, rho: float, scale: float
) -> FloatArray:
    r"""Log of the mixture supermartingale at sums of deviations s and their intrinsic time v.

    With :math:`\tilde\rho = \rho/c^2`, :math:`a = (v + \rho)/c^2`, :math:`w = (cs + v + \rho)/c^2`,

    .. math:: m(s, v) = \frac{\tilde\rho^{\tilde\rho}}{\Gamma(\tilde\rho) P(\tilde\rho, \tilde\rho)}
              \, e^{(cs + v)/c^2} \, \frac{\Gamma(a) P(a, w)}{w^a}.

    For :math:`w \le 0` the fraction's value at 0 is an upper bound, as m rises with s. Howard et
    al. 2021 (doi:10.1214/20-AOS1991).
    """
    from scipy.special import gammainc, gammaln

    ratio = rho / scale**2
    norm = ratio * math.log(ratio) - gammaln(ratio) - math.log(gammainc(ratio, ratio))
    shape = (variance + rho) / scale**2
    rate = np.maximum((scale * deviation + variance + rho) / scale**2, 0.0)
    mixed: FloatArray = norm + _log_integral(shape, rate) + rate - ratio
    return mixed


def _log_integral(shape: FloatArray, rate: FloatArray) -> FloatArray:
    """Log of the integral of t^(shape - 1) exp(-rate t) over [0, 1]."""
    from scipy.special import gammainc, gammaln

    share = gammainc(shape, rate)
    plain = share > _SMALL_SHARE
    with np.errstate(divide="ignore", invalid="ignore"):
        log_integral = gammaln(shape) + np.log(share) - shape * np.log(rate)
    # There exp(-rate) / shape times 1 + rate/(shape + 1) + ..., whose ratios all stay below 1.
    a, w = shape[~plain], rate[~plain]
    term, total, step = np.ones_like(a), np.ones_like(a), 0
    while np.any(term > 1e-17 * total):
        step += 1
        term = term * w / (a + step)
        total = total + term
    log_integral[~plain] = np.log(total) - w - np.log(a)
    return log_integral


def radius(variance: FloatArray, *, alpha: float, rho: float, scale: float) -> FloatArray:
    """Give the deviation at which the mixture reaches 1 / alpha: never exceeded, with 1 - alpha."""
    from scipy.optimize import elementwise

    target = math.log(1 / alpha)

    def excess(deviation: FloatArray, at: FloatArray) -> FloatArray:
        return log_mixture(deviation, at, rho=rho, scale=scale) - target

    # From the bound for normal deviations; the mixture is convex and rising, so doubling ends.
    high = np.sqrt(2 * (variance + rho) * (target + np.log1p(variance / rho))) + scale * target
    while np.any(short := excess(high, variance) < 0):
        high[short] *= 2
    root = elementwise.find_root(excess, (np.zeros_like(high), high), args=(variance,))
    return np.asarray(root.x, dtype=np.float64)
