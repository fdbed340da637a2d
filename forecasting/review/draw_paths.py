"""Drawings of one question's forecasts over time, with evidence, claims and outcome."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecasting.review import cast, words
from forecasting.review.data import Point, QuestionPath
from forecasting.review.draw import unclip
from forecasting.review.svg import PALETTE, printable, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Drawn in this order, the last on top; the other forecasters stand in the table only.
DRAWN = ("worldview", "pool", "prior", "base-rate", "model", "person")
WIDTH, LEFT, RIGHT = 560.0, 52.0, 122.0
_INNER = WIDTH - LEFT - RIGHT
_STRIP, _FOOT = 44.0, 30.0
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2.2)), (0, (1.2, 1.6)), (0, (6, 1.8, 1.2, 1.8)))


@dataclass(frozen=True, slots=True)
class Frame:
    """The time axis of one picture, in days since the opening."""

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
        span = _days(question.opens, question.closes)
        used = _days(question.opens, last)
        whole = not 0 < used < span / 3 or question.outcome is not None
        return cls(question.opens, last, span if whole else 1.15 * used, whole)

    def x(self, moment: dt.datetime) -> float:
        """Give the place of a moment, kept inside the picture."""
        return min(max(_days(self.opens, moment), 0.0), self.span)


def path(
    question: QuestionPath,
    *,
    labels: Mapping[str, str] | None = None,
    zone: str = "Europe/Kyiv",
    until: dt.datetime | None = None,
) -> "Figure":
    """Draw a question's forecasts: one panel, or one an option where there are several.

    Parameters
    ----------
    question : QuestionPath
        With at least one forecast or piece of evidence.
    labels : mapping, optional
        Names of forecasters, where the usual ones will not do.
    zone : str
        In which days are printed.
    until : datetime, optional
        The end of observed time, for questions that are still open.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    frame = Frame.of(question, until)
    panels = len(question.options) if question.type in ("categorical", "ordered") else 1
    inner = 210.0 if panels == 1 else 96.0
    gap = 26.0
    height = _STRIP + panels * inner + (panels - 1) * gap + _FOOT
    with style():
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        all_axes = []
        for k in range(panels):
            bottom = _FOOT + (panels - 1 - k) * (inner + gap)
            axes = figure.add_axes(
                (LEFT / WIDTH, bottom / height, _INNER / WIDTH, inner / height)
            )
            axes.set_xlim(0, frame.span)
            all_axes.append(axes)
            if question.type == "numeric":
                _numeric(axes, question, frame)
            else:
                _probabilities(axes, question, frame, k, labels or {}, inner)
            _time_axis(axes, frame, zone, last=k == panels - 1)
        top = all_axes[0]
        _evidence(figure, top, all_axes, question, frame, height)
        for axes in all_axes:
            unclip(axes)
    return figure


def describe(
    question: QuestionPath, *, labels: Mapping[str, str] | None = None, zone: str = "Europe/Kyiv"
) -> str:
    """Say in words what the picture of a question shows."""
    days = words.Days(zone)
    parts = [f"Forecasts from {days.day(question.opens)} to {days.end(question.closes)}"]
    for name in cast.ordered(question.paths):
        points = question.paths[name]
        if cast.role(name) in ("model", "base-rate", "person") and points:
            first, last = (_said(question, point) for point in (points[0], points[-1]))
            move = f"{first} at first, {last} at last" if len(points) > 1 else first
            parts.append(f"{cast.label(name, labels)}: {move}")
    if question.evidence:
        parts.append(words.plural(len(question.evidence), "piece of evidence", "pieces of evidence"))
    if question.outcome is not None:
        parts.append(f"outcome: {words.amount(question.outcome, question.unit)}")
    return "; ".join(parts) + ". The numbers are in the table below."


def _said(question: QuestionPath, point: Point) -> str:
    if question.type == "binary":
        return words.percent(point.values[0])
    if question.type == "numeric":
        return f"median {words.amount(_quantile(point, 50), question.unit)}"
    return ", ".join(
        f"{option} {words.percent(value)}"
        for option, value in zip(question.options, point.values, strict=True)
    )


