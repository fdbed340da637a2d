"""A world as a picture in layers: processes as boxes, links as arrows from cause to effect.

This module gives the places; `templates/graph.html.j2` draws them, for the static page and the app
alike, and the style sheet colours them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from forecasting.review import words
from forecasting.review.data import LinkRow, ProcessRow, WorldPage

BOX = 206.0
#: Between layers there is room for the words on an arrow.
ACROSS, DOWN, LANE = 140.0, 18.0, 26.0
EDGE = 8.0
#: The first line of a box, and the distance to the next.
FIRST, LINE = 17.0, 16.4
#: Letters in a line of words on an arrow, the height of such a line, and the states named there.
LETTERS, LOW, NAMED = 22, 13.0, 2
#: Lines of rates in a box; where they are more, the tables have them.
RATES = 3
#: Words stand so far inside a box; size of their letters by role, a bold one counted as wider.
INSIDE = 9.0
SIZES = {"title": 12.4, "state": 11.0, "rate": 12.0}


@dataclass(frozen=True, slots=True)
class Line:
    """Words in a box: `role` is ``title``, ``state`` or ``rate``."""

    x: float
    y: float
    text: str
    role: str


@dataclass(frozen=True, slots=True)
class Box:
    """A process: its frame, its lines, and all that is known of it for those who point at it."""

    row: ProcessRow
    x: float
    y: float
    tall: float
    lines: tuple[Line, ...]
    tip: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words on an arrow: a place for each line."""

    x: float
    lines: tuple[tuple[float, str], ...]
    pen: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """The links from one process to another: a path, its pen (``soft``: some hasten, some slow)."""

    d: str
    head: str
    pen: str
    labels: tuple[Label, ...]
    tip: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture, in its own units."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    wide: float = BOX


@dataclass(slots=True)
class _Node:
    """A process, or (without a row) the place where a long arrow passes a layer."""

    layer: int
    row: ProcessRow | None = None
    lines: tuple[tuple[str, str], ...] = ()
    y: float = 0.0
    #: Neighbours, each with the number of the arrow that leads there.
    left: list[tuple[int, int]] = field(default_factory=list)
    right: list[tuple[int, int]] = field(default_factory=list)

    @property
    def tall(self) -> float:
        return FIRST + LINE * len(self.lines) - 7 if self.row is not None else LANE


def world_graph(world: WorldPage) -> Graph | None:
    """Lay out the processes that links join, each right of what drives it; None without links."""
    rows = {row.name: row for row in world.processes}
    links = [link for link in world.links if link.parent in rows and link.child in rows]
    if not links:
        return None
    pairs: dict[tuple[str, str], list[LinkRow]] = {}
    for link in links:
        pairs.setdefault((link.parent, link.child), []).append(link)
    names = [name for name in rows if any(name in pair for pair in pairs)]
    layers, turned = layered(names, list(pairs))
    nodes = [
        _Node(layers[name], rows[name], _box_lines(rows[name], pairs.get((name, name), ())))
        for name in names
    ]
    place = {name: i for i, name in enumerate(names)}
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    chains = {
        pair: _chain(nodes, place, pair, pair in turned, number)
        for number, pair in enumerate(apart)
    }
    height = _arrange(nodes)
    width = 2 * EDGE + (max(layers.values()) + 1) * (BOX + ACROSS) - ACROSS
    taken: list[tuple[float, float, float, float]] = []
    arrows = [
        _arrow(nodes, chain, pairs[pair], pair in turned, number, taken, rows)
        for number, (pair, chain) in enumerate(chains.items())
    ]
    boxes = [_box(node, node.row) for node in nodes if node.row is not None]
    return Graph(width, round(height, 1), tuple(boxes), tuple(arrows))


