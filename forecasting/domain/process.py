"""A world as its bank states it: processes that move through states in time, and links.

A process has states and moves between them; a move has a hazard in the time spent in its state, or
a date. An event is a counted move back into its own state; a delivery is a counted move with a
size, until what was agreed is reached. A link says how much faster a move comes while (or once)
another process is in a state. Everything here is as stated: the models turn it into numbers.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from forecasting.domain.instants import day_begins, local_day

#: What a phrase states: nothing (its own history and the pooled class), a count over an exposure,
#: a median time, the reference class that its times come from, or a day.
PhraseForm = Literal["history", "count", "median", "class", "date"]
ProcessKind = Literal["states", "event", "delivery", "scheduled", "own"]

EVENT_STATE = "waiting"
#: The states of a delivery, in order.
DELIVERY_STATES = ("agreed", "begun", "stalled", "failed", "done")
#: Nothing follows these.
DELIVERY_ENDS = ("failed", "done")
#: The ways through them; that the parts add up makes it done.
DELIVERY_MOVES = (
    ("agreed", "begun"),
    ("begun", "begun"),
    ("begun", "stalled"),
    ("stalled", "begun"),
    ("agreed", "failed"),
    ("begun", "failed"),
    ("stalled", "failed"),
)
SCHEDULED_STATES = ("ahead", "held")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A statement about how fast a move comes; `text` is as written.

    ``history``: nothing stated. ``count``: `count` events in `exposure` days, a Gamma(count,
    exposure) prior on the rate a day (``once in 8 mo`` is Gamma(1, 243.5), ``5% a year``
    Gamma(1, 7121)). ``median``: the time has a median in days with the 90 % range `low` to `high`,
    hazard ``rate x age^shape``. ``class``: the times of a reference class, the hazard times a
    factor of a median and a 90 % range. ``date``: at the moment `at`, if its state still holds.
    `at_once` and `for_good` are shares of stays that end at once, and never by this move.
    """

    form: PhraseForm
    text: str = ""
    count: float = 0.0
    exposure: float = 0.0
    median: float = 0.0
    low: float = 0.0
    high: float = 0.0
    shape: float = 1.0
    shape_low: float = 1.0
    shape_high: float = 1.0
    at_once: float = 0.0
    for_good: float = 0.0
    reference: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveSpec:
    """A way from one state to another; `start == end` is a counted event or delivery."""

    start: str
    end: str
    phrase: Phrase
    source: str = ""
    known_by: dt.date | None = None
    because: str = ""

    @property
    def name(self) -> str:
        """The move as it is written: ``none > on``."""
        return f"{self.start} > {self.end}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One dated fact in the file: the process entered a state, an event fell, a part arrived.

    `state` is the state entered, empty for an event; `amount` is the size of a delivered part.
    `at` is when it happened, `known_at` when the world could know it (default: `at`).
    """

    process: str
    at: dt.datetime
    known_at: dt.datetime
    state: str = ""
    amount: float | None = None
    source: str = ""
    grade: str = "B"
    title: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class DeliverySpec:
    """What a delivery was `agreed` to bring, and what came before the first dated part."""

    agreed: float
    announced: dt.datetime
    announced_known: dt.datetime
    delivered: float = 0.0
    unit: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process as the bank states it; ``highest of`` follows the order of its `states`.

    `since` and `start` say from when it was watched and its state then, `watched` until when
    (None: until its last fact or recorded watch). `at` of a scheduled process is the first and the
    last possible moment, the latter the planned one. `alone`: nobody's parent and without links.
    """

    name: str
    kind: ProcessKind
    states: tuple[str, ...]
    moves: tuple[MoveSpec, ...]
    facts: tuple[Fact, ...] = ()
    title: str = ""
    since: dt.datetime | None = None
    start: str = ""
    watched: dt.datetime | None = None
    delivery: DeliverySpec | None = None
    at: tuple[dt.datetime, dt.datetime] | None = None
    zone: str = "UTC"
    source: str = ""
    known_by: dt.date | None = None
    because: str = ""
    own: str = ""
    settings: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    place: tuple[str, int] = ("", 0)


