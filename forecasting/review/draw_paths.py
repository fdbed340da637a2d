"""Drawings of one question's forecasts over time, with evidence, claims and outcome."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecasters import family, ordered
from forecasting.review import cast, draw_news, words
from forecasting.review.data import Point, QuestionPath
from forecasting.review.draw import unclip
from forecasting.review.layout import Frame, dates, numbered, spread
from forecasting.review.svg import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Drawn in this order, the last on top; the other forecasters stand in the table only.
DRAWN = ("worldview", "pool", "prior", "base-rate", "model", "person")
WIDTH, LEFT, RIGHT = 560.0, 56.0, 134.0
_INNER = WIDTH - LEFT - RIGHT
_FOOT = 30.0
#: The height of a line's end, its name, its colour, and where the leader starts (None: the end).
type End = tuple[float, str, str, float | None]
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2.2)), (0, (1.2, 1.6)), (0, (6, 1.8, 1.2, 1.8)))


def path(
    question: QuestionPath,
    *,
    labels: Mapping[str, str] | None = None,
    zone: str = "UTC",
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
    news = draw_news.TALL + draw_news.GAP if draw_news.fading(question) else 0.0
    height = _strip(question) + panels * inner + (panels - 1) * gap + news + _FOOT
    with style():
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        all_axes = []
        for k in range(panels):
            bottom = _FOOT + news + (panels - 1 - k) * (inner + gap)
            axes = figure.add_axes((LEFT / WIDTH, bottom / height, _INNER / WIDTH, inner / height))
            axes.set_xlim(0, frame.span)
            all_axes.append(axes)
            if question.type == "numeric":
                _numeric(axes, question, frame, labels or {})
            else:
                _probabilities(axes, question, frame, k, labels or {}, inner)
            _time_axis(axes, frame, zone, last=k == panels - 1 and not news)
        if news:
            tall = draw_news.TALL / height
            axes = figure.add_axes((LEFT / WIDTH, _FOOT / height, _INNER / WIDTH, tall))
            axes.set_xlim(0, frame.span)
            draw_news.news(axes, question, frame)
            _time_axis(axes, frame, zone, last=True)
            all_axes.append(axes)
        _evidence(figure, all_axes, question, frame, height)
        for axes in all_axes:
            unclip(axes)
    return figure


def describe(
    question: QuestionPath, *, labels: Mapping[str, str] | None = None, zone: str = "UTC"
) -> str:
    """Say in words what the picture of a question shows."""
    days = words.Days(zone)
    parts = [f"Forecasts from {days.day(question.opens)} to {days.end(question.closes)}"]
    for name in ordered(question.paths):
        points = question.paths[name]
        if family(name) in ("model", "base-rate", "person") and points:
            first, last = (_said(question, point) for point in (points[0], points[-1]))
            move = f"{first} at first, {last} at last" if len(points) > 1 else first
            parts.append(f"{cast.label(name, labels)}: {move}")
    if question.evidence:
        parts.append(
            words.plural(len(question.evidence), "piece of evidence", "pieces of evidence")
        )
    if question.outcome is not None:
        parts.append(f"outcome: {words.amount(question.outcome, question.unit)}")
    return "; ".join(parts) + ". The numbers are in the table below."


def _strip(question: QuestionPath) -> float:
    """Give the room above the panels: two rows of numbers, and below them a name or a unit."""
    return 42.0 if question.type == "binary" else 58.0


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
    ends: list[End] = []
    drawn = sorted(
        (name for name in question.paths if question.paths[name] and family(name) in DRAWN),
        key=lambda name: (DRAWN.index(family(name)), name),
    )
    views: list[float] = []
    people = [name for name in drawn if family(name) == "person"]
    for name in drawn:
        points = question.paths[name]
        part = family(name)
        pen = cast.PENS[part]
        dash = _DASHES[people.index(name) % len(_DASHES)] if part == "person" else pen.dash
        if part == "model" and question.type == "binary":
            known = [
                (point.at, point.p05, point.p95)
                for point in points
                if point.p05 is not None and point.p95 is not None
            ]
            _band(axes, frame, known, "model", 0.15)
        x, y = _steps(points, frame, lambda point: point.values[k])
        axes.plot(x, y, color=PALETTE[pen.colour], lw=pen.width, ls=dash)
        if part == "worldview":
            views.append(y[-1])
        else:
            text = "pool" if part == "pool" and name not in labels else cast.label(name, labels)
            ends.append((y[-1], text, pen.colour, None))
    if views:
        middle = sorted(views)[len(views) // 2]
        ends.append((middle, "worldviews" if len(views) > 1 else "worldview", "faint", None))
    at = frame.x(frame.last)
    if question.outcome is not None:
        hit = _happened(question, k)
        if hit is not None:
            x_end = frame.x(min(question.resolved_at or question.ends, question.closes))
            axes.plot([x_end], [hit], "o", ms=9, mfc=PALETTE["page"], mec=PALETTE["ink"], mew=2)
            said = f"outcome: {question.outcome}" if question.type == "binary" else "outcome"
            if question.type == "binary" or hit == 1:
                ends.append((hit, said, "ink", None))
            if x_end < frame.span:
                axes.axvspan(x_end, frame.span, color=PALETTE["line"], alpha=0.35, lw=0)
            at = x_end
    if question.type != "binary":
        axes.set_title(
            words.clean(question.options[k]), loc="left", fontsize=12, weight="bold", pad=4
        )
    ends += _claims(axes, question, frame, k, labels, at)
    _end_labels(axes, ends, at, frame, inner)


def _numeric(axes: "Axes", question: QuestionPath, frame: Frame, labels: Mapping[str, str]) -> None:
    low, high = question.lower, question.upper
    values = [v for points in question.paths.values() for p in points for v in p.values]
    low = min(values, default=0.0) if low is None else low
    high = max(values, default=1.0) if high is None else high
    axes.set_ylim(low, high if high > low else low + 1)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(lambda y, _: words.amount(y))
    axes.set_title(words.clean(question.unit), loc="left", fontsize=12, pad=4)
    axes.grid(axis="y", color=PALETTE["line"], lw=0.7)
    axes.set_axisbelow(True)
    ends: list[End] = []
    scale = high - low if high > low else 1.0
    leader = next((n for n in ("model", *ordered(question.paths)) if question.paths.get(n)), "")
    for name in reversed(ordered(question.paths)):
        part = family(name)
        points = question.paths[name]
        if not points or part not in DRAWN:
            continue
        pen = cast.PENS[part]
        if name == leader:
            for outer, opacity in ((5.0, 0.16), (25.0, 0.26)):
                fan = [(p.at, _quantile(p, outer), _quantile(p, 100 - outer)) for p in points]
                _band(axes, frame, fan, pen.colour, opacity)
        x, y = _steps(points, frame, lambda p: _quantile(p, 50))
        axes.plot(x, y, color=PALETTE[pen.colour], lw=pen.width, ls=pen.dash)
        if part != "worldview":
            text = "pool" if part == "pool" and name not in labels else cast.label(name, labels)
            ends.append(((y[-1] - low) / scale, text, pen.colour, None))
    at = frame.x(frame.last)
    outcome = words.number(question.outcome)
    if outcome is not None:
        at = frame.x(min(question.resolved_at or question.ends, question.closes))
        axes.plot([at], [outcome], "o", ms=9, mfc=PALETTE["page"], mec=PALETTE["ink"], mew=2)
        ends.append(((outcome - low) / scale, f"outcome: {words.amount(outcome)}", "ink", None))
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


def _band(
    axes: "Axes",
    frame: Frame,
    limits: Sequence[tuple[dt.datetime, float, float]],
    colour: str,
    opacity: float,
) -> None:
    """Shade between two limits, which hold until the next pair."""
    if not limits:
        return
    x = [frame.x(at) for at, _, _ in limits]
    x.append(max(frame.x(frame.last), x[-1]))
    low = [limit for _, limit, _ in (*limits, limits[-1])]
    high = [limit for _, _, limit in (*limits, limits[-1])]
    axes.fill_between(x, low, high, step="post", color=PALETTE[colour], alpha=opacity, lw=0)


def _happened(question: QuestionPath, k: int) -> float | None:
    if question.type == "binary":
        return {"yes": 1.0, "no": 0.0}.get(question.outcome or "")
    if question.outcome not in question.options:
        return None
    return float(question.options[k] == question.outcome)


def _claims(
    axes: "Axes",
    question: QuestionPath,
    frame: Frame,
    k: int,
    labels: Mapping[str, str],
    end: float,
) -> list[End]:
    """Mark what the texts claim; give the names that stand better among those of the lines."""
    found: list[End] = []
    for name in ordered(question.paths):
        if family(name) != "text":
            continue
        text = cast.label(name, labels)
        for point in question.paths[name]:
            at, p = frame.x(point.at), point.values[k]
            axes.plot([at], [p], "D", ms=7, mfc=PALETTE["ink"], mec=PALETTE["page"], mew=1)
            if k:
                continue
            if _INNER * (end - at) / frame.span < 80:
                found.append((p, text, "soft", at))
                continue
            axes.annotate(
                words.clean(text),
                (at, p),
                (7, 8 if p < 0.9 else -8),
                textcoords="offset points",
                va="center",
                fontsize=11,
                bbox={"fc": PALETTE["page"], "ec": "none", "pad": 1, "alpha": 0.75},
            )
    return found


def _end_labels(axes: "Axes", ends: Sequence[End], end: float, frame: Frame, inner: float) -> None:
    """Write names beside the ends of lines, spread so that none covers another."""
    # Letters are larger on a narrow screen, so the room between two is theirs.
    ordered = sorted(ends, key=lambda one: one[0])
    heights = [height for height, _, _, _ in ordered]
    places = spread(heights, 16.5 / inner, 8 / inner, 1.03)
    offset = _INNER * end / frame.span
    leader = {"arrowstyle": "-", "color": PALETTE["faint"], "lw": 0.6, "shrinkA": 0, "shrinkB": 0}
    for (height, text, colour, start), place in zip(ordered, places, strict=True):
        begin = offset if start is None else _INNER * start / frame.span + 4
        axes.annotate(
            "",
            ((begin + 2) / _INNER, height),
            ((offset + 12) / _INNER, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            arrowprops=leader,
        )
        text = words.clean(text)
        axes.text(
            (offset + 14) / _INNER,
            place,
            text if len(text) <= 14 else f"{text[:13]}…",
            transform=axes.transAxes,
            va="center",
            color=PALETTE["soft" if colour == "faint" else colour],
            weight="bold" if colour in ("ink", "model") else "normal",
        )


def _evidence(
    figure: "Figure",
    panels: Sequence["Axes"],
    question: QuestionPath,
    frame: Frame,
    height: float,
) -> None:
    """Write the numbers of the evidence above the picture; the list below it has the same."""
    places = [_INNER * frame.x(mark.known_at) / frame.span for mark in question.evidence]
    for axes in panels:
        for at in places:
            x = at / _INNER * frame.span
            axes.axvline(x, color=PALETTE["faint"], lw=0.6, alpha=0.55, zorder=0.5)
    marks = numbered(places)
    gaps = [after[0] - before[0] for before, after in pairwise(marks)]
    crowded = bool(gaps) and min(gaps) < 48
    for row, (at, text) in enumerate(marks):
        below_top = 12.0 if crowded and row % 2 else 28.0
        figure.text(
            (LEFT + at) / WIDTH,
            1 - below_top / height,
            text,
            ha="center",
            va="center",
            fontsize=11,
            color=PALETTE["soft"],
        )


def _time_axis(axes: "Axes", frame: Frame, zone: str, *, last: bool) -> None:
    ticks = dates(frame, zone)
    axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
    axes.tick_params(axis="x", labelbottom=last)
