"""A pool that learns who is worth how much, how fast forecasts age, and how far to extremise."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from forecasting.errors import InvalidInput
from forecasting.pooling import features, learned
from forecasting.pooling.events import Events, current_events, history_events
from forecasting.pooling.panel import Books, Panel, moments, panel
from forecasting.pooling.records import Records, company, records
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

# Times at which the records are drawn up while learning: each holds until the next.
BOOKS = 16
# A question's say grows with its members up to this many, for pools of fewer are nearly settled.
FULL_SAY = 3
# What one question's Brier score weighs beside the priors; of the first hundred, in parts. Twice
# the Brier score has the curvature of the log score at p = .15 or .85.
SAY, FIRST = 2.0, 100
# The share of moments before the date that splits them to choose the width of the priors, and how
# many later ones it takes.
CUT, LEAST_LATER = 0.6, 200
# Questions of even odds behind the base rate.
EVEN = 20


@dataclass(frozen=True, slots=True)
class _Learned:
    parameters: checks.FloatArray
    records: Records
    forecasters: np.ndarray


class Hierarchical:
    r"""Pool by a weighted mean of log-odds whose weights and extremising are learned from records.

    For a question at a moment, with members i in force and :math:`x_i = \operatorname{logit} p_i`:

    .. math::

        \operatorname{logit} P &= b + a (m - b) + s' \zeta, \qquad
        m = \sum_i w_i z_i + \sum_k \eta_k \Bigl(R_k - \sum_i w_i z_i\Bigr) \\
        w_i &\propto e^{f_i' \varphi}, \qquad z_i = x_i + g_i' \gamma, \qquad
        a = \frac{n_w}{1 + (n_w - 1) \rho} \, e^{h' \alpha}, \qquad
        n_w = \frac{1}{\sum_i w_i^2}

    - The weights' features f: *recency* (how many members are newer, age, age as a share of the
      question's life and of its window, how far the member moved, an extreme late forecast);
      *skill* (the forecaster's record, below); *habits* (updates, distance from the median, an
      exact 50 %, multiples of 10 %, having come first).
    - The corrections g: the forecaster's slope and bias, curvature, the member's last movement.
    - The factor a: n members that share information as if pairwise correlated by :math:`\rho`
      count as n / (1 + (n - 1) rho), so copies of an opinion never count for more than 1 / rho;
      h holds the number (bounded), dispersion, the members' mean skill, how late it is.
    - :math:`R_k`: plain mean, median, linear pool and newest forecast, to be drawn to or from.
    - The records, as departures from the common forecaster: bias and slope of
      :math:`\operatorname{logit} P(y) = a_j + b_j x` (noise shows as a flat slope); worth, the
      share of a departure from the others at that moment that came true (information that the
      others lack); relative, the mean Brier score of the others' pool at that moment minus the
      forecaster's own; questions; two habits that need no outcome. All are shrunk by empirical
      Bayes, the spread between forecasters being learned too; updates of one person on one
      question share the weight of one.

    **Fit.** The parameters (:mod:`forecasting.pooling.features` lists them with their normal
    priors) have the least sum of Brier scores over resolved questions plus half their squared
    prior z. Each question is looked at after its last forecast (half of its weight) and at
    `moments` earlier ones, at equal steps of its forecasts; its members then have the records
    that stood at that moment, of questions resolved before it. How wide the priors are is chosen
    as it will be used: learned from what had resolved by a date, scored on moments after it.
    Without history the pool is its
    prior's: a mildly extremised geometric mean of odds that leans to newer forecasts; one
    member alone is then left as it is.

    This is a penalised-likelihood fit, of seconds for 60,000 forecasts; sampling the same model
    would take hours and pool no better. It gives no interval: how unsure the parameters are says
    little of how unsure the pooled number is.

    Parameters
    ----------
    moments : int
        Earlier moments of each question to learn from, besides the last.
    without : collection of {"n", "skill", "recency"}
        Parts to leave out, to see what each earns.

    Notes
    -----
    Forecasts are drawn into [.005, .995] first. All that a member said on the question before
    the forecast in force serves only to tell how often and how far they moved. A forecast made
    after its question was decided is hindsight; leave such rows out of both tables.

    References
    ----------
    V. A. Satopää et al. (2014). Combining multiple probability predictions using a simple
    logit model. Int. J. Forecasting 30. https://doi.org/10.1016/j.ijforecast.2013.09.009

    B. M. Turner et al. (2014). Forecast aggregation via recalibration. Machine Learning 95.
    https://doi.org/10.1007/s10994-013-5401-4

    V. A. Satopää et al. (2021). Bias, information, noise: the BIN model of forecasting.
    Management Science 67. https://doi.org/10.1287/mnsc.2020.3882

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
    >>> pool = Hierarchical().fit(history, as_of=7)
    >>> bool(pool.predict(current)["c"] > 0.55)
    True
    """

    def __init__(self, *, moments: int = 3, without: Collection[str] = ()) -> None:
        checks.at_least(moments, 0, "moments")
        for part in without:
            checks.one_of(part, features.PARTS, "without")
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
            that is missing or was resolved after `as_of` is open. With `opens` and `closes`, a
            member's place in the question's window counts too. May be without rows.
        as_of : datetime, str or float
            The moment of knowledge, of the same kind as the times.

        Returns
        -------
        Hierarchical
            Itself.

        Raises
        ------
        InvalidInput
            A missing column, time or name; a forecast outside [0, 1]; an outcome other than 0
            or 1, or two outcomes of one question.
        """
        events = history_events(history, as_of)
        others = company(events)
        kept = np.flatnonzero(~np.isnan(events.outcome))
        yes = events.outcome[kept].sum()
        odds = (yes + EVEN / 2) / (len(kept) - yes + EVEN / 2)
        prior = features.prior(self.without, float(np.log(odds)))
        theta = prior.mean
        if len(kept):
            at, weight = moments(events, kept, self.moments)
            time = events.time[at]
            dates = np.unique(np.quantile(time, np.arange(1, BOOKS) / BOOKS))
            books = [records(events, others, by) for by in (-np.inf, *dates)]
            stood = np.searchsorted(dates, time, side="right")
            seen = panel(events, at, Books(books, stood, np.arange(len(events.forecasters))))
            weight *= SAY * len(kept) / (len(kept) + FIRST)
            weight *= np.minimum(seen.number / FULL_SAY, 1.0)
            outcome = events.outcome[events.question[at]]
            # As in use: learned from what had resolved by a date, scored on what was said later.
            date = np.quantile(time, CUT)
            earlier = events.resolved_at[events.question[at]] <= date
            later = ~earlier & (time > date)
            width = 1.0
            if later.sum() >= LEAST_LATER:
                width = learned.choose_width(seen, outcome, weight, prior, earlier, later)
            theta = learned.fit(seen, outcome, weight, prior.widened(width))
        self._learned = _Learned(theta, records(events, others, np.inf), events.forecasters)
        return self

    def predict(self, current: "pd.DataFrame") -> "pd.Series[float]":
        """Pool each question's forecasts in force after its last forecast.

        Each question is pooled from its own rows alone: other questions change nothing.

        Parameters
        ----------
        current : DataFrame
            `question, forecaster, forecast, issued_at`, and `opens, closes` if there are any;
            no other column is looked at. Of a forecaster's forecasts on a question the latest is
            in force; those of one instant are averaged.

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
        return pd.Series(np.asarray(learned.expit(pooled.log_odds)), index, name="forecast")

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
                "corrected": np.asarray(learned.expit(pooled.corrected)),
                "factor": np.repeat(pooled.factor, seen.number),
            }
        )

    @property
    def parameters(self) -> "pd.Series[float]":
        """The parameters found, by block and name."""
        import pandas as pd

        return pd.Series(self._known().parameters, index=list(features.NAMES), name="parameter")

    @property
    def forecasters(self) -> "pd.DataFrame":
        """The forecasters' shrunk records, as departures from the common forecaster."""
        import pandas as pd

        known = self._known()
        names = ("bias", "slope", "worth", "relative", "questions", "fine", "apart")
        table = {name: getattr(known.records, name) for name in names}
        index = pd.Index(known.forecasters, name="forecaster")
        return pd.DataFrame({name: each[:-1] - each[-1] for name, each in table.items()}, index)

    def _known(self) -> _Learned:
        if self._learned is None:
            message = "Hierarchical (not fitted): has not been fitted"
            raise InvalidInput(message, hint="Hierarchical().fit(history, as_of=...).predict(...)")
        return self._learned

    def _pooled(self, current: "pd.DataFrame") -> tuple[Events, Panel, learned.Pooled]:
        import pandas as pd

        known = self._known()
        events = current_events(current)
        row = pd.Index(known.forecasters).get_indexer(pd.Index(events.forecasters))
        one = np.zeros(len(events.last), dtype=np.int64)
        seen = panel(events, events.last, Books([known.records], one, row.astype(np.int64)))
        return events, seen, learned.pool(known.parameters, seen)