def layered(
    names: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """Give each name the length of the longest path to it, and say which pairs close a loop."""
    order = _order(names, pairs)
    turned = {(a, b) for a, b in pairs if order.index(a) > order.index(b)}
    children: dict[str, list[str]] = {name: [] for name in names}
    for parent, child in pairs:
        if parent != child:
            children[parent].append(child)
    layers = dict.fromkeys(names, 0)
    for name in order:
        for child in children[name]:
            if (name, child) not in turned:
                layers[child] = max(layers[child], layers[name] + 1)
    return layers, turned


def _order(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Put causes before effects with few arrows against the order (Eades, Lin and Smyth 1993)."""
    left = list(names)
    first: list[str] = []
    last: list[str] = []
    while left:
        inside = [(a, b) for a, b in pairs if a in left and b in left and a != b]
        balance = {
            name: (sum(a == name for a, _ in inside), sum(b == name for _, b in inside))
            for name in left
        }
        sinks = [name for name, (out, into) in balance.items() if into and not out]
        sources = [name for name, (_, into) in balance.items() if not into]
        if sinks:
            last.insert(0, sinks[-1])
            left.remove(sinks[-1])
            continue
        chosen = sources[0] if sources else max(left, key=lambda n: balance[n][0] - balance[n][1])
        first.append(chosen)
        left.remove(chosen)
    return first + last


def _chain(
    nodes: list[_Node], place: Mapping[str, int], pair: tuple[str, str], turned: bool, number: int
) -> list[int]:
    """Give the nodes that an arrow passes, from left to right; a long one gets lanes."""
    start, end = (place[name] for name in (reversed(pair) if turned else pair))
    chain = [start]
    for layer in range(nodes[start].layer + 1, nodes[end].layer):
        nodes.append(_Node(layer))
        chain.append(len(nodes) - 1)
    chain.append(end)
    for left, right in pairwise(chain):
        nodes[left].right.append((right, number))
        nodes[right].left.append((left, number))
    return chain


def _arrange(nodes: list[_Node]) -> float:
    """Order each layer by the middle of its neighbours, stack it, and give the height of all."""
    columns: list[list[int]] = [[] for _ in range(max(node.layer for node in nodes) + 1)]
    for i, node in enumerate(nodes):
        columns[node.layer].append(i)
    for column in columns:
        _stack(nodes, column)
    for sweep in range(12):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            for i in column:
                near = nodes[i].left if sweep % 2 == 0 else nodes[i].right
                near = near or nodes[i].left or nodes[i].right
                if near:
                    nodes[i].y = sum(nodes[j].y for j, _ in near) / len(near)
            column.sort(key=lambda i: (nodes[i].y, i))
            _stack(nodes, column)
    top = min(node.y - node.tall / 2 for node in nodes)
    for node in nodes:
        node.y += EDGE - top
    return max(node.y + node.tall / 2 for node in nodes) + EDGE


def _stack(nodes: list[_Node], column: Sequence[int]) -> None:
    """Keep a layer's nodes apart in their order, as near to where they want to be as can be."""
    wanted = [nodes[i].y for i in column]
    low = 0.0
    for i in column:
        low = max(low, nodes[i].y - nodes[i].tall / 2)
        nodes[i].y = low + nodes[i].tall / 2
        low += nodes[i].tall + DOWN
    if column:
        shift = sum(w - nodes[i].y for w, i in zip(wanted, column, strict=True)) / len(column)
        for i in column:
            nodes[i].y += shift


def _x(node: _Node) -> float:
    return EDGE + node.layer * (BOX + ACROSS)


def _port(nodes: list[_Node], node: int, other: tuple[int, int], *, right: bool) -> float:
    """Give the height at which an arrow leaves or meets a box: in the order of the other ends."""
    if nodes[node].row is None:
        return nodes[node].y
    ends = sorted(
        nodes[node].right if right else nodes[node].left, key=lambda end: (nodes[end[0]].y, end[1])
    )
    tall = nodes[node].tall - 16
    step = tall / len(ends)
    return nodes[node].y - tall / 2 + step * (ends.index(other) + 0.5)


def _arrow(
    nodes: list[_Node],
    chain: Sequence[int],
    links: Sequence[LinkRow],
    turned: bool,
    number: int,
    taken: list[tuple[float, float, float, float]],
    rows: Mapping[str, ProcessRow],
) -> Arrow:
    hastens = {link.median >= 1 for link in links}
    pen = "soft" if len(hastens) > 1 else "model" if True in hastens else "base"
    points: list[tuple[float, float]] = []
    spots: list[tuple[float, float]] = []
    for a, b in pairwise(chain):
        x0, y0 = _x(nodes[a]) + BOX, _port(nodes, a, (b, number), right=True)
        x1, y1 = _x(nodes[b]), _port(nodes, b, (a, number), right=False)
        if not points:
            points.append((x0, y0))
        elif nodes[a].row is None:
            # A lane: straight on to its other side, as a curve like the rest.
            last = points[-1]
            points += [last, (x0, y0), (x0, y0)]
        bend = (x1 - x0) * 0.45
        points += [(x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
        spots.append(((x0 + x1) / 2, (y0 + y1) / 2))
    if turned:
        points.reverse()
    labels = []
    for k, link in enumerate(links):
        # The words stand in the gap before the effect, or after the cause where the arrow turns.
        x, y = spots[0] if turned else spots[-1]
        lines = wrapped(arrow_label(link), LETTERS)
        y = _free(x, y + 15 * (k - (len(links) - 1) / 2), LOW * len(lines) + 1, taken)
        first = y - LOW * (len(lines) - 1) / 2 + 4
        placed = tuple((round(first + LOW * n, 1), line) for n, line in enumerate(lines))
        labels.append(Label(round(x, 1), placed, "model" if link.median >= 1 else "base"))
    return Arrow(_curve(points), _head(points), pen, tuple(labels), _tip(links, rows))


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Write a chain of cubic curves as the `d` of a path."""
    written = [f"{x:.1f} {y:.1f}" for x, y in points]
    parts = [" ".join(written[k : k + 3]) for k in range(1, len(written), 3)]
    return f"M{written[0]}" + "".join(f"C{part}" for part in parts)


def _head(points: Sequence[tuple[float, float]]) -> str:
    """Write the head of an arrow, which meets a box level from the left or from the right."""
    x, y = points[-1]
    back = -8.0 if points[-2][0] < x else 8.0
    return f"M{x:.1f} {y:.1f}l{back:g} -3.6v7.2Z"


def _tip(links: Sequence[LinkRow], rows: Mapping[str, ProcessRow]) -> str:
    """Say of an arrow in full what its label says in short."""
    lines = []
    for link in links:
        cause, effect = (rows[name].title or name for name in (link.parent, link.child))
        word = "hastens" if link.median >= 1 else "slows"
        size = f"{words.ratio(link.median)}, {words.ratio(link.low)} to {words.ratio(link.high)}"
        lines.append(f"{cause} {word} {effect}\n{words.link(link.link)}: {size}")
    return "\n".join(lines)


def arrow_label(link: LinkRow) -> str:
    """Write what stands on an arrow: sign, state of the cause, ratio; of many states the first."""
    states = [each.strip() for each in link.link.partition(":")[0].partition("=")[2].split("|")]
    if len(states) > NAMED:
        states = [states[0], f"{len(states) - 1} others"]
    sign = "+" if link.median >= 1 else "\N{MINUS SIGN}"
    # What only happens has no state.
    state = f"{' or '.join(states)}: " if any(states) else ""
    return f"{sign} {state}{words.ratio(link.median)}"


def _free(x: float, y: float, tall: float, taken: list[tuple[float, float, float, float]]) -> float:
    """Find the nearest height at which words cover no others."""
    for step in sorted(range(-12, 13), key=abs):
        place = y + 8 * step
        if not any(abs(x - a) < w and abs(place - b) < (tall + h) / 2 for a, b, w, h in taken):
            break
    taken.append((x, place, 120.0, tall))
    return place


def _box_lines(row: ProcessRow, own: Sequence[LinkRow]) -> tuple[tuple[str, str], ...]:
    """Give the lines of a box with their roles: whole, or left to the tables."""
    lines = [(line, "title") for line in fitted(row.title or row.name, "title")]
    now = fitted(f"now: {row.state}" if row.state else row.name, "state")
    lines += [(line, "state") for line in now]
    rates = fitted(row.base_rate, "rate")
    if len(rates) > RATES:
        # The table below has them; so many boxes that say no more than this would say nothing.
        rates = []
    for link in own:
        rates[:0] = fitted(f"by itself {arrow_label(link)}", "rate")
    return (*lines, *((line, "rate") for line in rates))


def _box(node: _Node, row: ProcessRow) -> Box:
    x, top = _x(node), node.y - node.tall / 2
    lines = tuple(
        Line(round(x + INSIDE, 1), round(top + FIRST + LINE * k, 1), text, role)
        for k, (text, role) in enumerate(node.lines)
    )
    more = [row.title or row.name, f"now: {row.state}" if row.state else "", row.base_rate]
    tip = "\n".join(words.clean(part) for part in more if part)
    return Box(row, round(x, 1), round(top, 1), round(node.tall, 1), lines, tip)


def fitted(text: str, role: str) -> list[str]:
    """Break a text into lines that stand inside a box, in the widest of common letters."""
    for wide in range(40, 8, -1):
        lines = wrapped(text, wide)
        if all(breadth(line) * SIZES[role] <= BOX - 2 * INSIDE for line in lines):
            break
    return lines


def breadth(text: str) -> float:
    """Give the width of a text in ems, at least what a wide sans serif takes."""
    return sum(
        0.4
        if letter in " .,:;'|!()[]/ijltfI"
        else 0.98
        if letter in "mwMW@%…"
        else 0.75
        if letter.isupper()
        else 1.0
        if ord(letter) > 0x2E80
        else 0.64
        for letter in text
    )


def wrapped(text: str, wide: int) -> list[str]:
    """Break a text into lines."""
    import textwrap

    return textwrap.wrap(words.clean(text), wide, break_on_hyphens=False)
