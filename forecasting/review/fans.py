"""How the processes of a world may go on: a small chart a process, on a page and as a file."""

import datetime as dt
import itertools
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forecasting.errors import InvalidInput
from forecasting.files import check_folder, written
from forecasting.review import words
from forecasting.review.data import Fan
from forecasting.review.filters import TEMPLATES, environment
from forecasting.review.path_chart import Label, names_beside
from forecasting.review.plot import Frame, Plot, Size, apart, between, dates, line, over_time, ticks
from forecasting.review.svg import PALETTE

#: As wide as a telephone; the names of states stand in the room at the right.
SIZE = Size(366.0, 46.0, 160.0, 3)
TALL = 170.0
#: Letters of a line of a title in a file, and of a name with its number.
TITLE, NAME = 44, 20
#: The first state is grey: most processes begin in "none", and the eye looks for the others.
PENS = ("faint", "model", "base", "prior", "pool", "ink")


@dataclass(frozen=True, slots=True)
class FanChart:
    """One process: `bands` of states are closed by `edges`, those of a total by its `middle`.

    A band is its path, its pen, and what it says in words.
    """

    title: str
    description: str
    plot: Plot | None = None
    bands: tuple[tuple[str, str, str], ...] = ()
    edges: tuple[str, ...] = ()
    middle: str = ""
    labels: tuple[Label, ...] = ()


def fan_chart(fan: Fan, zone: str = "UTC") -> FanChart:
    """Lay a fan out over time."""
    states = len(fan.states)
    title = fan.title if states or not fan.unit else f"{fan.title} ({fan.unit})"
    if not len(fan.moments):
        return FanChart(title, f"{fan.title}: no dates")
    return (_stack if states else _bands)(fan, title, words.Days(zone))


def _frame(
    fan: Fan, days: words.Days, low: float, high: float, y_ticks: Sequence[tuple[float, str]]
) -> tuple[Plot, list[float]]:
    plot = over_time(
        fan.moments[0],
        fan.moments[-1],
        zone=days.zone.key,
        size=SIZE,
        low=low,
        high=high,
        y_ticks=y_ticks,
        height=TALL,
        above=8,
    )
    span = (fan.moments[-1] - fan.moments[0]) / dt.timedelta(days=1)
    named = dates(Frame(fan.moments[0], fan.moments[-1], span, True), days.zone.key)
    every = (_sparing([(plot.x(at), text) for at, text in named[::n]]) for n in itertools.count(1))
    marks = next(some for some in every if apart(some, plot.x.start, SIZE.width) == some)
    plot = replace(plot, x_ticks=marks)
    return plot, [plot.at(moment) for moment in fan.moments]


