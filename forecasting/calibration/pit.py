"""Calibration of numbers and dates: PIT histogram, interval coverage, quantile reliability."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.calibration.binned import bin_edges
from forecasting.calibration.quantiles import checked
from forecasting.calibration.reliability import closed_quantiles
from forecasting.errors import InvalidInput
from forecasting.scoring import checks
from forecasting.scoring.crps import bounds

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Pit:
    """Where outcomes fell in their forecast distributions; :func:`pit` makes it.

    `lower` and `upper`, of shape (n,), are what the forecast gave to less than the outcome, and to
    that or less; they differ where the distribution jumps, or is known only at its quantiles.
    `share` (B,) is of the outcomes in each bin between `edges` (B + 1,), each spread evenly from
    lower to upper. Band and p_value are drawn at first access.
    """

    lower: FloatArray
    upper: FloatArray
    edges: FloatArray
    share: FloatArray
    resamples: int
    seed: int
    _heights: FloatArray
    _cells: tuple[FloatArray, FloatArray]
    _times: IntArray

    @property
    def n(self) -> int:
        """Number of forecasts."""
        return len(self.lower)

    @property
    def histogram(self) -> "pd.DataFrame":
        """One row per bin: left, right, share, density (1 everywhere if calibrated)."""
        import pandas as pd

        left, right = self.edges[:-1], self.edges[1:]
        density = self.share / (right - left)
        return pd.DataFrame({"left": left, "right": right, "share": self.share, "density": density})

    def band(self, level: float = 0.9) -> "pd.DataFrame":
        """Where the density of each bin lies by chance alone if every forecast is calibrated.

        A consistency band: pointwise, closed, so that it holds at least `level` of calibrated
        histograms in each bin, and fewer in all bins at once.

        Parameters
        ----------
        level : float
            Nominal coverage, strictly between 0 and 1.

        Returns
        -------
        DataFrame
            left, right, lower, upper (densities).
        """
        import pandas as pd

        checks.between(level, 0, 1, "level")
        left, right = self.edges[:-1], self.edges[1:]
        width = right - left
        low, high = closed_quantiles(self._null, level)
        limits = {"lower": low / width, "upper": np.minimum(high, 1.0) / width}
        return pd.DataFrame({"left": left, "right": right, **limits})

    @property
    def p_value(self) -> float:
        """Share of calibrated draws at least as uneven (chi-square), (1 + count) / (1 + draws)."""
        width = np.diff(self.edges)
        uneven = ((self._null - width) ** 2 / width).sum(axis=1)
        seen = float(((self.share - width) ** 2 / width).sum())
        # The tolerance counts as ties the draws that differ by rounding alone.
        return float((1 + np.count_nonzero(uneven >= seen - 1e-12)) / (1 + self.resamples))

    @cached_property
    def _null(self) -> FloatArray:
        rng = np.random.default_rng(self.seed)
        steps = np.unique(np.concatenate([self._heights, self.edges]))
        chance = np.diff(steps)
        cell = np.searchsorted(self._heights, steps[:-1], side="right") - 1
        total = np.zeros((self.resamples, len(self.share)))
        for low, high, times in zip(*self._cells, self._times, strict=True):
            # A cell without extent of its own (NaN) is one in which the place is known exactly.
            start = np.where(np.isnan(low[cell]), steps[:-1], low[cell])
            stop = np.where(np.isnan(high[cell]), steps[1:], high[cell])
            drawn = rng.multinomial(times, chance / chance.sum(), size=self.resamples)
            total += drawn @ _spread(start, stop, self.edges)
        return total / self.n


def pit(
    forecast: ArrayLike,
    outcome: ArrayLike,
    *,
    levels: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    bins: int | ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Pit:
    r"""Probability integral transform of the outcomes, flat if the forecasts are calibrated.

    Each outcome y is placed in its forecast distribution F. Where F jumps at y, or is not known
    between two quantiles, the place is the interval from :math:`F(y-)` to :math:`F(y)` and
    counts evenly over it (the non-randomised form), so no lot is drawn. A hump shows forecasts
    too wide, a trough too narrow, a slope too high or too low.

    - Quantiles with `lower` and `upper`: F runs linearly from bound to bound, as in
      :func:`forecasting.scoring.crps_piecewise`; outcomes past the bounds are at 0 or 1.
    - Quantiles alone: only the gap between quantiles is known. An outcome equal to one quantile
      counts half on each side.

    The band and the p-value hold for independent outcomes: one forecast a question, one
    question an event.

    Parameters
    ----------
    forecast : array_like, shape (n, J)
        Quantiles, not falling along a row.
    outcome : array_like, shape (n,)
        The value that came true.
    levels : array_like, shape (J,)
        Of the quantiles, rising, strictly between 0 and 1.
    lower, upper : array_like, shape () or (n,), optional
        The bounds of the question, both or neither.
    bins : int or array_like, optional
        A number of equal bins, or edges from 0 to 1. By default the levels where quantiles are
        all that is known, else 10.
    resamples, seed : int
        Of the draws, which are made at first access.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, shapes that differ, falling quantiles or levels,
        quantiles outside the bounds, one bound alone.

    References
    ----------
    C. Czado, T. Gneiting, L. Held (2009). Predictive model assessment for count data.
    Biometrics 65. https://doi.org/10.1111/j.1541-0420.2009.01191.x

    Examples
    --------
    >>> histogram = pit([[10, 20, 30]] * 4, [5, 12, 25, 20], levels=[0.25, 0.5, 0.75])
    >>> histogram.share.tolist()
    [0.25, 0.375, 0.375, 0.0]
    >>> histogram = pit([[10, 20, 30]], [15], levels=[0.25, 0.5, 0.75], lower=0, upper=40)
    >>> histogram.lower.tolist(), histogram.upper.tolist()
    ([0.375], [0.375])
    """
    checks.at_least(resamples, 1, "resamples")
    rows, value = checked(forecast, outcome)
    level = checks.rising_levels(levels, rows)
    heights = np.concatenate([[0.0], level, [1.0]])
    low, high, cells, times = _among_quantiles(rows, value, heights, lower, upper)
    edges = heights if bins is None and lower is None else bin_edges(10 if bins is None else bins)
    if edges[0] != 0 or edges[-1] != 1:
        raise InvalidInput(f"bins ({edges[0]:g} to {edges[-1]:g}): edges must run from 0 to 1")
    share = _spread(low, high, edges).mean(axis=0)
    return Pit(low, high, edges, share, resamples, seed, heights, cells, times)


def _among_quantiles(
    quantiles: FloatArray,
    value: FloatArray,
    heights: FloatArray,
    lower: ArrayLike | None,
    upper: ArrayLike | None,
) -> tuple[FloatArray, FloatArray, tuple[FloatArray, FloatArray], IntArray]:
    """Place of each outcome, and the distinct patterns of jumps among the forecasts."""
    count, last = len(value), len(heights) - 1
    exact = lower is not None and upper is not None
    if lower is not None and upper is not None:
        ends = bounds(lower, upper, count)
        if np.any(quantiles[:, 0] < ends[0]) or np.any(quantiles[:, -1] > ends[1]):
            row = int(np.argmax((quantiles[:, 0] < ends[0]) | (quantiles[:, -1] > ends[1])))
            message = f"forecast (row {row}): must lie within its bounds"
            raise InvalidInput(message, hint=f"{ends[0][row]} to {ends[1][row]}")
    elif lower is None and upper is None:
        ends = np.full(count, -np.inf), np.full(count, np.inf)
    else:
        raise InvalidInput("lower, upper (one alone): give both bounds or neither")
    knots = np.column_stack([ends[0], quantiles, ends[1]])
    above = (knots < value[:, None]).sum(axis=1)
    below = (knots <= value[:, None]).sum(axis=1) - 1
    first, final = np.minimum(above, below), np.maximum(above, below)
    low, high = heights[np.maximum(first, 0)], heights[np.minimum(final, last)]
    between = (below < above) & (below >= 0) & (above <= last) & exact
    inner = np.flatnonzero(between)
    left, right = knots[inner, below[inner]], knots[inner, above[inner]]
    share = (value[inner] - left) / (right - left)
    low[inner] = high[inner] = low[inner] + share * (high[inner] - low[inner])
    jumps = knots[:, :-1] == knots[:, 1:]
    patterns, times = np.unique(jumps, axis=0, return_counts=True)
    return low, high, _extent(patterns, heights, exact=exact), times.astype(np.int64)


def _extent(
    patterns: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", heights: FloatArray, *, exact: bool
) -> tuple[FloatArray, FloatArray]:
    """From where to where each cell counts: a run of jumps as one, NaN where places are exact."""
    cell = np.arange(patterns.shape[1])
    wall = np.full((len(patterns), 1), False)
    joined_left = patterns & np.column_stack([wall, patterns[:, :-1]])
    joined_right = patterns & np.column_stack([patterns[:, 1:], wall])
    start = np.maximum.accumulate(np.where(joined_left, -1, cell), axis=1)
    stop = np.minimum.accumulate(np.where(joined_right, len(cell), cell)[:, ::-1], axis=1)[:, ::-1]
    low, high = heights[start], heights[stop + 1]
    known = exact & ~patterns
    return np.where(known, np.nan, low), np.where(known, np.nan, high)


def _spread(low: FloatArray, high: FloatArray, edges: FloatArray) -> FloatArray:
    """Share of each interval in each bin; a point on an inner edge is half in either bin."""
    left, right = edges[:-1], edges[1:]
    low, high = low[:, None], high[:, None]
    width = high - low
    overlap = np.clip(np.minimum(high, right) - np.maximum(low, left), 0, None)
    touched = (left <= low) & (low <= right)
    part = touched / touched.sum(axis=1, keepdims=True)
    spread: FloatArray = np.divide(overlap, width, out=part, where=width > 0)
    return spread
