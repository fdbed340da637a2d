"""The Murphy diagram: the mean score under every decision threshold at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class MurphyCurve:
    """Mean elementary score by threshold, both of shape (T,); :func:`murphy_curve` makes it.

    Scores lie in [0, 2], smaller is better; `area`, under the whole curve, is the mean half Brier
    score.
    """

    threshold: FloatArray
    score: FloatArray
    area: float

    @property
    def table(self) -> "pd.DataFrame":
        """One row per point: threshold, score."""
        import pandas as pd

        return pd.DataFrame({"threshold": self.threshold, "score": self.score})


def murphy_curve(
    forecast: ArrayLike, outcome: ArrayLike, thresholds: ArrayLike | None = None
) -> MurphyCurve:
    r"""Mean loss of whoever acts when the forecast exceeds a threshold, for every threshold.

    The elementary score of forecast p at threshold :math:`\theta`,

    .. math:: S_\theta(p, 1) = 2 (1 - \theta) \, 1\{p \le \theta\}, \qquad
              S_\theta(p, 0) = 2 \theta \, 1\{p > \theta\},

    charges a missed event :math:`1 - \theta` and a false alarm :math:`\theta`, doubled so that
    :math:`\int_0^1 S_\theta \, d\theta` is the half Brier score. Every proper score of a binary
    forecast is a mixture of these, so a forecaster whose curve lies nowhere above another's is
    at least as good under all of them, and curves that cross say for whom which one is better.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.
    thresholds : array_like, shape (T,), optional
        Where to evaluate, not falling, in [0, 1]. By default the two ends of every straight
        piece, so that lines through the points draw the exact curve with its jumps, and the
        trapezoid rule gives the exact area.

    Raises
    ------
    InvalidInput
        As for :func:`forecasting.scoring.brier`, and for thresholds that fall or lie outside
        [0, 1].

    References
    ----------
    W. Ehm, T. Gneiting, A. Jordan, F. Krüger (2016). Of quantiles and expectiles: consistent
    scoring functions, Choquet representations and forecast rankings. J. R. Statist. Soc. B 78.
    https://doi.org/10.1111/rssb.12154

    Examples
    --------
    >>> curve = murphy_curve([0.25, 0.75], [0, 1])
    >>> curve.threshold.tolist(), curve.score.tolist()
    ([0.0, 0.25, 0.25, 0.75, 0.75, 1.0], [0.0, 0.25, 0.0, 0.0, 0.25, 0.0])
    >>> float(np.trapezoid(curve.score, curve.threshold)), curve.area
    (0.0625, 0.0625)
    """
    probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
    area = float(((probability - happened) ** 2).mean())
    yes, no = np.sort(probability[happened == 1]), np.sort(probability[happened == 0])
    if thresholds is not None:
        points = _thresholds(thresholds)
        return MurphyCurve(points, _mean_score(points, yes, no, "right"), area)
    knots = np.unique(np.concatenate([[0.0, 1.0], probability]))
    # Each piece runs from just at its first knot to just short of its last one.
    first, last = knots[:-1], knots[1:]
    ends = (_mean_score(first, yes, no, "right"), _mean_score(last, yes, no, "left"))
    return MurphyCurve(np.column_stack([first, last]).ravel(), np.column_stack(ends).ravel(), area)


def _mean_score(
    points: FloatArray, yes: FloatArray, no: FloatArray, side: Literal["left", "right"]
) -> FloatArray:
    """Value at the points ("right"), or the limit from the left, given sorted forecasts."""
    missed = np.searchsorted(yes, points, side=side)
    alarms = len(no) - np.searchsorted(no, points, side=side)
    mean: FloatArray = 2 * ((1 - points) * missed + points * alarms) / (len(yes) + len(no))
    return mean


def _thresholds(thresholds: ArrayLike) -> FloatArray:
    points = checks.floats(thresholds, "thresholds")
    wrong = (points < 0) | (points > 1)
    if points.ndim != 1 or wrong.any() or np.any(np.diff(points) < 0):
        shown = points[wrong][0] if wrong.any() else points.tolist()
        message = f"thresholds ({shown}): must be a row of numbers in [0, 1] that do not fall"
        raise InvalidInput(message)
    return points
