"""The result of a recalibration: for each forecaster a line in log-odds, with its uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
            message = f"priors ({self}): every scale must be positive and finite."
            raise InvalidInput(message)


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
