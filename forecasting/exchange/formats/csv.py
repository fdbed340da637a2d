"""Our own table, or any spreadsheet with a row a forecast; see the README of the package."""

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from forecasting.domain.forecast import ForecastRow, decimal_text
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.domain.reading import Ambiguous, Damaged, forecaster, of_file, plainly, probability
from forecasting.domain.reading.instants import exact
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import (
    OF_OUTCOME,
    OF_QUESTION,
    Cell,
    Reading,
    facts,
    forecast_cell,
    text,
)
from forecasting.exchange.columns import COLUMNS, NUMERIC, Columns, recognised
from forecasting.exchange.format import Format
from forecasting.exchange.record import WITHDRAWN, Facts, Note, Record, Refused, StatedForecast
from forecasting.exchange.source import Head, Source
from forecasting.exchange.text_file import MOST_ROWS, csv_rows, stop, text_lines
from forecasting.files import neutral, restored

MOST_COLUMNS = 400
MOST_IN_A_CELL = 131_072
#: How many spellings of forecasts are remembered: most of a record says a few hundred things.
_REMEMBERED = 20_000
#: So many lines tell what a heading leaves open.
_SAMPLE = 50
_NEEDED = ("forecast", "issued_at")
_REPLAY = "kind (replay): was computed afterwards, so it is not a forecast made at the time"
_STATED = ("question", *OF_QUESTION, *OF_OUTCOME)


def looks_like(head: Head) -> bool:
    """Recognise a table with a column of forecasts and one of their moments."""
    if len(head.columns) < 2:
        return False
    try:
        names = recognised(head.columns, {}).names
    except InvalidInput:
        return False
    return {"forecast", "issued_at"} <= set(names) and bool({"question", "title"} & set(names))


