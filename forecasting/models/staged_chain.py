"""Ordered stages as a Markov chain in continuous time: the mathematics of the staged family.

States 0 to K. From state k - 1 the process advances to stage k at rate `advance`_k; from the states
1 to K - 1 it also falls back to state 0 at rate `collapse`, where a new attempt begins; at rate
`direct` it comes from any state to stage K at once. With advances alone the time to stage K is
hypoexponential, with equal rates Erlang (Neuts 1981, Matrix-Geometric Solutions in Stochastic
Models, chapter 2: phase-type distributions).
"""

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["evenly_resampled", "reached_by", "stage_rates", "transition", "unit_points"]

FloatArray = NDArray[np.float64]

# exp(x) by this many terms is exact to the last digit for 0 <= x <= 1/2; a multiple of four.
TERMS = 16
# Cells along each dimension in which resampled points stay spread (even, or the snake would jump).
CELLS, MOST_DIMENSIONS = 4, 20


def stage_rates(rate: ArrayLike, pace: ArrayLike, collapse: ArrayLike) -> FloatArray:
    """Return the rates of advancing, so that the whole path takes 1 / rate on average.

    Of the time that a completed path takes, failed attempts included, stage k has the share
    v_k = pace_k / sum(pace). On the way state k - 1 is left upwards
    n_k = prod over j > k of (1 + collapse_j / advance_j) times, so advance_k = rate n_k / v_k, from
    the last stage back. By the renewal theorem `rate` is then the long-run rate of completions,
    which is what a reference class counts: collapse is part of it and is not counted again.

    Parameters
    ----------
    rate : array_like, shape (S,)
        Completions per unit of time.
    pace : array_like, shape (S, K)
        Positive weights of the stages' shares of time.
    collapse : array_like, shape (S, K - 1)
        Rates of falling back from the states 1 to K - 1.

    Returns
    -------
    ndarray, shape (S, K)
        Per unit of time.

    Examples
    --------
    >>> stage_rates([0.1], [[1.0, 1.0]], [[0.1]]).round(3).tolist()
    [[0.3, 0.2]]
    """
    speed = np.asarray(rate, dtype=np.float64)
    weight = np.asarray(pace, dtype=np.float64)
    falls = np.asarray(collapse, dtype=np.float64)
    if weight.ndim != 2 or falls.shape != (len(weight), weight.shape[1] - 1):
        message = f"pace {weight.shape} and collapse {falls.shape}: must be (S, K) and (S, K - 1)."
        raise InvalidInput(message)
    found = speed[:, None] * weight.sum(axis=1, keepdims=True) / weight
    visits = np.ones(len(found))
    for stage in range(weight.shape[1] - 2, -1, -1):
        visits *= 1.0 + falls[:, stage] / found[:, stage + 1]
        found[:, stage] *= visits
    return found


def transition(generator: FloatArray, time: float) -> FloatArray:
    """Return exp(Q t) of many generators at once, every step a sum of terms that are not negative.

    exp(Q h) = e^(-q h) exp((Q + q I) h) with q the largest rate of a draw, by its series for a
    small h, then squared. Nothing cancels: small probabilities keep their digits, and rows
    stay probabilities.

    Parameters
    ----------
    generator : ndarray, shape (n, n, S)
        Rates from row to column, rows summing to 0; draws last.
    time : float
        At least 0.

    Returns
    -------
    ndarray, shape (n, n, S)
        Each row sums to one.

    Examples
    --------
    >>> q = np.array([[-0.1, 0.1], [0.0, 0.0]])[:, :, None]
    >>> transition(q, 10.0)[0, :, 0].round(4).tolist()
    [0.3679, 0.6321]
    """
    n = generator.shape[0]
    one = np.eye(n)[:, :, None]
    leaving = -generator[range(n), range(n)].min(axis=0)
    # Halve each draw's time until it is short, the most halved first: they are squared longest.
    halvings = np.ceil(np.log2(np.maximum(2.0 * leaving * time, 1.0)))
    order = np.argsort(-halvings, kind="stable")
    left, step = halvings[order], time / 2.0 ** halvings[order]
    jumps = (generator[:, :, order] + leaving[order] * one) * step
    found = _exp_series(jumps) * np.exp(-leaving[order] * step)
    for done in range(int(halvings.max(initial=0.0))):
        unfinished = int(np.searchsorted(-left, -done, side="left"))
        found[:, :, :unfinished] = _times(found[:, :, :unfinished], found[:, :, :unfinished])
    back = np.empty_like(found)
    back[:, :, order] = found
    return back


def _exp_series(small: FloatArray) -> FloatArray:
    """Sum the series of exp by blocks of four powers: six products (Paterson, Stockmeyer 1973)."""
    square = _times(small, small)
    powers = (small, square, _times(square, small))
    fourth = _times(square, square)
    found = np.zeros_like(small)
    for block in range(TERMS - 4, -1, -4):
        found = _times(found, fourth) if block < TERMS - 4 else found
        found += np.eye(len(small))[:, :, None] / factorial(block)
        for offset, power in enumerate(powers, start=1):
            found += power / factorial(block + offset)
    return found


