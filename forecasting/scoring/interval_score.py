"""The interval score: how wide a stated interval was, and what it missed."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks


def interval_score(
    lower: ArrayLike, upper: ArrayLike, outcome: ArrayLike, *, level: float
) -> FloatArray:
    r"""Width of a central interval plus a fine for missing; smaller is better.

    With :math:`\alpha = 1 - \text{level}`,

    .. math:: (u - l) + \frac{2}{\alpha} (l - y)^+ + \frac{2}{\alpha} (y - u)^+.

    Proper for the quantiles at :math:`\alpha/2` and :math:`1 - \alpha/2`: it is
    :math:`2/\alpha` times the sum of their pinball losses. Intervals of different levels are
    not on one scale.

    Parameters
    ----------
    lower, upper : array_like, shape (n,)
        The limits, lower not above upper, in the units of `outcome`.
    outcome : array_like, shape (n,)
        The value that came true.
    level : float
        Nominal coverage, strictly between 0 and 1: 0.9 for the 5 % and 95 % quantiles.

    Returns
    -------
    ndarray, shape (n,)
        One score per interval, in the units of `outcome`.

    Raises
    ------
    InvalidInput
        On NaN, infinities, empty input, lengths that differ, a lower limit above its upper
        one, a level outside (0, 1).

    References
    ----------
    T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and
    estimation. JASA 102. https://doi.org/10.1198/016214506000001437

    Examples
    --------
    Width 4, and 1 below the lower limit at 2 / 0.2 a unit:

    >>> interval_score([1.0, 1.0], [5.0, 5.0], [3.0, 0.0], level=0.8)
    array([ 4., 14.])
    """
    checks.between(level, 0, 1, "level")
    low, high, value = (
        np.atleast_1d(checks.finite(values, name))
        for values, name in ((lower, "lower"), (upper, "upper"), (outcome, "outcome"))
    )
    checks.same_length(low, value, "lower", "outcome")
    checks.same_length(high, value, "upper", "outcome")
    if np.any(low > high):
        row = int(np.argmax(low > high))
        message = f"lower ({low[row]} at {row}): must not be above upper ({high[row]})"
        raise InvalidInput(message)
    missed = np.maximum(low - value, 0) + np.maximum(value - high, 0)
    scores: FloatArray = (high - low) + 2 / (1 - level) * missed
    return scores.reshape(np.shape(outcome))
