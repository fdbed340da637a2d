"""Spiegelhalter's test of calibration."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.scoring import checks


def spiegelhalter_z(forecast: ArrayLike, outcome: ArrayLike) -> float:
    r"""How far the Brier score is from what calibrated forecasts would get, in standard errors.

    .. math:: Z = \frac{\sum (y - p)(1 - 2p)}{\sqrt{\sum (1 - 2p)^2 p (1 - p)}}

    Near standard normal for many independent calibrated forecasts; above 0 the Brier score is
    worse than they imply. It is blind to errors that cancel.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.

    Returns
    -------
    float
        NaN where forecasts of 0, 1 and 1/2 alone leave nothing to test, infinite where one of
        them was sure and wrong.

    References
    ----------
    D. J. Spiegelhalter (1986). Probabilistic prediction in patient management and clinical
    trials. Statist. Med. 5. https://doi.org/10.1002/sim.4780050506

    Examples
    --------
    >>> round(spiegelhalter_z([0.2, 0.2], [1, 0]), 4)
    1.0607
    """
    probability, happened = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
    slope = 1 - 2 * probability
    excess = float(((happened - probability) * slope).sum())
    variance = float((slope**2 * probability * (1 - probability)).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(excess) / np.sqrt(variance))
