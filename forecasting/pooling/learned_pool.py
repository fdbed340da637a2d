"""A pool that learns how forecasts age, whose log-odds to stretch, and how far to extremise."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, get_args

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.events import Events, current_events, history_events
from forecasting.pooling.members import probability
from forecasting.pooling.panel import Books, Panel, moments, panel
from forecasting.pooling.records import Records, company, records
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

type Part = Literal["n", "skill", "recency"]

PARTS: tuple[str, ...] = get_args(Part.__value__)
# The logit of an overlap that leaves the number of members no say.
ALL_SHARED = 30.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A coefficient with its normal prior, and the part of the pool that it belongs to."""

    name: str
    part: str
    mean: float
    spread: float


# A spread is how far a record may carry. What each earned was measured on a public crowd of 28,000
# forecasts, learned up to five dates and scored on questions after them: by how much the Brier
# score rises without it (in 1e-4, with its standard error) at three people or more, n = 2,149.
PARAMETERS = (
    # On the logarithm of a member's weight: how many members are newer (7.2, 5.4; at five people
    # 20.2, 8.4), the log of its age in days (5.9, 4.4), how far its forecaster usually stands
    # apart from the others (1.7, 0.8), and its forecaster's slope (2.7, 4.5; 7.1, 6.5 at five).
    Parameter("newer", "recency", -0.2, 0.7),
    Parameter("age", "recency", -0.05, 0.3),
    Parameter("apart", "habit", 0.0, 0.3),
    Parameter("steep", "skill", 0.3, 0.4),
    # On a member's log-odds: its forecaster's slope beside the common one (7.5, 3.2).
    Parameter("slope", "skill", 0.5, 0.5),
    # On the logarithm of the extremising factor: 1/2 - 1/n, bounded so that no number of members
    # carries the pool to certainty (28.0, 8.1).
    Parameter("number", "n", 0.0, 0.5),
    # The logit of the members' overlap: nothing on that crowd (0.0, 0.2), a fifth of the score of
    # made-up members who each know something of their own.
    Parameter("overlap", "n", 2.5, 2.5),
    # The pool's shift in log-odds, for yes is said too often (29.2, 10.8).
    Parameter("shift", "always", 0.0, 0.3),
)
NAMES = tuple(each.name for each in PARAMETERS)


@dataclass(frozen=True, slots=True)
class Prior:
    """Means and spreads of all parameters; a spread of 0 keeps a parameter at its mean."""

    mean: FloatArray
    spread: FloatArray


def prior(without: frozenset[str]) -> Prior:
    """Give the prior with the parts left out held at nothing."""
    out = np.array([each.part in without for each in PARAMETERS])
    mean = np.where(out, 0.0, [each.mean for each in PARAMETERS])
    if "n" in without:
        mean[NAMES.index("overlap")] = ALL_SHARED
    return Prior(mean, np.where(out, 0.0, [each.spread for each in PARAMETERS]))


# Times at which the records are drawn up while learning: each holds until the next.
BOOKS = 16
# What one question's Brier score weighs beside the priors; of the first hundred, in parts. Twice
# the Brier score has the curvature of the log score at p = .15 or .85.
SAY, FIRST = 2.0, 100


# Questions of even odds behind the base rate.
EVEN = 20


@dataclass(frozen=True, slots=True)
class _Learned:
    parameters: FloatArray
    base: float
    records: Records
    forecasters: np.ndarray


@dataclass(frozen=True, slots=True)
class _Pooled:
    """The pool's log-odds, the mean before extremising, the factor and effective members (M,).

    `weight` and `corrected` are each member's share and corrected log-odds, of shape (n,).
    """

    log_odds: FloatArray
    mean: FloatArray
    factor: FloatArray
    effective: FloatArray
    weight: FloatArray
    corrected: FloatArray


