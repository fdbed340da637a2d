"""One pool of the forecasts in force, by name, with what had resolved by then and no more."""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting import pooling
from forecasting.arrays import FloatArray
from forecasting.domain.pools import METHODS, RENAMED
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

#: Below so many resolved events a fitted pool is the plain one.
LEAST_EVENTS = 20
SHARES = (0.25, 0.5, 0.75)
#: Forecasts of 0 and 1 count as these in the pools of log-odds, so that nobody alone decides.
CLIP = 0.001
# A forecaster's mean relative Brier score is drawn to 0 as by so many questions.
_SHRINK = 10.0
# A forecaster worse by so much has a third of the weight.
_SKILL_SCALE = 0.05
_SPREAD = 0.5
_GROWTH = 1.05


@dataclass(frozen=True, slots=True)
class Crowd:
    """Forecasts of yes in force on one question at one moment, one a forecaster, in one order."""

    question: str
    forecasters: tuple[str, ...]
    forecasts: FloatArray
    issued_at: tuple[dt.datetime, ...]
    at: dt.datetime
    opens: dt.datetime
    closes: dt.datetime


@dataclass(frozen=True, slots=True)
class Solved:
    """A crowd whose question has resolved since, at a percentage of its window."""

    crowd: Crowd
    spot: int
    outcome: float
    event: str
    known_at: dt.datetime

    @property
    def counts_from(self) -> dt.datetime:
        """The scheduled close, or the answer where it came later."""
        # Were early answers learned from at once, they would come in ahead of the others: of
        # questions that all run for a year, a base rate would know of nothing but yeses till then.
        return max(self.known_at, self.crowd.closes)

    @property
    def spots_open(self) -> int:
        """At how many of the spots the question was still open."""
        length = self.crowd.closes - self.crowd.opens
        end = min(self.known_at, self.crowd.closes)
        return sum(self.crowd.opens + share * length < end for share in SHARES)


class Past:
    """The crowds of resolved questions, and the forecasts behind them for the learned pool."""

    def __init__(self, solved: Sequence[Solved], history: "pd.DataFrame") -> None:
        self.solved = sorted(solved, key=lambda item: item.counts_from)
        self._history = history
        self._counts_from = [item.counts_from for item in self.solved]
        self._learned: dict[str, tuple[int, Any]] = {}

    def known(self, at: dt.datetime) -> Sequence[Solved]:
        """Give the crowds whose question was answered and past its close by a moment."""
        return self.solved[: bisect_right(self._counts_from, at)]

    def learned(self, what: str, at: dt.datetime, learn: Callable[[Sequence[Solved]], Any]) -> Any:
        """Learn something from what was known; again only when that has grown by a twentieth."""
        known = self.known(at)
        before = self._learned.get(what)
        if before is None or not before[0] <= len(known) <= before[0] * _GROWTH:
            self._learned[what] = before = (len(known), learn(known))
        return before[1]

    def base_rate(self, at: dt.datetime) -> float:
        """Give (1 + yes) / (2 + n) over the questions answered and closed by a moment."""
        outcomes = {item.crowd.question: item.outcome for item in self.known(at)}
        return float((1 + sum(outcomes.values())) / (2 + len(outcomes)))

    def history(self, at: dt.datetime) -> "pd.DataFrame":
        """Give the forecasts made by a moment on questions answered and closed by it."""
        rows = self._history
        return rows[(rows["counts_from"] <= at) & (rows["issued_at"] <= at)]


def method_of(name: str) -> str:
    """Give a method's name as it is now."""
    method = RENAMED.get(name, name)
    if method not in METHODS:
        raise InvalidInput(f"method ({name}): must be one of {', '.join(METHODS)}")
    return method


def combine(method: str, crowd: Crowd, past: Past) -> float:
    """Pool one crowd by one method.

    ``extremized`` and ``beta-linear`` are fitted to what had resolved by then, by penalised
    likelihood with every event counted once, and are the geometric mean of odds and the linear
    pool below 20 events. ``neyman-roughgarden`` pushes from the base rate so far.
    ``skill-recency`` weighs by exp(-age / window) and by the forecaster's Brier score relative to
    the others' so far, drawn to 0. ``learned`` is :class:`forecasting.pooling.LearnedPool`.
    """
    method, p = method_of(method), crowd.forecasts
    if method == "linear":
        return float(pooling.linear(p))
    if method == "geometric-odds":
        return float(pooling.geometric_odds(p, clip=CLIP))
    if method == "extremized":
        factor = past.learned(method, crowd.at, _factor)
        return float(pooling.extremized(p, factor, clip=CLIP))
    if method == "neyman-roughgarden":
        rate = past.base_rate(crowd.at)
        return float(pooling.neyman_roughgarden(p, base_rate=rate, clip=CLIP))
    if method == "recency-median":
        ages = [moment.timestamp() for moment in crowd.issued_at]
        return float(pooling.recency_median(p, issued_at=ages))
    if method == "beta-linear":
        alpha, beta = past.learned(method, crowd.at, _beta)
        return float(pooling.beta_linear(p, alpha, beta))
    if method == "skill-recency":
        return float(pooling.geometric_odds(p, _weights(crowd, past), clip=CLIP))
    return _learned(crowd, past)


