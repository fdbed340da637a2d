"""The routine exchange of prisoners as a compound Poisson process.

Exchanges happen at rate lam a week; each returns a Gamma number with mean m and shape nu. The
sum of n of them is Gamma with shape n nu, so that P(total >= R by s) needs no simulation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["Delivered", "delivered", "mixture_completion", "routine_completion", "routine_total"]

FloatArray = NDArray[np.float64]

# A tail left out below this changes no probability that is shown.
NEGLIGIBLE = 1e-10
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Predictive distribution of a number delivered, with its two lumps.

    Attributes
    ----------
    levels, values
        Quantile levels, and the numbers at them.
    chance_none
        Probability that nothing more is delivered.
    chance_full
        Probability that the whole number is delivered.
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]
    chance_none: float
    chance_full: float


def delivered(
    samples: ArrayLike, *, lower: float, upper: float, levels: tuple[float, ...] = LEVELS
) -> Delivered:
    """Summarise simulated totals within their bounds.

    Parameters
    ----------
    samples : array_like, shape (n,)
        Simulated totals.
    lower, upper : float
        What is delivered already, and the whole number; samples are clipped to them.
    levels : tuple of float
        Quantile levels.

    Returns
    -------
    Delivered
        Quantiles, and the shares of samples at the two bounds.

    Examples
    --------
    >>> delivered([0, 100, 250, 900], lower=0, upper=300, levels=(0.5,))
    Delivered(levels=(0.5,), values=(175.0,), chance_none=0.25, chance_full=0.25)
    """
    totals = np.clip(np.asarray(samples, dtype=np.float64), lower, upper)
    return Delivered(
        levels,
        tuple(float(value) for value in np.quantile(totals, levels)),
        float(np.mean(totals <= lower)),
        float(np.mean(totals >= upper)),
    )


def routine_completion(
    lam: ArrayLike, nu: ArrayLike, m: ArrayLike, remaining: float, horizon: ArrayLike
) -> FloatArray:
    """Return P(routine exchanges return at least `remaining` within `horizon`).

    sum over n of Poisson(n; lam s) P(Gamma(n nu, mean n m) >= R). The Gamma tail of each n is
    tabulated once for all horizons, and only where it is neither 0 nor 1.

    Parameters
    ----------
    lam : array_like, shape (S,) or ()
        Exchanges a week.
    nu, m : array_like, shape (S,) or ()
        Shape and mean of the number returned by one exchange.
    remaining : float
        The number still to come, on the slower side.
    horizon : array_like, shape (H,) or ()
        Weeks, at least 0.

    Returns
    -------
    ndarray, shape (S, H)
        Rises with the horizon in every row.

    Raises
    ------
    InvalidInput
        If a horizon is negative.

    Examples
    --------
    >>> routine_completion(0.369, 2.0, 88.7, 1000.0, [4, 12, 26, 52]).round(4).tolist()
    [[0.0001, 0.014, 0.3047, 0.9421]]
    """
    from scipy.special import gammaincc, gammaln, pdtrik

    rates, shapes, means = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (lam, nu, m))
    )
    weeks = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
    if np.any(weeks < 0):
        message = f"horizon ({weeks.min()}): must be at least 0 weeks."
        raise InvalidInput(message)
    if remaining <= 0:
        return np.ones((rates.size, weeks.size))
    most = float((rates * weeks.max()).max())
    if most == 0.0:
        return np.zeros((rates.size, weeks.size))
    n = np.arange(1, int(np.ceil(pdtrik(1 - NEGLIGIBLE, most))) + 2, dtype=np.float64)
    shape, bound = n * shapes[:, None], (remaining * shapes / means)[:, None]
    log_factorial = gammaln(n + 1)
    weights = []
    for week in weeks:
        expected = (rates * week)[:, None]
        with np.errstate(divide="ignore"):
            weights.append(np.exp(n * np.log(expected) - expected - log_factorial))
    heaviest = np.maximum.reduce(weights)
    # Chernoff: a tail is within exp(-(b - a - a log(b / a))) of 0 below the mean and of 1 above.
    tail = (shape > bound).astype(np.float64)
    beyond = np.exp(-np.maximum(bound - shape - shape * np.log(bound / shape), 0.0))
    band = heaviest * beyond > NEGLIGIBLE / n.size
    tail[band] = gammaincc(shape[band], np.broadcast_to(bound, shape.shape)[band])
    chance = np.empty((rates.size, weeks.size))
    for index, weight in enumerate(weights):
        chance[:, index] = np.einsum("sn,sn->s", weight, tail)
    # Rounding in the sum must not break the order of nested deadlines.
    order = np.argsort(weeks, kind="stable")
    chance[:, order] = np.maximum.accumulate(chance[:, order], axis=1)
    return np.clip(chance, 0.0, 1.0)


def mixture_completion(
    package: ArrayLike, start: ArrayLike, routine: ArrayLike, horizon: ArrayLike
) -> FloatArray:
    """Return w (1 - exp(-mu s)) + (1 - w) P_routine(s): completion in two regimes, at its barest.

    Parameters
    ----------
    package : array_like
        w, the probability that the exchange is carried out as agreed.
    start : array_like
        mu, its rate a week.
    routine : array_like
        Probability of completion by routine exchanges at each horizon.
    horizon : array_like
        Weeks.

    Returns
    -------
    ndarray
        Broadcast of the four.

    Examples
    --------
    >>> mixture_completion(0.35, 0.15, [0.0001, 0.0140, 0.3047], [4, 12, 26]).round(3).tolist()
    [0.158, 0.301, 0.541]
    """
    w, mu = np.asarray(package, dtype=np.float64), np.asarray(start, dtype=np.float64)
    begun = -np.expm1(-mu * np.asarray(horizon, dtype=np.float64))
    return np.asarray(w * begun + (1.0 - w) * np.asarray(routine), dtype=np.float64)


def routine_total(
    rng: np.random.Generator, lam: ArrayLike, nu: ArrayLike, m: ArrayLike, horizon: float
) -> FloatArray:
    """Simulate the number that routine exchanges return within a horizon, once for each draw.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    lam, nu, m : array_like, shape (S,)
        As in `routine_completion`.
    horizon : float
        Weeks.

    Returns
    -------
    ndarray, shape (S,)
        Exactly 0 where there was no exchange.
    """
    exchanges = rng.poisson(np.asarray(lam, dtype=np.float64) * horizon)
    shape = exchanges * np.asarray(nu, dtype=np.float64)
    scale = np.asarray(m, dtype=np.float64) / np.asarray(nu, dtype=np.float64)
    return np.where(exchanges > 0, rng.gamma(np.maximum(shape, 1e-9), scale), 0.0)
