"""A question's forecasts over time as a chart for templates: lines, bands, news, outcome."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from forecasting.domain.forecasters import family, ordered
from forecasting.domain.instants import DAYS
from forecasting.review import cast, words
from forecasting.review.data import Mark, Point, QuestionPath
from forecasting.review.news_strip import Strip, news_strip
from forecasting.review.plot import (
    WIDE,
    Frame,
    Plot,
    Scale,
    Size,
    numbered,
    over_time,
    spread,
    step_area,
    steps,
    ticks,
)

#: Where the axis of an open question may end while all that is drawn lies well below.
RARE = (0.05, 0.25, 0.5)
#: More people than these beside oneself are drawn thin and named together.
MOST_PEOPLE = 5
#: Drawn in this order, the last on top.
DRAWN = ("worldview", "pool", "prior", "base-rate", "model", "person")
_TALL, _LOW = 290.0, 150.0
#: The least room beside the axes, for half of a day's name below them.
EDGE = 36.0
#: A name stands so far from the end of its line, has at most so many letters, each so wide where
#: letters are largest, on the page of a review.
NAME_AT, MOST_LETTERS, WIDEST = 14.0, 17, 9.8


@dataclass(frozen=True, slots=True)
class Line:
    """One forecaster's line: `d` of its path, the pen that draws it, what it says where."""

    name: str
    pen: str
    role: str
    d: str
    dots: Sequence[tuple[float, float, str]] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """A name at the end of a line, with the leader to it."""

    x: float
    y: float
    text: str
    pen: str
    leader: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """A mark of news on the time line: its number, its place, and its words."""

    x: float
    number: str
    tip: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, of the question or an option; `claims` are place, name and whether it is left."""

    plot: Plot
    title: str = ""
    lines: Sequence[Line] = ()
    bands: Sequence[tuple[str, str]] = ()
    labels: Sequence[Label] = ()
    claims: Sequence[tuple[float, float, str, bool]] = ()
    outcome: tuple[float, float, str] | None = None
    after: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class PathChart:
    """The whole chart."""

    panels: Sequence[Panel]
    news: Sequence[News] = ()
    strip: Strip | None = None
    said: str = ""


def path_chart(
    question: QuestionPath,
    *,
    zone: str,
    until: dt.datetime | None = None,
    labels: Mapping[str, str] | None = None,
    me: str = "",
    hidden: Callable[[str], bool] = lambda name: False,
    size: Size = WIDE,
) -> PathChart:
    """Lay a question's forecasts out; the line of `me` is solid, other people's are dashed."""
    frame = Frame.of(question, until)
    end = frame.opens + dt.timedelta(days=frame.span)
    several = question.type in ("categorical", "ordered")
    names = [name for name in _drawn_names(question) if not hidden(name)]
    named = {name: _line_name(name, names, labels or {}, me) for name in names}
    size = size._replace(right=_beside(question, frame, named.values(), size))
    panels = [
        _panel(question, frame, end, k, named, zone, labels or {}, several, me, size)
        for k in range(len(question.options) if several else 1)
    ]
    return PathChart(
        panels,
        _news(question, panels[0].plot, zone),
        news_strip(question, frame, zone=zone, size=size),
        describe(question, zone, names, labels or {}),
    )


def _beside(question: QuestionPath, frame: Frame, names: Iterable[str], size: Size) -> float:
    """Give the room that names beside the lines need; they begin where the lines end."""
    written = [_short_name(name) for name in names]
    if question.outcome is not None:
        several = question.type in ("categorical", "ordered")
        written.append("outcome" if several else _short_name(_outcome_name(question)))
    need = NAME_AT + WIDEST * max(map(len, written), default=0)
    at = frame.last if question.resolved_at is None else min(question.resolved_at, question.closes)
    inside = 1 - frame.x(at) / frame.span
    within = (need - inside * (size.width - size.left)) / max(1 - inside, 0.1)
    return min(max(within, EDGE), size.right)


def _outcome_name(question: QuestionPath) -> str:
    """Name the outcome beside its mark, in no more letters than there is room for."""
    value = words.number(question.outcome)
    shown = question.outcome if value is None else words.bare(value, question.unit)
    return f"{'on' if question.unit == DAYS else 'outcome:'} {shown}"


def _line_name(name: str, names: Sequence[str], labels: Mapping[str, str], me: str) -> str:
    """Name a line beside its end; worldviews are named together, and so are many people."""
    part = family(name)
    people = [each for each in names if family(each) == "person" and each != me]
    if name in people and len(people) > MOST_PEOPLE:
        return f"{len(people)} {'others' if me else 'people'}"
    return {"pool": "pool", "worldview": "worldviews"}.get(part) or cast.label(name, labels)


def _short_name(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def describe(
    question: QuestionPath, zone: str, names: Sequence[str], labels: Mapping[str, str]
) -> str:
    """Say in words what the chart shows."""
    days = words.Days(zone)
    parts = [f"Forecasts from {days.day(question.opens)} to {days.end(question.closes)}"]
    for name in names:
        points = question.paths[name]
        if family(name) in ("model", "base-rate", "person") and points:
            first, last = (forecast_text(question, point) for point in (points[0], points[-1]))
            move = f"{first} at first, {last} at last" if len(points) > 1 else first
            parts.append(f"{cast.label(name, labels)}: {move}")
    if question.evidence:
        parts.append(words.plural(len(question.evidence), "item of news", "items of news"))
    if question.outcome is not None:
        parts.append(f"outcome: {words.amount(question.outcome, question.unit)}")
    return "; ".join(parts) + "."


def forecast_text(question: QuestionPath, point: Point) -> str:
    """Write what a forecast says."""
    if question.type == "binary":
        return words.said(point.values[0])
    if question.type == "numeric":
        return f"median {words.amount(point.quantile(50), question.unit)}"
    return ", ".join(
        f"{option}: {words.said(value)}"
        for option, value in zip(question.options, point.values, strict=True)
    )


def _drawn_names(question: QuestionPath) -> list[str]:
    return sorted(
        (name for name, points in question.paths.items() if points and family(name) in DRAWN),
        key=lambda name: (DRAWN.index(family(name)), name),
    )


def _panel(
    question: QuestionPath,
    frame: Frame,
    end: dt.datetime,
    k: int,
    named: Mapping[str, str],
    zone: str,
    labels: Mapping[str, str],
    several: bool,
    me: str,
    size: Size,
) -> Panel:
    texts = [name for name in ordered(question.paths) if family(name) == "text"]
    low, high, y_ticks = _range(question, [*named, *texts])
    plot = over_time(
        frame.opens,
        end,
        zone=zone,
        low=low,
        high=high,
        y_ticks=y_ticks if not several else [(0, "0 %"), (0.5, "50 %"), (1, "100 %")],
        height=_LOW if several else _TALL,
        above=28,
        size=size,
    )
    last = plot.at(frame.last)
    lines, bands, ends = [], [], []
    together: dict[str, list[float]] = {}
    people = [name for name in named if family(name) == "person" and name != me]
    many = len(people) > MOST_PEOPLE
    days = words.Days(zone)
    # The forecaster whose fan of quantiles is shaded.
    leads = me if me in named else next(iter(ordered(named)), "")
    for name, written in named.items():
        role, points = family(name), question.paths[name]
        pen = cast.PENS[role]
        value = _reader(question, k)
        places = [(plot.at(point.at), plot.y(value(point))) for point in points]
        bands += _bands(question, plot, points, role, last, leads=name == leads)
        label = cast.label(name, labels)
        tips = [
            (x, y, f"{label}: {forecast_text(question, point)}\n{days.moment(point.at)}")
            for (x, y), point in zip(places, points, strict=True)
        ]
        reach = max(last, places[-1][0])
        drawn = f"other-{people.index(name) % 3}" if name in people else role
        if name in people and many:
            pen, drawn = "faint", "others"
        lines.append(Line(name, pen, drawn, steps(places, reach), tips))
        if drawn in ("worldview", "others"):
            together.setdefault(written, []).append(places[-1][1])
        else:
            ends.append((places[-1][1], written, pen))
    ends += [(sorted(at)[len(at) // 2], text, "faint") for text, at in together.items()]
    outcome = _outcome(question, plot, k)
    after = None
    at = last
    if outcome is not None:
        at = outcome[0]
        ends.append((outcome[1], outcome[2], "ink"))
        after = (at, plot.x.end - at) if at < plot.x.end - 0.5 else None
    claims = [
        _claim(plot, point, k, cast.label(name, labels), at)
        for name in texts
        for point in question.paths[name]
        if question.type != "numeric"
    ]
    return Panel(
        plot,
        title=question.options[k] if several else words.beside(question.unit),
        lines=lines,
        bands=bands,
        labels=names_beside([(y, _short_name(text), pen) for y, text, pen in ends], at, plot),
        claims=claims,
        outcome=outcome,
        after=after,
    )


def _range(
    question: QuestionPath, drawn: Sequence[str]
) -> tuple[float, float, Sequence[tuple[float, str]]]:
    """Give the ends and the marks of the axis; rare chances get the room that they need."""
    if question.type != "numeric":
        points = [point for name in drawn for point in question.paths[name]]
        top = max((max(*p.values, p.p95 or 0.0) for p in points), default=1.0)
        room = next((end for end in RARE if top <= 0.8 * end), 1.0)
        if question.type != "binary" or question.outcome is not None or room == 1.0:
            return 0.0, 1.0, ()
        return 0.0, room, [(room * k / 5, f"{20 * room * k:g} %") for k in range(6)]
    values = [v for points in question.paths.values() for p in points for v in p.values]
    outcome = words.number(question.outcome)
    values += [] if outcome is None else [outcome]
    low = min(values, default=0.0) if question.lower is None else question.lower
    high = max(values, default=1.0) if question.upper is None else question.upper
    high = high if high > low else low + 1
    # From 100 on amounts are written whole: a mark between two would have the name of another.
    marks = [each for each in ticks(low, high, 5) if abs(each) < 100 or each == int(each)]
    return low, high, [(each, words.bare(each, question.unit)) for each in marks]


def _reader(question: QuestionPath, k: int) -> Callable[[Point], float]:
    if question.type == "numeric":
        return lambda point: point.quantile(50)
    return lambda point: point.values[k]


def _bands(
    question: QuestionPath,
    plot: Plot,
    points: Sequence[Point],
    role: str,
    last: float,
    *,
    leads: bool,
) -> list[tuple[str, str]]:
    if question.type == "numeric" and leads:
        areas = []
        for outer in (5.0, 25.0):
            corners = [
                (plot.at(p.at), plot.y(p.quantile(outer)), plot.y(p.quantile(100 - outer)))
                for p in points
            ]
            areas.append((step_area(corners, max(last, corners[-1][0])), role))
        return areas
    if question.type == "binary" and role == "model":
        known = [
            (plot.at(p.at), plot.y(p.p05), plot.y(p.p95))
            for p in points
            if p.p05 is not None and p.p95 is not None
        ]
        return [(step_area(known, max(last, known[-1][0])), role)] if known else []
    return []


def _outcome(question: QuestionPath, plot: Plot, k: int) -> tuple[float, float, str] | None:
    at = question.resolved_at
    if question.outcome is None or at is None:
        return None
    x = plot.at(min(at, question.closes))
    if question.type == "binary":
        hit = {"yes": 1.0, "no": 0.0}.get(question.outcome)
        return None if hit is None else (x, plot.y(hit), _outcome_name(question))
    if question.type == "numeric":
        value = words.number(question.outcome)
        return None if value is None else (x, plot.y(value), _outcome_name(question))
    if question.outcome not in question.options:
        return None
    hit = float(question.options[k] == question.outcome)
    return (x, plot.y(hit), "outcome" if hit else "")


def _claim(
    plot: Plot, point: Point, k: int, name: str, end: float
) -> tuple[float, float, str, bool]:
    """Place what a text claims; the first panel names it, on the side where there is room."""
    x = plot.at(point.at)
    left = end - x < 100 < x - plot.x.start
    return x, plot.y(point.values[k]), "" if k else name, left


def names_beside(
    ends: Sequence[tuple[float, str, str]],
    at: float,
    plot: Plot,
    strong: Sequence[str] = ("ink", "model"),
) -> list[Label]:
    """Write names beside the ends of lines, spread so that none covers another."""
    wanted = sorted((each for each in ends if each[1]), key=lambda one: one[0])
    places = spread([y for y, _, _ in wanted], 17, plot.y.end, plot.y.start - 6)
    x = at + NAME_AT
    return [
        Label(
            round(x, 1),
            round(place + 4, 1),
            text,
            pen,
            f"M{at + 2:g} {y:g}L{x - 2:g} {place:.1f}",
            strong=pen in strong,
        )
        for (y, text, pen), place in zip(wanted, places, strict=True)
    ]


def _news(question: QuestionPath, plot: Plot, zone: str) -> list[News]:
    """Give the marks of news a number each; those too close together share a range."""
    places = [plot.at(mark.known_at) for mark in question.evidence]
    texts = [_news_tip(mark, zone) for mark in question.evidence]
    marks, start = [], 0
    for x, number in numbered(places):
        first, _, last = number.partition("–")
        count = int(last or first) - int(first) + 1
        tip = "\n".join(texts[start : start + min(count, 5)])
        more = f"\nand {count - 5} more" if count > 5 else ""
        marks.append(News(round(x, 1), number, tip + more))
        start += count
    return marks


def _news_tip(mark: Mark, zone: str) -> str:
    weight = "" if mark.ratio is None else f" ({words.ratio(mark.ratio)})"
    return f"{words.Days(zone).known(mark.known_at)}: {mark.title}{weight}"


@dataclass(frozen=True, slots=True)
class Density:
    """The curve of a number's quantiles: bars of equal weight between them, and the marks."""

    plot: Plot
    outline: str
    marks: Sequence[tuple[float, float, str]]