def lacks(head: Head) -> str:
    """Say which columns a table lacks, or what is wrong with those that it has."""
    if len(head.columns) < 2:
        return ""
    try:
        names = recognised(head.columns, {}).names
    except InvalidInput as wrong:
        return f"other columns, for {wrong.message}{'; ' * bool(wrong.hint)}{wrong.hint}"
    absent = [column for column in _NEEDED if column not in names]
    if not {"question", "title"} & set(names):
        absent.insert(0, "question")
    return f'a first line with {", ".join(absent)}, or map="My column={absent[0]}"'


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each row states."""
    return _Table(source.name, reading).read(source.content)


class _Table:
    def __init__(self, name: str, reading: Reading) -> None:
        self.name = name
        self.reading = reading
        self.notes: list[str] = []
        self.separator = ","
        self._facts: dict[str | tuple[str, ...], Facts | str] = {}
        self._people: dict[str, str] = {}
        self._forecasts: dict[str, tuple[Any, str]] = {}

    def read(self, content: bytes) -> Iterator[Record]:
        # The limit is the interpreter's, and other formats have longer cells.
        csv.field_size_limit(MOST_IN_A_CELL)
        lines = text_lines(content, self.name)
        first = next(lines, "")
        if not first.strip():
            raise stop(self.name, 1, "line: must name the columns", ",".join(COLUMNS[:5]))
        start = list(islice(lines, _SAMPLE))
        columns = self._columns(first, start)
        lines = chain(start, lines)
        place = {column: number for number, column in enumerate(columns) if column}
        about = [column for column in _STATED if column in place]
        # One at least: a table without a question was refused with its columns.
        getter = itemgetter(*(place[column] for column in about))
        known, reads = self._facts, self._reads(place)
        forecast_column, time_column = place["forecast"], place["issued_at"]
        width, hint = len(columns), "correct the line"
        rows = csv_rows(lines, self.name, first=2, delimiter=self.separator, cut=hint, damaged=hint)
        for number, (line, cells) in enumerate(rows):
            if number >= MOST_ROWS:
                raise stop(self.name, line, f"file: more than {MOST_ROWS:,} rows", "split it")
            if len(cells) != width:
                rule = f"row: {len(cells)} cells where the columns are {width}"
                raise stop(self.name, line, rule, "put cells with a separator in quotation marks")
            key = getter(cells)
            stated = known.get(key)
            try:
                if stated is None:
                    stated = known[key] = self._stated(about, key, line)
                    if isinstance(stated, Facts):
                        yield stated
                if isinstance(stated, str):
                    yield Refused(line, stated)
                elif not (cells[forecast_column].strip() or cells[time_column].strip()):
                    # A question that nobody has forecast yet.
                    yield replace(stated, own_line=line)
                else:
                    yield reads(cells, stated, line)
            except (Ambiguous, Damaged) as fault:
                raise of_file(fault, f"{self.name}:{line}") from fault
            except InvalidInput as wrong:
                yield Refused(line, str(wrong))
        if "comma" in self.reading.manner.seen:
            shown = plainly(self.reading.manner.seen["comma"])
            self.notes.append(f"{self.name}: numbers such as {shown} have a decimal comma")
        if small := self.reading.manner.seen.get("below 1 %"):
            shown = plainly(small)
            self.notes.append(f"{self.name}: forecasts such as {shown} are read as {shown} %")
        yield from map(Note, self.notes)

    def _columns(self, first: str, start: list[str]) -> list[str]:
        fits: list[tuple[int, str, Columns]] = []
        for separator in (",", ";", "\t"):
            try:
                heads = next(csv.reader([first], strict=True, delimiter=separator))
            except csv.Error as broken:
                raise stop(self.name, 1, f"columns: {broken}", ",".join(COLUMNS[:5])) from broken
            if len(heads) > MOST_COLUMNS:
                msg = f"columns: more than {MOST_COLUMNS}"
                raise stop(self.name, 1, msg, "a file with only the columns that matter")
            try:
                mapping = self.reading.columns if len(heads) > 1 else {}
                candidate = recognised(heads, mapping, _sample(start, separator))
            except InvalidInput as wrong:
                if len(heads) > 1 and separator in first:
                    raise stop(self.name, 1, wrong.message, wrong.hint) from wrong
                continue
            fits.append((len(set(candidate.names)), separator, candidate))
        _, self.separator, columns = max(fits, key=lambda fit: fit[0])
        self._check_columns(columns, first)
        if self.separator != ",":
            what = "semicolons" if self.separator == ";" else "tabs"
            self.notes.append(f"{self.name}: cells are separated by {what}")
        if columns.own:
            shown = ", ".join(f"{head} is {name}" for name, head in columns.own.items())
            self.notes.append(f"{self.name}: columns recognised by their usual names: {shown}")
        if columns.passed:
            shown = plainly(", ".join(columns.passed))
            self.notes.append(f"{self.name}: columns ignored: {shown}")
        if columns.percent and not self.reading.manner.unit:
            self.reading = replace(
                self.reading, manner=replace(self.reading.manner, unit="percent")
            )
        return columns.names

    def _check_columns(self, columns: Columns, first: str) -> None:
        absent = [column for column in _NEEDED if column not in columns.names]
        if not {"question", "title"} & set(columns.names):
            absent.insert(0, "question")
        if "forecaster" not in columns.names and not self.reading.me:
            absent.append("forecaster (or me=NAME)")
        if absent:
            hint = f'a column of that name, or map="My column={absent[0].partition(" ")[0]}"'
            if first.startswith(("{", "[")):
                hint = f"forecast import jsonl {self.name}"
            raise stop(self.name, 1, f"columns: no {', '.join(absent)}", hint)

    def _stated(self, about: list[str], key: str | tuple[str, ...], line: int) -> Facts | str:
        """Read what a row states of its question, or say why it may not be kept."""
        texts = (key,) if isinstance(key, str) else key
        cells: dict[str, Cell] = {
            column: cell if column in NUMERIC else restored(cell)
            for column, cell in zip(about, map(str.strip, texts), strict=True)
        }
        try:
            return facts(cells, self.reading, line=line)
        except (Ambiguous, Damaged):
            raise
        except InvalidInput as wrong:
            return str(wrong)

    def _reads(self, place: Mapping[str, int]) -> Callable[[list[str], Facts, int], StatedForecast]:
        """Give what reads the forecast of a row, with the places of its cells."""
        kinds, reasons, people = place.get("kind"), place.get("because"), place.get("forecaster")
        forecasts, moments = place["forecast"], place["issued_at"]
        values, names = self._forecasts, self._people

        def read(cells: list[str], stated: Facts, line: int) -> StatedForecast:
            kind = "" if kinds is None else cells[kinds].strip()
            if kind == "replay":
                raise InvalidInput(_REPLAY)
            written = cells[forecasts]
            what, typed = values.get(written) or self._forecast(written)
            because = "" if reasons is None else restored(cells[reasons])
            if because:
                because = text(because, name="because", one_line=False)
            at = cells[moments]
            who = "" if people is None else cells[people]
            # What another platform took was exported as such; so is an end, whenever it came.
            return StatedForecast(
                line,
                stated.question,
                names.get(who) or self._person(who),
                what,
                exact(at) or self._moment(at, stated),
                because,
                typed,
                kind == "imported" or (bool(kind) and what == WITHDRAWN),
            )

        return read

    def _moment(self, cell: str, stated: Facts) -> dt.datetime:
        zone = str(stated.stated.get("zone", ""))
        return self.reading.time(cell.strip(), name="issued_at", days="noon", zone=zone)

    def _forecast(self, cell: str) -> tuple[Any, str]:
        what, typed = forecast_cell(restored(cell.strip())), ""
        if isinstance(what, str) and what != WITHDRAWN:
            what, typed = probability(what, manner=self.reading.manner)
            # The export writes certainty as 1.0, because a bare 1 may be 1 %.
            typed = "" if typed == "1.0" else typed
        if len(self._forecasts) < _REMEMBERED:
            self._forecasts[cell] = what, typed
        return what, typed

    def _person(self, cell: str) -> str:
        name = self._people[cell] = person(restored(cell.strip()), self.reading)
        return name


def _sample(lines: list[str], separator: str) -> list[list[str]]:
    """Give the cells of the first rows; what is wrong with them is told when they are read."""
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []


def person(named: str, reading: Reading) -> str:
    """Give who made a statement: the name that stands there, else the user's own."""
    if not named.strip() and not reading.me:
        raise InvalidInput("forecaster: is empty", hint="me=NAME, for rows without a forecaster")
    return forecaster(named if named.strip() else reading.me)