def begins(process: ProcessSpec) -> dt.datetime | None:
    """Give when the first state of a process began; None where that is not stated."""
    if process.delivery is not None:
        return process.delivery.announced
    # An event has no state to begin in, and a date is known before it comes.
    return process.since if process.kind in {"states", "own"} else None


def is_over(process: ProcessSpec, state: str) -> bool:
    """Say whether nothing leads out of a state: then there is nothing left to watch."""
    if process.delivery is not None:
        return state in DELIVERY_ENDS
    return process.kind == "states" and all(move.start != state for move in process.moves)


def unlisted(process: ProcessSpec) -> bool:
    """Say whether nobody keeps a list of it: its watch is said to end before its record begins."""
    since = process.since
    if process.kind != "event" or process.watched is None or since is None:
        return False
    begun = day_begins(local_day(since, process.zone), process.zone) == since
    return begun and process.watched <= since


def known_from(process: ProcessSpec, opened: Iterable[dt.datetime]) -> dt.datetime | None:
    """Give from when the first state of a process is known; None: at any moment.

    A question shows that what it asks of is known when it opens (`opened`), on the day of it or on
    its eve; one that opened earlier asked of what might come.
    """
    if (begun := begins(process)) is None:
        return None
    known = begun if process.delivery is None else process.delivery.announced_known
    eve = day_begins(local_day(begun, process.zone) - dt.timedelta(days=1), process.zone)
    return min([known, *(opens for opens in opened if opens >= eve)])


def stated_moves(process: ProcessSpec) -> tuple[MoveSpec, ...]:
    """Give the moves of a delivery whose pace its bank states; the others have the class's."""
    return tuple(move for move in process.moves if move.phrase.form in {"count", "median", "date"})


def pools(process: ProcessSpec) -> bool:
    """Say whether a move shares the pace of others, stating none; a delivery has its own."""
    return process.delivery is None and any(m.phrase.form == "history" for m in process.moves)


def states_pace(process: ProcessSpec) -> bool:
    """Say whether the bank states the pace of a delivery's parts."""
    stated = {(move.start, move.end) for move in stated_moves(process)}
    return {("agreed", "begun"), ("begun", "begun")} <= stated


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """While (or once) `parent` is in one of `states`, moves of `child` come so much faster.

    `into` names the states that the hastened moves lead to (empty: every move; an event has none).
    `median`, `low`, `high` are a hazard ratio and its 90 % range, `past` the share of the past in
    which it was on, where the parent has no dated history.
    """

    parent: str
    states: tuple[str, ...]
    child: str
    into: tuple[str, ...]
    median: float
    low: float
    high: float
    once: bool = False
    because: str = ""
    source: str = ""
    known_by: dt.date | None = None
    past: float | None = None
    place: tuple[str, int] = ("", 0)

    @property
    def name(self) -> str:
        """The link as it is written, without its size."""
        word = "once" if self.once else "while"
        return f"{word} {target(self.parent, self.states)}: {target(self.child, self.into)}"


def target(process: str, states: Sequence[str]) -> str:
    """Write ``process`` or ``process=a|b``."""
    return f"{process}={'|'.join(states)}" if states else process


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """The processes and links of one bank, by name and in the order of the files."""

    processes: Mapping[str, ProcessSpec]
    links: tuple[LinkSpec, ...] = ()


def ancestors(links: Sequence[LinkSpec], names: Iterable[str]) -> frozenset[str]:
    """Give the processes with everything that is linked into them, however far up."""
    upstream = set(names)
    while True:
        more = {link.parent for link in links if link.child in upstream} - upstream
        if not more:
            return frozenset(upstream)
        upstream |= more
