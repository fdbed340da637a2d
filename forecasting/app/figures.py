"""Figures that take seconds: what a page asks of a process beside it, as plain data."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app.book import PlainBook

if TYPE_CHECKING:
    from forecasting.app.world_view import WorldView

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

    from forecasting.app import scenario
    from forecasting.app.scenario_paths import fans

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
    """Give every figure of the review of one forecaster; see :mod:`forecasting.app.review_of`."""
    from forecasting.app.review_of import review_of

    return review_of(book.ledger, who=who, kind=kind, tag=tag, now=clock.now(), told=told)


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
    """Give rows whose numbers are Python's own, and None where there is none."""
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