def _probabilities(
    axes: "Axes",
    question: QuestionPath,
    frame: Frame,
    k: int,
    labels: Mapping[str, str],
    inner: float,
) -> None:
    axes.set_ylim(0, 1)
    ticks = [0, 0.25, 0.5, 0.75, 1] if inner > 150 else [0, 0.5, 1]
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    axes.grid(axis="y", color=PALETTE["line"], lw=0.7)
    axes.set_axisbelow(True)
    ends: list[tuple[float, str, str]] = []
    drawn = sorted(
        (name for name in question.paths if question.paths[name] and cast.role(name) in DRAWN),
        key=lambda name: (DRAWN.index(cast.role(name)), name),
    )
    views: list[float] = []
    people = [name for name in drawn if cast.role(name) == "person"]
    for name in drawn:
        points = question.paths[name]
        part = cast.role(name)
        pen = cast.PENS[part]
        dash = _DASHES[people.index(name) % len(_DASHES)] if part == "person" else pen.dash
        if part == "model" and question.type == "binary":
            _spread(axes, points, frame)
        x, y = _steps(points, frame, lambda point: point.values[k])
        axes.plot(x, y, color=PALETTE[pen.colour], lw=pen.width, ls=dash)
        if part == "worldview":
            views.append(y[-1])
        else:
            text = "pool" if part == "pool" and name not in labels else cast.label(name, labels)
            ends.append((y[-1], text, pen.colour))
    if views:
        middle = sorted(views)[len(views) // 2]
        ends.append((middle, "worldviews" if len(views) > 1 else "worldview", "faint"))
    at = frame.x(frame.last)
    if question.outcome is not None:
        hit = _happened(question, k)
        if hit is not None:
            x_end = frame.x(min(question.resolved_at or question.ends, question.closes))
            axes.plot([x_end], [hit], "o", ms=9, mfc=PALETTE["page"], mec=PALETTE["ink"], mew=2)
            said = f"outcome: {question.outcome}" if question.type == "binary" else "outcome"
            if question.type == "binary" or hit == 1:
                ends.append((hit, said, "ink"))
            if x_end < frame.span:
                axes.axvspan(x_end, frame.span, color=PALETTE["line"], alpha=0.35, lw=0)
            at = x_end
    if question.type != "binary":
        axes.set_title(
            printable(question.options[k]), loc="left", fontsize=12, weight="bold", pad=4
        )
    _end_labels(axes, ends, at, frame, inner)
    _claims(axes, question, frame, k, labels)


def _numeric(axes: "Axes", question: QuestionPath, frame: Frame) -> None:
    low, high = question.lower, question.upper
    values = [v for points in question.paths.values() for p in points for v in p.values]
    low = min(values, default=0.0) if low is None else low
    high = max(values, default=1.0) if high is None else high
    axes.set_ylim(low, high if high > low else low + 1)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda y, _: words.amount(y))
    axes.grid(axis="y", color=PALETTE["line"], lw=0.7)
    axes.set_axisbelow(True)
    ends: list[tuple[float, str, str]] = []
    scale = high - low if high > low else 1.0
    leader = next((n for n in ("model", *cast.ordered(question.paths)) if question.paths.get(n)), "")
    for name in reversed(cast.ordered(question.paths)):
        part = cast.role(name)
        points = question.paths[name]
        if not points or part not in DRAWN:
            continue
        pen = cast.PENS[part]
        if name == leader:
            for outer, opacity in ((5.0, 0.16), (25.0, 0.26)):
                x, a = _steps(points, frame, lambda p, q=outer: _quantile(p, q))
                _, b = _steps(points, frame, lambda p, q=outer: _quantile(p, 100 - q))
                axes.fill_between(x, a, b, color=PALETTE[pen.colour], alpha=opacity, lw=0)
        x, y = _steps(points, frame, lambda p: _quantile(p, 50))
        axes.plot(x, y, color=PALETTE[pen.colour], lw=pen.width, ls=pen.dash)
        if part != "worldview":
            text = "pool" if part == "pool" else cast.label(name)
            ends.append(((y[-1] - low) / scale, text, pen.colour))
    at = frame.x(frame.last)
    outcome = words.number(question.outcome)
    if outcome is not None:
        at = frame.x(min(question.resolved_at or question.ends, question.closes))
        axes.plot([at], [outcome], "o", ms=9, mfc=PALETTE["page"], mec=PALETTE["ink"], mew=2)
        ends.append(((outcome - low) / scale, f"outcome: {words.amount(outcome)}", "ink"))
    _end_labels(axes, ends, at, frame, 210.0)


