"""Draw what moved a probability: from the start to the answer, one bar an item."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import TYPE_CHECKING, Any

from forecasting.review import words
from forecasting.review.svg import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Probabilities that may label the axis, in percent.
TICKS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 50, 70, 80, 90, 95, 98, 99, 99.5, 99.9, 99.99)
LONGEST = 30
MOST_TICKS = 6


def effects(explanation: Mapping[str, Any], *, title: str = "") -> "Figure":
    """Draw an explanation as a waterfall on the scale of log-odds, labelled in percent.

    The grey band is the range under other priors.
    """
    from matplotlib.figure import Figure

    rows = [row for row in explanation["items"] if isinstance(row["delta_logit"], float)]
    height = 26 * (len(rows) + 2) + (70 if title else 46)
    start, end = _logit(explanation["prior"]), _logit(explanation["posterior"])
    with style():
        figure = Figure(figsize=(640 / 72, height / 72))
        top = 30 if title else 6
        axes = figure.add_axes((0.47, 36 / height, 0.50, (height - 36 - top) / height))
        known = explanation.get("sensitivity") or {}
        ends = [start, end]
        if isinstance(known.get("lower"), float):
            low, high = _logit(known["lower"]), _logit(known["upper"])
            ends += [low, high]
            axes.axvspan(low, high, color=PALETTE["faint"], alpha=0.25, lw=0)
            axes.text(0, -0.02, "shade: under other priors", color=PALETTE["soft"], fontsize=11)
            axes.texts[-1].set(transform=figure.transFigure, position=(0.02, 10 / height))
        at = start
        for line, row in enumerate(rows, start=1):
            change = row["delta_logit"]
            colour = PALETTE["model"] if change >= 0 else PALETTE["base"]
            if row["clear"]:
                axes.barh(line, change, left=at, height=0.56, color=colour, lw=0)
            axes.plot([at, at], [line - 1, line], color=PALETTE["faint"], lw=0.8)
            at += change
            ends.append(at)
        axes.plot([at, at], [len(rows), len(rows) + 1], color=PALETTE["faint"], lw=0.8)
        for line, value in ((0, start), (len(rows) + 1, end)):
            axes.plot([value], [line], "o", ms=7, color=PALETTE["ink"])
        names = ["Start, at the opening", *(_bar_label(row) for row in rows), "Answer"]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(rows) + 1.6, -0.6)
        _percent(axes, ends)
        axes.grid(axis="x", color=PALETTE["line"], lw=0.7)
        axes.set_axisbelow(True)
        if title:
            place = 1 - 8 / height
            figure.text(0.02, place, words.clean(title), va="top", fontsize=13, weight="bold")
    return figure


def _bar_label(row: Mapping[str, Any]) -> str:
    short = words.short(str(row["title"]), LONGEST)
    if not row["clear"]:
        size = f"{row['delta_logit']:+.2f}" if row["delta_logit"] else "0"
        return f"{short}  {size} ±{row['mcse']:.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{short}  {row['delta_logit']:+.2f}".replace("-", "\N{MINUS SIGN}")


def _percent(axes: Any, ends: Sequence[float]) -> None:
    low, high = min(ends), max(ends)
    room = max(0.15, 0.08 * (high - low))
    axes.set_xlim(low - room, high + room)
    inside = [tick for tick in TICKS if low - room <= _logit(tick / 100) <= high + room]
    # Too many labels would touch: thin them evenly.
    step = max(1, -(-len(inside) // MOST_TICKS))
    ticks = inside[::step] or [100 / (1 + exp(-(low + high) / 2))]
    axes.set_xticks([_logit(tick / 100) for tick in ticks], [f"{tick:.3g} %" for tick in ticks])


def _logit(p: float) -> float:
    inside = min(max(p, 1e-9), 1 - 1e-9)
    return log(inside / (1 - inside))