def _sparing(marks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Name a year once, and January by its year: there is little room."""
    shorter, year = [], ""
    for place, text in marks:
        month, _, of = text.partition(" ")
        name = text
        if len(of) == 4 and of.isdigit():
            name = month if of == year else of if month == "Jan" else text
            year = of
        shorter.append((place, name))
    return shorter


def _stack(fan: Fan, title: str, days: words.Days) -> FanChart:
    plot, x = _frame(fan, days, 0, 1, [(0, "0 %"), (0.5, "50 %"), (1, "100 %")])
    first, last = days.day(fan.moments[0]), days.day(fan.moments[-1])
    floor = [0.0] * len(x)
    bands, edges, ends, parts = [], [], [], []
    for k, state in enumerate(fan.states):
        share = [float(row[k]) for row in fan.shares]
        roof = [low + more for low, more in zip(floor, share, strict=True)]
        lower, upper = (list(zip(x, map(plot.y, ys), strict=True)) for ys in (floor, roof))
        pen, now = PENS[k % len(PENS)], words.percent(share[-1])
        tip = f"{state}: {words.percent(share[0])} on {first}, {now} on {last}"
        bands.append((between(lower, upper), pen, tip))
        edges.append(line(upper))
        name = f"{words.short(state, NAME - len(now) - 1)} {now}"
        ends.append((plot.y((floor[-1] + roof[-1]) / 2), name, pen))
        parts.append(f"{state} {now}")
        floor = roof
    whole = f"{fan.title}: shares of the paths on {last}: {', '.join(parts)}"
    labels = tuple(names_beside(ends, plot.x.end, plot, strong=()))
    return FanChart(title, whole, plot, tuple(bands), tuple(edges), labels=labels)


def _bands(fan: Fan, title: str, days: words.Days) -> FanChart:
    levels = list(fan.levels)
    columns = [[float(row[k]) for row in fan.quantiles] for k in range(len(levels))]
    low, high = min(columns[0]), max(columns[-1])
    room = 0.05 * (high - low) or 1.0
    bottom = max(0.0, low - room) if low >= 0 else low - room
    counted = all(value.is_integer() for column in columns for value in column)
    marks = [at for at in ticks(bottom, high + room, 5) if not counted or at.is_integer()]
    plot, x = _frame(fan, days, bottom, high + room, [(at, f"{at:,.12g}") for at in marks])
    lines = [[(a, plot.y(y)) for a, y in zip(x, column, strict=True)] for column in columns]
    last = days.day(fan.moments[-1])
    bands = []
    for k in range(len(levels) // 2):
        ends_at = [words.amount(column[-1]) for column in (columns[k], columns[-1 - k])]
        tip = f"{levels[k]:g} to {levels[-1 - k]:g} %: {' to '.join(ends_at)} on {last}"
        bands.append((between(lines[k], lines[-1 - k]), "model", tip))
    half = len(levels) // 2
    # Quantiles that meet at a bound are one number, named once.
    named: dict[float, list[int]] = {}
    for k in (0, half, len(levels) - 1):
        named.setdefault(columns[k][-1], []).append(k)
    ends = [
        (
            plot.y(value),
            f"{words.listed([f'{levels[k]:g}' for k in those])} %: {words.amount(value)}",
            "model" if half in those else "faint",
        )
        for value, those in named.items()
    ]
    outer = f"{levels[0]:g} to {levels[-1]:g} %: {words.amount(columns[0][-1])} to"
    description = (
        f"{fan.title}: median {words.amount(columns[half][-1], fan.unit)} on {last}, "
        f"{outer} {words.amount(columns[-1][-1], fan.unit)}"
    )
    labels = tuple(names_beside(ends, plot.x.end, plot, strong=()))
    return FanChart(title, description, plot, tuple(bands), middle=line(lines[half]), labels=labels)


def check_target(path: Path) -> None:
    """Refuse what cannot be the file of fans, before anything is simulated for it."""
    if path.suffix.lower() != ".svg":
        msg = f"file ({path.name}): a picture of the world ends in .svg"
        raise InvalidInput(msg, hint=f"{path.stem}.svg")
    check_folder(path)


def save(fans: Sequence[Fan], path: Path, *, title: str) -> None:
    """Write fans to an SVG file that needs no other: the page's charts, in the light colours."""
    check_target(path)
    # What reads SVG outside a browser knows no variables of a style sheet, and no queries.
    style = (TEMPLATES / "chart.css").read_text("utf-8").split("@media")[0]
    style = re.sub(r"var\(--(\w+)\)", lambda match: PALETTE[match[1]], style)
    charts = [(chart := fan_chart(fan), _lines(chart.title)) for fan in fans]
    template = environment("forecasting.review").get_template("fans.svg.j2")
    text = template.render(charts=charts, title=title, style=style, wide=SIZE.width, tall=TALL)
    with written(path):
        path.write_text(text, encoding="utf-8")


def _lines(title: str) -> list[str]:
    """Put a title on two lines at most."""
    first, *rest = textwrap.wrap(words.clean(title), TITLE) or [""]
    return [first, words.short(" ".join(rest), TITLE)] if rest else [first]
