r"""Recalibration with partial pooling over forecasters.

.. math:: \operatorname{logit} q = \alpha_f + e^{b_f} \operatorname{logit} p, \qquad
          \alpha_f \sim N(a, \sigma_\alpha), \quad b_f \sim N(b, \sigma_b),

:math:`a \sim N(0, .15)`, :math:`\sigma_\alpha \sim LN(\log .2, .4)`, :math:`b \sim N(0, .1)`,
:math:`\sigma_b \sim LN(\log .15, .4)`: before data a forecaster's own :math:`\alpha` has standard
deviation .28 and :math:`b` .20, centred on the identity, so that five outcomes hardly move a
probability, a few dozen do not spoil a good forecaster, and a few hundred decide. Outcomes are
Bernoulli(q). (The widths were chosen after a look at 128 questions of ForecastBench on two
wars: with twice as wide ones a well calibrated crowd lost there more than it may gain. That file is
therefore no test of them.)

Updates of one question are not independent, nor are questions about one event: a forecaster's
questions are read once, in the middle of their scheduled window, and those of one event count
together as one (rule as for calibration bands). A question enters at its scheduled close, also
where it resolved before: otherwise the early yeses would come in ahead of the noes.

The posterior is a sum over grids of the two parameters of each forecaster and of the four shared
ones; a test samples the same hierarchy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd


#: Forecasts are clipped to [CLIP, 1 - CLIP] before their log-odds are taken.
CLIP = 0.005
#: The name of a forecaster without a record.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """Priors of what the forecasters share; `scale`s are log-normal (median, sd of the log)."""

    intercept_sd: float = 0.15
    intercept_scale: tuple[float, float] = (0.2, 0.4)
    slope_sd: float = 0.1
    slope_scale: tuple[float, float] = (0.15, 0.4)

    def __post_init__(self) -> None:
        """Check that every scale is positive."""
        numbers = [self.intercept_sd, *self.intercept_scale, self.slope_sd, *self.slope_scale]
        if not all(0 < number < np.inf for number in numbers):
            raise InvalidInput(f"priors ({self}): every scale must be positive and finite.")


@dataclass(frozen=True, slots=True)
class LogOddsLine:
    """The recalibration of one forecaster: a weighted cloud of (alpha, log slope)."""

    alpha: FloatArray
    log_slope: FloatArray
    weight: FloatArray
    n_questions: int = 0
    n_events: int = 0
    n_clipped: int = 0

    def predict(self, forecast: ArrayLike) -> FloatArray:
        """Return E[expit(alpha + e^b logit p)], in the shape of the forecasts."""
        from scipy.special import expit

        x = log_odds(forecast)
        flat = [
            float(self.weight @ expit(self.alpha + np.exp(self.log_slope) * value))
            for value in x.ravel()
        ]
        return np.array(flat).reshape(x.shape)

    def row(self) -> dict[str, float]:
        """Return posterior means with 90 % intervals of alpha and of the slope e^b."""
        result: dict[str, float] = {}
        for name, values in (("alpha", self.alpha), ("slope", np.exp(self.log_slope))):
            low, high = _weighted_quantiles(values, self.weight, (0.05, 0.95))
            result |= {
                name: float(self.weight @ values),
                f"{name}_lower": low,
                f"{name}_upper": high,
            }
        return result


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Recalibrations of several forecasters, fitted on what had resolved before a moment.

    `lines` are by forecaster; ``""`` is a forecaster without a record.
    """

    lines: Mapping[str, LogOddsLine]
    as_of: Any

    @property
    def forecasters(self) -> tuple[str, ...]:
        """Who has a record, in the order of the names."""
        return tuple(name for name in self.lines if name != NOBODY)

    def line(self, forecaster: str) -> LogOddsLine:
        """Return a forecaster's recalibration, or that of one without a record."""
        return self.lines.get(forecaster, self.lines[NOBODY])

    def predict(
        self, forecast: ArrayLike, *, forecaster: str | Sequence[str] | None = None
    ) -> FloatArray:
        """Return recalibrated probabilities.

        Parameters
        ----------
        forecast : array_like
            Probabilities of yes in [0, 1].
        forecaster : str or sequence of str, optional
            Whose they are; a name without a record gets what the forecasters share. May be left
            out where at most one forecaster was fitted.

        Returns
        -------
        ndarray
            In the shape of `forecast`; rises with it.

        Raises
        ------
        NotFound
            If it must be said whose the forecasts are.
        """
        if forecaster is None:
            if len(self.forecasters) > 1:
                message = "forecaster (not given): several were fitted, so say whose these are"
                raise NotFound(message, hint=", ".join(self.forecasters))
            forecaster = self.forecasters[0] if self.forecasters else NOBODY
        if isinstance(forecaster, str):
            return self.line(forecaster).predict(forecast)
        p = np.asarray(forecast, dtype=np.float64)
        if len(forecaster) != p.size:
            message = f"forecaster ({len(forecaster)} names): one for each of {p.size} forecasts."
            raise InvalidInput(message)
        probabilities = [
            float(self.line(name).predict(value))
            for name, value in zip(forecaster, p.ravel(), strict=True)
        ]
        return np.array(probabilities).reshape(p.shape)

    @property
    def table(self) -> "pd.DataFrame":
        """One row a forecaster: n, alpha and slope with 90 % intervals; last, without a record."""
        import pandas as pd

        rows = [
            {
                "forecaster": name,
                "n_questions": line.n_questions,
                "n_events": line.n_events,
                "n_clipped": line.n_clipped,
                **line.row(),
            }
            for name, line in sorted(self.lines.items(), key=lambda item: (not item[0], item[0]))
        ]
        return pd.DataFrame(rows)


