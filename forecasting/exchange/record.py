"""What the lines of a track record state, before it is known what may be kept of them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forecasting.domain import Question, Value

#: What a forecaster says who takes a forecast back.
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one line states of a question; what it leaves out it does not deny.

    `stated` is by the names of the columns, read: times aware, options and tags as tuples.
    `own_line` is the line of a record that is about the question alone; 0 where the facts stand
    beside a forecast. `whole` is the question itself, where another ledger held it. `line` is the
    first that states this.
    """

    question: str
    stated: Mapping[str, Any]
    own_line: int = 0
    whole: Question | None = None
    line: int = 0


@dataclass(slots=True)
class StatedForecast:
    """One forecast or withdrawal as read: `answer` is a decimal, pairs, a value, :data:`WITHDRAWN`.

    `outside`: another platform took it, so it is kept though it lies outside the question's window;
    no score over the window counts what was said after it.
    """

    line: int
    question: str
    forecaster: str
    answer: str | tuple[tuple[str, str], ...] | Value
    issued_at: dt.datetime
    because: str = ""
    stated: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class StatedOutcome:
    """One version of an outcome as read.

    `stated_at` is when the platform made this version known, where it dates the outcome itself
    earlier: a correction keeps the day of the outcome, and is the later version all the same.
    """

    line: int
    question: str
    outcome: str
    resolved_at: dt.datetime
    source: str
    note: str = ""
    certainty: str = ""
    version: int = 1
    status: str = ""
    stated_at: dt.datetime | None = None

    @property
    def known_at(self) -> dt.datetime:
        """When this version became known: what says which of two is the later."""
        return max(self.resolved_at, self.stated_at or self.resolved_at)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was read and may not be kept, with the reason."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A score that the file itself states (empty `forecaster`: whose file it is), to compare."""

    line: int
    question: str
    forecaster: str
    rule: str
    score: float


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is, by the name that this person has in it."""

    name: str


@dataclass(frozen=True, slots=True)
class Bot:
    """Somebody in the file who is a program, by the name that it has there."""

    name: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is worth saying of the file as a whole."""

    text: str


@dataclass(frozen=True, slots=True)
class News:
    """An item of news, as `forecast news import` takes it."""

    line: int
    cells: Mapping[str, str]


#: What a reader yields, in any order.
type Record = Facts | StatedForecast | StatedOutcome | Refused | Scored | Owner | Bot | Note | News


@dataclass(slots=True)
class Statements:
    """Everything that a file states, in the order of its lines.

    `rows` counts lines that hold a statement: refused ones too, blank lines not. `facts` hold every
    different statement once; `owner` is whose file it is and `bots` are programs, where it says so.
    """

    rows: int = 0
    facts: list[Facts] = field(default_factory=list)
    forecasts: list[StatedForecast] = field(default_factory=list)
    outcomes: list[StatedOutcome] = field(default_factory=list)
    news: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    scored: list[Scored] = field(default_factory=list)
    owner: str = ""
    bots: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def ends_to_come(statements: Statements, now: dt.datetime) -> None:
    """Pass over ends of forecasts that lie in the future, and note them: they stand till then."""
    left = [one for one in statements.forecasts if one.answer != WITHDRAWN or one.issued_at <= now]
    if count := len(statements.forecasts) - len(left):
        statements.forecasts = left
        statements.rows -= count
        statements.notes.append(
            f"{count:,} forecast{'s' * (count > 1)} will end at a moment to come: in force, and "
            "its end is not recorded yet"
        )


def gathered(records: Iterable[Record]) -> Statements:
    """Put together what a reader yields; every line that it speaks of counts as one row."""
    into = Statements()
    for one in records:
        match one:
            case StatedForecast():
                into.forecasts.append(one)
            case Facts():
                into.facts.append(one)
                into.rows -= not one.own_line
            case StatedOutcome():
                into.outcomes.append(one)
            case News():
                into.news.append((one.line, one.cells))
            case Refused():
                into.refused.append(one)
            case Scored():
                into.scored.append(one)
                continue
            case Owner():
                into.owner = one.name
                continue
            case Bot():
                into.bots.add(one.name)
                continue
            case Note():
                into.notes.append(one.text)
                continue
        into.rows += 1
    return into