def density(
    levels: Sequence[float], values: Sequence[float], *, low: float, high: float, unit: str = ""
) -> Density | None:
    """Draw what quantiles say, even between two and out to the bounds; None where they fall."""
    pairs = sorted(zip(levels, values, strict=True))
    rising = all(a[1] <= b[1] for a, b in pairwise(pairs))
    inside = all(low <= value <= high for _, value in pairs)
    if len(pairs) < 2 or not rising or not inside:
        return None
    corners = [(0.0, low), *pairs, (100.0, high)]
    least = (high - low) / 400
    bars = []
    for (a, x), (b, y) in pairwise(corners):
        weight = (b - a) / 100
        if weight > 0:
            bars.append((x, max(y, x + least), weight / max(y - x, least)))
    width, height = 560.0, 170.0
    x_scale = Scale(low, high, 12, width - 12)
    tallest = max(each for _, _, each in bars)
    y_scale = Scale(0, tallest, height - 26, 12)
    outline = f"M{x_scale(bars[0][0]):g} {y_scale.start:g}"
    for x, y, tall in bars:
        outline += f"L{x_scale(x):g} {y_scale(tall):g}L{x_scale(y):g} {y_scale(tall):g}"
    outline += f"L{x_scale(bars[-1][1]):g} {y_scale.start:g}Z"
    plot = Plot(
        width,
        height,
        x_scale,
        y_scale,
        x_ticks=[(x_scale(v), words.bare(v, unit)) for v in ticks(low, high, 6)],
    )
    marks = [
        (x_scale(value), y_scale.start, f"{level:g} %: {words.amount(value, unit)}")
        for level, value in pairs
    ]
    return Density(plot, outline, marks)
