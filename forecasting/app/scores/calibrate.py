"""Calibration of one forecaster, or of all of a kind: honest at small n."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.scores.score import empty_note
from forecasting.calibration.frame import (
    GROUPS,
    HORIZONS,
    LEAST_EVENTS,
    _commonest_levels,
    _group_row,
    _recalibrated,
    at_share,
    before_close,
    from_frame,
    numbers,
    picked,
)
from forecasting.errors import InvalidInput
from forecasting.scoring.lifetime import where
from forecasting.store import Ledger

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]


def calibration(
    ledger: Ledger,
    *,
    selection: Selection | None = None,
    share: float = 0.5,
    score: str = "brier",
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give the reliability curve, its band, the parts of the mean score and a reading.

    The curve, its parts (of `score`: half Brier, or log in nats), the band and the p-value use one
    forecast a question (the one that stood at `share` of its window) and one question an event, as
    means over ``picks`` of the question; ``pooled`` holds the curve of every update with an
    approximate band over events and no p-value. ``n_early`` counts what resolved before a close
    that is still to come at the moment of the table: their neighbours that stay quiet are not in it
    yet, so it leans to whatever ends a question early. With nothing to say, ``n`` is 0.
    """
    wanted = selection or Selection()
    if not 0 <= share < 1:
        msg = f"share ({share}): must lie in [0, 1)"
        raise InvalidInput(msg, hint="share=0.5")
    frame = resolved(ledger, wanted)
    moment = wanted.as_of or now
    result = from_frame(frame, share=share, score=score, moment=moment)
    if not result["n"]:
        who = wanted.forecaster
        result["reading"] = _sentence(
            empty_note(ledger, wanted, types=("binary",), whose=who, share=share)
        )
    if (frame["type"] == "numeric").any():
        result["numbers"] = numbers(frame, share=share)
    return result


def unread(
    ledger: Ledger, wanted: Selection, *, types: Sequence[str], share: float | None
) -> Counter[str]:
    """Count the scored questions that a calibration of some types does not read, by their reason.

    What a table of scores leaves out too is not among them. Without a `share` every forecast of a
    question is read.
    """
    frame = resolved(ledger, wanted)
    frame = where(frame, ~frame["too_soon"])
    taken = frame["type"].isin(list(types))
    reasons: Counter[str] = Counter()
    for kind, n in frame[~taken].groupby("type")["question"].nunique().items():
        reasons[f"{kind} question{{s}}, which this does not read"] = int(n)
    frame = where(frame, taken)
    if "numeric" in types and (frame["type"] == "numeric").any():
        numeric = frame[frame["type"] == "numeric"]
        usual, levels = _commonest_levels(numeric)
        odd = set(numeric["question"]) - set(numeric.loc[levels == usual, "question"])
        reasons["question{s} with other quantile levels than most"] = len(odd)
        frame = where(frame, ~frame["question"].isin(odd))
    if share is None or frame.empty:
        return +reasons
    read = at_share(share)(frame)["question"]
    silent = frame[~frame["question"].isin(read)]
    first = silent.sort_values("issued_at").drop_duplicates("question")
    moment = first["opens"] + share * (first["closes"] - first["opens"])
    over, unsaid = first["closed_at"] <= moment, first["issued_at"] > moment
    at = f"{100 * share:g} % of the window"
    reasons[f"question{{s}} resolved before {at}"] = int(over.sum())
    reasons[f"question{{s}} first forecast after {at}"] = int((unsaid & ~over).sum())
    reasons[f"question{{s}} withdrawn before {at}"] = int((~unsaid & ~over).sum())
    return +reasons


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def by_group(
    ledger: Ledger,
    by: str,
    *,
    selection: Selection,
    share: float = 0.5,
    now: dt.datetime | None = None,
) -> list[dict[str, Any]]:
    """Give a calibration row for each forecaster, topic, month of scheduled close, or horizon.

    A horizon takes the forecasts in force so many days before the close, of questions open then:
    no fair sample of all, so ``event_rate`` is beside it. Slopes and intercepts of forecasters
    are partially pooled, with 90 % intervals, and ``reads_20`` and ``reads_80`` are the
    probabilities that their 20 and 80 % should be read as: near 20 and 80 for a short record.
    """
    if by not in GROUPS:
        msg = f"by ({by}): must be one of {', '.join(GROUPS)}"
        raise InvalidInput(msg)
    frame = resolved(ledger, selection)
    frame = where(frame, frame["type"] == "binary")
    if by == "horizon":
        chosen = {
            f"{days:g} d before close, still open": picked(frame, before_close(days))
            for days in (HORIZONS if len(frame) else ())
        }
    else:
        groups = frame["closes"].dt.strftime("%Y-%m") if by == "month" else frame[by]
        chosen = {
            str(label): picked(part, at_share(share)) for label, part in frame.groupby(groups)
        }
    rows = [_group_row(by, label, each) for label, each in chosen.items()]
    if by == "forecaster" and rows:
        lines = _recalibrated(frame, selection.as_of or now)
        rows = [
            row | (lines[row[by]] if row["n"] >= LEAST_EVENTS else dict.fromkeys(lines[row[by]]))
            for row in rows
        ]
    return [row for row in rows if row["n"]]
