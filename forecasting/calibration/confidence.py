"""A band around the reliability curve of many updates, which depend on each other."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.calibration.isotonic import chunks, isotonic, pool
from forecasting.calibration.reliability import closed_quantiles
from forecasting.errors import InvalidInput
from forecasting.scoring import checks


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceBand:
    """A reliability curve and an approximate band around it, per distinct forecast.

    Curve, limits and counts have shape (D,); the limits are NaN where there is no band, and `note`
    says why.
    """

    forecast: FloatArray
    event_rate: FloatArray
    lower: FloatArray
    upper: FloatArray
    n: IntArray
    level: float
    n_clusters: int
    note: str


def confidence_band(
    forecast: ArrayLike,
    outcome: ArrayLike,
    *,
    cluster: Iterable[object],
    level: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> ConfidenceBand:
    """Approximate band around the pooled curve of many updates, by resampling whole events.

    Twenty updates of one question are one event, not twenty, so events are drawn with
    replacement, the curve is fitted anew, and pointwise limits are taken. The bootstrap of an
    isotonic fit is not consistent in theory: the band is a picture of the spread and its
    coverage is not promised. No p-value belongs to it.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.
    cluster : array_like, shape (n,)
        The event of each forecast.
    level : float
        Nominal coverage, strictly between 0 and 1.
    resamples, seed : int
        Of the draws.

    Returns
    -------
    ConfidenceBand
        Without limits below 8 clusters.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, values out of range, a missing cluster.

    References
    ----------
    T. Dimitriadis, T. Gneiting, A. I. Jordan (2021). Stable reliability diagrams for
    probabilistic classifiers. PNAS 118. https://doi.org/10.1073/pnas.2016191118

    Examples
    --------
    >>> forecast, outcome = [0.2, 0.3, 0.7, 0.8] * 4, [0, 0, 1, 1] * 4
    >>> band = confidence_band(forecast, outcome, cluster=[event // 2 for event in range(16)])
    >>> band.n_clusters, band.note
    (8, 'approximate')
    """
    from scipy.sparse import coo_array

    checks.between(level, 0, 1, "level")
    checks.at_least(resamples, 1, "resamples")
    pooled = pool(forecast, outcome)
    code = checks.clusters(cluster)
    if len(code) != pooled.total:
        message = f"forecast and cluster (lengths {pooled.total} and {len(code)}): must be equal"
        raise InvalidInput(message)
    count, width = int(code.max()) + 1, len(pooled.value)
    rate = isotonic(pooled.events, pooled.n)
    lower = upper = np.full(width, np.nan)
    note = f"too few: {count} event{'s' * (count > 1)}, a band needs {checks.LEAST_CLUSTERS}"
    if count >= checks.LEAST_CLUSTERS:
        happened = np.asarray(outcome, dtype=np.float64).reshape(-1)
        shape = (count, width)
        place = np.searchsorted(pooled.value, np.asarray(forecast, dtype=np.float64).reshape(-1))
        events = coo_array((happened, (code, place)), shape=shape).tocsr()
        sizes = coo_array((np.ones(len(code)), (code, place)), shape=shape).tocsr()
        rng = np.random.default_rng(seed)
        rank, even = _rank(code, place, happened), np.full(count, 1 / count)
        curves = np.empty((resamples, width))
        for part in chunks(resamples, count):
            size = len(range(*part.indices(resamples)))
            drawn = rng.multinomial(count, even, size=size)[:, rank].T.astype(np.float64)
            curves[part] = isotonic((events.T @ drawn).T, (sizes.T @ drawn).T)
        lower, upper = closed_quantiles(curves, level)
        note = "approximate"
    return ConfidenceBand(
        pooled.value, rate, lower, upper, pooled.n.astype(np.int64), level, count, note
    )


def _rank(code: IntArray, place: IntArray, happened: FloatArray) -> IntArray:
    """Rank the clusters by what they hold, so that neither their names nor row order matter."""
    labels = np.random.default_rng(0).integers(
        0, 2**63, size=(int(place.max()) + 1, 2), dtype=np.uint64
    )
    signature = np.zeros(int(code.max()) + 1, dtype=np.uint64)
    # Sums of unsigned integers wrap around, and so are the same in any order.
    np.add.at(signature, code, labels[place, happened.astype(np.int64)])
    rank: IntArray = np.argsort(np.argsort(signature, kind="stable"), kind="stable")
    return rank
