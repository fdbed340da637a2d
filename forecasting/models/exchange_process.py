"""How an agreed exchange comes about: the likelihood and the future, one mathematics for both.

With probability w the two sides carry the package out as such; it then begins after an
exponential time (rate mu a week) with a first tranche, goes on with tranches at rate delta a
day, each the last with probability `final` and else a Beta share of what remains, and may stall
for good (rate `stall` a day). Otherwise, and until then, routine exchanges (rate lam a week,
Gamma sizes) bring the number down. A delivery seen so far may be either: the hypotheses are
"the package began with delivery j" for every j, and "it has not begun".

Given its parameters, the log-likelihood of everything but silence and waiting is linear in
counts and sums: evidence is reduced to rows of `FEATURES`, and `coefficients` turns parameters
into what multiplies them. Both sides take their mathematics (``log``, ``exp``, ...) as an
argument, so that the graph of the sampler and the NumPy side cannot differ.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FEATURES",
    "coefficients",
    "hypotheses",
    "hypothesis_terms",
    "numpy_mathematics",
    "quiet_log",
    "states",
    "unbegun_log",
]

FloatArray = NDArray[np.float64]

DAYS_A_WEEK = 7.0

# What a row of evidence counts or sums, in the order of `coefficients`.
FEATURES = (
    "events",  # routine exchanges
    "weeks",  # in which they were counted
    "sizes",  # numbers known of them
    "sizes_log",
    "sizes_sum",
    "begun",  # packages that began
    "wait_weeks",  # until they did
    "nonfinal",  # tranches that were not the last
    "final",  # tranches that were
    "later",  # tranches after the first
    "active_days",  # from the first tranche to the last
    "shares",  # tranches known as shares of what remained
    "shares_log",
    "shares_log1m",
    "constant",  # log of units and of what remained, which no parameter changes
)


def numpy_mathematics() -> SimpleNamespace:
    """Return the functions that the likelihood needs, for arrays.

    Returns
    -------
    SimpleNamespace
        ``log, log1p, exp, expm1, logaddexp, gammaln``; ``pytensor.tensor`` has the same names.
    """
    from scipy.special import gammaln

    return SimpleNamespace(
        log=np.log,
        log1p=np.log1p,
        exp=np.exp,
        expm1=np.expm1,
        logaddexp=np.logaddexp,
        gammaln=gammaln,
    )


def hypotheses(
    agreed: float, elapsed_days: float, delivery_days: ArrayLike, delivered: ArrayLike
) -> dict[str, FloatArray]:
    """Return what the likelihood needs of each way to read the deliveries so far.

    Hypothesis j < d: the first j deliveries were routine, number j began the package.
    Hypothesis d: all were routine, the package has not begun.

    Parameters
    ----------
    agreed : float
        The whole number, on the slower side.
    elapsed_days : float
        Days from the agreement until now.
    delivery_days : array_like, shape (d,)
        Days from the agreement to each delivery, in order.
    delivered : array_like, shape (d,)
        The number of each; together below `agreed`.

    Returns
    -------
    dict of str to ndarray
        ``rows`` (d + 1, features), ``begun`` (d + 1,), ``quiet_days`` () since the last
        delivery, ``waited_weeks`` () since the agreement.

    Examples
    --------
    >>> now = hypotheses(1000, 9, [7, 8], [390, 307])
    >>> now["begun"].tolist(), float(now["quiet_days"])
    ([1.0, 1.0, 0.0], 1.0)
    >>> now["rows"][:, FEATURES.index("events")].tolist()
    [0.0, 1.0, 2.0]
    """
    days = np.asarray(delivery_days, dtype=np.float64)
    sizes = np.asarray(delivered, dtype=np.float64)
    d = days.size
    before = agreed - np.concatenate([[0.0], np.cumsum(sizes)])[:d]
    shares = sizes / before

    def so_far(values: FloatArray) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(values)])

    def from_here(values: FloatArray) -> FloatArray:
        return float(values.sum()) - so_far(values)

    number = np.arange(d + 1, dtype=np.float64)
    last = float(days[-1]) if d else elapsed_days
    begun = (number < d).astype(np.float64)
    to_come = d - number
    columns = {
        "events": number,
        "sizes": number,
        "sizes_log": so_far(np.log(sizes)),
        "sizes_sum": so_far(sizes),
        "begun": begun,
        "wait_weeks": begun * np.concatenate([days, [0.0]]) / DAYS_A_WEEK,
        "nonfinal": to_come,
        "later": np.maximum(to_come - 1.0, 0.0),
        "active_days": begun * (last - np.concatenate([days, [last]])),
        "shares": to_come,
        "shares_log": from_here(np.log(shares)),
        "shares_log1m": from_here(np.log1p(-shares)),
        # Rates are a week for the routine and the start, days here; shares are of what remained.
        "constant": -from_here(np.log(before)) - np.log(DAYS_A_WEEK) * (number + begun),
    }
    rows = np.column_stack([columns.get(name, np.zeros(d + 1)) for name in FEATURES])
    return {
        "rows": rows,
        "begun": begun,
        "quiet_days": np.asarray(elapsed_days - last),
        "waited_weeks": np.asarray(elapsed_days / DAYS_A_WEEK),
    }


def coefficients(p: Mapping[str, Any], xp: Any) -> list[Any]:
    """Return the log-likelihood of one unit of each feature.

    Parameters
    ----------
    p : mapping
        ``w, mu, lam, m, nu, delta, stall, final, share, share_precision``: scalars, or (S,).
    xp : namespace
        `numpy_mathematics` or ``pytensor.tensor``.

    Returns
    -------
    list
        In the order of `FEATURES`; the last is 1 in the shape of the parameters.
    """
    rate = p["nu"] / p["m"]
    a = p["share"] * p["share_precision"]
    b = p["share_precision"] - a
    return [
        xp.log(p["lam"]),
        -p["lam"],
        p["nu"] * xp.log(rate) - xp.gammaln(p["nu"]),
        p["nu"] - 1.0,
        -rate,
        xp.log(p["w"]) + xp.log(p["mu"]),
        -p["mu"],
        xp.log1p(-p["final"]),
        xp.log(p["final"]),
        xp.log(p["delta"]),
        -(p["delta"] + p["stall"]),
        xp.gammaln(a + b) - xp.gammaln(a) - xp.gammaln(b),
        a - 1.0,
        b - 1.0,
        p["lam"] * 0.0 + 1.0,
    ]


def quiet_log(p: Mapping[str, Any], days: Any, xp: Any) -> Any:
    """Return log P(no delivery for so many days after one): still going, or stalled."""
    out = p["delta"] + p["stall"]
    going = -out * days
    # log(e^-x + q (1 - e^-x)) = log(q + (1 - q) e^-x), without a difference of near equals.
    log_q = xp.log(p["stall"]) - xp.log(out)
    log_other = xp.log(p["delta"]) - xp.log(out)
    return xp.logaddexp(log_q, log_other + going)


def unbegun_log(p: Mapping[str, Any], weeks: Any, xp: Any) -> Any:
    """Return log P(package not begun by then) = log(w exp(-mu t) + 1 - w)."""
    return xp.logaddexp(xp.log(p["w"]) - p["mu"] * weeks, xp.log1p(-p["w"]))


def hypothesis_terms(rows: Any, begun: Any, quiet: Any, unbegun: Any) -> Any:
    """Return the log density of the deliveries so far under each hypothesis.

    Parameters
    ----------
    rows : array, shape (d + 1,) or (S, d + 1)
        Features times coefficients.
    begun : array, shape (d + 1,)
        1 where the package began.
    quiet, unbegun : array
        `quiet_log` since the last delivery, `unbegun_log` since the agreement.

    Returns
    -------
    array
        Their log-sum-exp is the log-likelihood, their softmax the posterior of the hypotheses.
    """
    return rows + begun * quiet + (1.0 - begun) * unbegun


def states(p: Mapping[str, FloatArray], now: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return, for every draw, where the exchange stands now.

    Parameters
    ----------
    p : mapping of str to ndarray, each (S,)
        Draws.
    now : mapping
        From `hypotheses`.

    Returns
    -------
    dict of str to ndarray, each (S,)
        ``active, stalled, pending, never``: probabilities that sum to one.
    """
    terms = package_terms(p, now)
    weight = np.exp(terms - terms.max(axis=1, keepdims=True))
    weight = weight / weight.sum(axis=1, keepdims=True)
    xp, quiet, weeks = numpy_mathematics(), float(now["quiet_days"]), float(now["waited_weeks"])
    still = np.exp(-(p["delta"] + p["stall"]) * quiet - quiet_log(p, quiet, xp))
    to_come = np.exp(np.log(p["w"]) - p["mu"] * weeks - unbegun_log(p, weeks, xp))
    begun, unbegun = weight[:, :-1].sum(axis=1), weight[:, -1]
    return {
        "active": begun * still,
        "stalled": begun * np.maximum(1.0 - still, 0.0),
        "pending": unbegun * to_come,
        "never": unbegun * np.maximum(1.0 - to_come, 0.0),
    }


def package_terms(p: Mapping[str, FloatArray], now: Mapping[str, FloatArray]) -> FloatArray:
    """Return `hypothesis_terms` for every draw, shape (S, d + 1)."""
    xp = numpy_mathematics()
    rows = np.column_stack(coefficients(p, xp)) @ now["rows"].T
    quiet = quiet_log(p, now["quiet_days"], xp)[:, None]
    unbegun = unbegun_log(p, now["waited_weeks"], xp)[:, None]
    return np.asarray(hypothesis_terms(rows, now["begun"], quiet, unbegun), dtype=np.float64)