def _event_weights(known: Sequence[Solved]) -> FloatArray | None:
    """Give weights by which each event counts once; None below the least number of events."""
    # A crowd weighs the same whether its question lived to have others or not.
    questions = Counter(event for event, _ in {(item.event, item.crowd.question) for item in known})
    if len(questions) < LEAST_EVENTS:
        return None
    return np.array([1 / (len(SHARES) * questions[item.event]) for item in known])


def _factor(known: Sequence[Solved]) -> float:
    """Fit the factor of the extremised pool: log-odds of the plain pool times it."""
    if (weight := _event_weights(known)) is None:
        return 1.0
    clipped = [np.clip(item.crowd.forecasts, CLIP, 1 - CLIP) for item in known]
    log_odds = np.array([float(np.log(p / (1 - p)).mean()) for p in clipped])
    sign = np.array([1.0 if item.outcome else -1.0 for item in known])
    grid = np.exp(np.linspace(-1.5, 1.5, 61))
    loss = np.logaddexp(0, -sign[:, None] * log_odds[:, None] * grid)
    total = weight @ loss + np.log(grid) ** 2 / (2 * _SPREAD**2)
    return float(grid[int(np.argmin(total))])


def _beta(known: Sequence[Solved]) -> tuple[float, float]:
    """Fit the two parameters of the beta-transformed linear pool."""
    from scipy.optimize import minimize
    from scipy.special import betainc

    weight = _event_weights(known)
    if weight is None:
        return 1.0, 1.0
    mean = np.array([float(item.crowd.forecasts.mean()) for item in known])
    outcome = np.array([item.outcome for item in known])

    def loss(point: FloatArray) -> float:
        alpha, beta = (float(x) for x in np.exp(point))
        chance = np.clip(betainc(alpha, beta, mean), CLIP, 1 - CLIP)
        fit = weight @ np.where(outcome == 1, np.log(chance), np.log1p(-chance))
        return float(point @ point / (2 * _SPREAD**2) - fit)

    fitted = np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3}).x)
    return float(fitted[0]), float(fitted[1])


def _relative(known: Sequence[Solved]) -> dict[str, float]:
    """Give each forecaster's mean Brier score less the others', drawn to 0."""
    total: dict[str, float] = {}
    number: dict[str, float] = {}
    for item in known:
        score = (item.crowd.forecasts - item.outcome) ** 2
        if len(score) < 2:
            continue
        ahead = score - score.mean()
        for name, gap in zip(item.crowd.forecasters, ahead, strict=True):
            total[name] = total.get(name, 0.0) + float(gap) / len(SHARES)
            number[name] = number.get(name, 0.0) + 1 / len(SHARES)
    return {name: total[name] / (number[name] + _SHRINK) for name in total}


def _weights(crowd: Crowd, past: Past) -> FloatArray:
    relative = past.learned("skill-recency", crowd.at, _relative)
    age = np.array([(crowd.at - moment).total_seconds() / 86_400 for moment in crowd.issued_at])
    skill = np.array([relative.get(name, 0.0) for name in crowd.forecasters])
    days = (crowd.closes - crowd.opens) / dt.timedelta(days=1)
    recency = np.minimum(age / max(days, 1e-9), 50.0)
    weights: FloatArray = np.exp(-recency - skill / _SKILL_SCALE)
    return weights


def _learned(crowd: Crowd, past: Past) -> float:
    import pandas as pd

    def learn(_: Sequence[Solved]) -> pooling.LearnedPool:
        return pooling.LearnedPool().fit(past.history(crowd.at), as_of=crowd.at)

    fitted: pooling.LearnedPool = past.learned("learned", crowd.at, learn)
    current = pd.DataFrame(
        {
            "question": crowd.question,
            "forecaster": list(crowd.forecasters),
            "forecast": crowd.forecasts,
            "issued_at": pd.to_datetime(list(crowd.issued_at), utc=True),
        }
    )
    return float(fitted.predict(current).iloc[0])


def rising(pooled: Sequence[float]) -> FloatArray:
    """Give the probabilities, by deadline, that do not fall and lie closest to the pooled ones.

    Least squares: rungs that fall share their mean. Members whose ladders rise, all on every
    rung, pool to one that rises; it falls where they differ from rung to rung.

    >>> rising([0.1, 0.4, 0.2, 0.5]).round(3).tolist()
    [0.1, 0.3, 0.3, 0.5]
    """
    from scipy.optimize import isotonic_regression

    p = np.asarray(pooled, dtype=np.float64)
    return np.asarray(isotonic_regression(p).x, dtype=np.float64) if np.any(np.diff(p) < 0) else p
