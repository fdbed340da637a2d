"""Weibull spells with delayed entry, censoring and a share of instant failures, in NumPy.

Cumulative hazard H(t) = exp(eta) (t / t0)^k with eta = theta + beta x; survival
S(t) = (1 - pi) (c + (1 - c) exp(-H(t))) for t > 0, where pi is the share that fails at the
instant of the start and c the share that lasts for ever (both 0 in the plain model). Draws are
a mapping with ``theta``, ``k``, ``beta`` and, where the model has them, ``pi`` and ``lasting``;
they stand on the first axis, rows or times on the last.

A spell is one row of six arrays of equal length, in days since its start:

==========  ==========================================================================
entry       age from which the spell was watched; it is in the data because it got there
lower       last age at which it was known to hold (exact end: the age of the end)
upper       first age at which it was known to be over; used for kind 2 only
kind        0 held at `lower` and not seen later; 1 ended at `lower`; 2 ended in (lower, upper]
weight      how much the row counts, in (0, 1]; below 1 for a class that fits less well
monitored   covariate x, 1 for a monitored truce and 0 for another
==========  ==========================================================================
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

HELD, ENDED, BETWEEN = 0, 1, 2
# Stands for the log of age 0: with it exp(k u) is 0, and so is its gradient.
LOG_OF_ZERO = -1e4
# exp(200) is beyond any hazard that data can distinguish from infinity; its square is finite.
LARGEST_LOG_HAZARD = 200.0


def spells(
    *,
    entry: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    kind: ArrayLike,
    weight: ArrayLike | None = None,
    monitored: ArrayLike | None = None,
) -> dict[str, FloatArray]:
    """Check rows of spells, (n,) each; what breaks a rule is refused by its row."""
    n = np.size(entry)
    columns = {
        "entry": entry,
        "lower": lower,
        "upper": upper,
        "kind": kind,
        "weight": np.ones(n) if weight is None else weight,
        "monitored": np.zeros(n) if monitored is None else monitored,
    }
    rows = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    entered, low, high, code = rows["entry"], rows["lower"], rows["upper"], rows["kind"]
    between = code == BETWEEN
    _require(np.isin(code, (HELD, ENDED, BETWEEN)), "kind must be 0, 1 or 2", code)
    _require((entered >= 0) & np.isfinite(entered), "entry must be at least 0", entered)
    _require((low >= entered) & np.isfinite(low), "lower must be at least entry", low)
    _require(
        (code != ENDED) | (low > 0),
        "an end at age 0 must be an interval (kind 2, lower 0, upper > 0)",
        low,
    )
    ends = (high > low) & np.isfinite(high)
    _require(~between | ends, "upper must be above lower, and finite, for kind 2", high)
    weights = rows["weight"]
    _require((weights > 0) & (weights <= 1), "weight must be in (0, 1]", weights)
    _require(np.isfinite(rows["monitored"]), "monitored must be finite", rows["monitored"])
    rows["upper"] = np.where(between, high, low)
    return rows


def grouped(rows: Mapping[str, ArrayLike], *, t0: float) -> dict[str, FloatArray]:
    """Return spells as the arrays of the compiled graph: one group for each kind of evidence.

    Only the ages that a likelihood needs are kept, as log(age / t0): the sampler takes no logarithm
    of data. ``watched`` are entries above 0, ``start`` intervals from age 0, and ``escaped_w`` is
    the total weight of spells seen to survive their start.
    """
    entry, low, high, kind, weight, x = (
        np.asarray(rows[name], dtype=np.float64)
        for name in ("entry", "lower", "upper", "kind", "weight", "monitored")
    )

    def log_age(age: FloatArray) -> FloatArray:
        return np.where(age > 0, np.log(np.where(age > 0, age, t0) / t0), LOG_OF_ZERO)

    arrays: dict[str, FloatArray] = {}
    groups = {
        "held": (kind == HELD, {"u": low}),
        "ended": (kind == ENDED, {"u": low}),
        "watched": (entry > 0, {"u": entry}),
        "between": ((kind == BETWEEN) & (low > 0), {"low": low, "high": high}),
        "start": ((kind == BETWEEN) & (low == 0), {"high": high}),
    }
    for name, (chosen, ages) in groups.items():
        arrays[f"{name}_x"], arrays[f"{name}_w"] = x[chosen], weight[chosen]
        for end, age in ages.items():
            arrays[f"{name}_{end}"] = log_age(age[chosen])
    arrays["escaped_w"] = np.asarray(weight[(entry == 0) & (low > 0)].sum())
    return arrays


def _require(holds: NDArray[np.bool_], rule: str, values: FloatArray) -> None:
    if not np.all(holds):
        row = int(np.flatnonzero(~holds)[0])
        raise InvalidInput(f"spell {row}: {rule}, got {values[row]}.")


def cumulative_hazard(time: ArrayLike, eta: ArrayLike, k: ArrayLike, *, t0: float) -> FloatArray:
    """Return H(t) = exp(eta) (t / t0)^k: 0 at age 0, capped at exp(200); all broadcast."""
    t = np.asarray(time, dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_ratio = np.log(t / t0)
    # k * -inf is -inf, and exp of it the exact 0 at age 0.
    log_hazard = np.asarray(eta) + np.asarray(k) * log_ratio
    return np.asarray(np.exp(np.minimum(log_hazard, LARGEST_LOG_HAZARD)), dtype=np.float64)


def survival(
    draws: Mapping[str, ArrayLike],
    time: ArrayLike,
    *,
    t0: float,
    age: float = 0.0,
    monitored: float = 0.0,
) -> FloatArray:
    """Return P(T > time | T > age) for every draw, (S, H), at ages `time` (H,) of at least `age`.

    S(time) / S(age), times 1 - pi if nothing was survived yet (``age`` = 0 < ``time``).
    """
    times = np.atleast_1d(np.asarray(time, dtype=np.float64))
    k = np.asarray(draws["k"], dtype=np.float64)[:, None]
    eta = (np.asarray(draws["theta"]) + np.asarray(draws["beta"]) * monitored)[:, None]
    lived = _log_kept(draws, cumulative_hazard(age, eta, k, t0=t0))
    chance = np.exp(_log_kept(draws, cumulative_hazard(times, eta, k, t0=t0)) - lived)
    if "pi" in draws and age == 0:
        not_at_once = 1.0 - np.asarray(draws["pi"], dtype=np.float64)[:, None]
        chance = np.where(times > 0, not_at_once * chance, chance)
    return np.asarray(chance, dtype=np.float64)


def _log_kept(draws: Mapping[str, ArrayLike], hazard: FloatArray) -> FloatArray:
    """Return log(c + (1 - c) exp(-H)), with c = 0 where the model has no lasting share."""
    if "lasting" not in draws:
        return -hazard
    c = np.asarray(draws["lasting"], dtype=np.float64)[:, None]
    return np.asarray(np.logaddexp(np.log(c), np.log1p(-c) - hazard), dtype=np.float64)
