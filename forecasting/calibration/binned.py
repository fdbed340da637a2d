"""The binned decomposition of the Brier score, with its small-sample correction and errors."""

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class BinnedDecomposition:
    """Parts of the mean half Brier score; :func:`binned_decomposition` makes it.

    mean_score = reliability - resolution + uncertainty + within_bins, with and without the
    correction. The standard errors speak for independent forecasts and are of first order: too
    small for a reliability or resolution near 0, and NaN for a single forecast.

    Attributes
    ----------
    reliability, resolution, uncertainty : float
        The first is better small, the second large; the third is not the forecaster's doing.
    within_bins : float
        What forecasts that differ inside one bin add; 0 when bins are distinct values.
    alpha : float
        Share of the correction applied, in [0, 1]; 0 without correction.
    alone : int
        Forecasts alone in their bin, about which the correction knows nothing: where they are
        many, reliability and resolution stay too large by the same amount.
    forecast, event_rate, n, events : ndarray, shape (B,)
        Means and counts in each bin that holds any.
    """

    reliability: float
    resolution: float
    uncertainty: float
    reliability_se: float
    resolution_se: float
    uncertainty_se: float
    mean_score: float
    within_bins: float
    alpha: float
    alone: int
    forecast: FloatArray
    event_rate: FloatArray
    n: IntArray
    events: IntArray

    @property
    def table(self) -> "pd.DataFrame":
        """One row per bin that holds forecasts: forecast, event_rate, n, events."""
        import pandas as pd

        columns = ("forecast", "event_rate", "n", "events")
        return pd.DataFrame({name: getattr(self, name) for name in columns})


