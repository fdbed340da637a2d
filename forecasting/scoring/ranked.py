"""Scores for options that have an order: nearer is less wrong."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.scoring import checks


def rps(forecast: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""Ranked probability score: the Brier score summed over the cuts; smaller is better.

    .. math:: \sum_{k=0}^{K-2} \Bigl(\sum_{j \le k} p_j - 1\{y \le k\}\Bigr)^2 \in [0, K-1]

    It is not divided by K - 1. With two options it is the half Brier score. Strictly proper.

    Parameters
    ----------
    forecast, outcome : array_like, shapes (n, K) and (n,)
        Probabilities over K options in their order; the label 0..K-1 of the one that happened.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, vectors not summing to 1 within 1e-9, labels
        outside 0..K-1.

    References
    ----------
    E. S. Epstein (1969). A scoring system for probability forecasts of ranked categories.
    J. Appl. Meteorol. 8. https://doi.org/10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2

    Examples
    --------
    >>> rps([[0.5, 0.25, 0.25]], [0])
    array([0.3125])
    """
    vectors, label = checks.categorical(
        np.atleast_2d(checks.floats(forecast, "forecast")), np.atleast_1d(outcome)
    )
    cuts = np.arange(vectors.shape[1] - 1)
    distance = np.cumsum(vectors[:, :-1], axis=1) - (label[:, None] <= cuts)
    scores: FloatArray = np.einsum("nk,nk->n", distance, distance)
    return scores.reshape(np.shape(outcome))


def ordered_brier(forecast: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""Mean over the K - 1 cuts of the two-sided Brier score, 2 RPS / (K - 1), in [0, 2].

    The rule of the Good Judgment tournaments for options with an order, which platforms call
    ordinal scoring; smaller is better.

    Parameters
    ----------
    forecast, outcome : array_like, shapes (n, K) and (n,)
        Probabilities over K options in their order; the label 0..K-1 of the one that happened.

    References
    ----------
    V. R. R. Jose, R. F. Nau, R. L. Winkler (2009). Sensitivity to distance and baseline
    distributions in forecast evaluation. Management Science 55.
    https://doi.org/10.1287/mnsc.1080.0955

    Examples
    --------
    >>> ordered_brier([[0.5, 0.25, 0.25]], [0])
    array([0.3125])
    """
    scores: FloatArray = 2 * rps(forecast, outcome) / (np.shape(forecast)[-1] - 1)
    return scores
