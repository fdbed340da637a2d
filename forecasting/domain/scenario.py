"""Named scenarios: what questions may come to together, as predicates on the world's paths."""

import datetime as dt
from dataclasses import dataclass

from forecasting.domain.predicate import Truth

#: The remainder: none of the named scenarios.
OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Named:
    """One named scenario: a path belongs to the first of its set that is true of it."""

    name: str
    title: str
    when: Truth
    text: str


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """Named scenarios that exclude each other, as of one moment of the future."""

    id: str
    title: str
    opens: dt.datetime
    closes: dt.datetime
    named: tuple[Named, ...]
    note: str = ""
    place: tuple[str, int] = ("", 0)
