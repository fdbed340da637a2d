"""Two stages whose first step is a competing risk: none, then soft or firm; soft, then firm.

From none each cause comes at its own rate, total x share. From soft what else can come, firm or
collapse, does so at its own rate times `pace`: so whatever is believed of firm holds for both ways
to it. A collapse of soft falls back to none, where a new attempt begins; a collapse of the effort
while nothing stands leaves it there. Firm stays.

total ~ Gamma(A, b), share ~ Dirichlet(a), pace ~ LogNormal. With d events by cause in the time E0
at none, and u by cause in the time E1 at soft, total given the others is Gamma(A + sum d + sum u,
b + E0 + pace (share_firm + share_collapse) E1); the others, share from Dirichlet(a + d + u), are
left to weighted points.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.models.staged_chain import evenly_resampled, transition, unit_points

__all__ = ["Steps", "posterior", "state_chances"]

FloatArray = NDArray[np.float64]

POINTS = 2**13


@dataclass(frozen=True, slots=True)
class Steps:
    """What was seen of the two steps.

    Attributes
    ----------
    events
        Of each cause while nothing stood, shape (K,).
    exposure
        Time at none.
    later
        Of each cause while soft stood, shape (K,): firm, or collapse back to none.
    soft_exposure
        Time at soft.
    """

    events: tuple[float, ...]
    exposure: float
    later: tuple[float, ...]
    soft_exposure: float

    def arrays(self) -> dict[str, FloatArray]:
        """Give the numbers as named arrays."""
        return {
            "events": np.array(self.events),
            "exposure": np.array(self.exposure),
            "later": np.array(self.later),
            "soft_exposure": np.array(self.soft_exposure),
        }


def posterior(
    steps: Steps, priors: Mapping[str, ArrayLike], n: int, seed: int, *, soft: int
) -> dict[str, FloatArray]:
    """Return equally weighted posterior draws of total, share and pace.

    Parameters
    ----------
    steps : Steps
        The data.
    priors : mapping
        ``total_shape, total_rate, share_a, pace_mu, pace_sd``.
    n, seed : int
        Number of draws, and their seed.
    soft : int
        Position of soft among the causes.

    Returns
    -------
    dict of str to ndarray
        ``total, pace`` (n,) and ``share`` (n, K).

    Raises
    ------
    InvalidInput
        If there is not one count for each share, a number is negative, or soft follows soft.
    """
    from scipy.special import gammaincinv, ndtri

    given = {name: np.asarray(value, dtype=np.float64) for name, value in priors.items()}
    data = steps.arrays()
    counts = data["events"], data["later"]
    if any(c.shape != given["share_a"].shape for c in counts) or any(
        not np.all(values >= 0) for values in data.values()
    ):
        message = f"steps ({steps}): one count of at least 0 for each share, and times."
        raise InvalidInput(message)
    if data["later"][soft] > 0:
        message = f"later ({steps.later}): soft cannot follow soft."
        raise InvalidInput(message)
    points = unit_points(POINTS, 2, seed)
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(given["share_a"] + sum(counts), POINTS)
    pace = np.exp(given["pace_mu"] + given["pace_sd"] * ndtri(points[:, 1]))
    moves = data["later"].sum()
    shape = given["total_shape"] + data["events"].sum() + moves
    rate = given["total_rate"] + steps.exposure
    rate = rate + pace * (1.0 - share[:, soft]) * steps.soft_exposure
    chosen = evenly_resampled(moves * np.log(pace) - shape * np.log(rate), points, n, seed)
    return {
        "total": gammaincinv(shape, points[chosen, 0]) / rate[chosen],
        "share": share[chosen],
        "pace": pace[chosen],
    }


def state_chances(
    draws: Mapping[str, ArrayLike], horizon: float, *, soft: int, firm: int, now: int = 0
) -> FloatArray:
    """Return P(the state at the horizon is none, soft, firm) for every draw.

    Parameters
    ----------
    draws : mapping
        From `posterior`.
    horizon : float
        Time from now, at least 0.
    soft, firm : int
        Positions of the two causes among the shares.
    now : int, default 0
        0 none, 1 soft, 2 firm.

    Returns
    -------
    ndarray, shape (S, 3)
        Each row sums to one. Soft that was lost again is none.

    Examples
    --------
    Soft cannot be lost here, and firm follows at .3 of .01 a day:

    >>> draws = {"total": [0.01], "share": [[0.7, 0.3, 0.0]], "pace": [1.0]}
    >>> state_chances(draws, 100.0, soft=0, firm=1, now=1).round(4).tolist()
    [[0.0, 0.7408, 0.2592]]
    """
    total, pace = (np.asarray(draws[name], dtype=np.float64) for name in ("total", "pace"))
    share = np.asarray(draws["share"], dtype=np.float64)
    if soft == firm or not (0 <= soft < share.shape[1] and 0 <= firm < share.shape[1]):
        message = f"soft ({soft}) and firm ({firm}): two of the {share.shape[1]} causes."
        raise InvalidInput(message)
    if not horizon >= 0:
        message = f"horizon ({horizon}): must be at least 0."
        raise InvalidInput(message)
    chain = np.zeros((3, 3, len(total)))
    chain[0, 1], chain[0, 2] = total * share[:, soft], total * share[:, firm]
    to_firm, left = total * pace * share[:, firm], 1.0 - share[:, soft] - share[:, firm]
    chain[1, 0], chain[1, 2] = total * pace * np.maximum(left, 0.0), to_firm
    for state in range(2):
        chain[state, state] = -chain[state].sum(axis=0)
    found = np.ascontiguousarray(transition(chain, horizon)[now].T)
    return found / found.sum(axis=1, keepdims=True)
