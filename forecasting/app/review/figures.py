"""Figures that take seconds: what a page asks of a process beside it, as plain data."""

import datetime as dt
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app.book import PlainBook
from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, kinds_present, resolved, select
from forecasting.app.news.sources import folded
from forecasting.app.news.sources import rows as source_rows
from forecasting.app.review import pictures
from forecasting.app.review.publish import cards, unscored
from forecasting.app.scores import calibrate
from forecasting.app.scores.against import shared
from forecasting.app.scores.compare import compare, leaderboard
from forecasting.app.scores.score import from_frame, left_out, scores
from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.forecasters import MODEL, family, ordered
from forecasting.domain.scores import CALIBRATED
from forecasting.errors import ForecastingError
from forecasting.review import words
from forecasting.scoring.checks import LEAST_OF_LEVEL
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.world.view import WorldView


#: Is told each step before it begins.
type Told = Callable[[str], None]
#: The last simulation, kept while the ledger stands: what-ifs of one world need no other.
_LAST: dict[tuple[str, int], "WorldView"] = {}
STORIES = 8


def world(book: PlainBook, told: Told) -> dict[str, Any]:
    """Simulate the world as of now: answers, stories, what is worth knowing, where all ends.

    Returns
    -------
    dict
        ``as_of, until, draws, notes, asked, answers, stories, values, learned, ends``; `asked`
        names the open questions that the world answers.
    """
    view = _view(book, told)
    told("reading the answers off the paths")
    answers = view.answers().to_dict("records")
    told("telling the typical stories")
    stories = view.stories(STORIES).to_dict("records")
    told("weighing what is worth knowing")
    values = view.live.value()
    ends = {}
    for fan in view.live.fans():
        if len(fan.states):
            ends[fan.process] = list(zip(fan.states, map(float, fan.shares[-1]), strict=True))
        else:
            ends[fan.process] = [(f"median, {fan.unit}", float(fan.quantiles[-1][2]))]
    return {
        "as_of": view.as_of,
        "until": view.live.until,
        "draws": view.draws,
        "notes": list(view.notes),
        "asked": _open_questions(book),
        "answers": plain(answers),
        "stories": plain(stories),
        "values": plain(values),
        "learned": view.live.learned(),
        "ends": ends,
    }


def what_if(book: PlainBook, told: Told, given: Sequence[str], do: Sequence[str]) -> dict[str, Any]:
    """Say how every open question would stand once something is seen or brought about."""
    view = _view(book, told)
    told("looking for the paths that meet the conditions")
    rows = view.live.what_if(list(given), list(do))
    return {
        "as_of": view.as_of,
        "draws": view.draws,
        "asked": _open_questions(book),
        "rows": plain(rows),
        "unmoved": words.unmoved(rows),
    }


def _open_questions(book: PlainBook) -> list[str]:
    return sorted(row["question"] for row in book.open_outcomes())


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
    return {"rows": plain(rows), "notes": notes, "beside": book.beside(kind=kind, run=run)}


def question_scores(book: PlainBook, told: Told, question: str, kind: str) -> list[dict[str, Any]]:
    """Score everybody on one question: over its scheduled window, and beside it while open."""
    told("reading what was said")
    kinds = ("replay",) if kind == "replay" else ("live", "backdated", "imported")
    selection = Selection(question=question, too_soon=True)
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        # One question has no interval.
        of_kind = replace(selection, kind=kind)
        rows += scores(book.ledger, by="question", selection=of_kind, resamples=99)
    return [plain(row) for row in rows]


def _view(book: PlainBook, told: Told) -> "WorldView":
    key = (book.database, book.head())
    if key not in _LAST:
        told("learning the rates of the processes, and simulating")
        _LAST.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _LAST[key] = book.world()
    return _LAST[key]


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


