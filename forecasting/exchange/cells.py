"""Cells: texts and lists of a track record, and what a spreadsheet must not run.

Numbers, probabilities, times, outcomes and names are read by :mod:`forecasting.domain.reading`.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from forecasting.domain.instants import zone as known_zone
from forecasting.domain.outcome import QUESTION_TYPES
from forecasting.domain.question import normalised
from forecasting.domain.reading import Manner, moment, number, option, plainly, question_id
from forecasting.domain.reading.instants import Days, exact
from forecasting.domain.reading.names import is_id
from forecasting.errors import InvalidInput
from forecasting.exchange.columns import LIMITS, NUMBERS
from forecasting.exchange.json_line import NotStrict, parse
from forecasting.exchange.record import WITHDRAWN, Facts

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def text(cell: str, *, name: str, one_line: bool = True) -> str:
    """Give text in NFC; refuse what is too long and, in one line, control characters."""
    if len(cell) > LIMITS.get(name, 500):
        raise InvalidInput(f"{name} ({len(cell):,} characters): at most {LIMITS.get(name, 500):,}")
    if one_line and _CONTROL.search(cell):
        raise InvalidInput(f"{name} ({plainly(cell)}): must be one line without control characters")
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def one_line(words: str, *, name: str) -> str:
    """Give a platform's text as :func:`text` takes it: in one line, cut where it is too long."""
    plain = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", words)).split())
    return plain if len(plain) <= LIMITS[name] else f"{plain[: LIMITS[name] - 1].rstrip()}…"


def listed(cell: str, *, name: str, read: Callable[[str], object]) -> tuple[str, ...]:
    """Read a list: parts between semicolons, or a JSON list where a part holds one itself."""
    if name == "options" and ";" not in cell and not cell.startswith("["):
        # There are two at least, so another mark between them is one.
        if "|" in cell:
            cell = cell.replace("|", ";")
        elif "," in cell:
            msg = f"options ({plainly(cell)}): are separated by ; in a table"
            raise InvalidInput(msg, hint=";".join(part.strip() for part in cell.split(",")))
    if not cell.startswith("["):
        parts = [part.strip() for part in cell.split(";") if part.strip()]
    else:
        items = read(cell)
        if not isinstance(items, list) or not all(type(part) is str for part in items):
            msg = f"{name} ({plainly(cell)}): must be a list of texts"
            raise InvalidInput(msg, hint="one;two;three")
        parts = [str(part) for part in items]
    return tuple(text(part, name=name) for part in parts)


type Cell = str | tuple[str, ...] | tuple[tuple[str, str], ...]

#: What a line may state of a question.
OF_QUESTION = (
    *("title", "criteria", "background", "type", "options", "lower", "upper", "unit", "zone"),
    *("opens", "closes", "resolves_by", "topic", "event", "tags"),
    *("url", "zero_point", "open_bounds"),
)
#: What a row of a table states beside that.
OF_OUTCOME = ("outcome", "resolved_at", "source", "note")
_DAYS: Mapping[str, Days] = {
    "opens": "begins",
    "closes": "ends",
    "resolves_by": "ends",
    "resolved_at": "ends",
}
_FREE = ("criteria", "background", "note")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a file are to be read, where its cells alone do not say.

    `manner` holds the zone, the decimal mark, the unit and the order of dates; without a zone days
    are days of UTC and a local time is refused. `me` made whatever names nobody. `columns` maps
    the file's own names of columns to those of the table.
    """

    me: str = ""
    manner: Manner = field(default_factory=Manner)
    columns: Mapping[str, str] = field(default_factory=dict)

    def time(self, cell: str, *, name: str, days: Days, zone: str = "") -> dt.datetime:
        """Read a time in the zone of its row, else the user's, else UTC."""
        named = zone or self.manner.zone
        if not zone and exact(cell) is None:
            self.manner.seen.setdefault("zone", cell)
        return moment(
            cell, name=name, zone=named or "UTC", local=bool(named), days=days, manner=self.manner
        )


