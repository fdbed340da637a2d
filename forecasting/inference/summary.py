"""Draws of a probability, reduced to the numbers that are stored and shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput
from forecasting.inference.gate import mcse_of_mean

__all__ = ["Summary", "summary"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A probability with its spread over parameters and its Monte Carlo error.

    Attributes
    ----------
    mean
        The number that is scored: the posterior mean of P(outcome | parameters).
    sd, p05, p50, p95
        Spread of P(outcome | parameters) over the posterior: what more data could still change.
    mcse
        Monte Carlo standard error of the mean; 0 where the mean is exact.
    """

    mean: float
    sd: float
    p05: float
    p50: float
    p95: float
    mcse: float


def summary(p_draws: ArrayLike, chains: int) -> Summary:
    """Summarise draws of one probability (or of any one quantity).

    Parameters
    ----------
    p_draws : array_like, shape (S,)
        Chain-major draws of that many `chains`.

    Raises
    ------
    InvalidInput
        If the draws are not one-dimensional or not a multiple of `chains`.

    Examples
    --------
    >>> summary([0.25] * 8, 4)
    Summary(mean=0.25, sd=0.0, p05=0.25, p50=0.25, p95=0.25, mcse=0.0)
    """
    p = np.asarray(p_draws, dtype=np.float64)
    if p.ndim != 1 or p.size == 0 or p.size % chains:
        message = f"p_draws must be (S,) with S a multiple of chains={chains}, got {p.shape}."
        raise InvalidInput(message)
    if np.ptp(p) == 0.0:
        value = float(p[0])
        return Summary(value, 0.0, value, value, value, 0.0)
    low, middle, high = np.quantile(p, [0.05, 0.5, 0.95])
    return Summary(
        mean=float(p.mean()),
        sd=float(p.std(ddof=1)),
        p05=float(low),
        p50=float(middle),
        p95=float(high),
        mcse=mcse_of_mean(p, chains),
    )
