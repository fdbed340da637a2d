"""What an answer would be worth: how much knowing one node would sharpen the forecast of another.

The expected drop of the Brier score (its categorical form, 0 to 2, halved for two states) is the
variance of P(U | C) over the answers C: E[(P(U | C) - P(U))^2], summed over the states of U. For
two yes-no questions it is c (1 - c) (u1 - u0)^2. Mutual information is the same for the log score.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["brier_reduction", "mutual_information"]

FloatArray = NDArray[np.float64]


def brier_reduction(both: ArrayLike) -> FloatArray:
    """Return the expected drop of the Brier score of U from learning C.

    Parameters
    ----------
    both : array_like, shape (..., K, L)
        P(C and U); C along the last axis but one.

    Returns
    -------
    ndarray, shape (...)
        sum_u Var_C P(u | C); halved where U has two states: then it is on the scale of (p - y)^2.

    Examples
    --------
    Known answer 12: C = guarantee, U = holds.

    >>> float(brier_reduction([[0.3 * 0.24, 0.3 * 0.76], [0.7 * 0.34, 0.7 * 0.66]]).round(6))
    0.0021
    """
    table, c, u = _table(both)
    spread = np.divide(table, c[..., None], out=np.zeros_like(table), where=c[..., None] > 0)
    found = (c[..., None] * (spread - u[..., None, :]) ** 2).sum(axis=(-1, -2))
    return np.asarray(found / 2.0 if table.shape[-1] == 2 else found)


def mutual_information(both: ArrayLike) -> FloatArray:
    """Return the mutual information of C and U in nats: the expected gain of the log score.

    Parameters
    ----------
    both : array_like, shape (..., K, L)
        P(C and U).

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> float(mutual_information([[0.072, 0.228], [0.238, 0.462]]).round(5))
    0.00505
    """
    table, c, u = _table(both)
    apart = c[..., None] * u[..., None, :]
    ratio = np.divide(table, apart, out=np.ones_like(table), where=(table > 0) & (apart > 0))
    return np.asarray(np.maximum(0.0, (table * np.log(ratio)).sum(axis=(-1, -2))))


def _table(both: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    table = np.asarray(both, dtype=np.float64)
    if np.any(table < 0) or not np.allclose(table.sum(axis=(-1, -2)), 1.0, atol=1e-9):
        message = "both: must be probabilities of pairs that sum to 1."
        raise InvalidInput(message)
    return table, table.sum(axis=-1), table.sum(axis=-2)