def log_odds(forecast: ArrayLike) -> FloatArray:
    """Return logit p of probabilities clipped to [CLIP, 1 - CLIP]; what is none is refused."""
    p = np.asarray(forecast, dtype=np.float64)
    # Written so that a NaN refuses.
    if not np.all((p >= 0) & (p <= 1)):
        wrong = p[~((p >= 0) & (p <= 1))].ravel()[0]
        message = f"forecast ({wrong}): must lie in [0, 1]."
        raise InvalidInput(message, hint="divide percentages by 100" if wrong > 1 else "")
    p = np.clip(p, CLIP, 1 - CLIP)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def _weighted_quantiles(
    values: FloatArray, weight: FloatArray, levels: tuple[float, float]
) -> tuple[float, float]:
    order = np.argsort(values)
    reached = np.cumsum(weight[order]) - weight[order] / 2
    low, high = np.interp(levels, reached / weight.sum(), values[order])
    return float(low), float(high)


Rows = tuple[FloatArray, FloatArray, FloatArray]
#: alpha, log slope and weight of each point.
Cloud = tuple[FloatArray, FloatArray, FloatArray]

NODES, REACH = 61, 6.0
MEANS, SCALES, SHARED_REACH = 33, 15, 4.0
#: Keep the grid fine enough for a narrow population: at least this many of its points a unit.
WIDEST = 0.5


def by_quadrature(records: list[Rows], shared: Shared) -> list[Cloud]:
    """Return the posterior of each forecaster, from (x, y, w), and last that of a stranger."""
    # Given the four shared numbers the forecasters are independent, and the prior of a forecaster's
    # two is a product. With L the likelihood of one on a grid of (alpha, b), and A and B the normal
    # densities of both there for every pair of shared numbers, the marginal likelihood of all pairs
    # at once is A L B^T.
    mean_a, scale_a, prior_a = _shared_grid(shared.intercept_sd, shared.intercept_scale)
    mean_b, scale_b, prior_b = _shared_grid(shared.slope_sd, shared.slope_scale)
    log_post = prior_a[:, None] + prior_b[None, :]
    each = []
    for x, y, w in records:
        alpha, log_slope = _grids(x, y, w)
        log_likelihood = _log_likelihood(alpha, log_slope, x, y, w)
        top = float(log_likelihood.max())
        likelihood = np.exp(log_likelihood - top)
        a = _normal(alpha, mean_a, scale_a) * (alpha[1] - alpha[0])
        b = _normal(log_slope, mean_b, scale_b) * (log_slope[1] - log_slope[0])
        marginal = np.maximum(a @ likelihood @ b.T, 1e-300)
        log_post += np.log(marginal) + top
        each.append((alpha, log_slope, likelihood, a, b, marginal))
    posterior = np.exp(log_post - log_post.max())
    posterior /= posterior.sum()
    clouds = [
        _cloud(alpha, log_slope, likelihood * (a.T @ (posterior / marginal) @ b))
        for alpha, log_slope, likelihood, a, b, marginal in each
    ]
    alpha, log_slope = (np.linspace(-2.5, 2.5, 101), np.linspace(-1.6, 1.6, 101))
    a = _normal(alpha, mean_a, scale_a)
    b = _normal(log_slope, mean_b, scale_b)
    return [*clouds, _cloud(alpha, log_slope, a.T @ posterior @ b)]


