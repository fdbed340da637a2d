"""Every fault that a user can cause or meet, as one tree.

::

    ForecastingError            exit code 1
    ├── InvalidInput            exit code 2, also a ValueError
    ├── DatabaseUnusable        exit code 3
    ├── NotFound                exit code 4, also a LookupError
    ├── GateRefused             exit code 1
    └── Repeated                exit code 1

An error is one line: what (value): the rule. Try: command.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class ForecastingError(Exception):
    """A fault with a message for the user and, where there is one, the way out.

    Parameters
    ----------
    message : str
        What is wrong, with the value and the rule, in one line.
    hint : str, optional
        The command or the spelling that fixes it.
    where : str, optional
        ``file:line`` of the fault, where there is one.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        stop = "" if self.message.endswith((".", "?")) else "."
        # A message from elsewhere may bring its own way out.
        way_out = f"{stop} Try: {self.hint}" if self.hint and " Try: " not in self.message else ""
        return f"{place}{self.message}{way_out}"


class InvalidInput(ForecastingError, ValueError):
    """Bad usage or bad input; nothing was written."""

    exit_code = 2


class Unsure(InvalidInput):
    """An outcome before the deadline, or against the facts on record: only for who is sure."""


class DatabaseUnusable(ForecastingError):
    """The database is missing, newer, read-only, full, locked or damaged."""

    exit_code = 3


class DatabaseMissing(DatabaseUnusable):
    """There is no database yet where one is looked for."""


class NotFound(ForecastingError, LookupError):
    """No such question, forecaster or entry."""

    exit_code = 4


class GateRefused(ForecastingError):
    """A model's fit did not pass the diagnostics gate, so nothing was logged."""


class Repeated(ForecastingError):
    """What was to be written was written before, by the same act; nothing was written again."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"entry ({seq}): was written by the same act; nothing was written again")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a file (line 0: all of it); a `note` says what a bank leaves unstated."""

    source: str
    line: int
    rule: str
    message: str
    hint: str = ""
    note: bool = False

    def __str__(self) -> str:
        way_out = f". Try: {self.hint}" if self.hint else ""
        return f"{self.source}:{self.line}: [{self.rule}] {self.message}{way_out}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the known name most like a mistyped one, or nothing."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.5)), "")
