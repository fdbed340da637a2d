"""The Brier score, in both of its conventions."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

type Convention = Literal["half", "full"]

CONVENTIONS = ("half", "full")


def brier(
    forecast: ArrayLike, outcome: ArrayLike, *, convention: Convention | str = "half"
) -> FloatArray:
    r"""Squared distance between the forecast and what happened; smaller is better.

    With options :math:`k` and :math:`y_k` = 1 for the one that happened,

    .. math:: \text{full} = \sum_k (p_k - y_k)^2 \in [0, 2], \qquad
              \text{half} = \tfrac12\,\text{full} \in [0, 1].

    For a binary question the sum has two equal terms, so half is :math:`(p - y)^2` and full
    is :math:`2(p - y)^2`. Strictly proper in both conventions.

    Parameters
    ----------
    forecast : array_like, shape (n,) or (n, K)
        Probabilities of yes, or vectors over K options. One axis more than `outcome` means
        vectors; a single forecast may drop the first axis.
    outcome : array_like, shape (n,)
        0 or 1, or the label 0..K-1 of the option that happened.
    convention : {"half", "full"}
        Brier's original sum ("full") or half of it ("half"), the same for every K.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, probabilities outside [0, 1] or not summing
        to 1 within 1e-9, other outcomes, another convention.

    References
    ----------
    G. W. Brier (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78. https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Examples
    --------
    >>> brier([0.75, 0.75], [1, 0])
    array([0.0625, 0.5625])
    >>> brier([[0.5, 0.25, 0.25]], [0], convention="full")
    array([0.375])
    """
    checks.one_of(convention, CONVENTIONS, "convention")
    if checks.is_vector(forecast, outcome):
        vectors, label = checks.categorical(np.atleast_2d(forecast), np.atleast_1d(outcome))
        distance = vectors.copy()
        distance[np.arange(len(label)), label] -= 1
        half: FloatArray = np.einsum("nk,nk->n", distance, distance) / 2
    else:
        probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
        half = probability - happened
        half *= half
    if convention == "full":
        half *= 2
    scores: FloatArray = half.reshape(np.shape(outcome))
    return scores


def brier_index(score: ArrayLike) -> FloatArray:
    r"""Brier score as points: 100 for a perfect forecaster, 50 for one who always says 50 %.

    .. math:: 100 \Bigl(1 - \sqrt{B}\Bigr)

    Larger is better. It is of a mean score, and no score itself: means of it are not proper, and
    its order is that of the mean Brier scores.

    Parameters
    ----------
    score : array_like
        Mean (or difficulty-adjusted) half Brier scores, in [0, 1].

    Returns
    -------
    ndarray, shape of `score`

    Raises
    ------
    InvalidInput
        On NaN, empty input, a score outside [0, 1].

    References
    ----------
    E. Karger et al. (2025). ForecastBench: a dynamic benchmark of AI forecasting capabilities.
    https://arxiv.org/abs/2409.19839

    Examples
    --------
    >>> brier_index([0.25, 0.0, 0.09])
    array([ 50., 100.,  70.])
    """
    mean = checks.floats(score, "score")
    outside = (mean < 0) | (mean > 1)
    if outside.any():
        value = mean.ravel()[int(np.argmax(outside))]
        message = f"score ({value}): a half Brier score lies in [0, 1]"
        raise InvalidInput(message, hint="half of a full Brier score")
    points: FloatArray = 100 * (1 - np.sqrt(mean))
    return points
