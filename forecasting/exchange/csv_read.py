"""Read a tidy table: one row a forecast, with what the row states of its question."""

import csv
import difflib
import re
from collections.abc import Iterator, Mapping
from operator import itemgetter

from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Damaged, plainly, probability, restored, text
from forecasting.exchange.record import WITHDRAWN, Facts, Refused, Said, Statements
from forecasting.exchange.stated import OF_OUTCOME, OF_QUESTION, Cell, Reading, facts, said
from forecasting.exchange.text_file import MOST_ROWS, stop, text_lines

#: The order of an exported table; the first ten are the tidy layout.
COLUMNS = (
    *("question", "title", "forecaster", "forecast", "issued_at", "opens", "closes"),
    *("outcome", "resolved_at", "tags"),
    *("type", "options", "lower", "upper", "unit", "zone", "resolves_by"),
    *("topic", "event", "criteria", "source", "note", "because", "kind"),
)
#: Cells that a spreadsheet may not touch, for they are no text.
NUMERIC: tuple[str, ...] = (
    *("forecast", "issued_at", "opens", "closes", "resolved_at", "resolves_by"),
    *("lower", "upper", "type", "zone", "kind"),
)
MOST_COLUMNS = 400
_NEEDED = ("forecast", "issued_at")
_STATED = ("question", *OF_QUESTION, *OF_OUTCOME)
_COMMA = re.compile(r"(\d{1,3}),(\d+)(\s?%)?", re.ASCII)


def read_csv(found: bytes, *, name: str, reading: Reading | None = None) -> Statements:
    r"""Read every row of a table.

    Separated by commas, semicolons or tabs, as the line of columns is; between semicolons a
    decimal comma is read as the point that it is.

    Raises
    ------
    InvalidInput
        The file is damaged: no line of columns, a column twice, a row that is longer or shorter
        than it, a quotation mark that does not close, a cell of more than 131,072 characters, a
        number that is none. Its `where` names the line.

    Examples
    --------
    >>> table = b"question,forecaster,forecast,issued_at\nq,ana,35%,2026-05-09T12:00Z\n"
    >>> read = read_csv(table, name="x.csv")
    >>> read.rows, read.said[0].said, read.said[0].forecaster
    (1, '0.35', 'ana')
    """
    return _Table(name, reading or Reading()).read(found)


