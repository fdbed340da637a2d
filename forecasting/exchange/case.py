"""What a ledger holds, what a file states of one question, and the plan that comes of both."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from forecasting.domain import Imported, Question, Resolution, Withdrawal
from forecasting.domain.reading import Manner
from forecasting.exchange.record import Facts, Refused, StatedForecast, StatedOutcome

type Key = tuple[str, str, dt.datetime]


@dataclass(frozen=True, slots=True)
class Existing:
    """What a ledger holds already: the latest questions, every outcome, who said what when.

    Replays are not among `forecasts`. On `vacant` questions, which only imports made, all of which
    were undone, another file may state anew what they ask; on `imported` ones, on which only
    imports have spoken, it may complete what was left open. `before` gives every version of one.
    """

    questions: Mapping[str, Question] = field(default_factory=dict)
    resolutions: Sequence[Resolution] = ()
    forecasts: Mapping[Key, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    withdrawals: frozenset[Key] = frozenset()
    vacant: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    before: Callable[[str], Iterable[Question]] = lambda _: ()


@dataclass(slots=True)
class Plan:
    """What will be recorded, in one canonical order, and what becomes of each line."""

    questions: list[Question] = field(default_factory=list)
    forecasts: list[Imported] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    added: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class About:
    """Everything that a file states about one question."""

    facts: list[Facts] = field(default_factory=list)
    forecasts: list[StatedForecast] = field(default_factory=list)
    outcomes: list[StatedOutcome] = field(default_factory=list)

    def lines(self) -> Iterable[int]:
        """Give every line that speaks of it."""
        yield from (one.own_line for one in self.facts if one.own_line)
        yield from (one.line for one in self.forecasts)
        yield from (one.line for one in self.outcomes)


@dataclass(slots=True)
class Case:
    """One question of a file, and all that decides what of it is kept; see :func:`.plan.plan`."""

    about: About
    existing: Existing
    plan: Plan
    notes: Counter[str]
    now: dt.datetime
    name: str
    manner: Manner
    moments: Sequence[dt.datetime]
    platform: bool
    outside: Counter[str]

    def refuse(self, lines: Iterable[int], reason: str) -> None:
        """Refuse lines, with the reason."""
        self.plan.refused += [Refused(line, reason) for line in lines]
