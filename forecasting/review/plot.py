"""Charts as templates draw them: scales, ticks and outlines, in the units of a picture.

A chart is a template over one data form; this module turns its numbers into places. Colours,
widths and letters are the style sheet's, so that dark pages and paper work without another drawing.
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from forecasting.review.layout import Frame, dates


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale: what is `low` stands at `start`, what is `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Give the place of a value, to a tenth; beyond the ends it is kept at them."""
        span = self.high - self.low
        share = 0.5 if not span else (value - self.low) / span
        share = min(max(share, 0.0), 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Choose round numbers from `low` to `high`, at most so many."""
    if not high > low:
        return [float(low)]
    rough = (high - low) / max(most - 1, 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{step * each:.12g}") for each in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Plot:
    """The frame of a chart: its size, its scales, and where words stand at its axes.

    `x_ticks` and `y_ticks` are places with their text.
    """

    width: float
    height: float
    x: Scale
    y: Scale
    x_ticks: Sequence[tuple[float, str]] = ()
    y_ticks: Sequence[tuple[float, str]] = ()
    x_name: str = ""
    y_name: str = ""
    zero: dt.datetime | None = None

    def anchored(self, place: float) -> str:
        """Say how the text of a mark below the axis is anchored."""
        return anchored(place, self.x.start, self.width)

    def at(self, moment: dt.datetime) -> float:
        """Give the place of a moment on a time axis."""
        assert self.zero is not None  # for the type checker
        return self.x((moment - self.zero) / dt.timedelta(days=1))


class Size(NamedTuple):
    """How wide a chart is, with its margins and the days that are named below it."""

    width: float = 760.0
    left: float = 56.0
    right: float = 132.0
    most: int = 5


WIDE = Size()
#: How wide a letter of a chart is at most, on average.
LETTER = 7.4
#: For a telephone, whose letters are as large.
NARROW = Size(366.0, 46.0, 112.0, 3)


def over_time(
    start: dt.datetime,
    end: dt.datetime,
    *,
    zone: str,
    size: Size,
    low: float = 0.0,
    high: float = 1.0,
    y_ticks: Sequence[tuple[float, str]] = (),
    height: float = 300,
    above: float = 14,
) -> Plot:
    """Frame a chart over time; `y_ticks` are values with their text, by default percentages."""
    span = max((end - start) / dt.timedelta(days=1), 1e-3)
    named = y_ticks or [(share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)]
    # The widest amount has its room left of the axis.
    left = max(size.left, LETTER * max(len(text) for _, text in named) + 8)
    x = Scale(0, span, left, size.width - size.right)
    y = Scale(low, high, height - 28, above)
    days = dates(Frame(start, end, span, whole=True), zone, most=size.most)
    return Plot(
        size.width,
        height,
        x,
        y,
        x_ticks=apart([(x(day), text) for day, text in days], left, size.width),
        y_ticks=[(y(value), text) for value, text in named],
        zero=start,
    )


def anchored(place: float, start: float, width: float) -> str:
    """Say on which side of its mark a text below an axis stands, so that it is not cut."""
    return "start" if place < start + 16 else "end" if place > width - 20 else "middle"


def apart(
    marks: Iterable[tuple[float, str]], start: float, width: float
) -> list[tuple[float, str]]:
    """Leave out the marks whose text would run into that of the one before."""
    clear: list[tuple[float, str]] = []
    free = -math.inf
    for place, text in marks:
        wide = LETTER * len(text)
        shift = {"start": 0.0, "middle": wide / 2, "end": wide}[anchored(place, start, width)]
        if place - shift >= free:
            clear.append((place, text))
            free = place - shift + wide + LETTER
    return clear


def line(points: Iterable[tuple[float, float]]) -> str:
    """Write a line through places as the `d` of a path."""
    return "".join(f"{'L' if n else 'M'}{x:g} {y:g}" for n, (x, y) in enumerate(points))


def steps(points: Sequence[tuple[float, float]], until: float) -> str:
    """Write what stands until it changes: level lines, then a jump; the last reaches `until`."""
    if not points:
        return ""
    (x, y), *rest = points
    return f"M{x:g} {y:g}" + "".join(f"H{a:g}V{b:g}" for a, b in rest) + f"H{until:g}"


def between(lower: Sequence[tuple[float, float]], upper: Sequence[tuple[float, float]]) -> str:
    """Write the area between two lines."""
    return line([*upper, *reversed(lower)]) + "Z" if lower and upper else ""


def step_area(points: Sequence[tuple[float, float, float]], until: float) -> str:
    """Write the area between two levels (x, one, other) that each stand until they change."""
    if not points:
        return ""
    xs = [*(x for x, _, _ in points), until]
    there = "".join(
        f"{'L' if n else 'M'}{xs[n]:g} {p[1]:g}H{xs[n + 1]:g}" for n, p in enumerate(points)
    )
    back = "".join(
        f"L{xs[n + 1]:g} {points[n][2]:g}H{xs[n]:g}" for n in reversed(range(len(points)))
    )
    return there + back + "Z"


def sparkline(values: Sequence[tuple[float, float]]) -> str:
    """Write a small line of (days, share), 112 by 30, for a row of a list; it spans 0 to 1."""
    if not values:
        return ""
    x, y = Scale(values[0][0], max(values[-1][0], values[0][0] + 1e-9), 2, 110), Scale(0, 1, 28, 2)
    return steps([(x(day), y(share)) for day, share in values], 110)
