"""Draw how the processes of a world may go on: small pictures side by side, one a process."""

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from forecasting.review import words
from forecasting.review.data import Fan
from forecasting.review.draw import percent_axis, unclip
from forecasting.review.plot import Frame, dates, spread
from forecasting.review.svg import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Points: one panel with the room beside it for the names of states.
WIDTH, INNER, LEFT = 392.0, 196.0, 44.0
ABOVE, TALL, BELOW = 46.0, 116.0, 42.0
#: Letters of a line of a title, of which there are two, and of a name with its number.
TITLE, NAME = 44, 21
#: The first state is grey: most processes begin in "none", and the eye looks for the others.
COLOURS = (
    ("faint", 0.30),
    ("model", 0.55),
    ("base", 0.55),
    ("prior", 0.55),
    ("pool", 0.55),
    ("ink", 0.45),
)


def draw_fans(fans: Sequence[Fan], *, title: str = "", zone: str = "UTC") -> "Figure":
    """Draw a fan of each process, two side by side: stacked shares of states, or quantiles."""
    from matplotlib.figure import Figure

    columns = max(1, min(2, len(fans)))
    rows = -(-len(fans) // columns)
    head = 34.0 if title else 0.0
    cell = ABOVE + TALL + BELOW
    width, height = columns * WIDTH, head + max(rows, 1) * cell
    with style():
        figure = Figure(figsize=(width / 72, height / 72))
        if title:
            place = 1 - 10 / height
            figure.text(
                LEFT / width, place, words.clean(title), va="top", fontsize=15, weight="bold"
            )
        for k, fan in enumerate(fans):
            row, column = divmod(k, columns)
            left = column * WIDTH + LEFT
            bottom = height - head - row * cell - ABOVE - TALL
            axes = figure.add_axes((left / width, bottom / height, INNER / width, TALL / height))
            _panel(axes, fan, zone)
            unclip(axes)
    return figure


def describe(fan: Fan, zone: str) -> str:
    """Say in words what one picture shows."""
    last = words.Days(zone).day(fan.moments[-1]) if len(fan.moments) else ""
    if not len(fan.moments):
        return f"{fan.title}: no dates"
    if len(fan.states):
        parts = [
            f"{state} {words.percent(share)}"
            for state, share in zip(fan.states, fan.shares[-1], strict=True)
        ]
        return f"{fan.title}: shares of the paths on {last}: {', '.join(parts)}"
    middle = fan.quantiles[-1][len(fan.levels) // 2]
    return f"{fan.title}: median {words.amount(float(middle), fan.unit)} on {last}"


def _panel(axes: "Axes", fan: Fan, zone: str) -> None:
    unit = f" ({words.short(fan.unit, 14)})" if fan.unit and not len(fan.states) else ""
    axes.set_title(_title_lines(fan.title, unit), loc="left", fontsize=12.5, weight="bold", pad=7)
    if not len(fan.moments):
        axes.set_axis_off()
        return
    start, end = fan.moments[0], fan.moments[-1]
    span = max((end - start).total_seconds() / 86400, 1e-3)
    x = [(moment - start).total_seconds() / 86400 for moment in fan.moments]
    axes.set_xlim(0, span)
    if len(fan.states):
        _stack(axes, fan, x)
    else:
        _bands(axes, fan, x)
    ticks = dates(Frame(start, end, span, True), zone, most=4)
    shown = [text for _, text in ticks]
    for k in range(len(shown) - 1, 0, -1):
        # A year is said once; with it on every tick the names would touch.
        month, _, year = shown[k].partition(" ")
        if year.isdigit() and len(year) == 4:
            shown[k] = month if shown[k - 1].endswith(year) else f"{month}\n{year}"
    if shown:
        shown[0] = shown[0].replace(" ", "\n", 1) if shown[0][-4:].isdigit() else shown[0]
    axes.set_xticks([at for at, _ in ticks], shown)


def _title_lines(title: str, unit: str) -> str:
    """Put a title on two lines at most, with the unit of its axis, for which there is no room."""
    whole = textwrap.wrap(words.clean(title + unit), TITLE)
    if len(whole) <= 2:
        return "\n".join(whole)
    first, *rest = textwrap.wrap(words.clean(title), TITLE)
    return f"{first}\n{words.short(' '.join(rest), TITLE - len(unit))}{words.clean(unit)}"


def _name_and_number(name: str, value: str) -> str:
    """Put a name before its number; where both are too long, the name gives way."""
    return f"{words.short(name, NAME - len(value) - 1)} {value}"


def _stack(axes: "Axes", fan: Fan, x: Sequence[float]) -> None:
    floor = [0.0] * len(x)
    ends: list[tuple[float, str, str]] = []
    for k, state in enumerate(fan.states):
        colour, opacity = COLOURS[k % len(COLOURS)]
        share = [float(row[k]) for row in fan.shares]
        roof = [low + high for low, high in zip(floor, share, strict=True)]
        axes.fill_between(x, floor, roof, color=PALETTE[colour], alpha=opacity, lw=0)
        axes.plot(x, roof, color=PALETTE["page"], lw=0.8)
        label = _name_and_number(state, words.percent(share[-1]))
        ends.append(((floor[-1] + roof[-1]) / 2, label, colour))
        floor = roof
    axes.set_ylim(0, 1)
    percent_axis(axes.yaxis)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    _labels(axes, ends)


def _bands(axes: "Axes", fan: Fan, x: Sequence[float]) -> None:
    levels = list(fan.levels)
    columns = [[float(row[k]) for row in fan.quantiles] for k in range(len(levels))]
    for k in range(len(levels) // 2):
        axes.fill_between(x, columns[k], columns[-1 - k], color=PALETTE["model"], alpha=0.2, lw=0)
    middle = columns[len(levels) // 2]
    axes.plot(x, middle, color=PALETTE["model"], lw=2)
    low, high = min(columns[0]), max(columns[-1])
    room = 0.05 * (high - low) or 1.0
    axes.set_ylim(max(0.0, low - room) if low >= 0 else low - room, high + room)
    _mark(axes, whole=all(float(x).is_integer() for column in columns for x in column))
    bottom, top = axes.get_ylim()
    ends = [
        ((column[-1] - bottom) / (top - bottom), f"{level:g} %: {words.amount(column[-1])}", tone)
        for level, column, tone in (
            (levels[0], columns[0], "soft"),
            (levels[len(levels) // 2], middle, "model"),
            (levels[-1], columns[-1], "soft"),
        )
    ]
    # Quantiles that meet at a bound are one number, said once.
    labels = [one for one, after in pairwise(ends) if one[0] != after[0]] + ends[-1:]
    _labels(axes, labels)


def _mark(axes: "Axes", *, whole: bool) -> None:
    """Mark the axis of an amount, with as many decimals as tell its marks apart."""
    from matplotlib.ticker import MaxNLocator

    bottom, top = axes.get_ylim()
    marks = MaxNLocator(nbins=4, integer=whole, steps=[1, 2, 5, 10]).tick_values(bottom, top)
    # Left of the axis there is room for six letters.
    scale, sign = next((each for each in ((1e6, "M"), (1e3, "k")) if top >= 100 * each[0]), (1, ""))
    digits = max(0, -math.floor(math.log10((marks[1] - marks[0]) / scale) + 1e-9))
    axes.set_yticks([y for y in marks if bottom <= y <= top])
    axes.yaxis.set_major_formatter(lambda y, _: f"{y / scale:,.{digits}f}{sign}")


def _labels(axes: "Axes", ends: Sequence[tuple[float, str, str]]) -> None:
    """Write a name beside the end of each band, spread so that none covers another."""
    ordered = sorted(ends, key=lambda one: one[0])
    places = spread([place for place, _, _ in ordered], 14.5 / TALL, 0.04, 0.98)
    for (wanted, text, colour), place in zip(ordered, places, strict=True):
        axes.plot(
            [1.01, 1.05],
            [wanted, place],
            transform=axes.transAxes,
            color=PALETTE["faint"],
            lw=0.7,
            clip_on=False,
        )
        axes.text(
            1.065,
            place,
            text,
            transform=axes.transAxes,
            va="center",
            fontsize=11.5,
            color=PALETTE["soft" if colour == "faint" else colour],
        )