def review(
    book: PlainBook,
    told: Told,
    who: str,
    kind: str = "live",
    tag: str = "",
    too_soon: bool = False,
) -> dict[str, Any]:
    """Give every figure of a review: of one forecaster, and of all where they stand side by side.

    Kinds are never mixed; `tag` is a tag, topic or event, empty for all. Questions that resolved
    within two days of opening count with `too_soon` alone.

    Returns
    -------
    dict
        ``who, kind, kinds, forecasters, tags`` (what there is to choose from), ``n_forecasts``,
        ``n_resolved`` and how many of them came ``n_soon``, ``calibration`` of `who` with ``told``
        (its discrimination and its slope in words) and ``histogram``, ``months``, ``topics``,
        ``horizons`` (score rows of `who`, those of the model beside them), ``scores`` of all,
        ``versus`` (the comparison with the model)
        and ``override`` (question by question), ``board`` with ``board_notes``
        (and ``least_of_level`` events for an interval), ``sources``,
        ``left_out`` with ``unscored`` and of the calibration ``unread``, ``texts``.
    """
    told("reading the forecasts")
    ledger, now = book.ledger, clock.now()
    catalog = Catalog.of(ledger)
    whole = Selection(kind=kind, tag=tag, too_soon=too_soon)
    mine = replace(whole, forecaster=who)
    forecasts = select(ledger, catalog, Selection(kind=kind))
    by_me = [forecast for forecast in forecasts if forecast.forecaster == who]
    frame = resolved(ledger, whole, seals="worst")
    resolved_here = frame[frame["forecaster"] == who].drop_duplicates("question")
    pair = frame[frame["forecaster"].isin([who, MODEL])]
    told("calibration")
    calibration = calibrate.calibration(ledger, selection=mine, now=now)
    told("scores")
    figures: dict[str, Any] = {
        "who": who,
        "kind": kind,
        "tag": tag,
        "kinds": kinds_present(ledger),
        "forecasters": ordered({forecast.forecaster for forecast in forecasts}),
        "tags": _tags(catalog, {forecast.question for forecast in forecasts}),
        "n_forecasts": len(by_me),
        "n_resolved": len(resolved_here),
        "n_soon": int(resolved_here["too_soon"].sum()),
        "calibration": calibration,
        "told": _in_words(calibration),
        "scores": scores(ledger, selection=whole),
        **{
            f"{by}s": from_frame(pair, kind=kind, by=by) if len(pair) else []
            for by in ("month", "topic", "horizon")
        },
    }
    told("you and the model")
    figures["versus"], figures["override"] = _versus(ledger, frame, who, whole, now)
    told("the leaderboard")
    figures["board"], figures["board_notes"] = leaderboard(ledger, selection=whole, sample=False)
    figures["least_of_level"] = LEAST_OF_LEVEL
    told("sources, texts, and what is left out")
    sources = source_rows(ledger, as_of=now, now=now)
    figures["sources"] = [dict(row) for row in folded(sources) if row.get("claims")]
    figures["n_sources"] = len(sources)
    figures["left_out"] = left_out(ledger, mine)
    more = calibrate.unread(ledger, mine, types=CALIBRATED, share=calibration["share"])
    figures["unread"] = left_out(ledger, mine, counted=False, more=more)
    figures["unscored"] = unscored(catalog, by_me, kind, now)
    figures["histogram"] = pictures.table(ledger, "histogram", selection=mine)
    texts = [card for card in cards(catalog, bank_of(ledger), forecasts) if card.claims]
    return {key: plain(value) for key, value in figures.items()} | {"texts": texts}


def _versus(
    ledger: Ledger, frame: "pd.DataFrame", who: str, whole: Selection, now: dt.datetime
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Compare somebody with the model, and say question by question whose number was the better."""
    names = set(frame["forecaster"])
    if who == MODEL or family(who) != "person" or not {who, MODEL} <= names:
        return None, []
    try:
        comparison = compare(ledger, who, MODEL, now=now, selection=whole)
    except ForecastingError:
        return None, []
    part = frame[frame["type"] == comparison["type"]]
    convention = comparison["convention"] or "half"
    wide = shared(part, who, MODEL, rule=comparison["rule"], convention=convention)
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
    return comparison, sorted(rows, key=lambda row: (row["difference"], row["question"]))


def _tags(catalog: Catalog, questions: set[str]) -> list[str]:
    tags = {
        tag
        for name in questions
        for tag in (*catalog.questions[name].tags, catalog.questions[name].topic)
        if tag
    }
    return sorted(tags)


def _in_words(calibration: dict[str, Any]) -> dict[str, str]:
    """Say in words what discrimination and slope mean; nothing below the least number of events."""
    if calibration["n"] < calibrate.LEAST_EVENTS:
        return {"discrimination": "", "slope": ""}
    dsc, unc = calibration["discrimination"], calibration["uncertainty"]
    share = dsc / unc if unc else 0.0
    if not unc:
        sentence = "All of these questions ended alike, so nothing could be told apart."
    elif share < 0.05:
        sentence = "The numbers hardly told what happened from what did not"
    elif share < 0.25:
        sentence = "To some degree the numbers told what happened from what did not"
    else:
        sentence = "The numbers told well what happened from what did not"
    if unc:
        sentence += (
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
        "discrimination": sentence,
        "slope": f"Their slope is {slope:.2f} \N{PLUS-MINUS SIGN} {sd:.2f}, {word}.",
    }
