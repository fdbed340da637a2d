"""A pool that learns how forecasts age, whose log-odds to stretch, and how far to extremise."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling import formula, parameters
from forecasting.pooling.events import Events, current_events, history_events
from forecasting.pooling.members import probability
from forecasting.pooling.panel import Books, Panel, moments, panel
from forecasting.pooling.records import Records, company, records
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

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

    **Fit.** Not a hierarchy and no posterior: the parameters
    (:mod:`forecasting.pooling.parameters` lists them with their normal priors and what each earned)
    have the least sum of Brier scores over resolved questions plus half their squared prior z.
    Each question is looked at after its last forecast (half of its weight) and at `moments`
    earlier ones, at equal steps of its forecasts; its members then have the records that stood at
    that moment, of questions resolved before it. Without history the pool is its prior's: a
    geometric mean of odds that leans to newer forecasts; one member alone is then left as it is.
    It gives no interval: how unsure the parameters are says little of how unsure the pooled
    number is.

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
            checks.one_of(part, parameters.PARTS, "without")
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
        prior = parameters.prior(self.without)
        theta = prior.mean
        if len(resolved):
            at, weight = moments(events, resolved, self.moments)
            time = events.time[at]
            dates = np.unique(np.quantile(time, np.arange(1, BOOKS) / BOOKS))
            books = [records(events, others, by) for by in (-np.inf, *dates)]
            stood = np.searchsorted(dates, time, side="right")
            seen = panel(events, at, Books(books, stood, np.arange(len(events.forecasters))), base)
            weight *= SAY * len(resolved) / (len(resolved) + FIRST)
            theta = formula.fit(seen, events.outcome[events.question[at]], weight, prior)
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

        return pd.Series(self._known().parameters, index=list(parameters.NAMES), name="parameter")

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

    def _pooled(self, current: "pd.DataFrame") -> tuple[Events, Panel, formula.Pooled]:
        import pandas as pd

        known = self._known()
        events = current_events(current)
        row = pd.Index(known.forecasters).get_indexer(pd.Index(events.forecasters))
        one = np.zeros(len(events.last), dtype=np.int64)
        seen = panel(
            events, events.last, Books([known.records], one, row.astype(np.int64)), known.base
        )
        return events, seen, formula.pool(known.parameters, seen)
