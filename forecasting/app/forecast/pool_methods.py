"""One pool of the forecasts in force, by name, with what had resolved by then and no more."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecast import Forecast, model_value
from forecasting.domain.pools import METHODS, RENAMED
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.arrays import FloatArray


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
    """Forecasts of yes in force on one binary question at one moment, one a forecaster.

    Attributes
    ----------
    forecasters, forecasts, issued_at
        Of each member, in one order.
    at
        The moment.
    opens, closes
        The question's scheduled window.
    """

    question: str
    forecasters: tuple[str, ...]
    forecasts: "FloatArray"
    issued_at: tuple[dt.datetime, ...]
    at: dt.datetime
    opens: dt.datetime
    closes: dt.datetime

    @property
    def days(self) -> float:
        """Length of the scheduled window, in days."""
        return (self.closes - self.opens) / dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Solved:
    """A crowd whose question has resolved since, at a percentage of its window."""

    crowd: Crowd
    spot: int
    outcome: float
    event: str
    known_at: dt.datetime


class Past:
    """What had resolved by a moment; everything learned from it is learned at first use.

    Parameters
    ----------
    solved : sequence of Solved
        All crowds of resolved questions, in the order in which the answers became known.
    history : DataFrame
        The forecasts behind them, for the learned pool.
    """

    def __init__(self, solved: Sequence[Solved], history: "pd.DataFrame") -> None:
        self._all = sorted(solved, key=lambda item: item.known_at)
        self._history = history
        self._known_at = [item.known_at for item in self._all]
        self._learned: dict[str, tuple[int, Any]] = {}

    def known(self, at: dt.datetime) -> Sequence[Solved]:
        """Give the crowds whose answer was known by a moment."""
        from bisect import bisect_right

        return self._all[: bisect_right(self._known_at, at)]

    def learned(self, what: str, at: dt.datetime, learn: Callable[[Sequence[Solved]], Any]) -> Any:
        """Learn something from what was known; again only when that has grown by a twentieth."""
        known = self.known(at)
        before = self._learned.get(what)
        if before is None or not before[0] <= len(known) <= before[0] * _GROWTH:
            self._learned[what] = before = (len(known), learn(known))
        return before[1]

    def base_rate(self, at: dt.datetime) -> float:
        """Give (1 + yes) / (2 + n) over the questions resolved by a moment."""
        outcomes = {item.crowd.question: item.outcome for item in self.known(at)}
        return float((1 + sum(outcomes.values())) / (2 + len(outcomes)))

    def history(self, at: dt.datetime) -> "pd.DataFrame":
        """Give the forecasts made by a moment on questions resolved by it."""
        kept = self._history
        return kept[(kept["resolved_at"] <= at) & (kept["issued_at"] <= at)]


def method_of(name: str) -> str:
    """Give a method's name as it is now.

    Raises
    ------
    InvalidInput
        For no method.
    """
    method = RENAMED.get(name, name)
    if method not in METHODS:
        msg = f"method ({name}): must be one of {', '.join(METHODS)}"
        raise InvalidInput(msg)
    return method


def combine(method: str, crowd: Crowd, past: Past) -> float:
    """Pool one crowd by one method.

    ``extremized`` and ``beta-linear`` are fitted to what had resolved by then, by penalised
    likelihood with every event counted once, and are the geometric mean of odds and the linear
    pool below 20 events. ``neyman-roughgarden`` pushes from the base rate so far.
    ``skill-recency`` weighs by exp(-age / window) and by the forecaster's Brier score relative to
    the others' so far, drawn to 0. ``learned`` is :class:`forecasting.pooling.LearnedPool`.

    Raises
    ------
    InvalidInput
        For another method.
    """
    from forecasting import pooling

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
    if method == "trimmed":
        return float(pooling.trimmed(p, drop=1 if len(p) > 2 else 0, clip=CLIP))
    if method == "beta-linear":
        alpha, beta = past.learned(method, crowd.at, _beta)
        return float(pooling.beta_linear(p, alpha, beta))
    if method == "skill-recency":
        return float(pooling.geometric_odds(p, _weights(crowd, past), clip=CLIP))
    return _learned(crowd, past)


def _once_an_event(known: Sequence[Solved]) -> "FloatArray":
    import numpy as np

    count: dict[str, int] = {}
    for item in known:
        count[item.event] = count.get(item.event, 0) + 1
    return np.array([1 / count[item.event] for item in known])


def _events(known: Sequence[Solved]) -> int:
    return len({item.event for item in known})


def _factor(known: Sequence[Solved]) -> float:
    """Fit the factor of the extremised pool: log-odds of the plain pool times it."""
    import numpy as np

    if _events(known) < LEAST_EVENTS:
        return 1.0
    log_odds = np.array([_mean_log_odds(item.crowd.forecasts) for item in known])
    sign = np.array([1.0 if item.outcome else -1.0 for item in known])
    grid = np.exp(np.linspace(-1.5, 1.5, 61))
    loss = np.logaddexp(0, -sign[:, None] * log_odds[:, None] * grid)
    total = _once_an_event(known) @ loss + np.log(grid) ** 2 / (2 * _SPREAD**2)
    return float(grid[int(np.argmin(total))])


def _mean_log_odds(p: "FloatArray") -> float:
    import numpy as np

    clipped = np.clip(p, CLIP, 1 - CLIP)
    return float(np.log(clipped / (1 - clipped)).mean())


def _beta(known: Sequence[Solved]) -> tuple[float, float]:
    """Fit the two parameters of the beta-transformed linear pool."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import betainc

    if _events(known) < LEAST_EVENTS:
        return 1.0, 1.0
    mean = np.array([float(item.crowd.forecasts.mean()) for item in known])
    outcome = np.array([item.outcome for item in known])
    weight = _once_an_event(known)

    def loss(point: "FloatArray") -> float:
        alpha, beta = (float(x) for x in np.exp(point))
        chance = np.clip(betainc(alpha, beta, mean), CLIP, 1 - CLIP)
        fit = weight @ np.where(outcome == 1, np.log(chance), np.log1p(-chance))
        return float(point @ point / (2 * _SPREAD**2) - fit)

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3})
    fitted = np.exp(found.x)
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