def facts(
    cells: Mapping[str, Cell], reading: Reading, *, own_line: int = 0, line: int = 0
) -> Facts:
    """Read what is stated of a question; an empty cell states nothing."""
    filled = {name: cell for name, cell in cells.items() if cell not in ("", ())}
    title = filled.get("title", "")
    named = filled.get("question") or title
    if not isinstance(named, str) or not named:
        msg = "question: is empty, and so is title"
        raise InvalidInput(msg, hint="a short name, such as truce-2026")
    stated: dict[str, Any] = {}
    zone = filled.get("zone", "")
    if zone:
        stated["zone"] = known_zone(_plain("zone", zone)).key
    for name, cell in filled.items():
        if name in NUMBERS:
            read = number(_plain(name, cell), name=name, manner=reading.manner)
            stated[name] = float(read)
        elif name in _READ:
            stated[name] = _READ[name](cell)
        elif name in _DAYS:
            stated[name] = reading.time(
                _plain(name, cell), name=name, days=_DAYS[name], zone=str(stated.get("zone", ""))
            )
    named = text(named, name="question")
    if "title" not in stated and not is_id(named):
        # A question that is written out in the place of its id is its title.
        stated["title"] = normalised(named)
    return Facts(question_id(named), stated, own_line, line=line)


def _plain(name: str, cell: Cell) -> str:
    if not isinstance(cell, str):
        raise InvalidInput(f"{name}: must be one text or number")
    return cell


def _text(name: str, cell: Cell) -> str:
    return normalised(text(_plain(name, cell), name=name, one_line=name not in _FREE))


def _list(name: str, cell: Cell) -> tuple[str, ...]:
    if isinstance(cell, str):
        return listed(cell, name=name, read=partial(json_cell, name))
    return tuple(text(_plain(name, part), name=name) for part in cell)


def _tags(cell: Cell) -> tuple[str, ...]:
    # A set: the order in which a spreadsheet lists them means nothing.
    return tuple(sorted({normalised(tag) for tag in _list("tags", cell)}))


def _one_of(allowed: tuple[str, ...], name: str, cell: Cell) -> str:
    return option(allowed, _plain(name, cell), name=name)


_READ: dict[str, Callable[[Cell], Any]] = {
    **{
        name: partial(_text, name)
        for name in (
            *("title", "criteria", "background", "unit", "topic", "event"),
            *("outcome", "source", "note", "url"),
        )
    },
    "open_bounds": partial(_one_of, ("lower", "upper", "both"), "open_bounds"),
    "type": partial(_one_of, QUESTION_TYPES, "type"),
    "options": partial(_list, "options"),
    "tags": _tags,
}


def json_cell(name: str, cell: str) -> Any:
    """Read a cell that holds JSON."""
    try:
        return parse(cell)
    except NotStrict as broken:
        raise InvalidInput(f"{name} ({plainly(cell)}): {broken}") from broken


def forecast_cell(cell: str) -> str | tuple[tuple[str, str], ...]:
    """Read a forecast: a number, ``withdrawn``, ``a=0.2;b=0.8``, or a JSON object of the same."""
    if cell.startswith("{"):
        members = json_cell("forecast", cell)
        return pairs(members)
    if "=" not in cell:
        return WITHDRAWN if cell.casefold() == WITHDRAWN else cell
    split = [part.rpartition("=") for part in cell.split(";") if part.strip()]
    return _once([(label.strip(), value.strip()) for label, _, value in split])


def pairs(members: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Give the pairs of a JSON object whose values are decimals, as numbers or as text."""
    if wrong := [label for label, value in members.items() if not isinstance(value, str)]:
        raise InvalidInput(f"forecast ({plainly(wrong[0])}): must be a number, or one as text")
    return _once([(label, str(value)) for label, value in members.items()])


def _once(items: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    options = [(text(label, name="option"), value) for label, value in items]
    labels = [label for label, _ in options]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise InvalidInput(f"forecast ({plainly(twice[0])}): appears twice")
    if not options:
        raise InvalidInput("forecast: names no option", hint="a=0.2;b=0.8")
    return tuple(options)
