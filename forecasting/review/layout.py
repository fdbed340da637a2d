"""Where things stand in a picture of one question: its time axis, its labels, its numbers."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forecasting.review import words
from forecasting.review.data import QuestionPath

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
        """Show the whole window, or the part used where that is less than a third of it.

        Of a question that was settled early the part up to its outcome, and a little more.
        """
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


def numbered(places: Sequence[float], *, room: float = 25.0) -> list[tuple[float, str]]:
    """Put numbers 1, 2, ... over rising places; those too close for two numbers share a range."""
    groups: list[tuple[float, float, int, int]] = []
    for number, at in enumerate(places, start=1):
        if groups and at - groups[-1][0] < room:
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
