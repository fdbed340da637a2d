"""Calibration of one forecaster, or of all of a kind: honest at small n."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forecasting.app.frames import Selection, resolved
from forecasting.domain.forecast import DENSE, SHOWN
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    type Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]

LEVEL = 0.9
GROUPS = ("forecaster", "topic", "horizon", "month")
HORIZONS = (1.0, 7.0, 30.0, 90.0)
#: With fewer events a slope is little but its prior, and the parts of a mean score say nothing.
LEAST_EVENTS = 8
#: With fewer numbers nothing is said of their calibration.
LEAST_NUMBERS = 10
#: Of equal width on [0, 1], for the binned decomposition.
BINS = 10
TERMS = ("slope", "intercept", "slope_sd", "intercept_sd")
BINNED = (
    *("reliability", "resolution", "uncertainty", "within_bins"),
    *("reliability_se", "resolution_se", "uncertainty_se", "alpha", "alone"),
)


def one_an_event(frame: "pd.DataFrame", share: float) -> "pd.DataFrame":
    """Give one forecast a question, at a share of its window, and one question an event.

    Among the questions of an event that a forecaster spoke on, the one with the smallest hash of
    its name is taken, before it is looked at whether it was still open at that share and whether
    it resolved too soon: were it taken among those that were, a rung that outlived another would
    stand in for it exactly where the event had come in between.
    """
    from forecasting.scoring import lifetime

    return _standing(_one_an_event(frame), lambda kept: lifetime.standing(kept, at=share))


def _one_an_event(frame: "pd.DataFrame") -> "pd.DataFrame":
    order = frame["question"].map(lambda name: hashlib.sha256(str(name).encode()).hexdigest())
    least = order.groupby([frame["forecaster"], frame["event"]]).transform("min")
    return frame[order == least]


def _standing(
    chosen: "pd.DataFrame", stood: "Callable[[pd.DataFrame], pd.DataFrame]"
) -> "pd.DataFrame":
    kept = chosen[~chosen["too_soon"]]
    return stood(kept).sort_values(["event", "forecaster"]) if len(kept) else kept


def calibration(
    ledger: Ledger,
    *,
    selection: Selection | None = None,
    share: float = 0.5,
    seed: int = 0,
    score: str = "brier",
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give the reliability curve, its band, the parts of the mean score and a reading.

    The curve, the band and the p-value use one forecast a question (the one that stood at `share`
    of its window) and one question an event; ``pooled`` holds the curve of every update with an
    approximate band over events and no p-value.

    Parameters
    ----------
    score : {"brier", "log"}
        Whose parts: half Brier, or log in nats.
    now : datetime, optional
        The moment of the table, if not `selection.as_of`. ``n_early`` counts what resolved before
        a close that is still to come: their neighbours that stay quiet are not in the table yet,
        so it leans to whatever ends a question early.

    Returns
    -------
    dict
        The contract's keys; with nothing to say, ``n`` is 0 and ``reading`` says so.
    """
    wanted = selection or Selection()
    if not 0 <= share < 1:
        msg = f"share ({share}): must lie in [0, 1)"
        raise InvalidInput(msg, hint="share=0.5")
    frame = resolved(ledger, wanted)
    moment = wanted.as_of or now
    found = from_frame(frame, share=share, seed=seed, score=score, moment=moment)
    if (frame["type"] == "numeric").any():
        found["numbers"] = numbers(frame, share=share, seed=seed)
    return found


def by_group(
    ledger: Ledger,
    by: str,
    *,
    selection: Selection,
    share: float = 0.5,
    seed: int = 0,
    now: dt.datetime | None = None,
) -> list[dict[str, Any]]:
    """Give a calibration row for each forecaster, topic, month of scheduled close, or horizon.

    A horizon takes what stood so many days before the close, among questions still open then:
    no fair sample of all, so ``event_rate`` is beside it. Slopes and intercepts of forecasters
    are partially pooled, with 90 % intervals, and ``reads_20`` and ``reads_80`` are the
    probabilities that their 20 and 80 % should be read as: near 20 and 80 for a short record.

    Raises
    ------
    InvalidInput
        For another group.
    """
    if by not in GROUPS:
        msg = f"by ({by}): must be one of {', '.join(GROUPS)}"
        raise InvalidInput(msg)
    frame = resolved(ledger, selection)
    frame = frame[frame["type"] == "binary"]
    rows = []
    if by == "horizon":
        for days in HORIZONS if len(frame) else ():
            chosen = _before_close(frame, days)
            label = f"{days:g} d before close, still open"
            rows.append(_group_row(by, label, chosen, seed))
    else:
        groups = frame["closes"].dt.strftime("%Y-%m") if by == "month" else frame[by]
        for label, part in frame.groupby(groups):
            rows.append(_group_row(by, str(label), one_an_event(part, share), seed))
    if by == "forecaster" and rows:
        lines = _recalibrated(frame, selection.as_of or now)
        rows = [
            row | (lines[row[by]] if row["n"] >= LEAST_EVENTS else dict.fromkeys(lines[row[by]]))
            for row in rows
        ]
    return [row for row in rows if row["n"]]


