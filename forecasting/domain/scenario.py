"""A scenario file as a value: nodes with states, links with elicited rows, named scenarios."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from math import isfinite, prod

from forecasting.errors import InvalidInput

#: How many nodes and states a graph may have, and how many joint states (4^8) are enumerated.
NODES, STATES, CELLS = (3, 10), (2, 4), 65_536
#: How many cases an elicited row may be worth, and how many parents a table of rows may have.
KAPPA, TABLE_PARENTS = (5.0, 20.0), 3
SUM_TOLERANCE = 1e-9
OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Row:
    """P(node | one combination of its parents' states), with where it comes from.

    Attributes
    ----------
    given
        A state for each parent, in their order; `ScenarioGraph` puts a node's rows in the order of
        the parents' states, the last parent fastest.
    shares
        One probability for each state; empty where a reference class supplies the row.
    kappa
        How many cases the row is worth: row ~ Dirichlet(kappa x shares).
    reference
        The reference class whose posterior is the row; empty for an elicited one.
    """

    given: tuple[str, ...]
    shares: tuple[float, ...]
    kappa: float
    reason: str
    source: str
    known_by: dt.date
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Logit:
    """A node of two states with many parents: log-odds of the first state add up over the links.

    Attributes
    ----------
    share
        P(first state) with every parent in its first state.
    kappa
        How many cases `share` is worth.
    effects
        For each parent, the mean effect of each of its states on the log-odds (0 for the first);
        each effect is normal with a standard deviation of 1.
    """

    share: float
    kappa: float
    effects: tuple[tuple[float, ...], ...]
    reason: str
    source: str
    known_by: dt.date


@dataclass(frozen=True, slots=True)
class Node:
    """One variable of the graph: its states, its parents, and how it depends on them.

    Attributes
    ----------
    question
        The bank question it stands for; empty where it stands for none.
    outcomes
        That question's outcomes, each with the state that it means.
    opens, closes
        That question's window: its model speaks for the node only inside.
    """

    id: str
    title: str
    states: tuple[str, ...]
    parents: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    logit: Logit | None = None
    question: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    opens: dt.datetime | None = None
    closes: dt.datetime | None = None

    @property
    def known_by(self) -> dt.date:
        """The day by which everything that the node rests on could be argued."""
        days = [row.known_by for row in self.rows]
        return max([*days, self.logit.known_by] if self.logit else days)

    def open_at(self, moment: dt.datetime) -> bool:
        """Say whether the node's question is open, so that its model speaks for the node."""
        if self.opens is None or self.closes is None:
            return False
        return self.opens <= moment < self.closes


@dataclass(frozen=True, slots=True)
class Named:
    """A named scenario: a state for some of the nodes."""

    name: str
    title: str
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a graph, and where in its file: a path of fields and positions."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioGraph:
    """A directed acyclic graph over resolved categories, with named scenarios that are disjoint.

    Raises
    ------
    InvalidInput
        A cycle, an unknown state, a row that is missing or does not sum to 1, ...; the first
        fault of `faults`.
    """

    id: str
    title: str
    nodes: tuple[Node, ...]
    named: tuple[Named, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for fault in faults(self.nodes, self.named):
            msg = f"scenario {self.id}: {fault.message}"
            raise InvalidInput(msg, hint=fault.hint)
        known = {node.id: node for node in self.nodes}
        object.__setattr__(self, "nodes", tuple(_in_order(node, known) for node in self.nodes))

    def node(self, name: str) -> Node:
        """Give a node by its name."""
        for node in self.nodes:
            if node.id == name:
                return node
        msg = f"node ({name}): scenario {self.id} has none of that name"
        raise InvalidInput(msg, hint=", ".join(node.id for node in self.nodes))

    def position(self, name: str) -> int:
        """Give a node's position, which is its axis in every joint array."""
        return self.nodes.index(self.node(name))

    @property
    def known_by(self) -> dt.date:
        """The day by which the whole graph could be argued."""
        return max(node.known_by for node in self.nodes)

    def known(self, day: dt.date) -> "ScenarioGraph":
        """Give the part of the graph that could be argued by a day.

        A node never comes before its parents, so what is left out takes only its own branch away.

        Raises
        ------
        InvalidInput
            Fewer than two nodes are left.
        """
        kept = tuple(node for node in self.nodes if node.known_by <= day)
        if len(kept) == len(self.nodes):
            return self
        if len(kept) < 2:
            first = sorted(node.known_by for node in self.nodes)[1]
            msg = f"scenario {self.id}: {len(kept)} of its nodes could be argued by {day}"
            raise InvalidInput(msg, hint=f"--as-of {first} or later")
        names = {node.id for node in kept}
        part = object.__new__(ScenarioGraph)
        values = {
            "id": self.id,
            "title": self.title,
            "nodes": kept,
            "named": tuple(named for named in self.named if set(named.states) <= names),
            "note": self.note,
        }
        for name, value in values.items():
            object.__setattr__(part, name, value)
        return part

    def with_windows(
        self, windows: Mapping[str, tuple[dt.datetime, dt.datetime]]
    ) -> "ScenarioGraph":
        """Give the graph with the windows of its nodes' questions."""
        nodes = tuple(
            replace(node, opens=windows[node.question][0], closes=windows[node.question][1])
            if node.question in windows
            else node
            for node in self.nodes
        )
        return replace(self, nodes=nodes)


def faults(nodes: Sequence[Node], named: Sequence[Named]) -> Iterator[Fault]:
    """List what is wrong with a graph, each fault with its place in the file."""
    known = {node.id: node for node in nodes}
    if not NODES[0] <= len(nodes) <= NODES[1]:
        yield Fault(("nodes",), f"nodes ({len(nodes)}): a graph has {NODES[0]} to {NODES[1]}")
    for position, node in enumerate(nodes):
        place: tuple[str | int, ...] = ("nodes", position)
        if known[node.id] is not node:
            yield Fault((*place, "id"), f"node ({node.id}): there is one of that name already")
            return
        if not STATES[0] <= len(node.states) <= STATES[1]:
            message = f"node {node.id}: states ({len(node.states)}): {STATES[0]} to {STATES[1]}"
            yield Fault((*place, "states"), message)
        if len(set(node.states)) < len(node.states):
            yield Fault((*place, "states"), f"node {node.id}: states ({', '.join(node.states)}): "
                        "each only once")  # fmt: skip
        for parent in node.parents:
            if parent not in known or node.parents.count(parent) > 1:
                message = f"node {node.id}: parent ({parent}): names each other node at most once"
                yield Fault((*place, "parents"), message, ", ".join(known))
                return
    cycle = _cycle(known)
    if cycle:
        around = " -> ".join(cycle)
        place = ("nodes", [node.id for node in nodes].index(cycle[0]), "parents")
        message = f"node {cycle[0]}: parents ({around}): the links must not go round in a cycle"
        yield Fault(place, message, f"take {cycle[-2]} from the parents of {cycle[0]}")
        return
    cells = prod(len(node.states) for node in nodes)
    if cells > CELLS:
        message = f"states ({cells} combinations): at most {CELLS:,} are enumerated"
        yield Fault(("nodes",), message, "fewer nodes or states")
    for position, node in enumerate(nodes):
        for path, message, hint in _row_faults(node, known):
            yield Fault(("nodes", position, *path), f"node {node.id}: {message}", hint)
        for parent in node.parents:
            if _dated(node) and _dated(known[parent]) and known[parent].known_by > node.known_by:
                message = (
                    f"node {node.id}: known_by ({node.known_by}): lies before that of its parent "
                    f"{parent} ({known[parent].known_by})"
                )
                yield Fault(("nodes", position, "parents"), message, "date the child later")
    yield from _named_faults(named, known)


def _in_order(node: Node, known: Mapping[str, Node]) -> Node:
    order = list(product(*(known[parent].states for parent in node.parents)))
    return replace(node, rows=tuple(sorted(node.rows, key=lambda row: order.index(row.given))))


def _dated(node: Node) -> bool:
    return bool(node.rows) or node.logit is not None


def _cycle(known: Mapping[str, Node]) -> list[str]:
    """Give a cycle of links, child first, closed by its first name; empty where there is none."""
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> list[str]:
        if name in path:
            # Walked from child to parent; told in the direction of the links.
            return [*path[path.index(name) :], name][::-1]
        if name in done:
            return []
        for parent in known[name].parents:
            if found := follow(parent, [*path, name]):
                return found
        done.add(name)
        return []

    for name in known:
        if found := follow(name, []):
            return found
    return []


type _Told = tuple[tuple[str | int, ...], str, str]


def _row_faults(node: Node, known: Mapping[str, Node]) -> Iterator[_Told]:
    if node.logit is not None:
        yield from _logit_faults(node, node.logit, known)
        return
    if len(node.parents) > TABLE_PARENTS:
        message = f"parents ({len(node.parents)}): a table of rows has at most {TABLE_PARENTS}"
        yield ("parents",), message, "logit: with an effect for each link"
        return
    wanted = set(product(*(known[parent].states for parent in node.parents)))
    seen: set[tuple[str, ...]] = set()
    for position, row in enumerate(node.rows):
        place = ("rows", position)
        told = _told(node, row.given)
        for parent, state in zip(node.parents, row.given, strict=False):
            if state not in known[parent].states:
                message = f"row ({told}): {parent} has no state {state}"
                yield (*place, "given"), message, ", ".join(known[parent].states)
        if row.given in seen:
            yield place, f"row ({told}): stands there twice", "take one out"
        seen.add(row.given)
        if row.reference:
            continue
        if len(row.shares) != len(node.states) or any(
            not (isfinite(share) and 0 <= share <= 1) for share in row.shares
        ):
            message = f"row ({told}): needs a probability from 0 to 1 for each state"
            yield (*place, "shares"), message, ", ".join(node.states)
        elif abs(sum(row.shares) - 1.0) > SUM_TOLERANCE:
            message = f"row ({told}): sums to {sum(row.shares):.6g}, must sum to 1"
            yield (*place, "shares"), message, f"add {1 - sum(row.shares):+.6g} somewhere"
        if not KAPPA[0] <= row.kappa <= KAPPA[1]:
            message = f"row ({told}): kappa ({row.kappa:g}): {KAPPA[0]:g} to {KAPPA[1]:g} cases"
            yield (*place, "kappa"), message, "10"
    for missing in sorted(wanted - seen):
        message = f"row ({_told(node, missing)}): missing"
        yield ("rows",), message, "a row for each combination of the parents' states"


def _logit_faults(node: Node, logit: Logit, known: Mapping[str, Node]) -> Iterator[_Told]:
    if node.rows:
        yield ("logit",), "has both rows and logit", "give one"
    if len(node.states) != 2:
        message = f"logit: needs two states, not {len(node.states)}"
        yield ("logit",), message, "rows, with at most three parents"
    if not 0 < logit.share < 1:
        message = f"logit: share ({logit.share:g}): must lie above 0 and below 1"
        yield ("logit", "share"), message, "0.2"
    if not KAPPA[0] <= logit.kappa <= KAPPA[1]:
        message = f"logit: kappa ({logit.kappa:g}): {KAPPA[0]:g} to {KAPPA[1]:g} cases"
        yield ("logit", "kappa"), message, "10"
    for parent, effects in zip(node.parents, logit.effects, strict=False):
        finite = all(isfinite(effect) for effect in effects)
        if len(effects) != len(known[parent].states) or not finite:
            message = f"logit: effects of {parent}: a finite number for each of its states"
            yield ("logit", "effects"), message, ", ".join(known[parent].states)


def _told(node: Node, given: Sequence[str]) -> str:
    pairs = (f"{p}={state}" for p, state in zip(node.parents, given, strict=False))
    return ", ".join(pairs) or "no parents"


def _named_faults(named: Sequence[Named], known: Mapping[str, Node]) -> Iterator[Fault]:
    names = [each.name for each in named]
    for position, each in enumerate(named):
        place = ("scenarios", position)
        if names.count(each.name) > 1 or each.name == OTHERWISE:
            message = f"scenario ({each.name}): a name of its own, and not {OTHERWISE}"
            yield Fault((*place, "name"), message)
        for node, state in each.states.items():
            if node not in known:
                message = f"scenario {each.name}: node ({node}): there is none"
                yield Fault((*place, "states"), message, ", ".join(known))
            elif state not in known[node].states:
                message = f"scenario {each.name}: {node} has no state {state}"
                yield Fault((*place, "states", node), message, ", ".join(known[node].states))
    for (i, first), (j, second) in combinations(enumerate(named), 2):
        shared = set(first.states) & set(second.states)
        if all(first.states[node] == second.states[node] for node in shared):
            message = (
                f"scenario {second.name}: overlaps {first.name}: both can come true at once, so "
                "they do not sum to one"
            )
            hint = "a node on which they differ"
            yield Fault(("scenarios", max(i, j), "states"), message, hint)
