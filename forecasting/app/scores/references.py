"""Forecasters that nobody logs but everybody is measured against."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from forecasting.errors import NotFound, nearest
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

UNIFORM, CLIMATOLOGY = "uniform", "climatology"
#: Shares of a question's window at which climatology is brought up to what has resolved.
REFRESHED = (0.0, 0.25, 0.5, 0.75)


def known_forecaster(ledger: Ledger, name: str) -> None:
    """Refuse a name in which nobody has forecast anything; an empty name is no name.

    Raises
    ------
    NotFound
        With the nearest name that exists.
    """
    if not name or ledger.forecasts(forecaster=name):
        return
    present = dict.fromkeys(forecast.forecaster for forecast in ledger.forecasts())
    msg = f"no forecaster named {name}"
    raise NotFound(msg, hint=nearest(name, present) or "forecast score")


def with_reference(frame: "pd.DataFrame", name: str) -> "pd.DataFrame":
    """Give the frame with a forecaster in it: one of its own, ``uniform``, or ``climatology``.

    The last two are put in where they did not speak themselves. ``uniform`` stands from each
    opening. ``climatology`` is (1 + yes) / (2 + n) over the binary questions of the frame resolved
    by then, brought up to date at the opening and at each quarter of the window.

    Raises
    ------
    NotFound
        For any other name, with those there are.
    """
    import pandas as pd

    present = list(dict.fromkeys(frame["forecaster"]))
    if name not in (UNIFORM, CLIMATOLOGY):
        if name in present:
            return frame
        msg = f"forecaster ({name}): has no forecast here"
        near = nearest(name, dict.fromkeys(present))
        there = dict.fromkeys([*present[:6], UNIFORM, CLIMATOLOGY])
        raise NotFound(msg, hint=near or ", ".join(there))
    spoken = frame.loc[frame["forecaster"] == name, "question"]
    questions = frame[~frame["question"].isin(spoken)].drop_duplicates("question")
    rows = list(_uniform(questions) if name == UNIFORM else _climatology(questions))
    if not rows:
        return frame
    added = pd.DataFrame(rows).reindex(columns=frame.columns)
    for column in ("issued_at", "withdrawn_at", "opens", "closes", "closed_at"):
        added[column] = pd.to_datetime(added[column], utc=True)
    return pd.concat([frame.astype({"forecast": object}), added], ignore_index=True)


def _uniform(questions: "pd.DataFrame") -> Iterable[dict[str, Any]]:
    for row in questions.to_dict("records"):
        value: Any = 0.5
        if row["type"] == "numeric":
            value = {0.5: (row["lower"] + row["upper"]) / 2}
        elif row["type"] != "binary":
            value = [1 / len(row["forecast"])] * len(row["forecast"])
        yield _spoken(row, UNIFORM, value, row["opens"])


def _climatology(questions: "pd.DataFrame") -> Iterable[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    binary = questions[questions["type"] == "binary"]
    order = np.argsort(binary["resolved_at"].to_numpy(), kind="stable")
    known = pd.DatetimeIndex(binary["resolved_at"].iloc[order])
    yes = np.concatenate([[0], np.cumsum(binary["outcome"].to_numpy(dtype=float)[order])])
    for row in binary.to_dict("records"):
        for share in REFRESHED:
            moment = row["opens"] + share * (row["closes"] - row["opens"])
            n = int(known.searchsorted(moment, side="right"))
            yield _spoken(row, CLIMATOLOGY, float((1 + yes[n]) / (2 + n)), moment)


def _spoken(row: Mapping[Any, Any], name: str, value: Any, moment: dt.datetime) -> dict[str, Any]:
    return {
        **row,
        "forecaster": name,
        "forecast": value,
        "issued_at": moment,
        "withdrawn_at": None,
    }
