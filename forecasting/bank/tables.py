"""Read the bank's CSV tables row by row, every fault with its line."""

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forecasting.domain.instants import parse_when
from forecasting.errors import InvalidInput, Problem

CERTAINTIES = ("high", "medium", "low", "computed", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells by column, its place, and typed ways to read a cell."""

    cells: Mapping[str, str]
    source: str
    line: int

    def __getitem__(self, column: str) -> str:
        """Give a cell, stripped; a column that the table lacks is bad input."""
        if column not in self.cells:
            msg = f"column ({column}): missing"
            raise InvalidInput(msg, where=f"{self.source}:{self.line}")
        return (self.cells[column] or "").strip()

    def moment(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day is known at the midnight that ends it; empty is None."""
        text = self[column]
        return parse_when(text, day_means="ends") if text else None

    def beginning(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day means the midnight that begins it; empty is None."""
        text = self[column]
        return parse_when(text, day_means="begins") if text else None

    def number(self, column: str) -> float | None:
        """Read a cell as a number, empty or ``>200`` style bounds as None."""
        text = self[column]
        if not text or text.startswith((">", "<", "~")):
            return None
        try:
            return float(text)
        except ValueError as broken:
            msg = f"{column} ({text}): must be a number"
            raise InvalidInput(msg) from broken

    def words(self, column: str) -> tuple[str, ...]:
        """Read a cell as words separated by spaces."""
        return tuple(self[column].split())


@dataclass
class TableReader:
    """Reads tables of one folder and collects their faults."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def rows(self, name: str) -> Iterator[Row]:
        """Give each row of a table; one without a source or a certainty is a fault."""
        path = self.root / name
        source = str(Path("questions") / name)
        try:
            with path.open(encoding="utf-8", newline="") as handle:
                reader = csv.DictReader(handle, strict=True)
                for cells in reader:
                    row = Row(cells, source, reader.line_num)
                    if None in cells or None in cells.values():
                        self._report(row, "columns", "has more or fewer cells than the header")
                    elif not row["source"] or cells.get("certainty", "high") not in CERTAINTIES:
                        self._report(row, "source", "needs a source and a known certainty")
                    else:
                        yield row
        except (OSError, UnicodeDecodeError, csv.Error) as unreadable:
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
