"""Draw the reports on a question as they fade: a strip beneath its path."""

import math
from typing import TYPE_CHECKING

from forecasting.review import words
from forecasting.review.data import Mark, QuestionPath
from forecasting.review.layout import Frame
from forecasting.review.svg import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Points: the strip, and the room above it.
TALL, GAP = 54.0, 22.0
#: A report below this share of a doubled hazard is over.
OVER = 0.02
#: Corners of a fading curve; they stand closer where it is steep.
_STEPS = 10


def fading(question: QuestionPath) -> list[Mark]:
    """Give the reports on a question that carry a weight."""
    return [mark for mark in question.evidence if mark.weight]


def weight_at(mark: Mark, days: float) -> float:
    """Give the weight that a report has left after some days.

    Examples
    --------
    >>> import datetime as dt
    >>> mark = Mark(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "x", weight=0.8, half_life=30.0)
    >>> weight_at(mark, 0), weight_at(mark, 30), weight_at(mark, -1)
    (0.8, 0.4, 0.0)
    """
    if days < 0 or mark.weight is None:
        return 0.0
    left: float = 2.0 ** (-days / mark.half_life)
    return mark.weight * left


def news(axes: "Axes", question: QuestionPath, frame: Frame) -> None:
    """Draw each report as a bar when it became known, and its weight as it fades from there.

    Facts do not fade: a square on the line.
    """
    marks = fading(question)
    last = frame.x(frame.last)
    tallest = max(abs(mark.weight or 0.0) for mark in marks)
    top = 1.15 * max(tallest, math.log(2))
    axes.set_ylim(-top, top)
    for mark in marks:
        start = frame.x(mark.known_at)
        end = last if math.isinf(mark.half_life) else min(last, start + _alive(mark))
        colour = PALETTE["model" if (mark.weight or 0.0) > 0 else "base"]
        x = [start + (end - start) * (k / _STEPS) ** 1.5 for k in range(_STEPS + 1)]
        y = [weight_at(mark, at - start) for at in x]
        if end > start:
            axes.fill_between(x, y, 0, color=colour, alpha=0.28, lw=0)
        axes.plot([start, start], [0, mark.weight or 0.0], color=colour, lw=2.2)
    facts = [frame.x(mark.known_at) for mark in question.evidence if mark.kind == "datum"]
    axes.axhline(0, color=PALETTE["faint"], lw=0.8)
    axes.plot(facts, [0] * len(facts), "s", ms=4.5, color=PALETTE["ink"], lw=0)
    size = _round(math.exp(tallest))
    axes.set_yticks(
        [-math.log(size), 0, math.log(size)], [words.ratio(1 / size), "×1", words.ratio(size)]
    )
    said = "news, fading: up speeds up, down slows"
    axes.set_title(said, loc="left", fontsize=11, pad=3, color=PALETTE["soft"])
    axes.spines["left"].set_visible(False)


def _alive(mark: Mark) -> float:
    """Give the days until a report is over."""
    size = abs(mark.weight or 0.0)
    return mark.half_life * max(0.0, math.log2(size / OVER)) if size > OVER else 0.0


def _round(ratio: float) -> float:
    """Choose a round ratio for the axis, at most the largest drawn but at least 2."""
    return max(
        (step for step in (2.0, 3.0, 4.0, 5.0, 8.0, 10.0, 20.0, 40.0) if step <= ratio * 1.05),
        default=2.0,
    )