class LearnedPool:
    r"""Weighted mean of log-odds, with eight parameters fitted to a history by penalised scores.

    For a question at a moment, with n members i in force and
    :math:`x_i = \operatorname{logit} p_i`:

    .. math::

        w_i &\propto (1 + r_i)^{\varphi_1} (1 + t_i)^{\varphi_2} e^{2 \varphi_3 d_i}, \qquad
        m = \sum_i w_i x_i (1 + \gamma s_i) \\
        n_w &= \frac{1}{\sum_i w_i^2}, \qquad
        a = \frac{n_w}{1 + (n_w - 1) \rho} \, e^{\alpha (1/2 - 1/n)}, \qquad
        \operatorname{logit} P = b + c + a (m - b)

    - Recency: :math:`r_i` members are newer, :math:`t_i` is the forecast's age in days.
    - Skill: :math:`s_i` is the forecaster's slope b of
      :math:`\operatorname{logit} P(y) = a_j + b_j x` beside the common one (noise shows as a flat
      slope), :math:`d_i` how much farther than others they stand from the rest. Both are shrunk by
      empirical Bayes, the spread between forecasters being learned too; updates of one person on
      one question share the weight of one.
    - Number: members that share information as if pairwise correlated by :math:`\rho` count as
      n / (1 + (n - 1) rho), so copies of an opinion never count for more than 1 / rho. They
      extremise away from b, the log-odds of the base rate so far.

    **Fit.** Not a hierarchy and no posterior: the parameters (`PARAMETERS` lists them with
    their normal priors and what each earned) have the least sum of Brier scores over resolved
    questions plus half their squared prior z. Each question is looked at after its last
    forecast (half of its weight) and at `moments` earlier ones, at equal steps of its
    forecasts; its members then have the records that stood at that moment, of questions
    resolved before it. Without history the pool is its prior's: a geometric mean of odds that
    leans to newer forecasts; one member alone is then left as it is. It gives no interval: how
    unsure the parameters are says little of how unsure the pooled number is.

    Parameters
    ----------
    moments : int
        Earlier moments of each question to learn from, besides the last.
    without : collection of {"n", "skill", "recency"}
        Parts to leave out, to see what each earns.

    Notes
    -----
    Forecasts are drawn into [.005, .995] first. What a member said on the question before the
    forecast in force is not used. A forecast made after its question was decided is hindsight;
    leave such rows out of both tables.

    References
    ----------
    V. A. Satopää et al. (2014). Combining multiple probability predictions using a simple
    logit model. Int. J. Forecasting 30. https://doi.org/10.1016/j.ijforecast.2013.09.009

    B. M. Turner et al. (2014). Forecast aggregation via recalibration. Machine Learning 95.
    https://doi.org/10.1007/s10994-013-5401-4

    Examples
    --------
    >>> import pandas as pd
    >>> history = pd.DataFrame({
    ...     "question": ["a", "a", "b", "b"], "forecaster": ["ana", "ben", "ana", "ben"],
    ...     "forecast": [0.9, 0.4, 0.1, 0.6], "issued_at": [1, 1, 2, 2],
    ...     "outcome": [1, 1, 0, 0], "resolved_at": [5, 5, 6, 6],
    ... })
    >>> current = pd.DataFrame({
    ...     "question": ["c", "c"], "forecaster": ["ana", "ben"], "forecast": [0.8, 0.3],
    ...     "issued_at": [7, 7],
    ... })
    >>> pool = LearnedPool().fit(history, as_of=7)
    >>> bool(pool.predict(current)["c"] > 0.55)
    True
    """

    def __init__(self, *, moments: int = 3, without: Collection[str] = ()) -> None:
        checks.at_least(moments, 0, "moments")
        for part in without:
            checks.one_of(part, PARTS, "without")
        self.moments = moments
        self.without = frozenset(without)
        self._learned: _Learned | None = None

    def fit(self, history: "pd.DataFrame", as_of: object) -> Self:
        """Learn from the forecasts issued and the outcomes known by `as_of`, and nothing later.

        Parameters
        ----------
        history : DataFrame
            `question, forecaster, forecast, issued_at, outcome, resolved_at`, one row a forecast;
            times are instants (naive ones UTC), ISO 8601 text, or numbers of days; an outcome
            that is missing or was resolved after `as_of` is open. May be without rows.
        as_of : datetime, str or float
            The moment of knowledge, of the same kind as the times.

        Returns
        -------
        LearnedPool
            Itself.

        Raises
        ------
        InvalidInput
            A missing column, time or name; a forecast outside [0, 1]; an outcome other than 0
            or 1, or two outcomes of one question.
        """
        events = history_events(history, as_of)
        others = company(events)
        resolved = np.flatnonzero(~np.isnan(events.outcome))
        yes = events.outcome[resolved].sum()
        base = float(np.log((yes + EVEN / 2) / (len(resolved) - yes + EVEN / 2)))
        normal = prior(self.without)
        theta = normal.mean
        if len(resolved):
            at, weight = moments(events, resolved, self.moments)
            time = events.time[at]
            dates = np.unique(np.quantile(time, np.arange(1, BOOKS) / BOOKS))
            books = [records(events, others, by) for by in (-np.inf, *dates)]
            stood = np.searchsorted(dates, time, side="right")
            seen = panel(events, at, Books(books, stood, np.arange(len(events.forecasters))), base)
            weight *= SAY * len(resolved) / (len(resolved) + FIRST)
            theta = _fit(seen, events.outcome[events.question[at]], weight, normal)
        self._learned = _Learned(theta, base, records(events, others, np.inf), events.forecasters)
        return self

    def predict(self, current: "pd.DataFrame") -> "pd.Series[float]":
        """Pool each question's forecasts in force after its last forecast.

        Each question is pooled from its own rows alone: other questions change nothing.

        Parameters
        ----------
        current : DataFrame
            `question, forecaster, forecast, issued_at`; no other column is looked at. Of a
            forecaster's forecasts on a question the latest is in force; those of one instant are
            averaged.

        Returns
        -------
        Series
            The probability of yes by question, in the questions' order.

        Raises
        ------
        InvalidInput
            As for :meth:`fit`, for no rows, and before :meth:`fit`.
        """
        import pandas as pd

        events, _, pooled = self._pooled(current)
        index = pd.Index(events.questions, name="question")
        return pd.Series(probability(pooled.log_odds), index, name="forecast")

    def members(self, current: "pd.DataFrame") -> "pd.DataFrame":
        """Show what each member counted for.

        Returns
        -------
        DataFrame
            `question, forecaster, forecast, issued_at` (days, or the unit of numeric times),
            `weight` (sums to 1 over a question), `corrected` (the forecast after the forecaster's
            own correction) and `factor` (the question's extremising factor), one row a member.
        """
        import pandas as pd

        events, seen, pooled = self._pooled(current)
        return pd.DataFrame(
            {
                "question": events.questions[events.question[seen.event]],
                "forecaster": events.forecasters[events.forecaster[seen.event]],
                "forecast": events.forecast[seen.event],
                "issued_at": events.time[seen.event],
                "weight": pooled.weight,
                "corrected": probability(pooled.corrected),
                "factor": np.repeat(pooled.factor, seen.number),
            }
        )

    @property
    def parameters(self) -> "pd.Series[float]":
        """The parameters found, by name."""
        import pandas as pd

        return pd.Series(self._known().parameters, index=list(NAMES), name="parameter")

    @property
    def forecasters(self) -> "pd.DataFrame":
        """The forecasters' shrunk records, as departures from the common forecaster."""
        import pandas as pd

        known = self._known()
        table = {name: getattr(known.records, name)[:-1] for name in Records.__slots__}
        return pd.DataFrame(table, pd.Index(known.forecasters, name="forecaster"))

    def _known(self) -> _Learned:
        if self._learned is None:
            message = "LearnedPool (not fitted): has not been fitted"
            raise InvalidInput(message, hint="LearnedPool().fit(history, as_of=...).predict(...)")
        return self._learned

    def _pooled(self, current: "pd.DataFrame") -> tuple[Events, Panel, _Pooled]:
        import pandas as pd

        known = self._known()
        events = current_events(current)
        row = pd.Index(known.forecasters).get_indexer(pd.Index(events.forecasters))
        one = np.zeros(len(events.last), dtype=np.int64)
        seen = panel(
            events, events.last, Books([known.records], one, row.astype(np.int64)), known.base
        )
        return events, seen, _pool(known.parameters, seen)