def _recalibrated(frame: "pd.DataFrame", moment: dt.datetime | None) -> dict[str, dict[str, Any]]:
    """Give each forecaster's partially pooled line in log-odds, and what 20 and 80 % become."""
    from forecasting.calibration import recalibrate

    found = recalibrate(frame[~frame["too_soon"]], as_of=moment)
    rows = {}
    for name in dict.fromkeys(frame["forecaster"]):
        line = found.line(name)
        low, high = line.predict([0.2, 0.8])
        terms = {key.replace("alpha", "intercept"): value for key, value in line.row().items()}
        rows[name] = {**terms, "reads_20": float(low), "reads_80": float(high)}
    return rows


def _before_close(frame: "pd.DataFrame", days: float) -> "pd.DataFrame":
    import pandas as pd

    from forecasting.scoring import lifetime

    facts = frame.drop_duplicates("question").set_index("question")["closes"]
    moments = facts - pd.Timedelta(days=days)
    return _standing(_one_an_event(frame), lambda kept: lifetime.standing(kept, at=moments))


def _group_row(by: str, label: str, chosen: "pd.DataFrame", seed: int) -> dict[str, Any]:
    from forecasting.calibration import corp, reading, slope_intercept

    row: dict[str, Any] = {by: label, "n": len(chosen)}
    if not len(chosen):
        return row
    said = chosen["forecast"].astype(float).to_numpy()
    seen = chosen["outcome"].astype(int).to_numpy()
    found = corp(said, seen, seed=seed)
    line = slope_intercept(said, seen) if len(chosen) >= LEAST_EVENTS else None
    return {
        **row,
        "mean_forecast": float(said.mean()),
        "event_rate": float(seen.mean()),
        "mean_score": found.mean_score,
        "miscalibration": found.miscalibration,
        "discrimination": found.discrimination,
        "uncertainty": found.uncertainty,
        "null_miscalibration": found.null_miscalibration,
        "p_value": found.p_value,
        "slope": None if line is None else line.slope,
        "intercept": None if line is None else line.intercept,
        "reading": reading(found, level=LEVEL),
    }


def numbers(frame: "pd.DataFrame", *, share: float = 0.5, seed: int = 0) -> dict[str, Any]:
    """Give the calibration of numeric questions: PIT with its band, intervals, quantiles.

    One forecast a question and one question an event, among those with the commonest levels.
    """
    from forecasting.calibration import interval_coverage, pit, quantile_reliability

    frame = frame[frame["type"] == "numeric"]
    result: dict[str, Any] = {"n": 0, "pit": [], "p_value": None, "intervals": [], "quantiles": []}
    chosen = one_an_event(frame, share) if len(frame) else frame
    if not len(chosen):
        return {**result, "reading": "No number or date has resolved: too few to say."}
    chosen = chosen.assign(forecast=chosen["forecast"].map(_thinned))
    levels = chosen["forecast"].map(lambda said: tuple(sorted(said)))
    usual = levels.mode().iloc[0]
    chosen = chosen[levels == usual]
    said = [[row[level] for level in usual] for row in chosen["forecast"]]
    seen = chosen["outcome"].astype(float).to_numpy()
    found = pit(
        said,
        seen,
        levels=list(usual),
        lower=chosen["lower"].astype(float).to_numpy(),
        upper=chosen["upper"].astype(float).to_numpy(),
        bins=5 if len(chosen) < 50 else 10,
        seed=seed,
    )
    band = found.histogram.merge(found.band(LEVEL), on=["left", "right"])
    paired = any(abs(a + b - 1) < 1e-9 for a in usual for b in usual if a < b)
    intervals = interval_coverage(said, seen, levels=list(usual)) if paired else None
    return {
        **result,
        "n": len(chosen),
        "pit": band.to_dict("records"),
        "p_value": found.p_value,
        "intervals": [] if intervals is None else intervals.to_dict("records"),
        "quantiles": quantile_reliability(said, seen, levels=list(usual)).to_dict("records"),
        "reading": _numbers_reading(intervals, found.p_value, len(chosen)),
    }


def _thinned(said: dict[float, float]) -> dict[float, float]:
    """Give a CDF of many steps at a few levels; fewer quantiles stay as they are."""
    import numpy as np

    if len(said) <= DENSE:
        return said
    own = sorted(said)
    few = [level / 100 for level in SHOWN]
    values = np.interp(few, own, [said[level] for level in own])
    return dict(zip(few, values.tolist(), strict=True))


