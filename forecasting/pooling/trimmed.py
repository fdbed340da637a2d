"""The pool that leaves out the most extreme members on each side."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.pooling.geometric import geometric_odds
from forecasting.pooling.members import members
from forecasting.scoring import checks

type Mean = Literal["geometric-odds", "linear"]

MEANS = ("geometric-odds", "linear")


def trimmed(
    forecasts: ArrayLike,
    drop: int = 1,
    axis: int = -1,
    *,
    mean: Mean | str = "geometric-odds",
    clip: float = 0.0,
) -> FloatArray:
    """Leave out the `drop` lowest and the `drop` highest members, and pool the others alike.

    The members count alike: with weights, equal forecasts at the edge would make it matter
    which of them goes.

    Parameters
    ----------
    forecasts : array_like
        Probabilities of yes in [0, 1], the members along `axis`.
    drop : int
        How many go on each side, at least 0; more than twice as many members are needed.
    axis, clip
        As for :func:`geometric_odds`.
    mean : {"geometric-odds", "linear"}
        How the others are pooled.

    Raises
    ------
    InvalidInput
        As for :func:`geometric_odds`, and where nobody would be left.

    References
    ----------
    V. R. R. Jose, R. L. Winkler (2008). Simple robust averages of forecasts: some empirical
    results. Int. J. Forecasting 24. https://doi.org/10.1016/j.ijforecast.2007.06.001

    Examples
    --------
    >>> float(trimmed([0.01, 0.5, 0.1, 0.99]))
    0.25
    >>> float(trimmed([0.01, 0.5, 0.1, 0.99], mean="linear"))
    0.3
    """
    checks.one_of(mean, MEANS, "mean")
    checks.at_least(drop, 0, "drop")
    p = members(forecasts, axis, clip=clip)
    left = p.shape[-1] - 2 * drop
    if left < 1:
        message = f"drop ({drop}): leaves none of {p.shape[-1]} members"
        raise InvalidInput(message, hint=f"drop={(p.shape[-1] - 1) // 2}")
    middle = np.sort(p, axis=-1)[..., drop : drop + left]
    return geometric_odds(middle) if mean == "geometric-odds" else middle.mean(axis=-1)