def _quantile(point: Point, level: float) -> float:
    """Read the quantile nearest to a level."""
    nearest = min(range(len(point.levels)), key=lambda i: abs(point.levels[i] - level))
    return point.values[nearest]


def _steps(
    points: Sequence[Point], frame: Frame, value: Callable[[Point], float]
) -> tuple[list[float], list[float]]:
    """Give the corners of a step line; a forecast holds until the next one."""
    x: list[float] = []
    y: list[float] = []
    for point in points:
        at, now = frame.x(point.at), value(point)
        if y and abs(now - y[-1]) < 1e-9:
            continue
        if y:
            x.append(at)
            y.append(y[-1])
        x.append(at)
        y.append(now)
    x.append(max(frame.x(frame.last), x[-1]))
    y.append(y[-1])
    return x, y


def _spread(axes: "Axes", points: Sequence[Point], frame: Frame) -> None:
    known = [point for point in points if point.p05 is not None and point.p95 is not None]
    if not known:
        return
    x = [frame.x(point.at) for point in known]
    x.append(max(frame.x(frame.last), x[-1]))
    low = [point.p05 or 0.0 for point in known]
    high = [point.p95 or 0.0 for point in known]
    axes.fill_between(
        x, [*low, low[-1]], [*high, high[-1]], step="post", color=PALETTE["model"], alpha=0.15, lw=0
    )


def _happened(question: QuestionPath, k: int) -> float | None:
    if question.type == "binary":
        return {"yes": 1.0, "no": 0.0}.get(question.outcome or "")
    if question.outcome not in question.options:
        return None
    return float(question.options[k] == question.outcome)


def _claims(
    axes: "Axes", question: QuestionPath, frame: Frame, k: int, labels: Mapping[str, str]
) -> None:
    for name in cast.ordered(question.paths):
        if cast.role(name) != "text":
            continue
        for point in question.paths[name]:
            at, p = frame.x(point.at), point.values[k]
            axes.plot([at], [p], "D", ms=7, mfc=PALETTE["ink"], mec=PALETTE["page"], mew=1)
            if k == 0 or question.type == "binary":
                near_end = at > 0.75 * frame.span
                axes.annotate(
                    printable(cast.label(name, labels)),
                    (at, p),
                    (-7 if near_end else 7, 8 if p < 0.9 else -8),
                    textcoords="offset points",
                    ha="right" if near_end else "left",
                    va="center",
                    fontsize=11,
                )


