"""The charts of a review as templates draw them: reliability, what was said, scores over time."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecasting.domain.forecasters import family, ordered
from forecasting.review import cast, words
from forecasting.review.plot import Plot, Scale, apart, between, line, ticks
from forecasting.review.tables import Board

#: Quarters of a probability.
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Points of a curve that are marked, those that rest on most; more would hide it.
MOST_DOTS = 40


@dataclass(frozen=True, slots=True)
class Dot:
    """A point with what it says when it is pointed at."""

    x: float
    y: float
    tip: str
    n: float = 0.0


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval around a point: from `low` to `high` at `x`."""

    x: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram, and the part of it that came true."""

    x: float
    y: float
    width: float
    height: float
    part_y: float
    part: float
    tip: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram with the counts of what was said below it."""

    frame: Plot
    diagonal: str
    curve: str
    band: str
    whiskers: tuple[Whisker, ...]
    dots: tuple[Dot, ...]
    below: Plot
    bars: tuple[Bar, ...]


def reliability(
    points: Sequence[Mapping[str, Any]], histogram: Sequence[Mapping[str, Any]] | None = None
) -> Reliability | None:
    """Lay out a calibration's curve, its band, and the histogram of what was said."""
    points = [
        point
        for point in points
        if None not in (words.number(point["forecast"]), words.number(point["event_rate"]))
    ]
    if not points:
        return None
    x, y = Scale(0, 1, 52, 412), Scale(0, 1, 332, 30)
    frame = Plot(
        424,
        372,
        x,
        y,
        x_ticks=[(x(at), words.percent(at)) for at in QUARTERS],
        y_ticks=[(y(at), words.percent(at)) for at in QUARTERS],
        x_name="said",
        y_name="happened",
    )
    known = [p for p in points if None not in (words.number(p["lower"]), words.number(p["upper"]))]
    few = len(known) <= 3
    return Reliability(
        frame,
        line([(x(0), y(0)), (x(1), y(1))]),
        line([(x(p["forecast"]), y(p["event_rate"])) for p in points]),
        ""
        if few
        else between(
            [(x(p["forecast"]), y(p["lower"])) for p in known],
            [(x(p["forecast"]), y(p["upper"])) for p in known],
        ),
        tuple(Whisker(x(p["forecast"]), y(p["lower"]), y(p["upper"])) for p in known)
        if few
        else (),
        tuple(
            Dot(x(p["forecast"]), y(p["event_rate"]), _tip(p), float(p["n"]))
            for p in sorted(points, key=lambda p: -p["n"])[:MOST_DOTS]
        ),
        *_counts(_tenths(points) if histogram is None else histogram),
    )


def _tip(point: Mapping[str, Any]) -> str:
    text = (
        f"said {words.percent(point['forecast'])}, happened {words.percent(point['event_rate'])} "
        f"(n = {words.count(point['n'])})"
    )
    if None in (words.number(point["lower"]), words.number(point["upper"])):
        return text
    return f"{text}\nchance alone: {words.between(point['lower'], point['upper'])}"


