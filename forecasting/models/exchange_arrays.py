"""The data of the exchange model: checked once, then reduced to what the likelihood needs.

============================  ======  ====================================================
array                         shape   meaning
============================  ======  ====================================================
history_events                ()      routine exchanges in the history, without deliveries
                                      that are credited to the package asked about and
                                      without exchanges that the priors are already made of
history_weeks                 ()      weeks in which they were counted, up to now
sizes                         (n,)    numbers returned by those of them that are known
agreed                        ()      the whole number, on the slower side
elapsed_days                  ()      days from the agreement until now
delivery_days                 (d,)    days from the agreement to each credited delivery
delivered                     (d,)    the number of each, on the slower side
past_begun                    (q,)    1 if an earlier package was carried out as one, else 0
past_wait_weeks               (q,)    weeks from its agreement to its start, or watched
past_tranches                 (q,)    its tranches, the first included; 0 if it never began
past_active_days              (q,)    days from its first tranche to its last
past_completed                (q,)    1 if its last tranche completed it
past_quiet_days               (q,)    days watched after its last tranche, if not completed
past_shares                   (r,)    its tranches but the final one, as shares of what
                                      then remained, where known
============================  ======  ====================================================
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.models.exchange_process import FEATURES, hypotheses

__all__ = ["exchange_data", "is_complete", "sufficient"]

FloatArray = NDArray[np.float64]

SHAPES = {
    "history_events": 0,
    "history_weeks": 0,
    "sizes": 1,
    "agreed": 0,
    "elapsed_days": 0,
    "delivery_days": 1,
    "delivered": 1,
    "past_begun": 1,
    "past_wait_weeks": 1,
    "past_tranches": 1,
    "past_active_days": 1,
    "past_completed": 1,
    "past_quiet_days": 1,
    "past_shares": 1,
}


def exchange_data(
    *,
    agreed: float,
    elapsed_days: float,
    delivery_days: ArrayLike = (),
    delivered: ArrayLike = (),
    history_events: float = 0.0,
    history_weeks: float = 0.0,
    sizes: ArrayLike = (),
    past_begun: ArrayLike = (),
    past_wait_weeks: ArrayLike = (),
    past_tranches: ArrayLike = (),
    past_active_days: ArrayLike = (),
    past_completed: ArrayLike = (),
    past_quiet_days: ArrayLike = (),
    past_shares: ArrayLike = (),
) -> dict[str, FloatArray]:
    """Check the data of one exchange once and return them as arrays.

    Parameters
    ----------
    agreed, elapsed_days, delivery_days, delivered
        The package asked about; see the module.
    history_events, history_weeks, sizes
        Routine exchanges.
    past_begun, past_wait_weeks, past_tranches, past_active_days, past_completed, past_quiet_days
        One value for each earlier package.
    past_shares
        Shares of their tranches.

    Returns
    -------
    dict of str to ndarray
        All fourteen names.

    Raises
    ------
    InvalidInput
        Naming the array, the rule and the value.

    Examples
    --------
    >>> data = exchange_data(agreed=1000, elapsed_days=8, delivery_days=[7], delivered=[390])
    >>> float(data["delivered"].sum())
    390.0
    """
    given = dict(locals())
    data = {name: np.asarray(given[name], dtype=np.float64) for name in SHAPES}
    for name, ndim in SHAPES.items():
        values = data[name]
        if values.ndim != ndim:
            message = f"{name} must have {ndim} dimension(s), got shape {values.shape}."
            raise InvalidInput(message)
        _require(name, "finite and at least 0", np.isfinite(values) & (values >= 0), values)
    days = data["delivery_days"]
    _require("agreed", "above 0", data["agreed"] > 0, data["agreed"])
    _require("sizes", "above 0", data["sizes"] > 0, data["sizes"])
    _require("delivered", "above 0", data["delivered"] > 0, data["delivered"])
    _same_length(data, ("delivery_days", "delivered"))
    _require("delivery_days", "in order", np.diff(days, prepend=0.0) >= 0, days)
    _require("delivery_days", "at most elapsed_days", days <= data["elapsed_days"], days)
    past = tuple(name for name in SHAPES if name.startswith("past_") and name != "past_shares")
    _same_length(data, past)
    shares = data["past_shares"]
    _require("past_shares", "between 0 and 1", (shares > 0) & (shares < 1), shares)
    begun, tranches, done = (data[f"past_{name}"] for name in ("begun", "tranches", "completed"))
    _require("past_begun", "0 or 1", np.isin(begun, (0, 1)), begun)
    _require("past_tranches", "at least 1 if begun, else 0", (tranches >= 1) == begun, tranches)
    _require("past_completed", "0 or 1, and 1 only if begun", np.isin(done, (0, 1)), done)
    _require("past_completed", "0 or 1, and 1 only if begun", done <= begun, done)
    return data


def _require(name: str, rule: str, holds: ArrayLike, values: FloatArray) -> None:
    if not np.all(holds):
        bad = float(np.atleast_1d(values)[~np.atleast_1d(holds)][0])
        message = f"{name} ({bad:g}) must be {rule}."
        raise InvalidInput(message)


def _same_length(data: Mapping[str, FloatArray], names: tuple[str, ...]) -> None:
    lengths = {data[name].size for name in names}
    if len(lengths) > 1:
        sizes = ", ".join(f"{name} {data[name].size}" for name in names)
        message = f"arrays of one length expected, got {sizes}."
        raise InvalidInput(message)


def is_complete(data: Mapping[str, ArrayLike]) -> bool:
    """Whether the deliveries so far make up the whole number.

    Parameters
    ----------
    data : mapping
        From `exchange_data`.

    Returns
    -------
    bool
        True if nothing remains.
    """
    return float(np.asarray(data["delivered"]).sum()) >= float(np.asarray(data["agreed"]))


def sufficient(data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    """Return the data as the arrays of the compiled graph: counts and sums.

    A completed package says nothing more here, since its probability is 1; it enters later fits
    as an earlier package.

    Parameters
    ----------
    data : mapping
        From `exchange_data`.

    Returns
    -------
    dict of str to ndarray
        The parts of `hypotheses`, ``totals`` (features,) of routine and earlier packages,
        ``unbegun_weeks`` and ``past_quiet`` of earlier packages.
    """
    values = {name: np.asarray(data[name], dtype=np.float64) for name in SHAPES}
    if is_complete(values):
        now = hypotheses(float(values["agreed"]), 0.0, (), ())
    else:
        now = hypotheses(
            float(values["agreed"]),
            float(values["elapsed_days"]),
            values["delivery_days"],
            values["delivered"],
        )
    begun, done = values["past_begun"] == 1, values["past_completed"]
    sizes, shares = values["sizes"], values["past_shares"]
    totals = {
        "events": values["history_events"],
        "weeks": values["history_weeks"],
        "sizes": sizes.size,
        "sizes_log": np.log(sizes).sum(),
        "sizes_sum": sizes.sum(),
        "begun": begun.sum(),
        "wait_weeks": values["past_wait_weeks"][begun].sum(),
        "nonfinal": (values["past_tranches"] - done)[begun].sum(),
        "final": done.sum(),
        "later": (values["past_tranches"] - 1)[begun].sum(),
        "active_days": values["past_active_days"][begun].sum(),
        "shares": shares.size,
        "shares_log": np.log(shares).sum(),
        "shares_log1m": np.log1p(-shares).sum(),
    }
    return {
        **now,
        "totals": np.asarray([totals.get(name, 0.0) for name in FEATURES], dtype=np.float64),
        "unbegun_weeks": values["past_wait_weeks"][~begun],
        "past_quiet": values["past_quiet_days"][begun & (done == 0)],
    }
