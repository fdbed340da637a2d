"""Which forecasts a recalibration is fitted on: one a question, and one's worth an event."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.calibration.recalibration_lines import log_odds
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "spot_rows"]

COLUMNS = ("question", "forecaster", "forecast", "issued_at", "outcome", "resolved_at")
TIMES = ("issued_at", "resolved_at", "opens", "closes", "withdrawn_at")


def spot_rows(
    history: "pd.DataFrame", *, as_of: datetime | None = None, share: float = 0.5
) -> "pd.DataFrame":
    """Return the forecasts that count as of a moment, with weights, in an order of their own.

    With the scheduled window known, a question is read once, at a share of it, and enters at its
    scheduled close: whether it is read depends on nothing that comes later. Without, each of n
    forecasts before the resolution counts 1 / n. The m questions of one event count 1 / m each.
    """
    if not 0 <= share < 1:
        message = f"share ({share}): must lie in [0, 1)."
        raise InvalidInput(message)
    frame = _read(history)
    frame = frame[frame["outcome"].notna() & frame["resolved_at"].notna()]
    if as_of is not None:
        frame = frame[frame["resolved_at"] < _moment(as_of)]
    if {"opens", "closes"} <= set(frame.columns):
        frame = _at_spot(frame, as_of, share)
    else:
        frame = frame[frame["issued_at"] < frame["resolved_at"]]
        repeats = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
        frame = frame.assign(weight=1 / repeats)
    questions = frame.groupby(["forecaster", "event"])["question"].transform("nunique")
    frame = frame.assign(weight=frame["weight"] / questions)
    order = ["forecaster", "event", "question", "issued_at", "forecast"]
    kept = frame.sort_values(order, kind="stable")
    columns = ["question", "forecaster", "forecast", "outcome", "event", "weight"]
    return kept[columns].reset_index(drop=True)


def _read(history: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    if missing := [name for name in COLUMNS if name not in history]:
        message = f"history: has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}."
        raise InvalidInput(message)
    frame = history.copy()
    for name in TIMES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["forecast"] = frame["forecast"].astype(np.float64)
    frame["outcome"] = frame["outcome"].astype(np.float64)
    log_odds(frame["forecast"].to_numpy())
    wrong = frame["outcome"][frame["outcome"].notna() & ~frame["outcome"].isin([0.0, 1.0])]
    if len(wrong):
        message = f"outcome ({wrong.iloc[0]}): must be 0 or 1, or missing while it is open."
        raise InvalidInput(message)
    if "event" not in frame:
        frame["event"] = frame["question"]
    return frame


def _moment(as_of: datetime) -> Any:
    import pandas as pd

    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        message = f"as_of ({as_of}): must have a time zone."
        raise InvalidInput(message)
    return moment


def _at_spot(frame: "pd.DataFrame", as_of: datetime | None, share: float) -> "pd.DataFrame":
    if as_of is not None:
        frame = frame[frame["closes"] <= _moment(as_of)]
    spot = frame["opens"] + share * (frame["closes"] - frame["opens"])
    frame = frame[(frame["resolved_at"] > spot) & (frame["issued_at"] <= spot)]
    # Of several forecasts in one last instant each counts its share: rows have no order.
    last = frame.groupby(["forecaster", "question"])["issued_at"].transform("max")
    frame = frame[frame["issued_at"] == last]
    if "withdrawn_at" in frame:
        gone = frame["withdrawn_at"].notna() & (frame["withdrawn_at"] <= spot[frame.index])
        frame = frame[~gone]
    together = frame.groupby(["forecaster", "question"])["forecast"].transform("size")
    return frame.assign(weight=1 / together)
