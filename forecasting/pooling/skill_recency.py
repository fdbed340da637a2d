"""The pool whose weights are given skill and recency, as the Metaculus single aggregation."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput
from forecasting.pooling.geometric import geometric_odds
from forecasting.pooling.linear import linear
from forecasting.pooling.members import members
from forecasting.pooling.trimmed import MEANS, Mean
from forecasting.scoring import checks
from forecasting.scoring.checks import FloatArray

# A reputation of nothing or less keeps a trace of weight.
TRACE = 1e-6


def skill_recency_weights(
    skill: ArrayLike, age: ArrayLike, *, balance: float = 0.5, power: float = 6.0
) -> FloatArray:
    r"""Weights of members from their skill and the age of their forecasts.

    .. math:: w_i \propto \left(d_i^{1 - \beta} r_i^{\beta}\right)^c, \qquad
              d_i = e^{-t_i}, \quad r_i = \max(s_i, 10^{-6})

    Parameters
    ----------
    skill : array_like, shape (n,)
        Each member's reputation from questions resolved before, larger is better, such as
        :func:`reputation`; nothing and less count as 1e-6.
    age : array_like, shape (n,)
        Age of each forecast as a share of the question's length, not negative.
    balance : float
        Share of skill in the exponent, beta in [0, 1]: 0 weighs by recency alone.
    power : float
        How sharply to prefer, c above 0.

    Returns
    -------
    ndarray, shape (n,)
        Summing to 1.

    Raises
    ------
    InvalidInput
        Empty, NaN or infinite values, different lengths, a negative age, a balance or power out
        of range.

    References
    ----------
    Metaculus, open-source platform code, ``utils/the_math/aggregations.py`` (BSD-2): balance .5
    and power 6, which its authors mark as still to be learned.

    Examples
    --------
    Twice the skill weighs 2^3 = 8 times as much.

    >>> skill_recency_weights([1, 2], [0, 0]).round(3).tolist()
    [0.111, 0.889]
    """
    s, t = checks.floats(skill, "skill"), checks.floats(age, "age")
    checks.same_length(s, t, "skill", "age")
    for name, values in (("skill", s), ("age", t)):
        if np.isinf(values).any():
            message = f"{name} ({values[np.isinf(values)][0]}): must be finite"
            raise InvalidInput(message)
    if (t < 0).any():
        message = f"age ({t[t < 0][0]}): must not be negative"
        raise InvalidInput(message, hint="the time of pooling minus the time of the forecast")
    if not 0 <= balance <= 1:
        message = f"balance ({balance}): must lie in [0, 1]"
        raise InvalidInput(message)
    checks.between(power, 0, np.inf, "power")
    # In logarithms, and from the heaviest down: no power of old forecasts vanishes altogether.
    size = power * (balance * np.log(np.maximum(s, TRACE)) - (1 - balance) * t)
    weights = np.exp(size - size.max())
    shared: FloatArray = weights / weights.sum()
    return shared


def reputation(peer_score: ArrayLike, coverage: ArrayLike, *, prior: float = 30.0) -> FloatArray:
    r"""Skill of forecasters from their peer scores: the sum over (30 + coverage).

    .. math:: r = \frac{\sum_q s_q}{30 + \sum_q c_q}

    Parameters
    ----------
    peer_score, coverage : array_like, shape (..., questions)
        Each forecaster's peer score and coverage by question; 0 where there is none. Only of
        questions resolved before.
    prior : float
        Questions of score 0 that a record is drawn to, above 0.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    InvalidInput
        Empty or NaN values, shapes that differ, coverage below 0, a prior that is not above 0.

    Examples
    --------
    >>> float(reputation([10.0, 5.0], [0.5, 1.0], prior=28.5))
    0.5
    """
    score, covered = checks.floats(peer_score, "peer_score"), checks.floats(coverage, "coverage")
    if score.ndim == 0 or score.shape != covered.shape:
        message = f"coverage (shape {covered.shape}): must have the shape of peer_score, one axis"
        raise InvalidInput(message)
    if np.any(covered < 0):
        message = f"coverage ({covered.min()}): must not be negative"
        raise InvalidInput(message)
    checks.between(prior, 0, np.inf, "prior")
    drawn: FloatArray = score.sum(axis=-1) / (prior + covered.sum(axis=-1))
    return drawn


def skill_recency(
    forecasts: ArrayLike,
    skill: ArrayLike,
    age: ArrayLike,
    axis: int = -1,
    *,
    balance: float = 0.5,
    power: float = 6.0,
    mean: Mean | str = "linear",
    clip: float = 0.0,
) -> FloatArray:
    """Pool by a mean weighted with :func:`skill_recency_weights`.

    Nothing is fitted; :class:`Hierarchical` learns the weights instead.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`.
    skill, age, balance, power
        As for :func:`skill_recency_weights`.
    axis : int
        The members' axis.
    mean : {"linear", "geometric-odds"}
        What is weighted: probabilities, as on the platform, or log-odds.
    clip : float
        Draws forecasts into [clip, 1 - clip] before a geometric mean.

    Returns
    -------
    ndarray
        The shape of `forecasts` without `axis`.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds` and :func:`skill_recency_weights`.

    Examples
    --------
    >>> round(float(skill_recency([0.9, 0.1], [1, 1], [0.0, 0.5])), 3)
    0.754
    """
    checks.one_of(mean, MEANS, "mean")
    weights = skill_recency_weights(skill, age, balance=balance, power=power)
    p = members(forecasts, axis)
    if weights.shape not in (p.shape[-1:], np.moveaxis(p, -1, axis).shape):
        message = f"skill (shape {weights.shape}): must be one for each of {p.shape[-1]} forecasts"
        raise InvalidInput(message)
    if mean == "linear":
        return linear(forecasts, weights, axis)
    return geometric_odds(forecasts, weights, axis, clip=clip)