def _tenths(points: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Count the forecasts of a curve in ten bins; means over picks are not whole numbers."""
    bins = [{"from": k / 10, "to": (k + 1) / 10, "n": 0.0, "n_yes": 0.0} for k in range(10)]
    for point in points:
        # Decimals such as 0.3 are to fall into the bin that they begin.
        one = bins[min(9, int(point["forecast"] * 10 + 1e-9))]
        one["n"] += point["n"]
        one["n_yes"] += point["n"] * point["event_rate"]
    return bins


def _counts(rows: Sequence[Mapping[str, Any]]) -> tuple[Plot, tuple[Bar, ...]]:
    tallest = max([row["n"] for row in rows], default=0) or 1
    x, y = Scale(0, 1, 52, 412), Scale(0, tallest, 106, 30)
    frame = Plot(
        424,
        132,
        x,
        y,
        x_ticks=[(x(at), words.percent(at)) for at in QUARTERS],
        y_ticks=[(y(tallest), words.count(round(tallest, 1)))] if rows else [],
        y_name="forecasts",
    )
    bars = []
    for row in rows:
        if not row["n"]:
            continue
        left, right, top = x(row["from"]), x(row["to"]), y(row["n"])
        part = y(row["n_yes"])
        span = f"{100 * row['from']:g} to {words.exact(row['to'])}"
        bars.append(
            Bar(
                left + 1,
                top,
                round(right - left - 2, 1),
                round(y.start - top, 1),
                part,
                round(y.start - part, 1),
                f"said {span}: {words.plural(round(row['n'], 1), 'forecast')}, "
                f"{words.count(round(row['n_yes'], 1))} came true",
            )
        )
    return frame, tuple(bars)


@dataclass(frozen=True, slots=True)
class Against:
    """One forecaster's difference: its place, the ends of its interval, and both in words."""

    y: float
    x: float
    ends: tuple[float, float] | None
    pen: str
    tip: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences to the base rate with a row a forecaster, zero in the middle."""

    frame: Plot
    zero: float
    rows: tuple[Against, ...]
    title: str
    description: str


def differences(board: Board, labels: Mapping[str, str]) -> Differences | None:
    """Lay out each forecaster's difference to the base rate with its interval, from two on."""
    known = [row for row in board.rows if words.number(row.get("difference")) is not None]
    if len(known) < 2:
        return None
    spans = [
        tuple(words.number(row.get(f"difference_{end}")) for end in ("lower", "upper"))
        for row in known
    ]
    everything = [abs(each) for span in spans for each in span if each is not None]
    widest = max([*everything, *(abs(row["difference"]) for row in known)]) or 0.01
    bottom = 24.0 * len(known) + 8
    x, y = Scale(-1.08 * widest, 1.08 * widest, 138, 390), Scale(0, len(known), 8, bottom)
    rows, names = [], []
    for k, (row, span) in enumerate(zip(known, spans, strict=True)):
        name, low, high = cast.label(row["forecaster"], labels), *span
        place = y(k + 0.5)
        names.append((place, words.short(name, 19)))
        tip = f"{name}: {words.signed(row['difference'], board.digits)}"
        ends = None
        if low is not None and high is not None:
            ends = (x(low), x(high))
            tip += f" ({words.span(low, high, board.digits, sign=True)})"
        pen = cast.PENS[family(row["forecaster"])]
        rows.append(Against(place, x(row["difference"]), ends, pen, tip))
    frame = Plot(
        400,
        bottom + 42,
        x,
        Scale(0, 1, bottom, 8),
        x_ticks=apart(
            [(x(at), words.signed_amount(at)) for at in ticks(-widest, widest, 5)], x.start, 400
        ),
        y_ticks=names,
        x_name="\N{LEFTWARDS ARROW} better \N{MIDDLE DOT} worse \N{RIGHTWARDS ARROW}",
    )
    rule = words.rule(board.rule, board.convention, board.unit)
    rule = rule[:1].upper() + rule[1:]
    title = f"{rule}: difference to the base rate on shared questions, with its 95 % interval"
    description = f"{title}. {'; '.join(row.tip for row in rows)}"
    return Differences(frame, x(0), tuple(rows), title, description)


@dataclass(frozen=True, slots=True)
class Track:
    """One forecaster's score over the months."""

    name: str
    pen: str
    curve: str
    whiskers: tuple[Whisker, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Scores over time with a line a forecaster; smaller is better, so that down is up."""

    frame: Plot
    tracks: tuple[Track, ...]
    uniform: float | None


def over_months(rows: Sequence[Mapping[str, Any]], *, width: float = 720) -> Tracks | None:
    """Lay out mean scores of yes-no questions by month with intervals; None below two months."""
    with_mean = [row for row in rows if words.number(row["mean"]) is not None]
    months = sorted({str(row["month"]) for row in with_mean})
    if len(months) < 2:
        return None
    numbers = {month: _number(month) for month in months}
    first, last = numbers[months[0]], numbers[months[-1]]
    ends = [words.number(row[key]) for row in with_mean for key in ("mean", "upper")]
    uniform = next((words.number(row.get("reference")) for row in with_mean), None)
    top = max([end for end in ends if end is not None] + ([uniform] if uniform else []))
    marks = ticks(0.0, top * 1.05)
    left = 60 if width > 400 else 40
    x = Scale(first, last, left, width - 30)
    y = Scale(0.0, max(top * 1.05, marks[-1]), 220, 14)
    # A year begins in January.
    every = (
        [(x(at), _month(at)) for at in range(first + -first % n, last + 1, n)]
        for n in itertools.chain((1, 2, 3, 6), itertools.count(12, 12))
    )
    frame = Plot(
        width,
        256,
        x,
        y,
        x_ticks=next(marks for marks in every if apart(marks, left, width) == marks),
        y_ticks=[(y(at), f"{at:g}") for at in marks],
    )
    tracks = []
    names = ordered(row["forecaster"] for row in with_mean)
    shift = {name: 5.0 * (k - (len(names) - 1) / 2) for k, name in enumerate(names)}
    for name in names:
        mine = sorted(
            (row for row in with_mean if row["forecaster"] == name),
            key=lambda row: str(row["month"]),
        )
        dots, whiskers = [], []
        for row in mine:
            place = round(x(numbers[str(row["month"])]) + shift[name], 1)
            dots.append(Dot(place, y(row["mean"]), _score(row), float(row["n_questions"])))
            low, high = words.number(row["lower"]), words.number(row["upper"])
            if low is not None and high is not None:
                whiskers.append(Whisker(place, y(low), y(high)))
        curve = line([(dot.x, dot.y) for dot in dots])
        pen = cast.PENS[family(name)]
        tracks.append(Track(name, pen, curve, tuple(whiskers), tuple(dots)))
    return Tracks(frame, tuple(tracks), None if uniform is None else y(uniform))


def _score(row: Mapping[str, Any]) -> str:
    text = (
        f"{_month(_number(str(row['month'])))}, {cast.label(row['forecaster'])}: "
        f"{words.score(row['mean'])}, {words.plural(row['n_questions'], 'question')}"
    )
    if words.number(row["lower"]) is None:
        return f"{text}\ntoo few for an interval"
    return f"{text}\n95 %: {words.score(row['lower'])} to {words.score(row['upper'])}"


def _number(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1


def _month(number: int) -> str:
    return f"{dt.date(number // 12, number % 12 + 1, 1):%b %Y}"