def _numbers_reading(intervals: "pd.DataFrame | None", p_value: float, n: int) -> str:
    if n < LEAST_NUMBERS:
        return f"{n} resolved number{'s' * (n > 1)}: too few to say."
    verdict = "uneven beyond chance" if p_value <= 0.05 else "no more uneven than chance explains"
    text = f"The PIT histogram of {n} numbers is {verdict} (p = {p_value:.2g})."
    if intervals is None:
        return text
    widest = intervals.iloc[-1]
    inside = widest["lower"] <= widest["nominal"] <= widest["upper"]
    return (
        f"{text} Your {100 * widest['nominal']:.0f} % intervals held {widest['inside']:.0f} of "
        f"{n}; " + ("so this may be chance." if inside else "a deviation beyond chance.")
    )


def from_frame(
    frame: "pd.DataFrame",
    *,
    share: float = 0.5,
    seed: int = 0,
    score: str = "brier",
    moment: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give the calibration of a scoring frame; binary questions only, those too soon left out."""
    from forecasting.calibration import (
        binned_decomposition,
        confidence_band,
        corp,
        reading,
        slope_intercept,
        spiegelhalter_z,
    )

    frame = frame[frame["type"] == "binary"]
    chosen = one_an_event(frame, share) if len(frame) else frame
    frame = frame[~frame["too_soon"]]
    result: dict[str, Any] = {
        "n": len(chosen),
        "n_questions": int(frame["question"].nunique()),
        "n_updates": len(frame),
        "n_events": int(frame["event"].nunique()),
        "n_early": 0 if moment is None else int((chosen["closes"] > moment).sum()),
        "share": share,
        "level": LEVEL,
        "score": score,
    }
    if not len(chosen):
        nothing = ("mean_score", "miscalibration", "discrimination", "uncertainty")
        result.update(
            dict.fromkeys((*nothing, "null_miscalibration", "p_value", "slope", "intercept"))
        )
        return {
            **result,
            "histogram": [],
            "curve": [],
            "pooled": [],
            "reading": "Nothing resolved yet: too few to say.",
        }
    said, seen = (
        chosen["forecast"].astype(float).to_numpy(),
        chosen["outcome"].astype(int).to_numpy(),
    )
    diagram = corp(said, seen, seed=seed, score=score)
    terms: dict[str, Any] = dict.fromkeys(TERMS)
    binned: dict[str, Any] | None = None
    if len(chosen) >= LEAST_EVENTS:
        line = slope_intercept(said, seen)
        terms = {name: getattr(line, name) for name in TERMS}
        parts = binned_decomposition(said, seen, bins=BINS)
        binned = {name: getattr(parts, name) for name in BINNED}
    curve = diagram.curve.merge(diagram.band(LEVEL), on="forecast")
    every = confidence_band(
        frame["forecast"].astype(float).to_numpy(),
        frame["outcome"].astype(int).to_numpy(),
        cluster=frame["event"].tolist(),
        level=LEVEL,
        seed=seed,
    )
    return {
        **result,
        "mean_score": diagram.mean_score,
        "miscalibration": diagram.miscalibration,
        "discrimination": diagram.discrimination,
        "uncertainty": diagram.uncertainty,
        "null_miscalibration": diagram.null_miscalibration,
        "p_value": diagram.p_value,
        **terms,
        "histogram": histogram(said, seen),
        "spiegelhalter_z": float(spiegelhalter_z(said, seen)),
        "curve": curve.to_dict("records"),
        "pooled": [
            {"forecast": f, "event_rate": r, "n": n, "lower": low, "upper": high}
            for f, r, n, low, high in zip(
                every.forecast, every.event_rate, every.n, every.lower, every.upper, strict=True
            )
        ],
        "pooled_note": every.note,
        "binned": binned,
        "reading": reading(diagram, level=LEVEL) + _early(result["n_early"], len(chosen)),
    }


def histogram(said: "Numbers", seen: "Numbers") -> list[dict[str, Any]]:
    """Count the forecasts in ten bins of equal width, and how many of each came true.

    Examples
    --------
    >>> import numpy as np
    >>> histogram(np.array([0.05, 0.1, 1.0]), np.array([0, 1, 1]))
    [{'bin': '0 to 10 %', 'n': 1, 'happened': 0}, {'bin': '10 to 20 %', 'n': 1, 'happened': 1},
     {'bin': '90 to 100 %', 'n': 1, 'happened': 1}]
    """
    import numpy as np

    # Decimals such as 0.3 are to fall into the bin that they begin.
    place = np.minimum((said * BINS + 1e-9).astype(int), BINS - 1)
    width = 100 // BINS
    return [
        {
            "bin": f"{width * i} to {width * (i + 1)} %",
            "n": int((place == i).sum()),
            "happened": int(seen[place == i].sum()),
        }
        for i in np.unique(place).tolist()
    ]


def _early(early: int, n: int) -> str:
    if not early:
        return ""
    return (
        f"\n{early} of the {n} resolved before their scheduled close; questions that run to their "
        "close are not here yet, which favours early answers: past_close=True leaves them out."
    )
