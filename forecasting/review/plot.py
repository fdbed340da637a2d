"""Charts as templates draw them: scales, ticks and outlines, in the units of a picture.

A chart is a template over one data form; this module turns its numbers into places. Colours,
widths and letters are the style sheet's, so that dark pages and paper work without another drawing.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from forecasting.review import words
from forecasting.review.data import QuestionPath

#: The room of a number over a place.
NUMBER = 25.0
#: A part of a window is shown with a little of what follows.
BEYOND = 1.15


@dataclass(frozen=True, slots=True)
class Frame:
    """The time axis of one picture, in days since it begins, as a rule at the opening."""

    opens: dt.datetime
    last: dt.datetime
    span: float
    whole: bool

    @classmethod
    def of(cls, question: QuestionPath, until: dt.datetime | None) -> "Frame":
        """Show the whole window, or the part used where that is less than a third of it."""
        spoken = [point.at for points in question.paths.values() for point in points]
        last = min(question.ends, max([*spoken, *([until] if until else [question.ends])]))
        last = max(last, question.opens)
        span = max(_days(question.opens, question.closes), 1e-3)
        used = _days(question.opens, last)
        settled = question.outcome is not None
        whole = not 0 < used < span / (BEYOND if settled else 3)
        if settled and not whole:
            return cls(question.opens, last, BEYOND * used, whole)
        if whole:
            return cls(question.opens, last, span, whole)
        # On a first day most of the time since the opening may have gone by without a word.
        first = min([*spoken, *(mark.known_at for mark in question.evidence)], default=last)
        begins = max(first - (last - first) / 8, question.opens)
        if first <= question.opens or _days(begins, last) > used / 2:
            begins = question.opens
        return cls(begins, last, BEYOND * max(_days(begins, last), 1e-3), whole)

    def x(self, moment: dt.datetime) -> float:
        """Give the place of a moment, kept inside the picture."""
        return min(max(_days(self.opens, moment), 0.0), self.span)


def spread(places: Sequence[float], room: float, low: float, high: float) -> list[float]:
    """Move rising places apart to `room`, as little as needed, inside [low, high] if they fit."""
    blocks: list[list[float]] = []  # wanted centre, members
    for place in places:
        blocks.append([place, 1.0])
        while len(blocks) > 1:
            (a, n), (b, m) = blocks[-2], blocks[-1]
            if b - a >= room * (n + m) / 2:
                break
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    centres = [centre + room * (i - (n - 1) / 2) for centre, n in blocks for i in range(int(n))]
    for i in range(len(centres)):
        centres[i] = max(centres[i], low + room * i)
    for i in reversed(range(len(centres))):
        centres[i] = min(centres[i], high - room * (len(centres) - 1 - i))
    return centres


def numbered(places: Sequence[float]) -> list[tuple[float, str]]:
    """Put numbers 1, 2, ... over rising places; those too close for two numbers share a range."""
    groups: list[tuple[float, float, int, int]] = []
    for number, at in enumerate(places, start=1):
        if groups and at - groups[-1][0] < NUMBER:
            start, _, first, _ = groups[-1]
            groups[-1] = (start, at, first, number)
        else:
            groups.append((at, at, number, number))
    return [
        ((start + end) / 2, str(first) if first == last else f"{first}–{last}")
        for start, end, first, last in groups
    ]


def dates(frame: Frame, zone: str, *, most: int = 5) -> list[tuple[float, str]]:
    """Choose the round days of a time axis, or moments: (days since the opening, text)."""
    local = words.Days(zone)
    start = local.local(frame.opens)
    if frame.span < 2:
        # A day or two may hold no midnight, and never enough of them.
        steps = (1, 5, 15, 60, 180, 360, 720)
        minutes = next((m for m in steps if frame.span * 1440 / m < most), 1440)
        first = start.replace(hour=0, minute=0, second=0, microsecond=0)
        last = frame.opens + dt.timedelta(days=frame.span)
        moments: list[dt.datetime] = []
        while (moment := first + dt.timedelta(minutes=minutes * len(moments))) <= last:
            moments.append(moment)
        # A clock put forward skips an hour: through UTC and back, a moment in it becomes the next.
        real = dict.fromkeys(local.local(moment.astimezone(dt.UTC)) for moment in moments)
        moments = [moment for moment in real if moment >= frame.opens]
        shown = [at for at in moments if at <= last]
        one_day = len({at.date() for at in shown}) == 1

        def write(at: dt.datetime) -> str:
            """Name the day of each moment; on an axis of one day, once."""
            day = "" if one_day and at != shown[0] else f"{local.day(at).rsplit(' ', 1)[0]}, "
            return f"{day}{at:%H:%M}"

        return _inside(moments, frame, write)
    for step in (1, 2, 3, 7, 14):
        if frame.span / step < most:
            first = start.replace(hour=0, minute=0, second=0, microsecond=0)
            moments = [
                first + dt.timedelta(days=step * i) for i in range(int(frame.span / step) + 2)
            ]
            return _inside(moments, frame, lambda day: local.day(day).rsplit(" ", 1)[0])
    for months in (1, 2, 3, 6, 12, 24, 60, 120):
        if frame.span / (30.44 * months) < most:
            break
    moments = []
    count = start.year * 12 + start.month - 1
    count += -count % months
    while len(moments) < 3 * most:
        moments.append(dt.datetime(count // 12, count % 12 + 1, 1, tzinfo=local.zone))
        count += months
    if months % 12 == 0:
        return _inside(moments, frame, lambda day: str(day.year))
    return _inside(moments, frame, lambda day: local.day(day).split(" ", 1)[1])


def _inside(
    days: Sequence[dt.datetime], frame: Frame, write: Callable[[dt.datetime], str]
) -> list[tuple[float, str]]:
    offsets = [(day - frame.opens) / dt.timedelta(days=1) for day in days]
    return [
        (max(at, 0.0), write(day))
        for at, day in zip(offsets, days, strict=True)
        if -0.01 <= at <= frame.span
    ]


def _days(start: dt.datetime, end: dt.datetime) -> float:
    return (end - start) / dt.timedelta(days=1)


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
    """The frame of a chart: its size, its scales, and where words stand at its axes."""

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