class _Table:
    def __init__(self, name: str, reading: Reading) -> None:
        self.name = name
        self.reading = reading
        self.into = Statements()
        self.separator = ","
        self._facts: dict[tuple[str, ...], Facts | str] = {}
        self._people: dict[str, str] = {}

    def read(self, found: bytes) -> Statements:
        lines = text_lines(found, self.name)
        first = next(lines, "")
        if not first.strip():
            raise stop(self.name, 1, "line: must name the columns", ",".join(COLUMNS[:5]))
        columns = self._columns(first)
        place = {column: number for number, column in enumerate(columns)}
        about = [column for column in _STATED if column in place]
        # One at least: a table without a question was refused with its columns.
        getter = itemgetter(*(place[column] for column in about))
        for line, cells in self._rows(lines, len(columns)):
            if self.into.rows >= MOST_ROWS:
                raise stop(self.name, line, f"file: more than {MOST_ROWS:,} rows", "split it")
            self.into.rows += 1
            key = getter(cells)
            try:
                stated = self._stated(about, key if isinstance(key, tuple) else (key,), line)
                self.into.said.append(self._said(cells, place, stated, line))
            except Damaged as damaged:
                raise stop(self.name, line, damaged.message, damaged.hint) from damaged
            except InvalidInput as wrong:
                self.into.refused.append(Refused(line, str(wrong)))
        return self.into

    def _columns(self, first: str) -> list[str]:
        fits: list[list[str]] = []
        for self.separator in (",", ";", "\t"):
            try:
                cells = next(csv.reader([first], strict=True, delimiter=self.separator))
            except csv.Error as broken:
                raise stop(self.name, 1, f"columns: {broken}", ",".join(COLUMNS[:5])) from broken
            fits.append([cell.strip().casefold() for cell in cells])
            if {"forecast", "issued_at", "question", "title"} & set(fits[-1]) and len(fits[-1]) > 1:
                break
        else:
            self.separator = ","
            fits = fits[:1]
        columns = fits[-1]
        if self.separator != ",":
            what = "semicolons" if self.separator == ";" else "tabs"
            self.into.notes.append(f"{self.name}: cells are separated by {what}")
        self._check_columns(columns)
        return columns

    def _check_columns(self, columns: list[str]) -> None:
        if len(columns) > MOST_COLUMNS:
            raise stop(self.name, 1, f"columns: more than {MOST_COLUMNS}", "only those that count")
        twice = [column for column in columns if column and columns.count(column) > 1]
        if twice:
            raise stop(self.name, 1, f"column ({plainly(twice[0])}): stands twice", "one of them")
        absent = [column for column in _NEEDED if column not in columns]
        if not {"question", "title"} & set(columns):
            absent.insert(0, "question")
        if "forecaster" not in columns and not self.reading.me:
            absent.append("forecaster (or --me NAME)")
        other = [column for column in columns if column and column not in COLUMNS]
        if absent:
            hint = f"a first line of columns: {','.join(COLUMNS[:10])}"
            if columns[0].startswith(("{", "[")):
                hint = f"forecast import jsonl {self.name}"
            raise stop(self.name, 1, f"columns: no {', '.join(absent)}", hint)
        for column in other:
            if near := difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0.85):
                raise stop(self.name, 1, f"column ({plainly(column)}): is none", near[0])
        if other:
            shown = plainly(", ".join(other))
            self.into.notes.append(f"{self.name}: columns not read: {shown}")

    def _rows(self, lines: Iterator[str], width: int) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(lines, strict=True, delimiter=self.separator)
        while True:
            line = reader.line_num + 2
            try:
                cells = next(reader, None)
            except csv.Error as broken:
                open_ended = str(broken) == "unexpected end of data"
                rule = "a quotation mark opens here and never closes" if open_ended else str(broken)
                raise stop(self.name, line, f"row: {rule}", "mend the line") from broken
            if cells is None:
                return
            if not any(map(str.strip, cells)):
                continue
            if len(cells) != width:
                rule = f"row: {len(cells)} cells where the columns are {width}"
                raise stop(self.name, line, rule, "put cells with a separator in quotation marks")
            yield line, cells

    def _stated(self, about: list[str], key: tuple[str, ...], line: int) -> Facts:
        """Read what a row states of its question; a thousand rows that state the same, once."""
        found = self._facts.get(key)
        if found is None:
            cells: dict[str, Cell] = {
                column: cell if column in NUMERIC else restored(cell)
                for column, cell in zip(about, map(str.strip, key), strict=True)
            }
            try:
                found = facts(self._with_points(cells), self.reading)
                self.into.facts.append(found)
            except Damaged:
                raise
            except InvalidInput as wrong:
                found = str(wrong)
            self._facts[key] = found
        if isinstance(found, str):
            raise InvalidInput(found)
        return found

    def _with_points(self, cells: dict[str, Cell]) -> Mapping[str, Cell]:
        if self.separator == ";":
            for column in ("lower", "upper", "outcome"):
                cell = cells.get(column, "")
                if isinstance(cell, str) and (comma := _COMMA.fullmatch(cell)):
                    cells[column] = f"{comma[1]}.{comma[2]}"
        return cells

    def _said(self, cells: list[str], place: Mapping[str, int], stated: Facts, line: int) -> Said:
        def cell(column: str) -> str:
            return cells[place[column]].strip() if column in place else ""

        if cell("kind") == "replay":
            msg = "kind (replay): was computed afterwards, and is no forecast of its time"
            raise InvalidInput(msg)
        entered = cell("forecast")
        if self.separator == ";" and (comma := _COMMA.fullmatch(entered)):
            entered = f"{comma[1]}.{comma[2]}{comma[3] or ''}"
        what = said(restored(entered))
        typed = ""
        if isinstance(what, str) and what != WITHDRAWN:
            typed, what = what, probability(what)
        because = restored(cells[place["because"]]) if "because" in place else ""
        return Said(
            line=line,
            question=stated.question,
            forecaster=self._person(cell("forecaster")),
            said=what,
            issued_at=self.reading.time(
                cell("issued_at"),
                name="issued_at",
                day_means="noon",
                zone=str(stated.stated.get("zone", "")),
            ),
            because=text(because, name="because", one_line=False),
            stated="" if typed == what else typed,
        )

    def _person(self, cell: str) -> str:
        if cell not in self._people:
            self._people[cell] = person(restored(cell), self.reading)
        return self._people[cell]


def person(named: str, reading: Reading) -> str:
    """Give who made a statement: the name that stands there, else the user's own."""
    found = text(named, name="forecaster").strip() or reading.me
    if not found:
        msg = "forecaster: is empty"
        raise InvalidInput(msg, hint="--me NAME, for rows that name nobody")
    return found
