"""Two forecasters on the questions that they share, over the same part of each window."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from forecasting.app.frames import same_window
from forecasting.domain.instants import parse_when
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

NOTHING: dict[str, Any] = {
    "difference": None,
    "difference_lower": None,
    "difference_upper": None,
    "n_shared": 0,
    "n_shared_events": 0,
    "difference_note": "",
    "detectable": None,
}


def window_of(text: str) -> "tuple[str, float | dt.datetime | None]":
    """Read a window as commands take it: its name, and of a spot the share or the moment.

    Raises
    ------
    InvalidInput
        On a spot without a share in [0, 1) or a time.
    """
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
        msg = f"spot ({moment or 'nothing'}): a share of the window lies in [0, 1)"
        raise InvalidInput(msg, hint="--window spot@0.5")
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
    a: str,
    b: str,
    *,
    rule: str,
    convention: str = "half",
    window: str = "scheduled",
    crowd: "pd.DataFrame | None" = None,
) -> "pd.DataFrame":
    """Give the scores of two forecasters, one row a shared question: question, event, a, b.

    Under the windows that average over time both count from when the later of the two had
    spoken; at a spot both must have had a forecast in force. Questions that resolved within two
    days are left out. For ``peer`` and ``relative`` the others are those of `crowd`.
    """
    frame = frame[~frame["too_soon"]]
    everybody = frame if crowd is None else crowd[crowd["question"].isin(frame["question"])]
    name, _ = window_of(window)
    of_crowd = rule in ("peer", "relative")
    if of_crowd:
        part = everybody
    elif name == "spot":
        part = frame[frame["forecaster"].isin([a, b])]
    else:
        part = same_window(frame, [a, b])
    if part.empty:
        return _none()
    scored = lifetime_scores(part, rule=rule, convention=convention, window=window)
    scored = scored[scored["forecaster"].isin([a, b])]
    if name == "spot":
        scored = scored[scored["coverage"] == 1]
    wide = scored.pivot(index="question", columns="forecaster", values="score")
    if not {a, b} <= set(wide.columns):
        return _none()
    wide = wide[[a, b]].dropna().rename(columns={a: "a", b: "b"}).reset_index()
    facts = frame.drop_duplicates("question").set_index("question")[["event", "closes"]]
    return wide.join(facts, on="question")


def difference(
    frame: "pd.DataFrame",
    a: str,
    b: str,
    *,
    rule: str,
    convention: str = "half",
    window: str = "scheduled",
    crowd: "pd.DataFrame | None" = None,
    resamples: int = 4999,
) -> dict[str, Any]:
    """Compare two forecasters on shared questions: score of `a` - score of `b`."""
    wide = shared(frame, a, b, rule=rule, convention=convention, window=window, crowd=crowd)
    return _found(wide, resamples)


def matched(
    mine: "pd.DataFrame", theirs: "pd.DataFrame", *, resamples: int = 4999
) -> dict[str, Any]:
    """Compare scores that are already of one moment, on the questions in both."""
    wide = mine[["question", "event", "score"]].merge(theirs[["question", "score"]], on="question")
    return _found(wide.rename(columns={"score_x": "a", "score_y": "b"}), resamples)


def _found(wide: "pd.DataFrame", resamples: int) -> dict[str, Any]:
    from forecasting.comparison import paired_bootstrap

    if wide.empty:
        return dict(NOTHING)
    found = paired_bootstrap(
        wide["a"], wide["b"], cluster=wide["event"].tolist(), resamples=resamples
    )
    return {
        "difference": found.difference,
        "difference_lower": found.lower,
        "difference_upper": found.upper,
        "n_shared": found.n_shared,
        "n_shared_events": found.n_clusters,
        "difference_note": found.note,
        "detectable": found.detectable,
    }


def _none() -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(columns=["question", "a", "b", "event", "closes"])
