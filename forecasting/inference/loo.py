"""Leave-one-out comparison of models on one and the same data set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["LooResult", "psis_loo"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LooResult:
    """Expected log predictive density of each row given the other rows.

    Attributes
    ----------
    pointwise
        (n,) log predictive density of each row.
    k_hat
        (n,) Pareto shape of each row's importance weights; above 0.7 the row needs a refit.
    """

    pointwise: FloatArray
    k_hat: FloatArray

    @property
    def elpd(self) -> float:
        """Sum over rows; larger is better."""
        return float(self.pointwise.sum())


def psis_loo(log_likelihood: ArrayLike, chains: int) -> LooResult:
    """Estimate leave-one-out densities by Pareto-smoothed importance sampling.

    Vehtari, Gelman, Gabry (2017), Practical Bayesian model evaluation using leave-one-out
    cross-validation and WAIC, Statistics and Computing 27, doi:10.1007/s11222-016-9696-4.

    Parameters
    ----------
    log_likelihood : array_like, shape (S, n)
        log p(row | draw), chain-major draws.
    chains : int
        Number of chains.

    Returns
    -------
    LooResult
        A row whose likelihood is the same in every draw has uniform weights and k-hat 0.

    Raises
    ------
    InvalidInput
        If the shape is not (S, n) with S a multiple of `chains`.

    Examples
    --------
    >>> psis_loo(np.full((400, 2), -0.5), 4).elpd
    -1.0
    """
    rows = np.asarray(log_likelihood, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] % chains:
        message = (
            f"log_likelihood must be (S, n) with S a multiple of chains={chains}, got {rows.shape}."
        )
        raise InvalidInput(message)
    from arviz_stats.base import array_stats

    pointwise, k_hat = np.empty(rows.shape[1]), np.zeros(rows.shape[1])
    for index, row in enumerate(rows.T):
        # The library's smoothing raises on a constant ratio, where there is nothing to smooth.
        if np.ptp(row) < 1e-12:
            pointwise[index] = row[0]
            continue
        chained = row.reshape(chains, -1)
        density, shape, _ = array_stats.loo(chained, chain_axis=0, draw_axis=1)
        pointwise[index], k_hat[index] = float(density), float(shape)
    return LooResult(pointwise, k_hat)
