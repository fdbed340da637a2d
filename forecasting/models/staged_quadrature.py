"""Posterior draws of a staged process without a sampler.

Sobol points (Owen 1998, doi:10.1006/jcom.1998.0487) are mapped to the parameters, the rate by a
Gamma that already has the advances in it, the others by their priors; weights bring in the rest of
the likelihood, and equally weighted draws are taken from the weighted points.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.models.staged_chain import evenly_resampled, stage_rates, unit_points

__all__ = ["POINTS", "collapse_rates", "log_moves", "path_rates", "quadrature", "weighted"]

FloatArray = NDArray[np.float64]

POINTS = 2**13


def path_rates(draws: Mapping[str, ArrayLike]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each draw's rates of advancing, of falling back, and of coming to the end at once.

    Parameters
    ----------
    draws : mapping
        ``rate``, and for more than one stage ``pace, collapse, direct``.

    Returns
    -------
    advance : ndarray, shape (S, K)
    collapse : ndarray, shape (S, K - 1)
    direct : ndarray, shape (S,)
        All per unit of time.
    """
    rate = np.asarray(draws["rate"], dtype=np.float64)
    if "pace" not in draws:
        return rate[:, None], np.ones((len(rate), 0)), np.zeros(len(rate))
    share = np.asarray(draws["direct"], dtype=np.float64)
    collapse = np.asarray(draws["collapse"], dtype=np.float64)
    return stage_rates(rate * (1.0 - share), draws["pace"], collapse), collapse, rate * share


def log_moves(draws: Mapping[str, ArrayLike], data: Mapping[str, FloatArray]) -> FloatArray:
    """Return log p(moves out of the states 0 to K - 1 | draw).

    Parameters
    ----------
    draws : mapping
        As in `path_rates`.
    data : mapping
        ``advances, collapses, exposure`` (K,) and ``jumps`` ().

    Returns
    -------
    ndarray, shape (S, K)
        A jump stands in the last column.
    """
    advance, collapse, direct = path_rates(draws)
    found = -(advance + direct[:, None]) * data["exposure"]
    found[:, :-1] += data["advances"][:-1] * np.log(advance[:, :-1])
    found[:, -1] += data["advances"][-1] * np.log(advance[:, -1] + direct)
    found[:, 1:] += data["collapses"][1:] * np.log(collapse) - collapse * data["exposure"][1:]
    if data["jumps"] > 0:
        found[:, -1] += data["jumps"] * np.log(direct)
    return found


def collapse_rates(chance: ArrayLike, shape: ArrayLike, rate: ArrayLike) -> FloatArray:
    """Return the rates of falling back from the chances to fail.

    At the pace that the class has on average, Gamma(shape, rate), and with stages of equal length,
    each of K stages is advanced from at rate K shape / rate; to fail with chance c there is to fall
    back at c / (1 - c) times that. So a collapse says that attempts fail, and not that the path is
    fast, which would make the end more likely.

    Parameters
    ----------
    chance : array_like, shape (S, K - 1)
        Of the stages 2 to K.
    shape, rate : array_like, shape ()
        Of the prior of the path's rate.

    Returns
    -------
    ndarray, shape (S, K - 1)
        Per unit of time.

    Examples
    --------
    >>> collapse_rates([[0.25]], 1.0, 30.0).round(4).tolist()
    [[0.0222]]
    """
    failed = np.asarray(chance, dtype=np.float64)
    pace = (failed.shape[1] + 1) * np.asarray(shape) / np.asarray(rate)
    found: FloatArray = pace * failed / (1.0 - failed)
    return found


def quadrature(
    data: Mapping[str, FloatArray], priors: Mapping[str, FloatArray], n: int, seed: int
) -> tuple[dict[str, FloatArray], float]:
    """Return n equally weighted posterior draws, and how many points their weights are worth.

    Parameters
    ----------
    data, priors : mapping
        As in `StagedProcess.fit`, priors as arrays.
    n, seed : int
        Number of draws, and their seed.

    Returns
    -------
    draws : dict of str to ndarray
        Of the parameters.
    effective : float
        Kish's effective number of points, (sum w)^2 / sum w^2.
    """
    points, drawn, log_weights = weighted(data, priors, seed)
    chosen = evenly_resampled(log_weights, points, n, seed)
    weights = np.exp(log_weights - log_weights.max())
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    return {name: values[chosen] for name, values in drawn.items()}, effective


def weighted(
    data: Mapping[str, FloatArray],
    priors: Mapping[str, FloatArray],
    seed: int,
    *,
    count: int = POINTS,
) -> tuple[FloatArray, dict[str, FloatArray], FloatArray]:
    """Return points of the unit cube, the parameters there, and their log weights.

    Parameters
    ----------
    data, priors, seed
        As in `quadrature`.
    count : int
        Of points, a power of two.

    Returns
    -------
    points : ndarray, shape (count, dimensions)
        The first dimension is that of the rate.
    draws : dict of str to ndarray
        Of the parameters.
    log_weights : ndarray, shape (count,)
        Up to a constant.
    """
    from scipy.special import gammaincinv

    k = len(data["exposure"])
    points = unit_points(count, 2 * k + 1 if k > 1 else 1, seed)
    moves = float(data["advances"].sum() + data["jumps"])
    shape = float(priors["rate_shape"]) + moves
    # With stages of equal length and no collapse this would be the posterior itself.
    scale = float(priors["rate_rate"]) + k * float(data["exposure"].sum())
    rate = gammaincinv(shape, points[:, 0]) / scale
    draws = {"rate": rate, **(_shapes(points[:, 1:], priors, k) if k > 1 else {})}
    log_weights = log_moves(draws, data).sum(axis=1)
    log_weights += (scale - float(priors["rate_rate"])) * rate - moves * np.log(rate)
    return points, draws, log_weights


def _shapes(points: FloatArray, priors: Mapping[str, FloatArray], k: int) -> dict[str, FloatArray]:
    """Map points to pace, collapse and direct by their priors."""
    from scipy.special import betaincinv, ndtri

    # Dense at both ends, where quantiles bend.
    grid = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 513))

    def quantiles(columns: FloatArray, name: str) -> FloatArray:
        table = betaincinv(priors[f"{name}_a"], priors[f"{name}_b"], grid)
        found: FloatArray = np.clip(np.interp(columns, grid, table), 1e-12, 1.0 - 1e-9)
        return found

    chance = quantiles(points[:, k:-1], "collapse")
    return {
        "pace": np.exp(priors["pace_mu"] + priors["pace_sd"] * ndtri(points[:, :k])),
        "collapse": collapse_rates(chance, priors["rate_shape"], priors["rate_rate"]),
        "direct": quantiles(points[:, -1], "direct"),
    }
