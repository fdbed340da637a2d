"""Posterior draws of a staged process without a sampler: adaptive importance sampling.

Every parameter is written as a standard normal score, so that the prior is N(0, I). A few rounds of
Sobol points (Owen 1998, doi:10.1006/jcom.1998.0487) find the mean and the covariance of the
posterior; points of that normal, with a share of the prior so that no weight is large, are then
weighted (Oh, Berger 1992, doi:10.1080/00949659208811409), and equally weighted draws taken.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.models.staged_chain import evenly_resampled, stage_rates, unit_points

__all__ = ["POINTS", "collapse_rates", "log_moves", "path_rates", "quadrature"]

FloatArray = NDArray[np.float64]

# Points of the last round, and of the rounds before it that find where to put them.
POINTS, PILOT, ROUNDS = 2**12, 2**11, 4
# Effective points of a round that say enough, its normal's widening, and the prior's share.
ENOUGH, WIDER, FROM_PRIOR = 300.0, 1.2, 0.15


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
    k = len(data["exposure"])
    d = 2 * k + 1 if k > 1 else 1
    mean, root = np.zeros(d), np.eye(d)
    if any(np.any(values) for values in data.values()):
        for number in range(ROUNDS):
            scores, _, log_weights = _weighted(data, priors, mean, root, PILOT, seed + number)
            weights = np.exp(log_weights - log_weights.max())
            weights /= weights.sum()
            mean = weights @ scores
            spread = (scores - mean).T @ (weights[:, None] * (scores - mean))
            root = np.linalg.cholesky(WIDER * spread + 0.02 * np.eye(d))
            if 1.0 / np.square(weights).sum() > ENOUGH:
                break
    scores, points, log_weights = _weighted(data, priors, mean, root, POINTS, seed)
    chosen = evenly_resampled(log_weights, points, n, seed)
    weights = np.exp(log_weights - log_weights.max())
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    return _parameters(scores[chosen], priors, k), effective


def _weighted(
    data: Mapping[str, FloatArray],
    priors: Mapping[str, FloatArray],
    mean: FloatArray,
    root: FloatArray,
    count: int,
    seed: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give scores from a normal with a share of the prior, their points, and their log weights."""
    from scipy.special import ndtri

    points = unit_points(count, len(mean) + 1, seed)
    normal = ndtri(points[:, :-1])
    fitted = points[:, -1:] >= FROM_PRIOR
    scores = np.where(fitted, mean + normal @ root.T, normal)
    prior = -0.5 * np.square(scores).sum(axis=1)
    back = np.linalg.solve(root, (scores - mean).T)
    density = -0.5 * np.square(back).sum(axis=0) - np.log(np.diag(root)).sum()
    proposed = np.logaddexp(np.log(FROM_PRIOR) + prior, np.log1p(-FROM_PRIOR) + density)
    likelihood = log_moves(_parameters(scores, priors, len(data["exposure"])), data).sum(axis=1)
    return scores, points, likelihood + prior - proposed


def _parameters(
    scores: FloatArray, priors: Mapping[str, FloatArray], k: int
) -> dict[str, FloatArray]:
    """Turn normal scores into parameters: the rate, pace, collapse, direct."""
    from scipy.special import betaincinv, gammaincinv, ndtr

    shares = np.clip(ndtr(scores), 1e-14, 1.0 - 1e-14)
    rate = gammaincinv(float(priors["rate_shape"]), shares[:, 0]) / priors["rate_rate"]
    if k == 1:
        return {"rate": rate}
    # Dense at both ends, where quantiles bend.
    grid = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 513))

    def quantiles(columns: FloatArray, name: str) -> FloatArray:
        table = betaincinv(priors[f"{name}_a"], priors[f"{name}_b"], grid)
        found: FloatArray = np.clip(np.interp(columns, grid, table), 1e-12, 1.0 - 1e-9)
        return found

    chance = quantiles(shares[:, k + 1 : -1], "collapse")
    return {
        "rate": rate,
        "pace": np.exp(priors["pace_mu"] + priors["pace_sd"] * scores[:, 1 : k + 1]),
        "collapse": collapse_rates(chance, priors["rate_shape"], priors["rate_rate"]),
        "direct": quantiles(shares[:, -1], "direct"),
    }