def _pool(theta: FloatArray, panel: Panel) -> _Pooled:
    """Pool each moment's members with the parameters `theta`."""
    *weight, slope, number, overlap, shift = theta
    raw = panel.weight @ np.array(weight)
    raw -= np.repeat(np.maximum.reduceat(raw, panel.start), panel.number)
    u = np.exp(raw)
    share = u / np.repeat(np.add.reduceat(u, panel.start), panel.number)
    corrected = panel.log_odds * (1 + slope * panel.slope)
    mean = np.add.reduceat(share * corrected, panel.start)
    effective = 1 / np.add.reduceat(share**2, panel.start)
    shared = 1 + (effective - 1) * probability(overlap)
    factor = effective / shared * np.exp(number * _bounded(panel))
    log_odds = panel.base + shift + factor * (mean - panel.base)
    return _Pooled(log_odds, mean, factor, effective, share, corrected)


def _bounded(panel: Panel) -> FloatArray:
    return np.asarray(0.5 - 1 / panel.number)


def loss(
    theta: FloatArray, panel: Panel, outcome: FloatArray, weight: FloatArray
) -> tuple[float, FloatArray]:
    """Weighted sum of the pool's Brier scores, and its gradient in the parameters."""
    out = _pool(theta, panel)
    p = np.asarray(probability(out.log_odds))
    value = float((weight * (p - outcome) ** 2).sum())
    by_log_odds = 2 * weight * (p - outcome) * p * (1 - p)
    by_mean = by_log_odds * out.factor
    by_log_factor = by_mean * (out.mean - panel.base)
    rho = probability(theta[-2])
    shared = 1 + (out.effective - 1) * rho
    by_effective = by_log_factor * (1 / out.effective - rho / shared)
    by_rho = -(by_log_factor * (out.effective - 1) / shared).sum()

    def each(values: FloatArray) -> FloatArray:
        return np.repeat(values, panel.number)

    by_share = each(by_mean) * out.corrected
    by_share -= 2 * out.weight * each(by_effective * out.effective**2)
    # Shares sum to 1: what lifts all of a moment's members alike lifts none.
    by_raw = out.weight * (by_share - each(np.add.reduceat(out.weight * by_share, panel.start)))
    gradient = [
        *(panel.weight.T @ by_raw),
        (each(by_mean) * out.weight) @ (panel.log_odds * panel.slope),
        by_log_factor @ _bounded(panel),
        by_rho * rho * (1 - rho),
        by_log_odds.sum(),
    ]
    return value, np.array(gradient)


def _fit(panel: Panel, outcome: FloatArray, weight: FloatArray, prior: Prior) -> FloatArray:
    """Find the parameters of least penalised loss; those without spread stay at their mean."""
    from scipy.optimize import minimize

    free = prior.spread > 0
    theta = prior.mean.copy()
    scale = prior.spread[free]

    def objective(z: FloatArray) -> tuple[float, FloatArray]:
        theta[free] = prior.mean[free] + scale * z
        value, gradient = loss(theta, panel, outcome, weight)
        return value + 0.5 * float(z @ z), scale * gradient[free] + z

    optimum = minimize(
        objective, np.zeros(len(scale)), jac=True, method="L-BFGS-B", options={"ftol": 1e-9}
    )
    theta[free] = prior.mean[free] + scale * optimum.x
    return theta
