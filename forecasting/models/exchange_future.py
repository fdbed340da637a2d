"""What an agreed exchange will have delivered by a deadline, for every draw."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecasting.models.compound import routine_completion, routine_total
from forecasting.models.exchange_process import DAYS_A_WEEK

__all__ = ["completion", "first_stage", "simulate"]

FloatArray = NDArray[np.float64]


def completion(
    draws: Mapping[str, FloatArray],
    now: Mapping[str, FloatArray],
    remaining: float,
    horizon_days: FloatArray,
) -> FloatArray:
    """Return P(the whole number is delivered within each horizon) for every draw.

    1 - (1 - P_routine) (1 - W_active G - W_pending F): the package and the routine are two
    streams of which either may complete the number; they are not added.

    Parameters
    ----------
    draws : mapping of str to ndarray, each (S,)
        Parameters.
    now : mapping of str to ndarray, each (S,)
        From `exchange_process.states`.
    remaining : float
        The number still to come.
    horizon_days : ndarray, shape (H,)
        Days from now.

    Returns
    -------
    ndarray, shape (S, H)
        Rises with the horizon in every draw.
    """
    routine = routine_completion(
        draws["lam"], draws["nu"], draws["m"], remaining, horizon_days / DAYS_A_WEEK
    )
    final = draws["final"][:, None]
    finishing = draws["delta"][:, None] * final
    leaving = finishing + draws["stall"][:, None]
    mu = draws["mu"][:, None] / DAYS_A_WEEK
    days = horizon_days[None, :]
    ends_well = finishing / leaving
    active = ends_well * -np.expm1(-leaving * days)
    begun = -np.expm1(-mu * days)
    # Convolution of start and finish; symmetric in the two rates, so that neither overflows.
    gap = np.abs(leaving - mu) * days
    mean_kernel = np.where(gap > 1e-12, -np.expm1(-gap) / np.where(gap > 1e-12, gap, 1.0), 1.0)
    late = mu * days * np.exp(-np.minimum(leaving, mu) * days) * mean_kernel
    pending = final * begun + (1.0 - final) * ends_well * (begun - late)
    package = now["active"][:, None] * active + now["pending"][:, None] * pending
    return np.asarray(np.clip(1.0 - (1.0 - routine) * (1.0 - package), 0.0, 1.0))


def first_stage(
    draws: Mapping[str, FloatArray], now: Mapping[str, FloatArray], horizon_days: FloatArray
) -> FloatArray:
    """Return P(a first delivery within each horizon) for every draw, before there was one.

    1 - exp(-lam s) (W_pending exp(-mu s) + W_never): a routine exchange after the agreement is
    credited to it.

    Parameters
    ----------
    draws, now, horizon_days
        As in `completion`.

    Returns
    -------
    ndarray, shape (S, H)
        At least P(completion) in every draw.
    """
    weeks = horizon_days[None, :] / DAYS_A_WEEK
    waiting = now["pending"][:, None] * np.exp(-draws["mu"][:, None] * weeks)
    waiting = waiting + now["never"][:, None]
    return np.asarray(1.0 - np.exp(-draws["lam"][:, None] * weeks) * waiting)


def simulate(
    rng: np.random.Generator,
    draws: Mapping[str, FloatArray],
    now: Mapping[str, FloatArray],
    remaining: float,
    horizon_days: float,
) -> FloatArray:
    """Simulate how much more is delivered within one horizon, once for each draw.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    draws, now, remaining
        As in `completion`; `draws` with ``share`` and ``share_precision``.
    horizon_days : float
        Days from now.

    Returns
    -------
    ndarray, shape (S,)
        Between 0 and `remaining`, with lumps at both.
    """
    size = draws["w"].size
    u = rng.random(size)
    active = u < now["active"]
    pending = ~active & (u < now["active"] + now["pending"])
    clock = np.where(pending, rng.exponential(1.0, size) * DAYS_A_WEEK / draws["mu"], 0.0)
    running = (active | pending) & (clock <= horizon_days)
    left = np.ones(size)
    a = draws["share"] * draws["share_precision"]
    b = draws["share_precision"] - a

    def tranche(who: NDArray[np.bool_]) -> None:
        last = rng.random(size) < draws["final"]
        kept = np.where(last, 0.0, 1.0 - rng.beta(a, b))
        left[who] *= kept[who]

    tranche(running & pending)
    leaving = draws["delta"] + draws["stall"]
    while True:
        running &= left > 0.0
        clock = clock + rng.exponential(1.0, size) / leaving
        running &= (clock <= horizon_days) & (rng.random(size) < draws["delta"] / leaving)
        if not running.any():
            break
        tranche(running)
    package = remaining * (1.0 - left)
    routine = routine_total(rng, draws["lam"], draws["nu"], draws["m"], horizon_days / DAYS_A_WEEK)
    return np.asarray(np.minimum(remaining, np.maximum(package, routine)), dtype=np.float64)
