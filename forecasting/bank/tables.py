"""Read the bank's CSV tables row by row, every fault with its line."""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forecasting.domain.instants import day_ends, parse_day, parse_when
from forecasting.errors import InvalidInput, Problem
from forecasting.files import read_plain

MAX_BYTES = 10_000_000
# float() would also take 1_0, digits of other scripts, infinity and nan.
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")

CERTAINTIES = ("high", "medium", "low", "computed", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells by column, its place, and typed ways to read a cell."""

    cells: Mapping[str, str]
    source: str
    line: int
    zone: str = "UTC"

    def __getitem__(self, column: str) -> str:
        """Give a cell, stripped; a column that the table lacks is bad input."""
        if column not in self.cells:
            msg = f"column ({column}): missing"
            raise InvalidInput(msg, where=f"{self.source}:{self.line}")
        return (self.cells[column] or "").strip()

    def moment(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day is known at the midnight that ends it; empty is None."""
        text = self[column]
        return parse_when(text, zone_name=self.zone, day_means="ends") if text else None

    def beginning(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day means the midnight that begins it; empty is None."""
        text = self[column]
        return parse_when(text, zone_name=self.zone, day_means="begins") if text else None

    def ends(self, column: str = "date") -> dt.datetime:
        """Read a cell as a day, and give the midnight that ends it."""
        return day_ends(parse_day(self[column]), self.zone)

    def number(self, column: str) -> float | None:
        """Read a cell as a number, empty or ``>200`` style bounds as None."""
        text = self[column]
        if not text or text.startswith((">", "<", "~")):
            return None
        return decimal(column, text)

    def words(self, column: str) -> tuple[str, ...]:
        """Read a cell as words separated by spaces."""
        return tuple(self[column].split())


def decimal(name: str, text: str) -> float:
    """Read a decimal number as it is commonly written; anything else is bad input."""
    if not _NUMBER.fullmatch(text):
        msg = f"{name} ({text[:60]}): must be a number"
        raise InvalidInput(msg)
    return float(text)


@dataclass
class TableReader:
    """Reads tables of one folder, their days in its zone, and collects their faults."""

    root: Path
    zone: str = "UTC"
    problems: list[Problem] = field(default_factory=list)

    def rows(self, name: str) -> Iterator[Row]:
        """Give each row of a table; one without a source or a certainty is a fault.

        A bank needs no tables: where their folder is absent, they are empty.
        """
        path = self.root / name
        if not path.parent.exists():
            return
        source = str(Path("questions") / name)
        try:
            text = read_plain(path, most=MAX_BYTES).decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            header = list(reader.fieldnames or ())
            if "source" not in header or len(set(header)) != len(header):
                message = "needs a column of sources, and each column once"
                self.problems.append(Problem(source, 1, "columns", message))
                return
            for cells in reader:
                row = Row(cells, source, reader.line_num, self.zone)
                if None in cells or None in cells.values():
                    self._report(row, "columns", "has more or fewer cells than the header")
                elif not row["source"] or cells.get("certainty", "high") not in CERTAINTIES:
                    self._report(row, "source", "needs a source and a known certainty")
                else:
                    yield row
        except OSError as unreadable:
            message = f"cannot be read ({unreadable.strerror})"
            self.problems.append(Problem(source, 0, "readable", message))
        except (UnicodeDecodeError, csv.Error) as unreadable:
            self.problems.append(Problem(source, 0, "readable", f"cannot be read: {unreadable}"))

    def each[Value](self, name: str, build: Callable[[Row], Value]) -> list[Value]:
        """Build a value from each row; a row that cannot be built is a fault, not an end."""
        built = []
        for row in self.rows(name):
            try:
                built.append(build(row))
            except InvalidInput as fault:
                self._report(row, "value", fault.message, fault.hint)
        return built

    def _report(self, row: Row, rule: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(row.source, row.line, rule, message, hint))
