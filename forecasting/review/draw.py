"""Drawings of scores and calibration: numbers in, a matplotlib figure out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecasting.review import words
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
