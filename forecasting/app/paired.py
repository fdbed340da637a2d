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
    a: str,
    b: str,
    *,
    rule: str,
    convention: str = "half",
    window: str = "scheduled",
) -> "pd.DataFrame":
    """Give the scores of two forecasters, one row a shared question: question, event, a, b.

    Under the windows that average over time both count from when the later of the two had
    spoken; at a spot both must have had a forecast in force. Questions that resolved within two
    days are left out. For ``peer`` and ``relative`` the others are all in the frame.
    """
    frame = frame[~frame["too_soon"]]
    name, _ = window_of(window)
    of_crowd = rule in ("peer", "relative")
    if of_crowd:
        part = frame
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


def matched(
    mine: "pd.DataFrame", theirs: "pd.DataFrame", *, resamples: int = 4999
) -> dict[str, Any]:
    """Compare scores that are already of one moment, on the questions in both."""
    wide = mine[["question", "event", "score"]].merge(theirs[["question", "score"]], on="question")
    return found(wide.rename(columns={"score_x": "a", "score_y": "b"}), resamples)


def found(wide: "pd.DataFrame", resamples: int = 4999) -> dict[str, Any]:
    """Give the mean difference of shared scores with its interval over events."""
    from forecasting.comparison import paired_bootstrap

    if wide.empty:
        return dict(NOTHING)
    tested = paired_bootstrap(
        wide["a"], wide["b"], cluster=wide["event"].tolist(), resamples=resamples
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


def _none() -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(columns=["question", "a", "b", "event", "closes"])
