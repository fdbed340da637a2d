"""Two forecasters on the questions that they share, over the same part of each window."""

import datetime as dt
from collections.abc import Sequence
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


#: Stand for the two of a pair; nobody is called so.
_A, _B = "\0a", "\0b"


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
    return all_shared(frame, [a], b, rule=rule, convention=convention, window=window)[a]


def all_shared(
    frame: "pd.DataFrame",
    names: Sequence[str],
    other: str,
    *,
    rule: str,
    convention: str = "half",
    window: str = "scheduled",
) -> "dict[str, pd.DataFrame]":
    """Give :func:`shared` of each of several forecasters and one other, scored together."""
    import pandas as pd

    frame = frame[~frame["too_soon"]]
    window_name, _ = window_of(window)
    of_crowd = rule in ("peer", "relative")
    by_name = {str(name): part for name, part in frame.groupby("forecaster", sort=False)}
    found = {name: _none() for name in names}
    parts = []
    for name in {*names} & {*by_name} if other in by_name else ():
        part = frame if of_crowd else pd.concat([by_name[name], by_name[other]])
        # A question of each pair's own, so that no pair is scored among the others.
        roles = part["forecaster"].replace({name: _A, other: _B})
        parts.append(part.assign(question=f"{name}\0" + part["question"], forecaster=roles))
    together = pd.concat(parts, ignore_index=True) if parts else frame.iloc[:0]
    if not of_crowd and window_name != "spot":
        together = same_window(together, [_A, _B])
    if together.empty:
        return found
    scored = lifetime_scores(together, rule=rule, convention=convention, window=window)
    if window_name == "spot":
        scored = scored[scored["coverage"] == 1]
    scored = scored[scored["forecaster"].isin([_A, _B])]
    wide = scored.pivot(index="question", columns="forecaster", values="score")
    if not {_A, _B} <= set(wide.columns):
        return found
    wide = wide[[_A, _B]].dropna().rename(columns={_A: "a", _B: "b"}).reset_index()
    pairs = wide["question"].str.partition("\0")
    facts = frame.drop_duplicates("question").set_index("question")[["event", "closes"]]
    wide = wide.assign(question=pairs[2]).join(facts, on="question")
    return found | {str(name): part for name, part in wide.groupby(pairs[0], sort=False)}


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
