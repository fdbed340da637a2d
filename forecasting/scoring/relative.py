"""The Brier score as platforms print it: against the crowd."""

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks
from forecasting.scoring.quadratic import CONVENTIONS, Convention, brier


def relative_brier(
    forecast: ArrayLike, outcome: float, *, convention: Convention | str = "full"
) -> FloatArray:
    r"""Brier score minus the crowd's median Brier score of the same day; below 0 beats it.

    The convention of Cultivate Forecasts and Fatebook, for one question of :math:`D` days with
    :math:`b_{fd}` the Brier score of the forecast that forecaster :math:`f` had in force,

    .. math:: \frac1D \sum_{d \,:\, f \text{ active}} \bigl( b_{fd} - \operatorname{median}_g
              b_{gd} \bigr).

    The median is over everybody active that day, :math:`f` included. Days without a forecast
    count as 0 and still divide. The platforms score on [0, 2], so that is the default here.

    Not proper: it rewards keeping what one knows from the crowd, and a platform that counts
    days until an early resolution adds the fault of that window. Show it beside the plain
    score and rank by neither alone. Fatebook scores the mean forecast of a day where it changed
    within it; for its numbers hand in those means, which flatter whoever swings.

    Parameters
    ----------
    forecast : array_like, shape (F, D) or (F, D, K)
        What each of F forecasters had in force on each of D days: the probability of yes, or
        a vector over K options. NaN (a whole vector of them) where nothing was in force.
    outcome : int
        0 or 1, or the label 0..K-1 of the option that happened.
    convention : {"full", "half"}
        Scale of the Brier score, see :func:`forecasting.scoring.brier`.

    Returns
    -------
    ndarray, shape (F,)
        One score per forecaster; 0 for one who was never active.

    Raises
    ------
    InvalidInput
        On probabilities outside [0, 1] or not summing to 1 within 1e-9, a vector that is
        missing in part, another outcome or convention, empty input, another shape.

    References
    ----------
    N. Sempere, A. Lawsen (2021). Alignment problems with current forecasting platforms.
    https://arxiv.org/abs/2106.11248

    Examples
    --------
    Yes; one says 0.9 on both days, the other 0.5 on the second: 0.02 alone, then 0.02 against
    the median (0.02 + 0.5) / 2.

    >>> relative_brier([[0.9, 0.9], [float("nan"), 0.5]], 1)
    array([-0.12,  0.12])
    """
    checks.one_of(convention, CONVENTIONS, "convention")
    try:
        array = np.asarray(forecast, dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = "forecast (rows of unequal length, or no numbers): must be (F, D) or (F, D, K)"
        raise InvalidInput(message) from error
    if array.ndim not in (2, 3) or array.size == 0:
        message = f"forecast (shape {array.shape}): must be (F, D) or (F, D, K), and not empty"
        raise InvalidInput(message)
    if np.ndim(outcome) != 0:
        message = f"outcome (shape {np.shape(outcome)}): must be one label, of one question"
        raise InvalidInput(message)
    # A vector missing in part is no absence: it goes on to the check, which refuses its NaN.
    missing = np.isnan(array)
    active = ~(missing if array.ndim == 2 else missing.all(axis=2))
    score = np.full(active.shape, np.nan)
    if active.any():
        present = array[active]
        score[active] = brier(present, np.full(len(present), outcome), convention=convention)
    days = active.any(axis=0)
    ahead = score[:, days] - np.nanmedian(score[:, days], axis=0)
    relative: FloatArray = np.where(active[:, days], ahead, 0.0).sum(axis=1) / active.shape[1]
    return relative
