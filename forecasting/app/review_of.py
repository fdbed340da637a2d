"""The review of one forecaster: every figure of its page, from one reading of the ledger."""

import datetime as dt
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from forecasting.app import calibrate, paired, pictures
from forecasting.app.banks import bank_of
from forecasting.app.catalog import Catalog
from forecasting.app.compare import compare
from forecasting.app.figures import plain
from forecasting.app.frames import Selection, kinds_present, resolved, select
from forecasting.app.leaderboard import leaderboard
from forecasting.app.publish import cards, unscored
from forecasting.app.score import from_frame, scores
from forecasting.app.score_notes import left_out
from forecasting.app.sources import folded
from forecasting.app.sources import rows as source_rows
from forecasting.domain.forecasters import MODEL, family, ordered
from forecasting.errors import ForecastingError
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: Resamples of a table that is one of many on the page.
RESAMPLES = 999


def review_of(
    ledger: Ledger,
    *,
    who: str,
    kind: str = "live",
    tag: str = "",
    now: dt.datetime,
    told: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Give the figures of a review: of one forecaster, and of all where they are set side by side.

    Parameters
    ----------
    who : str
        A forecaster.
    kind : str
        Kinds are never mixed.
    tag : str
        A tag, topic or event; empty: all.

    Returns
    -------
    dict
        ``who, kind, kinds, forecasters, tags`` (what there is to choose from), ``n_forecasts``,
        ``n_resolved``, ``calibration`` of `who` with ``told`` (its discrimination and its slope in
        words) and ``histogram``, ``months``, ``topics``, ``horizons`` (score rows of `who`, those
        of the model beside them), ``scores`` of all, ``versus`` (the comparison with the model)
        and ``override`` (question by question), ``board`` with ``board_notes``, ``sources``,
        ``left_out`` with ``unscored``, ``texts``.
    """
    told("reading the forecasts")
    catalog = Catalog.of(ledger)
    whole = Selection(kind=kind, tag=tag)
    mine = Selection(kind=kind, forecaster=who, tag=tag)
    chosen = select(ledger, catalog, Selection(kind=kind))
    frame = resolved(ledger, whole, seals="worst")
    own = frame[frame["forecaster"] == who]
    told("calibration")
    calibration = calibrate.calibration(ledger, selection=mine, now=now)
    told("scores")
    present = ordered({forecast.forecaster for forecast in chosen})
    pair = frame[frame["forecaster"].isin([who, MODEL])]
    found: dict[str, Any] = {
        "who": who,
        "kind": kind,
        "tag": tag,
        "kinds": kinds_present(ledger),
        "forecasters": present,
        "tags": _tags(catalog, {forecast.question for forecast in chosen}),
        "n_forecasts": sum(forecast.forecaster == who for forecast in chosen),
        "n_resolved": int(own["question"].nunique()),
        "calibration": calibration,
        "told": _told(calibration),
        "scores": scores(ledger, selection=whole, resamples=RESAMPLES),
        "months": _by(pair, kind, "month"),
        "topics": _by(pair, kind, "topic"),
        "horizons": _by(pair, kind, "horizon"),
    }
    told("you and the model")
    found["versus"], found["override"] = _versus(ledger, frame, who, kind, tag, now)
    told("the leaderboard")
    board, notes = leaderboard(ledger, selection=whole, sample=False)
    found["board"], found["board_notes"] = board, notes
    told("sources, texts, and what is left out")
    found["sources"] = [
        dict(row) for row in folded(source_rows(ledger, as_of=now, now=now)) if row.get("claims")
    ]
    found["n_sources"] = len(source_rows(ledger, as_of=now, now=now))
    found["left_out"] = left_out(ledger, mine)
    by_me = [forecast for forecast in chosen if forecast.forecaster == who]
    found["unscored"] = unscored(catalog, by_me, kind, now)
    found["histogram"] = pictures.table(ledger, "histogram", selection=mine)
    texts = [card for card in cards(catalog, bank_of(ledger), chosen) if card.claims]
    return {key: plain(value) for key, value in found.items()} | {"texts": texts}


def _by(frame: "pd.DataFrame", kind: str, by: str) -> list[dict[str, Any]]:
    return from_frame(frame, kind=kind, by=by, resamples=RESAMPLES) if len(frame) else []


def _versus(
    ledger: Ledger, frame: "pd.DataFrame", who: str, kind: str, tag: str, now: dt.datetime
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Compare somebody with the model, and say question by question whose number was the better."""
    names = set(frame["forecaster"])
    if who == MODEL or family(who) != "person" or not {who, MODEL} <= names:
        return None, []
    try:
        found = compare(
            ledger, who, MODEL, now=now, selection=Selection(kind=kind, tag=tag), resamples=1999
        )
    except ForecastingError:
        return None, []
    part = frame[frame["type"] == found["type"]]
    convention = found["convention"] or "half"
    wide = paired.shared(part, who, MODEL, rule=found["rule"], convention=convention)
    titles = Catalog.of(ledger).questions
    rows = [
        {
            "question": row["question"],
            "title": titles[row["question"]].title,
            "mine": float(row["a"]),
            "model": float(row["b"]),
            "difference": float(row["a"]) - float(row["b"]),
        }
        for row in wide.to_dict("records")
        if math.isfinite(row["a"]) and math.isfinite(row["b"])
    ]
    return found, sorted(rows, key=lambda row: (row["difference"], row["question"]))


def _tags(catalog: Catalog, spoken: set[str]) -> list[str]:
    found = {
        tag
        for name in spoken
        for tag in (*catalog.questions[name].tags, catalog.questions[name].topic)
        if tag
    }
    return sorted(found)


def _told(calibration: dict[str, Any]) -> dict[str, str]:
    """Say in words what discrimination and slope mean; nothing below the least number of events."""
    if calibration["n"] < calibrate.LEAST_EVENTS:
        return {"discrimination": "", "slope": ""}
    dsc, unc = calibration["discrimination"], calibration["uncertainty"]
    share = dsc / unc if unc else 0.0
    if not unc:
        told = "All of these questions ended alike, so nothing could be told apart."
    elif share < 0.05:
        told = "Your numbers hardly told what happened from what did not"
    elif share < 0.25:
        told = "Your numbers told what happened from what did not to some degree"
    else:
        told = "Your numbers told what happened from what did not well"
    if unc:
        told += (
            f": discrimination {dsc:.3f} of at most {unc:.3f}, which is {100 * share:.0f} % of "
            "what there was to tell apart."
        )
    slope, sd = calibration["slope"], calibration["slope_sd"]
    if abs(slope - 1) <= 2 * sd:
        word = "no sign that they are too bold or too timid"
    elif slope < 1:
        word = "a sign that they are too bold: closer to 50 % would have been better"
    else:
        word = "a sign that they are too timid: further from 50 % would have been better"
    return {
        "discrimination": told,
        "slope": f"The slope of your numbers is {slope:.2f} \N{PLUS-MINUS SIGN} {sd:.2f}, {word}.",
    }
