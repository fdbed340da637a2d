"""Figures that take seconds: what a page asks of a process beside it, as plain data."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecasting.app.book import PlainBook
from forecasting.review import words

if TYPE_CHECKING:
    from forecasting.app.world.view import WorldView


#: Is told each step before it begins.
type Told = Callable[[str], None]
#: The last simulation, kept while the ledger stands: what-ifs of one world need no other.
_LAST: dict[tuple[str, int], "WorldView"] = {}
STORIES = 8


def world(book: PlainBook, told: Told) -> dict[str, Any]:
    """Simulate the world as of now: answers, stories, what is worth knowing, where all ends."""
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
    filters: dict[str, Any] = {"question": question, "too_soon": True}
    # One question has no interval.
    tables = [book.scores(by="question", kind=each, resamples=99, **filters) for each in kinds]
    return [plain(row) for rows in tables for row in rows]


def review(book: PlainBook, told: Told, who: str, *wanted: Any) -> dict[str, Any]:
    """Give every figure of a review; see :meth:`Book.review_figures`."""
    figures = book.review_figures(who, *wanted, told=told)
    texts = figures.pop("texts")
    return {key: plain(value) for key, value in figures.items()} | {"texts": texts}


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
