"""The spherical score."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.scoring import checks


def spherical(forecast: ArrayLike, outcome: ArrayLike) -> FloatArray:
    r"""One minus the cosine between the forecast and what happened; smaller is better.

    .. math:: 1 - \frac{p_y}{\lVert p \rVert}, \qquad
              \lVert p \rVert = \sqrt{\textstyle\sum_k p_k^2}, \qquad \in [0, 1]

    The literature rewards :math:`p_y / \lVert p \rVert` itself, larger being better; it is
    turned round here so that every score points one way. Strictly proper, and bounded: a
    forecast of zero for what then happens scores 1.

    Parameters
    ----------
    forecast : array_like, shape (n,) or (n, K)
        Probabilities of yes, or vectors over K options. One axis more than `outcome` means
        vectors; a single forecast may drop the first axis.
    outcome : array_like, shape (n,)
        0 or 1, or the label 0..K-1 of the option that happened.

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102. https://doi.org/10.1198/016214506000001437

    Examples
    --------
    >>> spherical([[0.5, 0.25, 0.25]], [0]).round(4)
    array([0.1835])
    >>> spherical([1.0, 0.0, 0.5], [1, 1, 1]).round(4)
    array([0.    , 1.    , 0.2929])
    """
    if checks.is_vector(forecast, outcome):
        vectors, label = checks.categorical(np.atleast_2d(forecast), np.atleast_1d(outcome))
    else:
        probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
        vectors, label = np.column_stack([1 - probability, probability]), happened.astype(np.int64)
    length = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
    scores: FloatArray = 1 - vectors[np.arange(len(label)), label] / length
    return scores.reshape(np.shape(outcome))
