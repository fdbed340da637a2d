"""What a question asks of a world's paths, as plain values.

A predicate joins the facts between a question's opening and the moment of asking to a simulated
path. ``entered`` (written ``by``) means a move into the state after the opening; ``at`` (written
``on``) means being there at a moment: they are different words.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in a predicate: the question's close, or a fixed one (a day's ending midnight)."""

    at: dt.datetime | None = None  # None: the close

    def of(self, closes: dt.datetime) -> dt.datetime:
        """Give the moment, for a question that closes then."""
        return closes if self.at is None else self.at


@dataclass(frozen=True, slots=True)
class Entered:
    """``process=a|b by D``: it enters a state by the moment, and after the opening or `since`."""

    process: str
    states: tuple[str, ...]
    until: Moment
    since: Moment | None = None


@dataclass(frozen=True, slots=True)
class Occurred:
    """``process by D``, ``process count >= n by D``: at least `least` events after the opening."""

    process: str
    until: Moment
    least: int = 1
    since: Moment | None = None


@dataclass(frozen=True, slots=True)
class At:
    """``process=a|b on D``: it is in one of the states at the moment."""

    process: str
    states: tuple[str, ...]
    when: Moment


@dataclass(frozen=True, slots=True)
class Through:
    """``process=a|b through D``: it never leaves the states from the opening to the moment."""

    process: str
    states: tuple[str, ...]
    until: Moment


@dataclass(frozen=True, slots=True)
class Within:
    """``A=a within 14d of B=b``: A enters a so soon after B first enters b (an event has no b)."""

    process: str
    states: tuple[str, ...]
    days: float
    cause: str
    cause_states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``not p``."""

    of: "Truth"


@dataclass(frozen=True, slots=True)
class And:
    """``p and q``."""

    left: "Truth"
    right: "Truth"


@dataclass(frozen=True, slots=True)
class Or:
    """``p or q``."""

    left: "Truth"
    right: "Truth"


@dataclass(frozen=True, slots=True)
class StateOn:
    """``process on D`` of options: `named` maps a state to one, the rest goes by its own name."""

    process: str
    when: Moment
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FirstOf:
    """``first of option: A=a, option: B=b, else option``: which entry comes first by the close."""

    entries: tuple[tuple[str, str, tuple[str, ...]], ...]  # option, process, states
    otherwise: str


@dataclass(frozen=True, slots=True)
class HighestOf:
    """``highest of process by D``: the furthest state, in its order, from the opening on."""

    process: str
    until: Moment
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HighestAmong:
    """``highest of option: A=a, ...``: the last listed that held or came by the close."""

    entries: tuple[tuple[str, str, tuple[str, ...]], ...]  # option, process, states
    otherwise: str


@dataclass(frozen=True, slots=True)
class Total:
    """``process total`` (all that was delivered) or ``process count`` (of events)."""

    process: str
    when: Moment
    since_opening: bool = False


type Atom = Entered | Occurred | At | Through | Within
type Truth = Entered | Occurred | At | Through | Within | Not | And | Or
type Choice = StateOn | FirstOf | HighestOf | HighestAmong
type Event = Truth | Choice | Total


def parts(event: Event) -> Iterator[Atom | Choice | Total]:
    """Give what an event puts together by not, and, or; itself where it is one thing."""
    match event:
        case Not():
            yield from parts(event.of)
        case And() | Or():
            yield from parts(event.left)
            yield from parts(event.right)
        case _:
            yield event


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is asked, and the condition under which it counts (``... given ...``)."""

    event: Event
    given: Truth | None = None
    text: str = ""
