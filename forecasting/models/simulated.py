"""Parameters from the prior and data from the parameters, for calibration by simulation.

Each function makes data that its family's likelihood is exactly the likelihood of: the process is
simulated event by event, not by the arithmetic that the likelihood uses. A simulation thrown away
for what its data are, parameters and all, leaves the posterior of the data that stay as it was.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.models import weibull
from forecasting.models.exchange_arrays import exchange_data
from forecasting.models.protocol import PriorSpec

__all__ = ["exchange", "prior_draw", "spells"]

FloatArray = NDArray[np.float64]
Draw = dict[str, FloatArray]

# An hour: the least age at which an end is told from the start.
HOUR = 1.0 / 24.0


def prior_draw(rng: np.random.Generator, priors: Mapping[str, PriorSpec]) -> Draw:
    """Draw every parameter once from its prior.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    priors : mapping of str to PriorSpec
        By parameter.

    Returns
    -------
    dict of str to ndarray
        () each, or (K,) for a Dirichlet and for priors with one value a category; constants as
        they are.
    """
    found: Draw = {}
    for name, prior in priors.items():
        values = [np.asarray(value, dtype=np.float64) for _, value in prior.parameters]
        match prior.distribution:
            case "normal":
                drawn = rng.normal(*values)
            case "lognormal":
                drawn = np.exp(rng.normal(*values))
            case "gamma":
                drawn = rng.gamma(values[0], 1.0 / values[1])
            case "beta":
                drawn = rng.beta(*values)
            case "dirichlet":
                drawn = rng.dirichlet(values[0])
            case _:
                drawn = values[0]
        found[name] = np.asarray(drawn, dtype=np.float64)
    return found


def spells(
    rng: np.random.Generator, truth: Mapping[str, FloatArray], *, t0: float, n: int = 12
) -> Draw:
    """Draw spells: half monitored, some watched from later, some ends known by an interval only.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    truth : mapping
        ``theta, k, beta``, and ``pi`` and ``lasting`` where the model has them.
    t0 : float
        Reference age in days: entries and ends of watching scale with it.
    n : int, default 12
        Spells.

    Returns
    -------
    dict of str to ndarray
        As `weibull.spells` returns.
    """
    pi, lasting = float(truth.get("pi", 0.0)), float(truth.get("lasting", 0.0))
    rows: dict[str, list[float]] = {name: [] for name in ("entry", "lower", "upper", "kind", "x")}
    for row in range(n):
        x, late, coarse = row % 2, row % 4 == 3, row % 3 == 2
        entry = 0.2 * t0 if late else 0.0
        until = t0 * (0.3, 1.0, 3.0)[row % 3]
        eta = float(truth["theta"] + truth["beta"] * x)
        k = float(truth["k"])
        lived = np.exp(eta) * (entry / t0) ** k
        # S(T) is uniform below S(entry); below the lasting share it never ends.
        kept = rng.random() * (lasting + (1.0 - lasting) * np.exp(-lived))
        end = np.inf
        if kept > lasting:
            hazard = -np.log((kept - lasting) / (1.0 - lasting))
            end = t0 * (hazard / np.exp(eta)) ** (1.0 / k)
        if entry == 0.0 and rng.random() < pi:
            end = 0.0
        step = until / 4.0 if coarse else HOUR
        if end > until:
            seen = (until, until, weibull.HELD)
        elif coarse or end < HOUR:
            low = max(entry, step * np.floor(end / step))
            seen = (low, step * np.floor(end / step) + step, weibull.BETWEEN)
        else:
            seen = (end, end, weibull.ENDED)
        for name, value in zip(rows, (entry, *seen, x), strict=True):
            rows[name].append(float(value))
    monitored = rows.pop("x")
    return weibull.spells(**rows, monitored=monitored)


def exchange(rng: np.random.Generator, truth: Mapping[str, FloatArray]) -> Draw | None:
    """Draw an agreed exchange after 45 days, with the routine around it and two earlier packages.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    truth : mapping
        The ten parameters of the exchange model.

    Returns
    -------
    dict of str to ndarray, or None
        As `exchange_data` returns; None where the exchange is complete, of which the model says
        nothing but that it is certain.
    """
    p = {name: float(value) for name, value in truth.items()}
    agreed, elapsed, before = 1000.0, 45.0, 140.0
    begins = _begins(rng, p)
    routine = _arrivals(rng, p["lam"] / 7.0, before + elapsed) - before
    sizes = rng.gamma(p["nu"], p["m"] / p["nu"], routine.size)
    credited = (routine > 0) & (routine < begins)
    days, numbers = list(routine[credited]), list(sizes[credited])
    left = agreed - sum(numbers)
    if left <= 0.0:
        return None
    if begins < elapsed:
        at, shares, final = _tranches(rng, p, elapsed - begins)
        for day, share in zip(at, shares, strict=False):
            days.append(begins + day)
            numbers.append(share * left)
            left -= numbers[-1]
        if final:
            return None
    past: dict[str, list[float]] = {name: [] for name in PAST}
    past_shares: list[float] = []
    for _ in range(2):
        watched = 20.0 * 7.0
        start = _begins(rng, p)
        if start >= watched:
            row: tuple[float, ...] = (0.0, watched / 7.0, 0.0, 0.0, 0.0, 0.0)
        else:
            at, shares, final = _tranches(rng, p, watched - start)
            past_shares += shares
            quiet = 0.0 if final else watched - start - at[-1]
            row = (1.0, start / 7.0, float(len(at)), at[-1], float(final), quiet)
        for name, value in zip(PAST, row, strict=True):
            past[name].append(value)
    return exchange_data(
        agreed=agreed,
        elapsed_days=elapsed,
        delivery_days=days,
        delivered=numbers,
        history_events=float(np.sum(~credited)),
        history_weeks=(before + elapsed) / 7.0,
        sizes=sizes[~credited],
        past_shares=past_shares,
        **{f"past_{name}": values for name, values in past.items()},
    )


PAST = ("begun", "wait_weeks", "tranches", "active_days", "completed", "quiet_days")


def _begins(rng: np.random.Generator, p: Mapping[str, float]) -> float:
    """Return the day on which a package begins; infinite where it is never carried out."""
    return float(rng.exponential(7.0 / p["mu"])) if rng.random() < p["w"] else float("inf")


def _tranches(
    rng: np.random.Generator, p: Mapping[str, float], watched: float
) -> tuple[list[float], list[float], bool]:
    """Return days since the start of each tranche, shares of all but a final one, and if final."""
    day, days, shares = 0.0, [0.0], list[float]()
    a = p["share"] * p["share_precision"]
    while rng.random() >= p["final"]:
        shares.append(float(rng.beta(a, p["share_precision"] - a)))
        pause, stall = (rng.exponential(1.0 / p[name]) for name in ("delta", "stall"))
        if stall < pause or day + pause > watched:
            return days, shares, False
        day += float(pause)
        days.append(day)
    return days, shares, True


def _arrivals(rng: np.random.Generator, rate: float, until: float) -> Any:
    return np.sort(rng.random(rng.poisson(rate * until)) * until)
