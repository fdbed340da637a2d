"""Draws of a graph's rows and of the marginals of single questions, evenly spaced.

A few hundred independent draws of a row leave an error of about .01 in its mean. Evenly spaced
draws (one from each of n equal slices of every distribution, in random order: a Latin hypercube,
McKay, Beckman and Conover 1979) leave almost none, and cost the same.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["BLOCKS", "logit_rows", "mcse_of_blocks", "spaced_dirichlet", "spaced_pick"]

FloatArray = NDArray[np.float64]

#: Draws are made in this many blocks, each evenly spaced by itself: they show the error left.
BLOCKS = 8
ROUNDS = 20


def _slices(rng: np.random.Generator, rows: int, draws: int) -> FloatArray:
    """Give one uniform number from each of n slices for every row and block, in random order."""
    per = draws // BLOCKS
    if draws % BLOCKS or not per:
        message = f"draws ({draws}): must be a multiple of {BLOCKS}."
        raise InvalidInput(message)
    ranks = rng.permuted(np.tile(np.arange(per), (rows, BLOCKS, 1)), axis=2)
    return ((ranks + rng.random(ranks.shape)) / per).reshape(rows, draws)


def spaced_dirichlet(rng: np.random.Generator, a: ArrayLike, draws: int) -> FloatArray:
    """Return evenly spaced draws of rows ~ Dirichlet(a), by breaking a stick at beta quantiles.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    a : array_like, shape (R, K)
        One row each; a state with 0 never comes.
    draws : int
        S, a multiple of `BLOCKS`.

    Returns
    -------
    ndarray, shape (S, R, K)
        Each row sums to one.

    Raises
    ------
    InvalidInput
        If a number is negative or not finite, or a row has none above 0.

    Examples
    --------
    >>> rows = spaced_dirichlet(np.random.default_rng(0), [[0.5, 0.5], [6, 4]], 1000)
    >>> bool(np.all(np.abs(rows.mean(axis=0) - [[0.5, 0.5], [0.6, 0.4]]) < 1e-3))
    True
    """
    from scipy.special import betaincinv

    weight = np.asarray(a, dtype=np.float64)
    if weight.ndim != 2 or not np.all(np.isfinite(weight) & (weight >= 0)):
        message = f"a ({weight}): must be rows of finite numbers of at least 0."
        raise InvalidInput(message)
    if not np.all(weight.sum(axis=1) > 0):
        message = "a: each row needs a number above 0."
        raise InvalidInput(message)
    rows, states = weight.shape
    found = np.zeros((draws, rows, states))
    left = np.ones((rows, draws))
    for k in range(states - 1):
        own, rest = weight[:, k, None], weight[:, k + 1 :].sum(axis=1)[:, None]
        u = _slices(rng, rows, draws)
        share = betaincinv(np.where(own > 0, own, 1.0), np.where(rest > 0, rest, 1.0), u)
        share = np.where(own <= 0, 0.0, np.where(rest <= 0, 1.0, share))
        found[:, :, k] = (left * share).T
        left = left * (1.0 - share)
    found[:, :, -1] = left.T
    # Stick breaking spaces the first state best; a last touch gives each state its known mean.
    mean = weight / weight.sum(axis=1, keepdims=True)
    for _ in range(ROUNDS if states > 2 else 1):
        found /= found.sum(axis=2, keepdims=True)
        have = found.mean(axis=0)
        found *= np.divide(mean, have, out=np.zeros_like(mean), where=have > 0)
    return np.asarray(found / found.sum(axis=2, keepdims=True))


def logit_rows(
    rng: np.random.Generator,
    share: float,
    kappa: float,
    effects: Sequence[Sequence[float]],
    draws: int,
) -> FloatArray:
    """Return draws of the table of a node of two states whose links add up on the log-odds.

    log-odds(first | parents) = b + sum of effects, b ~ N(logit share, 1 / (kappa p (1 - p))), each
    effect ~ N(its mean, 1), and 0 for a parent's first state.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    share, kappa : float
        P(first state) with every parent in its first state, and how many cases that is worth.
    effects : sequence of sequence of float
        For each parent the mean effect of each of its states.
    draws : int
        S, a multiple of `BLOCKS`.

    Returns
    -------
    ndarray, shape (S, parents' states..., 2)

    Examples
    --------
    >>> table = logit_rows(np.random.default_rng(0), 0.2, 10, [[0, 1]] * 4, 800)
    >>> table.shape, round(float(np.median(table[:, 0, 0, 0, 0, 0])), 2)
    ((800, 2, 2, 2, 2, 2), 0.2)
    """
    from scipy.special import expit, logit, ndtri

    sizes = [len(each) for each in effects]
    u = _slices(rng, 1 + sum(size - 1 for size in sizes), draws)
    normal = ndtri(np.clip(u, 1e-12, 1.0 - 1e-12))
    base = logit(share) + normal[0] / np.sqrt(kappa * share * (1.0 - share))
    odds = base.reshape(draws, *[1] * len(sizes))
    position = 1
    for axis, means in enumerate(effects):
        own = np.zeros((draws, sizes[axis]))
        for state, mean in enumerate(means):
            if state:
                own[:, state] = mean + normal[position]
                position += 1
        shape = [draws, *[1] * len(sizes)]
        shape[axis + 1] = sizes[axis]
        odds = odds + own.reshape(shape)
    first = expit(odds)
    return np.stack([first, 1.0 - first], axis=-1)


def spaced_pick(
    rng: np.random.Generator,
    p: ArrayLike,
    draws: int,
    weights: ArrayLike | None = None,
) -> FloatArray:
    """Return S draws of a set of draws that keep its mean: sorted, then taken at even steps.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    p : array_like, shape (n, K)
        Draws of a marginal.
    draws : int
        S, a multiple of `BLOCKS`.
    weights : array_like, shape (n,), optional
        Of the draws; default equal.

    Returns
    -------
    ndarray, shape (S, K)
        In random order within each block.

    Examples
    --------
    >>> p = np.random.default_rng(0).random((5000, 1))
    >>> bool(abs(spaced_pick(np.random.default_rng(1), p, 1000).mean() - p.mean()) < 2e-3)
    True
    """
    given = np.asarray(p, dtype=np.float64)
    n = given.shape[0]
    weight = np.full(n, 1.0 / n) if weights is None else np.asarray(weights, dtype=np.float64)
    # Sorted by the widest column, so that even steps even out what varies most.
    order = np.argsort(given[:, int(given.var(axis=0).argmax())], kind="stable")
    steps = np.cumsum(weight[order])
    u = _slices(rng, 1, draws)[0] * steps[-1]
    chosen = order[np.minimum(np.searchsorted(steps, u, side="right"), n - 1)]
    return np.asarray(given[chosen])


def mcse_of_blocks(p: ArrayLike) -> FloatArray:
    """Return the Monte Carlo standard error of the mean of spaced draws, from their blocks.

    Parameters
    ----------
    p : array_like, shape (S, ...)
        Spaced draws; blocks one after another.

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> rows = spaced_dirichlet(np.random.default_rng(0), [[0.5, 0.5]], 1000)
    >>> bool(mcse_of_blocks(rows[:, 0, 0]) < 0.001 < rows[:, 0, 0].std() / 1000**0.5)
    True
    """
    given = np.asarray(p, dtype=np.float64)
    means = given.reshape(BLOCKS, -1, *given.shape[1:]).mean(axis=1)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(BLOCKS))