def _times(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = np.einsum("ijs,jks->iks", a, b)
    return product


def reached_by(
    advance: ArrayLike,
    collapse: ArrayLike,
    horizon: ArrayLike,
    *,
    direct: ArrayLike = 0.0,
    reached: int = 0,
    stages: Sequence[int] | None = None,
) -> FloatArray:
    """Return P(stage k has been reached by the horizon) for every draw.

    A stage that was reached and lost again has been reached. For every draw the probability rises
    with the horizon and falls with the stage.

    Parameters
    ----------
    advance : array_like, shape (S, K)
        Rates from the states 0 to K - 1 to the next.
    collapse : array_like, shape (S, K - 1)
        Rates from the states 1 to K - 1 back to 0.
    horizon : array_like, shape (H,)
        Time from now, at least 0, in the unit of the rates.
    direct : array_like, shape (S,) or (), default 0
        Rate of coming to the last stage from any state at once.
    reached : int, default 0
        The stage that stands now, 0 to K.
    stages : sequence of int, optional
        Which of the stages 1 to K; default all.

    Returns
    -------
    ndarray, shape (S, H, len(stages))
        Probabilities.

    Raises
    ------
    InvalidInput
        If the horizon is negative or `reached` is no stage.

    Examples
    --------
    Three stages at .1 a day within 30 days: 1 - e^-3 (1 + 3 + 4.5).

    >>> reached_by([[0.1, 0.1, 0.1]], [[0.0, 0.0]], [30.0])[0, 0].round(4).tolist()
    [0.9502, 0.8009, 0.5768]
    """
    up = np.asarray(advance, dtype=np.float64)
    down = np.asarray(collapse, dtype=np.float64)
    times = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
    at_once = np.broadcast_to(np.asarray(direct, dtype=np.float64), len(up))
    k_all = up.shape[1]
    if not 0 <= reached <= k_all:
        message = f"reached ({reached}): must be a stage from 0 to {k_all}."
        raise InvalidInput(message)
    if not np.all(times >= 0):
        message = f"horizon ({times.min()}): must be at least 0."
        raise InvalidInput(message)
    wanted = range(1, k_all + 1) if stages is None else stages
    found = np.ones((len(up), len(times), len(wanted)))
    for column, k in enumerate(wanted):
        if k > reached:
            chain = _absorbed_at(k, up, down, at_once)
            for row, time in enumerate(times):
                found[:, row, column] = _first_passage(chain, float(time), reached)
    # Rounding in the last digit must not break the order that holds in exact arithmetic.
    order = np.argsort(times, kind="stable")
    found[:, order] = np.maximum.accumulate(found[:, order], axis=1)
    if stages is None:
        found = np.minimum.accumulate(found, axis=2)
    return np.clip(found, 0.0, 1.0)


def _first_passage(chain: FloatArray, time: float, start: int) -> FloatArray:
    if len(chain) == 2:
        happened: FloatArray = -np.expm1(-chain[0, 1] * time)
        return happened
    found: FloatArray = transition(chain, time)[start, -1]
    return found


def _absorbed_at(k: int, up: FloatArray, down: FloatArray, at_once: FloatArray) -> FloatArray:
    chain = np.zeros((k + 1, k + 1, len(up)))
    for state in range(k):
        chain[state, state + 1] = up[:, state]
        chain[state, k] += at_once
        if state:
            chain[state, 0] += down[:, state - 1]
        chain[state, state] -= chain[state].sum(axis=0)
    return chain


def unit_points(n: int, dimensions: int, seed: int) -> FloatArray:
    """Return n evenly spread points of the unit cube: a scrambled Sobol sequence.

    Parameters
    ----------
    n : int
        A power of two.
    dimensions, seed : int
        Of the cube, and of the scrambling.

    Returns
    -------
    ndarray, shape (n, dimensions)
        Strictly between 0 and 1.
    """
    from scipy.stats import qmc

    points = qmc.Sobol(dimensions, rng=seed).random(n)
    return np.clip(points, 0.5 / n / 1024, 1.0 - 0.5 / n / 1024)


def evenly_resampled(
    log_weights: FloatArray, points: FloatArray, n: int, seed: int
) -> NDArray[np.intp]:
    """Return positions of n equally weighted draws out of weighted points of the unit cube.

    Systematic resampling (Kitagawa 1996, doi:10.1080/10618600.1996.10474692): one evenly spaced
    comb over the weights, laid along a path through the cube's cells that only steps between
    neighbours, so that the draws stay spread in every dimension; then shuffled.

    Parameters
    ----------
    log_weights : ndarray, shape (m,)
        Of the points.
    points : ndarray, shape (m, dimensions)
        Between 0 and 1.
    n, seed : int
        Number of draws; of the comb's offset and of the shuffle.

    Returns
    -------
    ndarray, shape (n,)
        Positions, with repetitions where a point is heavy.
    """
    rng = np.random.default_rng(seed)
    laid = np.argsort(_along_cells(points), kind="stable")
    weights = np.exp(log_weights - log_weights.max())[laid]
    edges = np.cumsum(weights) / weights.sum()
    comb = (np.arange(n) + rng.random()) / n
    chosen = laid[np.minimum(np.searchsorted(edges, comb), len(laid) - 1)]
    return rng.permutation(chosen)


def _along_cells(points: FloatArray) -> NDArray[np.int64]:
    """Give each point its cell's place on a snake through the cube: a reflected Gray code."""
    dimensions = min(points.shape[1], MOST_DIMENSIONS)
    place = np.zeros(len(points), dtype=np.int64)
    for slot in (points[:, :dimensions] * CELLS).astype(np.int64).T:
        place = place * CELLS + np.where(place % 2, CELLS - 1 - slot, slot)
    return place