def _weights(crowd: Crowd, past: Past) -> "FloatArray":
    import numpy as np

    relative = past.learned("skill-recency", crowd.at, _relative)
    age = np.array([(crowd.at - moment).total_seconds() / 86_400 for moment in crowd.issued_at])
    skill = np.array([relative.get(name, 0.0) for name in crowd.forecasters])
    recency = np.minimum(age / max(crowd.days, 1e-9), 50.0)
    weights: FloatArray = np.exp(-recency - skill / _SKILL_SCALE)
    return weights


def _learned(crowd: Crowd, past: Past) -> float:
    import pandas as pd

    from forecasting.pooling import LearnedPool

    def learn(_: Sequence[Solved]) -> Any:
        history = past.history(crowd.at)
        return LearnedPool().fit(history, as_of=crowd.at)

    fitted = past.learned("learned", crowd.at, learn)
    current = pd.DataFrame(
        {
            "question": crowd.question,
            "forecaster": list(crowd.forecasters),
            "forecast": crowd.forecasts,
            "issued_at": pd.to_datetime(list(crowd.issued_at), utc=True),
        }
    )
    return float(fitted.predict(current).iloc[0])


def rising(pooled: Sequence[float]) -> "FloatArray":
    """Give the probabilities, by deadline, that do not fall and lie closest to the pooled ones.

    Least squares: rungs that fall share their mean. Members whose ladders rise, all on every
    rung, pool to one that rises; it falls where they differ from rung to rung.

    Examples
    --------
    >>> rising([0.1, 0.4, 0.2, 0.5]).round(3).tolist()
    [0.1, 0.3, 0.3, 0.5]
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    p = np.asarray(pooled, dtype=np.float64)
    return np.asarray(isotonic_regression(p).x, dtype=np.float64) if np.any(np.diff(p) < 0) else p


def drawn_together(
    questions: Sequence[Question], values: Sequence[Forecast]
) -> list[tuple[Forecast, str]]:
    """Give each pooled forecast with a note; the rungs of a ladder are made to rise by deadline.

    Parameters
    ----------
    questions, values : sequence
        Each question and its pooled forecast, in one order.

    Returns
    -------
    list of tuple
        In that order. The note is empty for what stays as pooled.
    """
    from dataclasses import replace

    found = [(value, "") for value in values]
    ladders: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if question.ladder and question.type == "binary":
            ladders.setdefault(question.ladder, []).append(place)
    for places in ladders.values():
        order = sorted(places, key=lambda place: questions[place].closes)
        before = [values[place].value.numbers[0] for place in order]
        for place, was, now in zip(order, before, rising(before), strict=True):
            if now != was:
                note = f"pooled to {was:.3g}; set to {now:.3g}, because a ladder cannot fall"
                value = model_value(questions[place].space, [float(now)])
                because = f"{values[place].because}; {note}"
                found[place] = replace(values[place], value=value, because=because), note
    return found
