"""What a forecaster is measured against: references that nobody logs, and one other person.

Two forecasters are compared on the questions that they share, over the same part of each window.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecasters import CLIMATOLOGY, UNIFORM
from forecasting.domain.instants import parse_when
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.scoring.lifetime import where

if TYPE_CHECKING:
    import pandas as pd

#: Shares of a question's window at which climatology is brought up to what has resolved.
REFRESHED = (0.0, 0.25, 0.5, 0.75)
NOTHING: dict[str, Any] = {
    "difference": None,
    "difference_lower": None,
    "difference_upper": None,
    "n_shared": 0,
    "n_shared_events": 0,
    "difference_note": "",
    "detectable": None,
}
#: Names of the two of a pair, which no forecaster can have.
_A, _B = "\0a", "\0b"


def with_reference(frame: "pd.DataFrame", name: str) -> "pd.DataFrame":
    """Give the frame with a forecaster in it: one of its own, ``uniform``, or ``climatology``.

    ``climatology`` is (1 + yes) / (2 + n) over what was answered and past its scheduled close by
    then.
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
        yield _forecast_row(row, UNIFORM, value, row["opens"])


def _climatology(questions: "pd.DataFrame") -> Iterable[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    binary = questions[questions["type"] == "binary"]
    # Early answers wait for the scheduled close: they would come in ahead of the others.
    counts_from = binary[["resolved_at", "closes"]].max(axis=1)
    order = np.argsort(counts_from.to_numpy(), kind="stable")
    known = pd.DatetimeIndex(counts_from.iloc[order])
    yes = np.concatenate([[0], np.cumsum(binary["outcome"].to_numpy(dtype=float)[order])])
    for row in binary.to_dict("records"):
        for share in REFRESHED:
            moment = row["opens"] + share * (row["closes"] - row["opens"])
            n = int(known.searchsorted(moment, side="right"))
            yield _forecast_row(row, CLIMATOLOGY, float((1 + yes[n]) / (2 + n)), moment)


def _forecast_row(
    row: Mapping[Any, Any], name: str, value: Any, moment: dt.datetime
) -> dict[str, Any]:
    return {**row, "forecaster": name, "forecast": value, "issued_at": moment, "withdrawn_at": None}


def window_of(text: str) -> "tuple[str, float | dt.datetime | None]":
    """Read a window as commands take it: its name, and of a spot the share or the moment."""
    name, _, moment = text.partition("@")
    if name != "spot":
        return name, None
    try:
        share = float(moment)
    except ValueError:
        if moment:
            return name, parse_when(moment)
        share = -1.0
    if not 0 <= share < 1:
        msg = f"spot ({moment or 'nothing'}): must be a share of the window in [0, 1)"
        raise InvalidInput(msg, hint="window=spot@0.5")
    return name, share


def lifetime_scores(
    frame: "pd.DataFrame", *, rule: str, convention: str, window: str
) -> "pd.DataFrame":
    """Score a frame of one question type under a window as commands take it."""
    from forecasting.scoring import lifetime

    name, at = window_of(window)
    return lifetime.score(frame, rule=rule, convention=convention, window=name, at=at)


def shared(
    frame: "pd.DataFrame",
    names: Sequence[str],
    other: str,
    *,
    rule: str,
    convention: str = "half",
    window: str = "scheduled",
) -> "dict[str, pd.DataFrame]":
    """Give the scores of each of several forecasters and one other on the questions they share.

    Windows that average over time count from when the later of the two had spoken; at a spot both
    must have had a forecast in force. What resolved within two days is left out.
    """
    import numpy as np
    import pandas as pd

    frame = where(frame, ~frame["too_soon"])
    window_name, _ = window_of(window)
    of_crowd = rule in ("peer", "relative")
    nothing = pd.DataFrame(columns=["question", "a", "b", "event", "closes"])
    tables = dict.fromkeys(names, nothing)
    rows = frame.groupby("forecaster").indices
    asked = [name for name in names if name in rows and other in rows and name != other]
    if not asked:
        return tables
    every = np.arange(len(frame))
    places = [every if of_crowd else np.append(rows[name], rows[other]) for name in asked]
    whose = np.repeat(np.array(asked, dtype=object), [*map(len, places)])
    together = frame.take(np.concatenate(places)).reset_index(drop=True)
    who = together["forecaster"]
    # A question of each pair's own, so that no pair is scored among the others.
    together["question"] = pd.Series(whose, dtype=who.dtype) + "\0" + together["question"]
    together["forecaster"] = who.mask(who == other, _B).mask(who == whose, _A)
    if not of_crowd and window_name != "spot":
        together = same_window(together, [_A, _B])
    if together.empty:
        return tables
    scored = lifetime_scores(together, rule=rule, convention=convention, window=window)
    if window_name == "spot":
        scored = scored[scored["coverage"] == 1]
    scored = scored[scored["forecaster"].isin([_A, _B])]
    wide = scored.pivot(index="question", columns="forecaster", values="score")
    if not {_A, _B} <= set(wide.columns):
        return tables
    wide = wide[[_A, _B]].dropna().rename(columns={_A: "a", _B: "b"}).reset_index()
    pairs = wide["question"].str.partition("\0")
    facts = frame.drop_duplicates("question").set_index("question")[["event", "closes"]]
    wide = wide.assign(question=pairs[2]).join(facts, on="question")
    return tables | {str(name): part for name, part in wide.groupby(pairs[0], sort=False)}


def difference(
    wide: "pd.DataFrame", resamples: int = 4999, *, largest: float = inf
) -> dict[str, Any]:
    """Give the mean difference of shared scores with its interval over events."""
    from forecasting.comparison import paired_bootstrap

    if wide.empty:
        return dict(NOTHING)
    tested = paired_bootstrap(
        wide["a"], wide["b"], cluster=wide["event"].tolist(), resamples=resamples, largest=largest
    )
    return {
        "difference": tested.difference,
        "difference_lower": tested.lower,
        "difference_upper": tested.upper,
        "n_shared": tested.n_shared,
        "n_shared_events": tested.n_clusters,
        "difference_note": tested.note,
        "detectable": tested.detectable,
    }


def same_window(frame: "pd.DataFrame", forecasters: Sequence[str]) -> "pd.DataFrame":
    """Cut a frame to the questions that some share, from when all of them had spoken."""
    import pandas as pd

    mine = frame[frame["forecaster"].isin(forecasters)].sort_values("issued_at", kind="stable")
    since = mine["issued_at"].where(mine["issued_at"] >= mine["opens"], mine["opens"])
    first = since.groupby([mine["question"], mine["forecaster"]]).min().unstack()
    shared = first.dropna() if set(forecasters) <= set(first.columns) else first.iloc[:0]
    start = shared.max(axis=1)
    rows = mine[mine["question"].isin(start.index)].copy()
    if rows.empty:
        return rows
    rows["start"] = pd.to_datetime(rows["question"].map(start), utc=True)
    early = rows["issued_at"] <= rows["start"]
    # Of the forecasts up to the start only the last is in force at it.
    last = ~rows[early].duplicated(["question", "forecaster"], keep="last")
    rows = rows[~early | last.reindex(rows.index, fill_value=False)]
    rows["issued_at"] = rows["issued_at"].where(rows["issued_at"] >= rows["start"], rows["start"])
    withdrawn = rows["withdrawn_at"].notna() & (rows["withdrawn_at"] < rows["issued_at"])
    return rows[~withdrawn].drop(columns="start")