def _end_labels(
    axes: "Axes",
    ends: Sequence[tuple[float, str, str]],
    at: float,
    frame: Frame,
    inner: float,
) -> None:
    """Write names beside the ends of lines, spread so that none covers another."""
    if not ends:
        return
    # Letters are larger on a narrow screen, so the room between two is theirs.
    room = 16.5 / inner
    ordered = sorted(ends, key=lambda end: end[0])
    places = spread([height for height, _, _ in ordered], room, -0.04, 1.04)
    for (height, text, colour), place in zip(ordered, places, strict=True):
        text = printable(text)
        text = text if len(text) <= 14 else f"{text[:13]}…"
        offset = _INNER * at / frame.span
        axes.annotate(
            "",
            ((offset + 2) / _INNER, height),
            ((offset + 12) / _INNER, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": PALETTE["faint"], "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
        axes.text(
            (offset + 14) / _INNER,
            place,
            text,
            transform=axes.transAxes,
            va="center",
            color=PALETTE[colour if colour != "faint" else "soft"],
            weight="bold" if colour in ("ink", "model") else "normal",
        )


def spread(places: Sequence[float], room: float, low: float, high: float) -> list[float]:
    """Move rising places apart to `room`, as little as needed and inside [low, high] if they fit.

    Examples
    --------
    >>> [round(place, 2) for place in spread([0.5, 0.5, 0.9], 0.1, 0, 1)]
    [0.45, 0.55, 0.9]
    """
    blocks: list[list[float]] = []  # wanted centre, members
    for place in places:
        blocks.append([place, 1.0])
        while len(blocks) > 1:
            (a, n), (b, m) = blocks[-2], blocks[-1]
            if b - a >= room * (n + m) / 2:
                break
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    found = [
        centre + room * (i - (n - 1) / 2) for centre, n in blocks for i in range(int(n))
    ]
    for i in range(len(found)):
        found[i] = max(found[i], low + room * i)
    for i in reversed(range(len(found))):
        found[i] = min(found[i], high - room * (len(found) - 1 - i))
    return found


def _evidence(
    figure: "Figure",
    top: "Axes",
    all_axes: Sequence["Axes"],
    question: QuestionPath,
    frame: Frame,
    height: float,
) -> None:
    """Number the evidence above the picture; pieces too close for their numbers share a range."""
    if not question.evidence:
        return
    bins: list[tuple[float, int, int]] = []
    for number, mark in enumerate(question.evidence, start=1):
        at = _INNER * frame.x(mark.known_at) / frame.span
        for axes in all_axes:
            axes.axvline(at / _INNER * frame.span, color=PALETTE["faint"], lw=0.6, alpha=0.55, zorder=0.5)
        if bins and at - bins[-1][0] < 25:
            bins[-1] = (bins[-1][0], bins[-1][1], number)
        else:
            bins.append((at, number, number))
    for row, (at, first, last) in enumerate(bins):
        raised = 8.0 if row % 2 == 0 else 24.0
        figure.text(
            (LEFT + at) / WIDTH,
            1 - (_STRIP - raised - (0 if question.type in ("binary", "numeric") else 0)) / height,
            str(first) if first == last else f"{first}–{last}",
            ha="left" if len(bins) > 1 or at < 20 else "center",
            va="center",
            fontsize=11,
            color=PALETTE["soft"],
        )


def _time_axis(axes: "Axes", frame: Frame, zone: str, *, last: bool) -> None:
    ticks = dates(frame, zone)
    axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
    axes.tick_params(axis="x", labelbottom=last)
    if not last:
        return
    for label, (at, _) in zip(axes.get_xticklabels(), ticks, strict=True):
        label.set_horizontalalignment("left" if at < 0.06 * frame.span else "center")


def dates(frame: Frame, zone: str, *, most: int = 5) -> list[tuple[float, str]]:
    """Choose the round days of a time axis: (days since the opening, text)."""
    local = words.Days(zone)
    start = local.local(frame.opens)
    for step in (1, 2, 3, 7, 14):
        if frame.span / step < most:
            first = start.replace(hour=0, minute=0, second=0, microsecond=0)
            found = [first + dt.timedelta(days=step * i) for i in range(int(frame.span / step) + 2)]
            return _inside(found, frame, lambda day: local.day(day).rsplit(" ", 1)[0])
    for months in (1, 2, 3, 6, 12, 24, 60, 120):
        if frame.span / (30.44 * months) < most:
            break
    found = []
    count = start.year * 12 + start.month - 1
    count += -count % months
    while len(found) < 3 * most:
        found.append(dt.datetime(count // 12, count % 12 + 1, 1, tzinfo=local.zone))
        count += months
    if months % 12 == 0:
        return _inside(found, frame, lambda day: str(day.year))
    return _inside(found, frame, lambda day: local.day(day).split(" ", 1)[1])


def _inside(
    days: Sequence[dt.datetime], frame: Frame, write: Callable[[dt.datetime], str]
) -> list[tuple[float, str]]:
    kept = [(day - frame.opens) / dt.timedelta(days=1) for day in days]
    return [
        (max(at, 0.0), write(day)) for at, day in zip(kept, days, strict=True) if -0.01 <= at <= frame.span
    ]


def _days(start: dt.datetime, end: dt.datetime) -> float:
    return (end - start) / dt.timedelta(days=1)
