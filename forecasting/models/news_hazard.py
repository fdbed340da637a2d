"""From the movement of opinion to a hazard: time that passed, and time to come.

The hazard is rate x exp(beta (z(t) - z(0))). Over a stretch it integrates to the rate times the
*relative time* of the stretch, the integral of exp(beta (z(t) - z(0))) dt: plain time where opinion
has not moved. With a Gamma rate both the quiet past and the future then have closed forms.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["past_days", "relative_future", "relative_past"]

FloatArray = NDArray[np.float64]
#: Points of the past at which the walk is drawn.
PAST = 8
#: Day of the k-th point of the future is this times k^2: fine where deadlines are near.
FUTURE_STEP = 0.5


def past_days(exposure: float, asked: float, now: float, events: ArrayLike = ()) -> FloatArray:
    """Return the days at which the walk since the opening is needed.

    Examples
    --------
    >>> past_days(0.0, 0.0, 0.0).size, past_days(80.0, 80.0, 80.0).tolist()[:2]
    (0, [10.0, 20.0])
    """
    even = np.linspace(0.0, exposure, PAST + 1)[1:]
    later = np.linspace(asked, now, PAST // 2 + 1)
    days = np.concatenate([even, later, [now], np.asarray(events, dtype=np.float64).ravel()])
    rounded = np.unique(np.round(days, 6))
    return rounded[rounded > 0]


def relative_past(path: FloatArray, days: FloatArray, beta: FloatArray, until: float) -> FloatArray:
    """Return the relative time from the opening to a day, by trapezoids.

    Parameters
    ----------
    path : ndarray, shape (S, M)
        z(t) - z(0) on the days.
    days : ndarray, shape (M,)
        From `past_days`.
    beta : ndarray, shape (S,)
        Log hazard per unit of movement.
    until : float
        One of the days, or 0.

    Returns
    -------
    ndarray, shape (S,)
        Plain days where opinion did not move.

    Examples
    --------
    >>> relative_past(np.zeros((1, 2)), np.array([5.0, 10.0]), np.array([0.5]), 10.0).tolist()
    [10.0]
    """
    inside = days <= until + 1e-6
    relative = np.exp(beta[:, None] * path[:, inside])
    relative = np.hstack([np.ones((len(path), 1)), relative])
    gaps = np.diff(days[inside], prepend=0.0)
    return np.asarray((relative[:, 1:] + relative[:, :-1]) / 2.0 @ gaps)


def relative_future(
    moved: ArrayLike,
    tau: ArrayLike,
    beta: ArrayLike,
    horizon_days: ArrayLike,
    *,
    seed: int,
    pairs: int = 2,
) -> FloatArray:
    """Return the relative time from now to each deadline along walks that go on.

    Antithetic walks on fixed days, linear between them: the relative time never falls with the
    horizon, and asking for one deadline alone gives what asking for a ladder gives.

    Parameters
    ----------
    moved, tau, beta : array_like, shape (S,)
        Movement by now, scale of the walk per square root of a day, log hazard per unit.
    horizon_days : array_like, shape (H,)
        Days from now, at least 0.
    seed : int
        Of the walks.
    pairs : int
        Walks for each draw, in pairs of opposite sign.

    Returns
    -------
    ndarray, shape (S, 2 pairs, H)
        In days.

    Examples
    --------
    >>> relative_future([0.0], [1e-9], [0.5], [30.0], seed=1)[0, 0].round(6).tolist()
    [30.0]
    """
    days = np.atleast_1d(np.asarray(horizon_days, dtype=np.float64))
    if np.any(days < 0) or not np.all(np.isfinite(days)):
        message = f"horizon_days ({days}): must be finite and at least 0."
        raise InvalidInput(message)
    now, scale, slope = (np.asarray(part, dtype=np.float64) for part in (moved, tau, beta))
    cells = int(np.ceil(np.sqrt(days.max() / FUTURE_STEP))) if days.size and days.max() > 0 else 0
    knots = FUTURE_STEP * np.arange(cells + 1) ** 2
    rng = np.random.default_rng(seed)
    # Cell by cell in the leading axis, so that a longer horizon only adds steps at the end.
    steps = rng.standard_normal((cells, pairs, now.size)) * np.sqrt(np.diff(knots))[:, None, None]
    half = np.cumsum(steps, axis=0)
    walk = np.concatenate([half, -half], axis=1) * (scale * slope)
    relative = np.exp(np.concatenate([np.zeros((1, 2 * pairs, now.size)), walk]))
    gaps = np.diff(knots)[:, None, None]
    past = np.cumsum((relative[1:] + relative[:-1]) / 2.0 * gaps, axis=0)
    total = np.concatenate([np.zeros((1, 2 * pairs, now.size)), past])
    cell = np.clip(np.searchsorted(knots, days, side="right") - 1, 0, max(cells - 1, 0))
    found = np.zeros((days.size, 2 * pairs, now.size))
    if cells:
        part = ((days - knots[cell]) / (knots[cell + 1] - knots[cell]))[:, None, None]
        found = total[cell] + part * (total[cell + 1] - total[cell])
    return np.transpose(found * np.exp(slope * now), (2, 1, 0))
