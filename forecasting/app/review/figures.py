"""Figures that take seconds: what a page asks of a process beside it, as plain data.

The review of a forecaster comes from one reading of the ledger.
"""

import datetime as dt
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app.book import PlainBook
from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, kinds_present, resolved, select
from forecasting.app.news.sources import folded
from forecasting.app.news.sources import rows as source_rows
from forecasting.app.review import pictures
from forecasting.app.review.publish import cards, unscored
from forecasting.app.scores import calibrate, paired
from forecasting.app.scores.compare import compare
from forecasting.app.scores.leaderboard import leaderboard
from forecasting.app.scores.notes import left_out
from forecasting.app.scores.score import from_frame, scores
from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.forecasters import MODEL, family, ordered
from forecasting.errors import ForecastingError
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.world.view import WorldView


type Told = Callable[[str], None]
#: The last simulation, kept while the ledger stands: what-ifs of one world need no other.
_LAST: dict[tuple[str, int], "WorldView"] = {}
#: Stories told, and questions whose answer is worth knowing.
STORIES = 8


def world(book: PlainBook, told: Told) -> dict[str, Any]:
    """Simulate the world as of now: answers, stories, what is worth knowing, where all ends.

    Returns
    -------
    dict
        ``as_of, until, draws, notes, answers, stories, values, learned, ends``.
    """
    import numpy as np

    from forecasting.app.world import scenario
    from forecasting.app.world.paths import fans

    view = _view(book, told)
    told("reading the answers off the paths")
    answers = view.answers().to_dict("records")
    told("telling the typical stories")
    stories = view.stories(STORIES).to_dict("records")
    told("weighing what is worth knowing")
    values = scenario.value(view.live)
    learned = {
        name: tuple(np.exp(np.quantile(beta, (0.5, 0.05, 0.95))).tolist())
        for name, beta in view.live.run.learned.betas.items()
    }
    ends = {}
    for fan in fans(view.live):
        if len(fan.states):
            ends[fan.process] = list(zip(fan.states, map(float, fan.shares[-1]), strict=True))
        else:
            ends[fan.process] = [(f"median, {fan.unit}", float(fan.quantiles[-1][2]))]
    return {
        "as_of": view.as_of,
        "until": view.live.until,
        "draws": view.draws,
        "notes": list(view.notes),
        "answers": _plain(answers),
        "stories": _plain(stories),
        "values": _plain(values),
        "learned": learned,
        "ends": ends,
    }


def what_if(book: PlainBook, told: Told, given: Sequence[str], do: Sequence[str]) -> dict[str, Any]:
    """Say how every open question would stand once something is seen or brought about."""
    view = _view(book, told)
    told("looking for the paths that meet the conditions")
    rows = view.what_if(list(given), list(do)).to_dict("records")
    return {"as_of": view.as_of, "draws": view.draws, "rows": _plain(rows)}


def news_effect(
    book: PlainBook, told: Told, name: str, target: str, half_life: str
) -> dict[str, Any]:
    """Say what each code of an item would do."""
    return book.news_effect(name, target, half_life=half_life, told=told)


def views(book: PlainBook, told: Told) -> dict[str, Any]:
    """Give the worldviews with their weights and records, and side by side."""
    told("weighing the worldviews")
    notes: list[str] = []
    rows = book.speaking_as(book.forecaster, tell=notes.append).worldviews()
    kind, run = (rows[0]["kind"], rows[0]["run"]) if rows else ("live", "")
    return {"rows": _plain(rows), "notes": notes, "beside": book.beside(kind=kind, run=run)}


def review(book: PlainBook, told: Told, who: str, kind: str, tag: str) -> dict[str, Any]:
    """Give every figure of the review of one forecaster, as :func:`review_of` does."""
    return review_of(book.ledger, who=who, kind=kind, tag=tag, now=clock.now(), told=told)


def question_scores(book: PlainBook, told: Told, question: str, kind: str) -> list[dict[str, Any]]:
    """Score everybody on one question: over its scheduled window, and beside it while open."""
    told("scoring")
    kinds = ("replay",) if kind == "replay" else ("live", "backdated", "imported")
    present = kinds_present(book.ledger)
    return _plain(
        [
            row
            for each in kinds
            if each in present
            for row in scores(
                book.ledger,
                by="question",
                selection=Selection(kind=each, question=question, too_soon=True),
                resamples=99,  # one question has no interval
            )
        ]
    )


def _view(book: PlainBook, told: Told) -> "WorldView":
    key = (book.database, book.head())
    if key not in _LAST:
        told("learning the rates of the processes, and simulating")
        _LAST.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _LAST[key] = book.world()
    return _LAST[key]


def _plain(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Give rows with Python's own numbers; a missing number is None."""
    return [{str(key): plain(value) for key, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    """Give a value without numpy or pandas in it: no number is None.

    Examples
    --------
    >>> import numpy as np
    >>> plain({"a": np.float64("nan"), "b": [np.int64(3)]})
    {'a': None, 'b': [3]}
    """
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value


__all__ = ["news_effect", "plain", "review", "views", "what_if", "world"]


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