FORMAT = Format(
    name="csv",
    what="a table with a row a forecast",
    looks_like=looks_like,
    read=read,
    own=True,
    lacks=lacks,
)


def line_writer() -> Callable[[Iterable[str]], str]:
    """Give what writes a row of CSV as a line."""

    class Line:
        def write(self, line: str) -> str:
            return line

    return csv.writer(Line(), lineterminator="\n").writerow


def write_csv(
    spoken: Iterable[ForecastRow],
    withdrawals: Iterable[Withdrawal],
    questions: Mapping[str, Question],
    outcomes: Mapping[str, Resolution],
) -> Iterator[str]:
    """Give the lines of a table: its columns, then a row a forecast, and the rest at the end."""
    write = line_writer()
    yield write(COLUMNS)
    about: dict[str, dict[str, str]] = {}

    def row(question: str, own: Mapping[str, str]) -> str:
        if question not in about:
            about[question] = _about(questions[question], outcomes.get(question))
        cells = about[question]
        return write([own[name] if name in own else cells[name] for name in COLUMNS])

    taken_back = sorted(withdrawals, key=lambda w: (w.question, w.withdrawn_at, w.forecaster))
    # The kinds of the forecasts of everybody who took one back, in the order of time.
    kinds: dict[tuple[str, str], list[tuple[dt.datetime, str]]] = {
        (one.question, one.forecaster): [] for one in taken_back
    }
    for one in spoken:
        if (steps := kinds.get((one.question, one.forecaster))) is not None:
            steps.append((one.issued_at, one.kind))
        yield row(
            one.question,
            {
                "forecaster": neutral(one.forecaster),
                "forecast": _forecast(one),
                "issued_at": iso(one.issued_at),
                "because": neutral(one.because),
                "kind": one.kind,
            },
        )
    for taken in taken_back:
        before = [
            kind for at, kind in kinds[taken.question, taken.forecaster] if at <= taken.withdrawn_at
        ]
        yield row(
            taken.question,
            {
                "forecaster": neutral(taken.forecaster),
                "forecast": WITHDRAWN,
                "issued_at": iso(taken.withdrawn_at),
                "because": "",
                # What was sealed, and taken back before it was shown, was live.
                "kind": before[-1] if before else "live",
            },
        )
    nothing = dict.fromkeys(("forecaster", "forecast", "issued_at", "because", "kind"), "")
    for question in sorted(questions.keys() - about.keys()):
        yield row(question, nothing)


def _about(question: Question, outcome: Resolution | None) -> dict[str, str]:
    space = question.space
    cells = {
        "question": question.id,
        "title": question.title,
        "opens": iso(question.opens),
        "closes": iso(question.closes),
        "tags": _list(question.tags),
        "type": space.type,
        "options": "" if space.type == "binary" else _list(space.options),
        "lower": "" if space.lower is None else decimal_text(space.lower),
        "upper": "" if space.upper is None else decimal_text(space.upper),
        "unit": space.unit,
        "zone": question.zone,
        "resolves_by": iso(question.resolves_by),
        "topic": question.topic,
        "event": question.event,
        "criteria": question.criteria,
        "background": question.background,
        "url": question.source if question.source.startswith(("http:", "https:")) else "",
        "zero_point": "" if space.zero_point is None else decimal_text(space.zero_point),
        "open_bounds": space.open_bounds,
        "outcome": "" if outcome is None else outcome.outcome,
        "resolved_at": "" if outcome is None else iso(outcome.resolved_at),
        "source": "" if outcome is None else outcome.source,
        "note": "" if outcome is None else outcome.note,
    }
    number = {"outcome"} if space.type == "numeric" else set()
    return {
        name: cell if name in NUMERIC or name in number else neutral(cell)
        for name, cell in cells.items()
    }


def _list(items: tuple[str, ...]) -> str:
    plain = all(";" not in item and item == item.strip() and item for item in items)
    if plain and not (items and items[0].startswith("[")):
        return ";".join(items)
    return json.dumps(items, ensure_ascii=False)


def _forecast(one: ForecastRow) -> str:
    if one.labels == ("yes",):
        if _reads_back(one.stated, one.entered[0]):
            return one.stated
        # A bare 1 may be 1 %.
        return "1.0" if one.entered[0] == "1" else one.entered[0]
    if any(set(label) & set(';={"') or label != label.strip() for label in one.labels) or (
        neutral(one.labels[0]) != one.labels[0]
    ):
        return json.dumps(dict(zip(one.labels, one.entered, strict=True)), ensure_ascii=False)
    return ";".join(f"{label}={text}" for label, text in zip(one.labels, one.entered, strict=True))


def _reads_back(stated: str, entered: str) -> bool:
    """Whether what was typed is as good a cell as the decimal that it means."""
    try:
        return bool(stated) and probability(stated)[0] == entered
    except InvalidInput:
        return False
