"""Drawings of scores and calibration: numbers in, a matplotlib figure out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecasters import family, ordered
from forecasting.review import cast, words
from forecasting.review.svg import PALETTE, check_target, image, save, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_target", "image", "reliability", "save"]

type Cloud = tuple[list[float], list[float], list[float | None], list[float | None], list[float]]


def reliability(calibration: Mapping[str, Any], *, title: str = "") -> "Figure":
    """Draw the reliability curve of ``forecast calibration --json``, its band and the counts."""
    from matplotlib.figure import Figure

    forecasts, seen, lower, upper, n = _columns(calibration.get("curve") or ())
    height = 470 + (24 if title else 0)
    with style():
        figure = Figure(figsize=(420 / 72, height / 72))
        axes = figure.add_axes((0.15, 122 / height, 0.79, 320 / height))
        below = figure.add_axes((0.15, 48 / height, 0.79, 46 / height))
        axes.plot([0, 1], [0, 1], color=PALETTE["faint"], lw=1, dashes=(4, 3))
        legend = [("line: what happened", "model", 0.0, "left")]
        if not forecasts:
            axes.text(
                0.5, 0.6, "Nothing that counts has resolved yet", ha="center", color=PALETTE["soft"]
            )
        elif _band(axes, forecasts, lower, upper):
            level = words.whole(calibration.get("level") or 0.9)
            legend.append((f"shade: {level} if calibrated", "soft", 1.0, "right"))
        if forecasts:
            axes.plot(forecasts, seen, color=PALETTE["model"], lw=2)
            if len(forecasts) <= 40:
                axes.plot(forecasts, seen, "o", color=PALETTE["model"], ms=4.5)
            for text, colour, x, side in legend:
                axes.text(x, 1.03, text, color=PALETTE[colour], ha=side, fontsize=11)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="happened")
        percent_axis(axes.yaxis)
        percent_axis(axes.xaxis)
        axes.tick_params(axis="x", labelbottom=False)
        axes.grid(color=PALETTE["line"], lw=0.7)
        axes.set_axisbelow(True)
        _counts(below, forecasts, n)
        if title:
            place = 1 - 8 / height
            figure.text(0.15, place, words.clean(title), va="top", fontsize=13, weight="bold")
        unclip(axes)
        unclip(below)
    return figure


def unclip(axes: "Axes") -> None:
    """Let no mark be cut at the frame."""
    for artist in axes.get_children():
        artist.set_clip_on(False)
    for line in (*axes.get_xgridlines(), *axes.get_ygridlines()):
        line.set_clip_on(False)


def _columns(points: Sequence[Mapping[str, Any]]) -> Cloud:
    complete = [
        p for p in points if None not in map(words.number, (p["forecast"], p["event_rate"]))
    ]
    return (
        [float(point["forecast"]) for point in complete],
        [float(point["event_rate"]) for point in complete],
        [words.number(point.get("lower")) for point in complete],
        [words.number(point.get("upper")) for point in complete],
        [words.number(point.get("n")) or 0.0 for point in complete],
    )


def _band(
    axes: "Axes",
    forecasts: Sequence[float],
    low: Sequence[float | None],
    high: Sequence[float | None],
) -> bool:
    """Shade the band; say whether there is one."""
    known = [
        (x, a, b)
        for x, a, b in zip(forecasts, low, high, strict=True)
        if a is not None and b is not None
    ]
    if not known:
        return False
    x, a, b = (list(column) for column in zip(*known, strict=True))
    axes.fill_between(x, a, b, color=PALETTE["faint"], alpha=0.28, lw=0)
    if len(x) <= 3:
        # A shade between so few points is too thin to see.
        axes.vlines(x, a, b, color=PALETTE["faint"], lw=3, alpha=0.5)
    return True


def _counts(axes: "Axes", forecasts: Sequence[float], n: Sequence[float]) -> None:
    bins = [0.0] * 10
    for value, number in zip(forecasts, n, strict=True):
        bins[min(9, int(value * 10))] += number
    tallest = max(bins) or 1.0
    middles = [(i + 0.5) / 10 for i in range(10)]
    axes.bar(middles, bins, width=0.086, color=PALETTE["model"], alpha=0.55)
    for middle, number in zip(middles, bins, strict=True):
        if number:
            top = number + 0.08 * tallest
            axes.text(middle, top, words.count(round(number, 1)), ha="center", fontsize=11)
    axes.set(xlim=(0, 1), ylim=(0, 1.1 * tallest), xlabel="said; the bars count forecasts")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    percent_axis(axes.xaxis)


def percent_axis(axis: Any) -> None:
    """Mark an axis from 0 to 100 % in quarters."""
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])


COLOURS = ("model", "base", "prior", "pool", "ink", "faint")
#: Beyond these a picture writes no names, and its table has all.
MOST_NAMES = 30


def mcb_dsc(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> "Figure":
    """Draw forecasters by miscalibration and discrimination; along a line the score is the same."""
    import numpy as np

    figure, axes = _plain(title, 560, 430)
    with style():
        x = np.array([float(row["miscalibration"]) for row in rows])
        y = np.array([float(row["discrimination"]) for row in rows])
        known = np.isfinite(x) & np.isfinite(y)
        uncertainty = float(np.median([float(row["uncertainty"]) for row in rows]))
        right = 1.35 * max(float(x[known].max(initial=0.0)), 0.01)
        top = 1.2 * max(float(y[known].max(initial=0.0)), 0.01)
        step = _round_step((right + top) / 7)
        first = np.ceil((uncertainty - top) / step) * step
        for score in np.arange(first, uncertainty + right, step):
            ends = np.array([0.0, right])
            # A line of one score: discrimination = miscalibration + uncertainty - score.
            axes.plot(ends, ends + uncertainty - score, color=PALETTE["line"], lw=0.9, zorder=0)
            edge = right + uncertainty - score
            if 0 < edge < top:
                axes.text(right, edge, f" {score:.3g}", color=PALETTE["soft"], fontsize=10)
            elif 0 < top - uncertainty + score < right:
                place = top - uncertainty + score
                axes.text(
                    place, top, f"{score:.3g}", color=PALETTE["soft"], fontsize=10, ha="center"
                )
        colours = _colours([str(row["forecaster"]) for row in rows])
        for row, a, b in zip(rows, x, y, strict=True):
            if np.isfinite(a) and np.isfinite(b):
                axes.plot([a], [b], "o", color=colours[str(row["forecaster"])], ms=6)
        if len(rows) <= MOST_NAMES:
            _label_apart(axes, rows, x, y, right, top)
        axes.set(xlim=(0, right), ylim=(0, top))
        axes.set_xlabel("miscalibration (smaller is better)")
        axes.set_ylabel("discrimination (larger is better)")
        for artist in (*axes.lines, *axes.texts):
            artist.set_clip_on(artist in axes.lines)
    return figure


def histogram(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> "Figure":
    """Draw how often each probability was said, and how many of those came true."""
    figure, axes = _plain(title, 560, 320)
    with style():
        middle = [(float(row["from"]) + float(row["to"])) / 2 for row in rows]
        width = 0.9 * (float(rows[0]["to"]) - float(rows[0]["from"]))
        axes.bar(middle, [row["n"] for row in rows], width, color=PALETTE["model"], alpha=0.35)
        axes.bar(middle, [row["n_yes"] for row in rows], width, color=PALETTE["model"])
        axes.set(xlim=(0, 1), ylabel="forecasts")
        axes.set_xlabel("said; the dark part came true")
        percent_axis(axes.xaxis)
        unclip(axes)
    return figure


def pit(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> "Figure":
    """Draw the PIT histogram of numbers and dates with the band of calibrated ones."""
    figure, axes = _plain(title, 560, 320)
    with style():
        left = [float(row["left"]) for row in rows]
        width = [float(row["right"]) - a for row, a in zip(rows, left, strict=True)]
        density = [float(row["density"]) for row in rows]
        axes.bar(left, density, width, align="edge", color=PALETTE["model"], alpha=0.5, ec="w")
        for a, w, row in zip(left, width, rows, strict=True):
            axes.fill_between(
                [a, a + w], row["lower"], row["upper"], color=PALETTE["faint"], alpha=0.28, lw=0
            )
        axes.axhline(1, color=PALETTE["faint"], lw=1, dashes=(4, 3))
        axes.set(xlim=(0, 1), ylabel="density")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("where the outcome fell in the forecast; shade: if calibrated")
        percent_axis(axes.xaxis)
        unclip(axes)
    return figure


def _plain(title: str, width: int, height: int) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(width / 72, height / 72))
        above = 34 if title else 22
        axes = figure.add_axes(
            (70 / width, 52 / height, (width - 108) / width, (height - 52 - above) / height)
        )
        axes.grid(color=PALETTE["line"], lw=0.7)
        axes.set_axisbelow(True)
        if title:
            figure.text(
                70 / width, 1 - 7 / height, words.clean(title), va="top", fontsize=13, weight="bold"
            )
    return figure, axes


def _colours(forecasters: Sequence[str]) -> dict[str, str]:
    """Give each forecaster, in the fixed order, a colour: that of its role where each has one."""
    names = ordered(forecasters)
    roles = [family(name) for name in names]
    if len(set(roles)) == len(roles):
        return {name: PALETTE[cast.PENS[family(name)]] for name in names}
    return {name: PALETTE[COLOURS[i % len(COLOURS)]] for i, name in enumerate(names)}


def _round_step(rough: float) -> float:
    """Give the next of 1, 2, 5 x 10^k."""
    import math

    power = 10 ** math.floor(math.log10(rough))
    step: float = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return step


def _label_apart(
    axes: "Axes", rows: Sequence[Mapping[str, Any]], x: Any, y: Any, right: float, top: float
) -> None:
    """Write each name beside its point, where neither a name nor a point stands yet."""
    points = [
        (float(a) / right, float(b) / top)
        for a, b in zip(x, y, strict=True)
        if abs(a) + abs(b) < float("inf")
    ]
    taken = [(a - 0.012, b - 0.018, a + 0.012, b + 0.018) for a, b in points]
    for row, a, b in zip(rows, x, y, strict=True):
        if not abs(a) + abs(b) < float("inf"):
            continue
        text = f"{words.short(cast.label(str(row['forecaster'])), 22)} (n = {row['n']})"
        wide, left, level = 0.0135 * len(text), float(a) / right + 0.018, float(b) / top
        for step in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6):
            place = level + 0.042 * step
            box = (left, place - 0.018, left + wide, place + 0.018)
            if 0 < place < 1 and not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        axes.annotate(
            text,
            (float(a), float(b)),
            (left * right, place * top),
            fontsize=10,
            va="center",
            arrowprops={"arrowstyle": "-", "color": PALETTE["faint"], "lw": 0.6} if step else None,
        )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
