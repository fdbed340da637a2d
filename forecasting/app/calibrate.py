"""Calibration of one forecaster, or of all of a kind: honest at small n."""

import hashlib
from typing import TYPE_CHECKING, Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, scoring_frame, select
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.9


def one_an_event(frame: "pd.DataFrame", share: float) -> "pd.DataFrame":
    """Give one forecast a question, at a share of its window, and one question an event.

    Among the questions of an event the one with the smallest hash of its name is taken: a choice
    that knows nothing of outcomes.
    """
    from forecasting.scoring import lifetime

    standing = lifetime.standing(frame, at=share)
    order = standing["question"].map(lambda name: hashlib.sha256(name.encode()).hexdigest())
    return (
        standing.assign(order=order).sort_values("order").drop_duplicates(["forecaster", "event"])
    )


def calibration(
    ledger: Ledger,
    *,
    selection: Selection | None = None,
    share: float = 0.5,
    seed: int = 0,
) -> dict[str, Any]:
    """Give the reliability curve, its band, the parts of the Brier score and a reading.

    The curve, the band and the p-value use one forecast a question (the one that stood at `share`
    of its window) and one question an event; ``pooled`` holds the curve of every update with an
    approximate band over events and no p-value.

    Returns
    -------
    dict
        The contract's keys; with nothing to say, ``n`` is 0 and ``reading`` says so.
    """
    wanted = selection or Selection()
    if not 0 <= share < 1:
        msg = f"share ({share}): must lie in [0, 1)"
        raise InvalidInput(msg, hint="--share 0.5")
    catalog = Catalog.of(ledger)
    frame = scoring_frame(ledger, catalog, select(ledger, catalog, wanted), as_of=wanted.as_of)
    return from_frame(frame, share=share, seed=seed)


def from_frame(frame: "pd.DataFrame", *, share: float = 0.5, seed: int = 0) -> dict[str, Any]:
    """Give the calibration of a scoring frame; binary questions only, those too soon left out."""
    from forecasting.calibration import (
        confidence_band,
        corp,
        reading,
        slope_intercept,
        spiegelhalter_z,
    )

    frame = frame[(frame["type"] == "binary") & ~frame["too_soon"]]
    chosen = one_an_event(frame, share) if len(frame) else frame
    result: dict[str, Any] = {
        "n": len(chosen),
        "n_questions": int(frame["question"].nunique()),
        "n_updates": len(frame),
        "n_events": int(frame["event"].nunique()),
        "share": share,
        "level": LEVEL,
    }
    if not len(chosen):
        nothing = ("mean_score", "miscalibration", "discrimination", "uncertainty")
        result.update(
            dict.fromkeys((*nothing, "null_miscalibration", "p_value", "slope", "intercept"))
        )
        return {
            **result,
            "curve": [],
            "pooled": [],
            "reading": "Nothing resolved yet: too few to say.",
        }
    said, seen = (
        chosen["forecast"].astype(float).to_numpy(),
        chosen["outcome"].astype(int).to_numpy(),
    )
    diagram = corp(said, seen, seed=seed)
    line = slope_intercept(said, seen)
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
        "slope": line.slope,
        "intercept": line.intercept,
        "slope_sd": line.slope_sd,
        "intercept_sd": line.intercept_sd,
        "spiegelhalter_z": float(spiegelhalter_z(said, seen)),
        "curve": curve.to_dict("records"),
        "pooled": [
            {"forecast": f, "event_rate": r, "n": n, "lower": low, "upper": high}
            for f, r, n, low, high in zip(
                every.forecast, every.event_rate, every.n, every.lower, every.upper, strict=True
            )
        ],
        "pooled_note": every.note,
        "reading": reading(diagram, level=LEVEL),
    }