def _shared_grid(
    mean_sd: float, scale: tuple[float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means, scales and log prior weights of every pair."""
    z = np.linspace(-SHARED_REACH, SHARED_REACH, MEANS)
    u = np.linspace(-SHARED_REACH, SHARED_REACH, SCALES)
    grid_z, grid_u = (grid.ravel() for grid in np.meshgrid(z, u, indexing="ij"))
    median, log_sd = scale
    return mean_sd * grid_z, median * np.exp(log_sd * grid_u), -(grid_z**2 + grid_u**2) / 2


def _grids(x: FloatArray, y: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return grids around the mode under wide priors, a few standard deviations to each side."""
    from scipy.special import expit

    point = np.zeros(2)
    precision = np.array([WIDEST**-2, 0.3**-2])
    information = np.diag(precision)
    for _ in range(50):
        steep = np.exp(point[1]) * x
        rate = expit(point[0] + steep)
        excess, spread = w * (rate - y), w * rate * (1 - rate)
        gradient = np.array([excess.sum(), excess @ steep]) + precision * point
        cross = float(spread @ steep)
        information = np.array([[spread.sum(), cross], [cross, spread @ steep**2]])
        information = information + np.diag(precision)
        step = np.linalg.solve(information, gradient)
        point = point - np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-8:
            break
    sd = np.sqrt(np.diag(np.linalg.inv(information)))
    alpha, log_slope = (
        np.linspace(centre - REACH * width, centre + REACH * width, NODES)
        for centre, width in zip(point, sd, strict=True)
    )
    return alpha, log_slope


def _log_likelihood(
    alpha: FloatArray, log_slope: FloatArray, x: FloatArray, y: FloatArray, w: FloatArray
) -> FloatArray:
    log_likelihood = np.zeros((len(alpha), len(log_slope)))
    slope = np.exp(log_slope)
    # Equal forecasts are one row: a person says 5, 10, 20 % again and again.
    distinct, row = np.unique(x, return_inverse=True)
    total = np.bincount(row, weights=w, minlength=len(distinct))
    yes = np.bincount(row, weights=w * y, minlength=len(distinct))
    for value, n, events in zip(distinct, total, yes, strict=True):
        eta = alpha[:, None] + slope[None, :] * value
        log_likelihood += events * eta - n * np.logaddexp(0.0, eta)
    return log_likelihood


def _normal(points: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    z = (points[None, :] - mean[:, None]) / scale[:, None]
    density: FloatArray = np.exp(-(z**2) / 2) / (scale[:, None] * np.sqrt(2 * np.pi))
    return density


def _cloud(alpha: FloatArray, log_slope: FloatArray, weight: FloatArray) -> Cloud:
    grid_a, grid_b = (grid.ravel() for grid in np.meshgrid(alpha, log_slope, indexing="ij"))
    return grid_a, grid_b, weight.ravel() / weight.sum()


SHARE = 0.5
COLUMNS = ("question", "forecaster", "forecast", "issued_at", "outcome", "resolved_at")
TIMES = ("issued_at", "resolved_at", "opens", "closes", "withdrawn_at")


def recalibrate(
    history: "pd.DataFrame",
    *,
    as_of: datetime | None = None,
    share: float = SHARE,
    shared: Shared | None = None,
) -> Recalibration:
    """Fit how each forecaster's log-odds should be read, on what had resolved before a moment.

    Parameters
    ----------
    history : DataFrame
        One row a forecast: question, forecaster, forecast (probability of yes), issued_at,
        outcome (0 or 1, missing while open), resolved_at. With ``opens`` and ``closes`` each
        question is read once, at `share` of its window, if it was open then, and enters at its
        close; without them each of n forecasts of a question counts 1 / n. With ``event`` the
        questions of one event count together as one. ``withdrawn_at`` is respected.
    as_of : datetime, optional
        Only resolutions known before it count; default: all in the history.
    share : float, default 0.5
        In [0, 1).
    shared : Shared, optional
        Other priors.

    Returns
    -------
    Recalibration
        Near the identity for a short record.

    Raises
    ------
    InvalidInput
        If a column is missing, a probability lies outside [0, 1], an outcome is not 0 or 1, or
        `share` lies outside [0, 1).

    References
    ----------
    D. R. Cox (1958). Two further applications of a model for binary regression. Biometrika 45.
    https://doi.org/10.1093/biomet/45.3-4.562

    Examples
    --------
    >>> import pandas as pd
    >>> day = lambda d: pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=d)
    >>> history = pd.DataFrame(
    ...     {
    ...         "question": [f"q{i}" for i in range(200)], "forecaster": "ana",
    ...         "forecast": [0.9, 0.1] * 100, "issued_at": day(0),
    ...         "outcome": [1, 0, 1, 0, 0, 1, 1, 0, 1, 0] * 20, "resolved_at": day(9),
    ...     }
    ... )
    >>> [round(float(p), 1) for p in recalibrate(history, as_of=day(9)).predict([0.1, 0.9])]
    [0.1, 0.9]
    >>> [round(float(p), 2) for p in recalibrate(history, as_of=day(10)).predict([0.1, 0.9])]
    [0.2, 0.8]
    """
    rows = spot_rows(history, as_of=as_of, share=share)
    return recalibrate_rows(rows, as_of=as_of, shared=shared)


def recalibrate_rows(
    rows: "pd.DataFrame", *, as_of: Any = None, shared: Shared | None = None
) -> Recalibration:
    """Fit rows that `spot_rows` gave: forecaster, forecast, outcome, weight, question, event."""
    priors = Shared() if shared is None else shared
    names = sorted({str(name) for name in rows["forecaster"]})
    records = [rows[rows["forecaster"].astype(str) == name] for name in names]
    arrays = [
        (
            log_odds(record["forecast"].to_numpy(dtype=np.float64)),
            record["outcome"].to_numpy(dtype=np.float64),
            record["weight"].to_numpy(dtype=np.float64),
        )
        for record in records
    ]
    clouds = by_quadrature(arrays, priors)
    lines = {NOBODY: LogOddsLine(*clouds[-1])}
    for name, record, cloud in zip(names, records, clouds[:-1], strict=True):
        p = record["forecast"].to_numpy(dtype=np.float64)
        lines[name] = LogOddsLine(
            *cloud,
            n_questions=int(record["question"].nunique()),
            n_events=int(record["event"].nunique()),
            n_clipped=int(np.sum((p < CLIP) | (p > 1 - CLIP))),
        )
    return Recalibration(lines, as_of)


def spot_rows(
    history: "pd.DataFrame", *, as_of: datetime | None = None, share: float = 0.5
) -> "pd.DataFrame":
    """Return the forecasts that count as of a moment, with weights, in an order of their own.

    With the scheduled window known, a question is read once, at a share of it, and enters at its
    scheduled close: whether it is read depends on nothing that comes later. Without, each of n
    forecasts before the resolution counts 1 / n. The m questions of one event count 1 / m each.
    """
    if not 0 <= share < 1:
        raise InvalidInput(f"share ({share}): must lie in [0, 1).")
    frame = _read(history)
    frame = frame[frame["outcome"].notna() & frame["resolved_at"].notna()]
    if as_of is not None:
        frame = frame[frame["resolved_at"] < _moment(as_of)]
    if {"opens", "closes"} <= set(frame.columns):
        frame = _at_spot(frame, as_of, share)
    else:
        frame = frame[frame["issued_at"] < frame["resolved_at"]]
        repeats = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
        frame = frame.assign(weight=1 / repeats)
    questions = frame.groupby(["forecaster", "event"])["question"].transform("nunique")
    frame = frame.assign(weight=frame["weight"] / questions)
    order = ["forecaster", "event", "question", "issued_at", "forecast"]
    ordered = frame.sort_values(order, kind="stable")
    columns = ["question", "forecaster", "forecast", "outcome", "event", "weight"]
    return ordered[columns].reset_index(drop=True)


def _read(history: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    if missing := [name for name in COLUMNS if name not in history]:
        message = f"history: has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}."
        raise InvalidInput(message)
    frame = history.copy()
    for name in TIMES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["forecast"] = frame["forecast"].astype(np.float64)
    frame["outcome"] = frame["outcome"].astype(np.float64)
    log_odds(frame["forecast"].to_numpy())
    wrong = frame["outcome"][frame["outcome"].notna() & ~frame["outcome"].isin([0.0, 1.0])]
    if len(wrong):
        message = f"outcome ({wrong.iloc[0]}): must be 0 or 1, or missing while it is open."
        raise InvalidInput(message)
    if "event" not in frame:
        frame["event"] = frame["question"]
    return frame


def _moment(as_of: datetime) -> Any:
    import pandas as pd

    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise InvalidInput(f"as_of ({as_of}): must have a time zone.")
    return moment


def _at_spot(frame: "pd.DataFrame", as_of: datetime | None, share: float) -> "pd.DataFrame":
    if as_of is not None:
        frame = frame[frame["closes"] <= _moment(as_of)]
    spot = frame["opens"] + share * (frame["closes"] - frame["opens"])
    frame = frame[(frame["resolved_at"] > spot) & (frame["issued_at"] <= spot)]
    # Of several forecasts in one last instant each counts its share: rows have no order.
    last = frame.groupby(["forecaster", "question"])["issued_at"].transform("max")
    frame = frame[frame["issued_at"] == last]
    if "withdrawn_at" in frame:
        withdrawn = frame["withdrawn_at"].notna() & (frame["withdrawn_at"] <= spot[frame.index])
        frame = frame[~withdrawn]
    together = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
    return frame.assign(weight=1 / together)
