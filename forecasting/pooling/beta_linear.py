"""The beta-transformed linear pool."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.pooling.members import members, shares
from forecasting.scoring import checks


def beta_linear(
    forecasts: ArrayLike,
    alpha: float,
    beta: float,
    weights: ArrayLike | None = None,
    axis: int = -1,
) -> FloatArray:
    r"""Pool by the weighted mean of probabilities, recalibrated by a beta distribution function.

    .. math:: P = B_{\alpha, \beta}\left(\sum_i w_i p_i\right)

    A linear pool of calibrated members is underconfident; :math:`\alpha = \beta > 1` pushes it
    from 1/2, and 1, 1 leaves it alone. Fit the two, and the weights, on questions resolved
    before these, never on the ones scored.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`.
    alpha, beta : float
        Of the beta distribution, above 0.
    weights, axis
        As for :func:`geometric_odds`.

    Returns
    -------
    ndarray
        The shape of `forecasts` without `axis`. Nothing is clipped.

    Raises
    ------
    InvalidInput
        No member, NaN, a probability outside [0, 1], weights that cannot be normalised, an
        alpha or beta that is not above 0 and finite.

    References
    ----------
    R. Ranjan, T. Gneiting (2010). Combining probability forecasts. J. R. Statist. Soc. B 72.
    https://doi.org/10.1111/j.1467-9868.2009.00726.x

    Examples
    --------
    The distribution function of Beta(2, 2) is 3 x^2 - 2 x^3.

    >>> round(float(beta_linear([0.6, 0.8], 2, 2)), 3)
    0.784
    """
    from scipy.special import betainc

    checks.between(alpha, 0, np.inf, "alpha")
    checks.between(beta, 0, np.inf, "beta")
    p = members(forecasts, axis)
    # Rounding may carry a mean of ones past 1, where the distribution function is not defined.
    mean = np.clip((p * shares(weights, p.shape, axis)).sum(axis=-1), 0.0, 1.0)
    return np.asarray(betainc(alpha, beta, mean), dtype=np.float64)
