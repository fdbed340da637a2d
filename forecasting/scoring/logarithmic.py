"""The logarithmic score."""

import math

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks


def log_score(forecast: ArrayLike, outcome: ArrayLike, *, base: float = math.e) -> FloatArray:
    r"""Surprise at what happened, :math:`-\log p_y`; smaller is better.

    Strictly proper, and the only proper score that looks at nothing but the probability of
    what happened. A forecast of zero for what then happens scores infinity: it is neither
    clipped nor hidden, so a mean over it is infinite too.

    Parameters
    ----------
    forecast : array_like, shape (n,) or (n, K)
        Probabilities of yes, or vectors over K options.
    outcome : array_like, shape (n,)
        0 or 1, or the label 0..K-1 of the option that happened.
    base : float
        Base of the logarithm, above 1: e gives nats, 2 gives bits.

    Returns
    -------
    ndarray, shape (n,)
        One score per forecast, in [0, inf].

    Raises
    ------
    InvalidInput
        As for :func:`forecasting.scoring.brier`, and for a base that is not above 1.

    References
    ----------
    I. J. Good (1952). Rational decisions. J. R. Statist. Soc. B 14.
    https://doi.org/10.1111/j.2517-6161.1952.tb00104.x

    Examples
    --------
    >>> log_score([0.5, 0.25], [1, 1], base=2)
    array([1., 2.])
    >>> log_score([1.0, 0.0], [1, 1])
    array([ 0., inf])
    """
    if not (1 < base < math.inf):
        raise InvalidInput(f"base ({base}): must be above 1 and finite")
    if checks.is_vector(forecast, outcome):
        vectors, label = checks.categorical(np.atleast_2d(forecast), np.atleast_1d(outcome))
        seen = vectors[np.arange(len(label)), label]
        with np.errstate(divide="ignore"):
            surprise = -np.log(seen)
    else:
        probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
        # log1p keeps a forecast of 1e-20 apart from a forecast of 0 when the answer is no.
        with np.errstate(divide="ignore"):
            surprise = -np.where(happened == 1, np.log(probability), np.log1p(-probability))
    # Adding zero turns the -0.0 of a sure and right forecast into 0.0.
    scores: FloatArray = surprise / math.log(base) + 0.0
    return scores.reshape(np.shape(outcome))
