"""How a person or a file writes: marks, units, orders and zones settle what is ambiguous."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Literal

from forecasting.errors import ForecastingError, InvalidInput

Mark = Literal["", "point", "comma"]
Unit = Literal["", "percent", "probability"]
Order = Literal["", "dmy", "mdy"]
MARKS: tuple[Mark, ...] = ("", "point", "comma")
UNITS: tuple[Unit, ...] = ("", "percent", "probability")
ORDERS: tuple[Order, ...] = ("", "dmy", "mdy")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Ambiguous(InvalidInput):
    """A spelling with two meanings: only who wrote it can say which, and the hint says how.

    In a file it stops the reading: one such cell says that the others need the same answer, which
    `whole` gives where an argument does.
    """

    def __init__(self, message: str, *, hint: str, whole: str = "") -> None:
        super().__init__(message, hint=hint)
        self.whole = whole


def of_file(cell: ForecastingError, where: str = "") -> InvalidInput:
    """Give the fault of a cell as one of its file, with what settles it for the whole file."""
    whole = cell.whole if isinstance(cell, Ambiguous) else ""
    hint = f"{cell.hint}; for a whole file {whole}" if whole else cell.hint
    return InvalidInput(cell.message, hint=hint, where=where or cell.where)


class Damaged(InvalidInput):
    """A cell that shows that the file is not what its writer meant."""


@dataclass(slots=True)
class Manner:
    """How values are written where a spelling alone does not say; what is empty is not settled.

    `zone` is that of times without an offset, `decimal` the mark (``point``, ``comma``), `unit`
    that of probabilities without a sign (``percent``, ``probability``), `dates` the order of a date
    in figures (``dmy``, ``mdy``), `now` what ``now`` and ``today`` mean (a file is read on any
    day). `seen` are the marks and orders met so far, and a bare number
    below 1 read as per cent, each with the text that showed it.
    """

    zone: str = ""
    decimal: Mark = ""
    unit: Unit = ""
    dates: Order = ""
    now: dt.datetime | None = None
    seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("decimal", self.decimal, MARKS),
            ("unit", self.unit, UNITS),
            ("dates", self.dates, ORDERS),
        ):
            if value not in allowed:
                msg = f"{name} ({plainly(value)}): must be {' or '.join(allowed[1:])}"
                raise InvalidInput(msg, hint=f"{name}={allowed[1]}")

    def met(self, mark: str, text: str) -> None:
        """Note which decimal mark, or order of a date, a text shows; two in one file are refused.

        Raises
        ------
        Ambiguous
            The file has shown the other one.
        """
        name, among = ("decimal", MARKS) if mark in MARKS else ("dates", ORDERS)
        if not mark or getattr(self, name):
            return
        self.seen.setdefault(mark, text)
        shown = [self.seen[one] for one in among if one in self.seen]
        if len(shown) > 1:
            what = "decimal marks" if name == "decimal" else "orders of a date"
            msg = f"{name} ({' and '.join(map(plainly, shown))}): two {what} in one file"
            raise Ambiguous(msg, hint=f"{name}={among[1]} or {name}={among[2]}")


def plainly(text: object) -> str:
    """Show a value in one short line."""
    flat = _CONTROL.sub(" ", str(text))
    return flat if len(flat) <= 60 else f"{flat[:57]}..."


def refused(name: str, cell: object, rule: str, hint: str = "") -> InvalidInput:
    """Give the refusal of what stands under a name, in one line."""
    return InvalidInput(f"{name} ({plainly(cell)}): {rule}", hint=hint)