def binned_decomposition(
    forecast: ArrayLike,
    outcome: ArrayLike,
    *,
    bins: int | ArrayLike | None = None,
    corrected: bool = True,
    guard: bool = True,
) -> BinnedDecomposition:
    r"""Reliability, resolution and uncertainty of binned forecasts, corrected for small samples.

    With :math:`n_k` forecasts in bin k, their mean :math:`\bar f_k`, the event rate
    :math:`\bar o_k` there and :math:`\bar y` overall,

    .. math:: \text{REL} = \sum_k \tfrac{n_k}{n} (\bar f_k - \bar o_k)^2, \quad
              \text{RES} = \sum_k \tfrac{n_k}{n} (\bar o_k - \bar y)^2, \quad
              \text{UNC} = \bar y (1 - \bar y).

    In small samples REL is too large, UNC too small, and RES either. The correction is

    .. math:: \text{REL} - \alpha s, \quad \text{RES} - \alpha (s - t), \quad
              \text{UNC} + \alpha t, \qquad
              s = \frac1n \sum_{n_k \ge 2} \frac{n_k \bar o_k (1 - \bar o_k)}{n_k - 1}, \quad
              t = \frac{\bar y (1 - \bar y)}{n - 1}.

    With :math:`\alpha = 1` the three are unbiased where no bin holds a single forecast, but may
    leave their range. The guard takes the largest :math:`\alpha \le 1` that keeps REL at or
    above 0, RES in [0, 1] and UNC at or below 1/4. It brings some bias back where it acts: for
    nearly calibrated forecasts, and for event rates near 1/2, where it often allows little.

    Standard errors follow from the delta method on the sums in each bin; for the corrected
    terms they are those of :math:`\alpha = 1`.

    Give one forecast a question, and one question an event: repeats make the errors too small
    and the correction too weak.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.
    bins : int or array_like, optional
        By default every distinct forecast is a bin. A number gives as many bins of equal width
        on [0, 1]; an array gives the rising edges. A bin holds its right edge, the first one
        both. Empty bins are left out.
    corrected : bool
        Whether to correct for small samples.
    guard : bool
        Whether to keep the corrected terms in their range.

    Raises
    ------
    InvalidInput
        As for :func:`forecasting.scoring.brier`, and for bins that do not rise or that leave a
        forecast outside.

    References
    ----------
    A. H. Murphy (1973). A new vector partition of the probability score. J. Appl. Meteor. 12.
    https://doi.org/10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2

    D. B. Stephenson, C. A. S. Coelho, I. T. Jolliffe (2008). Two extra components in the Brier
    score decomposition. Weather and Forecasting 23. https://doi.org/10.1175/2007WAF2006116.1

    C. A. T. Ferro, T. E. Fricker (2012). A bias-corrected decomposition of the Brier score.
    Q. J. R. Meteorol. Soc. 138. https://doi.org/10.1002/qj.1924

    S. Siegert (2014). Variance estimation for Brier score decomposition. Q. J. R. Meteorol.
    Soc. 140. https://doi.org/10.1002/qj.2228

    Examples
    --------
    >>> forecast, outcome = [0.2] * 10 + [0.8] * 20, [1] * 4 + [0] * 6 + [1] * 17 + [0] * 3
    >>> plain = binned_decomposition(forecast, outcome, corrected=False)
    >>> round(plain.reliability, 4), round(plain.resolution, 4), round(plain.uncertainty, 4)
    (0.015, 0.045, 0.21)
    >>> better = binned_decomposition(forecast, outcome)
    >>> round(better.reliability, 4), round(better.resolution, 4), round(better.uncertainty, 4)
    (0.0016, 0.0388, 0.2172)
    """
    p, y = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
    code = _codes(p, bins)
    n_k = np.bincount(code).astype(np.int64)
    o_k = np.bincount(code, weights=y)
    f_k, rate = _bin_means(p, code, n_k), o_k / n_k
    terms, slopes = _plain(p, y, code, n_k, f_k, rate)
    alpha = 0.0
    if corrected and len(p) > 1:
        shift, shift_slopes = _correction(y, code, n_k, o_k)
        alpha = _range_guard(terms, shift) if guard else 1.0
        terms, slopes = terms + alpha * shift, slopes + shift_slopes
        if guard:
            # Rounding may carry a term past the end of its range by its last digit.
            terms = np.clip(terms, [0, 0, 0], [np.inf, 1, 0.25])
    spread, apart = p - f_k[code], y - rate[code]
    within = float((spread**2 - 2 * spread * apart).mean())
    # A single forecast shows no spread to estimate an error from.
    errors = (
        np.sqrt(((slopes - slopes.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
        if len(p) > 1
        else np.full(3, np.nan)
    )
    return BinnedDecomposition(
        reliability=float(terms[0]),
        resolution=float(terms[1]),
        uncertainty=float(terms[2]),
        reliability_se=float(errors[0]),
        resolution_se=float(errors[1]),
        uncertainty_se=float(errors[2]),
        mean_score=float(((p - y) ** 2).mean()),
        within_bins=within,
        alpha=alpha,
        alone=int(np.count_nonzero(n_k == 1)),
        forecast=f_k,
        event_rate=rate,
        n=n_k,
        events=o_k.astype(np.int64),
    )


def _plain(
    p: FloatArray, y: FloatArray, code: IntArray, n_k: IntArray, f_k: FloatArray, rate: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """REL, RES, UNC, and how each forecast moves them: their slopes in the sums of each bin."""
    n = len(p)
    base = float(y.mean())
    gap, lift = rate - f_k, rate - base
    terms = np.array([n_k @ gap**2, n_k @ lift**2, n * base * (1 - base)]) / n
    gap, lift, there = gap[code], lift[code], rate[code]
    slopes = np.array(
        [2 * gap * (y - p) - gap**2, 2 * lift * y - lift * (there + base), (1 - 2 * base) * y]
    )
    return terms, slopes / n


def _correction(
    y: FloatArray, code: IntArray, n_k: IntArray, o_k: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find what the correction adds to REL, RES, UNC, and how each forecast moves that."""
    n = len(y)
    base = float(y.mean())
    several = n_k > 1
    pairs = np.where(several, n_k * (n_k - 1.0), np.inf)
    s = float((o_k * (n_k - o_k) / pairs).sum()) / n
    t = base * (1 - base) / (n - 1)
    by_event = (n_k - 2 * o_k) / pairs
    by_size = (2 * o_k**2 * n_k - o_k * n_k**2 - o_k**2) / pairs**2
    s_slope = (by_event[code] * y + by_size[code]) / n
    t_slope = (1 - 2 * base) * y / (n * (n - 1))
    return np.array([-s, t - s, t]), np.array([-s_slope, t_slope - s_slope, t_slope])


def _range_guard(terms: FloatArray, shift: FloatArray) -> float:
    """Largest share of the correction, at most 1, that leaves every term in its range."""
    limits = [1.0]
    for term, change, low, high in zip(terms, shift, (0, 0, 0), (np.inf, 1, 0.25), strict=True):
        if change < 0:
            limits.append((low - term) / change)
        elif change > 0:
            limits.append((high - term) / change)
    return float(max(min(limits), 0.0))


def _codes(p: FloatArray, bins: int | ArrayLike | None) -> IntArray:
    """Bin of each forecast, numbered without gaps."""
    if bins is None:
        place = p
    else:
        edges = bin_edges(bins)
        if p.min() < edges[0] or p.max() > edges[-1]:
            worst = p.min() if p.min() < edges[0] else p.max()
            message = f"bins ({edges[0]:g} to {edges[-1]:g}): leave the forecast {worst} outside"
            raise InvalidInput(message, hint="edges from 0 to 1")
        place = np.maximum(np.searchsorted(edges, p, side="left"), 1).astype(np.float64)
    return np.unique(place, return_inverse=True)[1].astype(np.int64)


def bin_edges(bins: int | ArrayLike) -> FloatArray:
    """Edges of equal bins on [0, 1], or the edges given."""
    if np.ndim(bins) == 0:
        try:
            count = operator.index(bins)  # type: ignore[arg-type]
        except TypeError as error:
            message = f"bins ({bins!r}): must be a whole number, rising edges, or None"
            raise InvalidInput(message) from error
        checks.at_least(count, 1, "bins")
        # Dividing gives the very floats that people type: 3/10 is 0.3, 3 x 0.1 is not.
        edges: FloatArray = np.arange(count + 1) / count
        return edges
    edges = checks.floats(bins, "bins")
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0):
        raise InvalidInput(f"bins ({edges.tolist()}): must be two rising edges or more")
    return edges


def _bin_means(p: FloatArray, code: IntArray, n_k: IntArray) -> FloatArray:
    """Mean forecast of each bin, exactly the forecast where all in it are equal."""
    low, high = np.full(len(n_k), np.inf), np.full(len(n_k), -np.inf)
    np.minimum.at(low, code, p)
    np.maximum.at(high, code, p)
    mean: FloatArray = np.clip(np.bincount(code, weights=p) / n_k, low, high)
    return mean
