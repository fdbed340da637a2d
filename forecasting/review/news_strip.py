"""The reports on a question as they fade: a strip beneath its path, for templates."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from forecasting.review import words
from forecasting.review.data import Mark, QuestionPath
from forecasting.review.plot import Frame, Plot, Size, line, over_time

#: A report below this share of a doubled hazard is over.
OVER = 0.02
#: Corners of a fading curve; they stand closer where it is steep.
_STEPS = 10
_TALL = 104.0


@dataclass(frozen=True, slots=True)
class Strip:
    """Reports as `bars` (x, y, pen) from the line `zero` that fade (d, pen), facts as squares."""

    plot: Plot
    zero: float
    bars: Sequence[tuple[float, float, str]]
    fades: Sequence[tuple[str, str]]
    facts: Sequence[float]


def weight_at(mark: Mark, days: float) -> float:
    """Give the weight that a report has left after some days."""
    if days < 0 or mark.weight is None:
        return 0.0
    left: float = 2.0 ** (-days / mark.half_life)
    return mark.weight * left


def news_strip(question: QuestionPath, frame: Frame, *, zone: str, size: Size) -> Strip | None:
    """Lay out each report when it became known, and its weight as it fades from there."""
    marks = [mark for mark in question.evidence if mark.weight]
    if not marks:
        return None
    tallest = max(abs(mark.weight or 0.0) for mark in marks)
    top = 1.15 * max(tallest, math.log(2))
    most = _round(math.exp(tallest))
    plot = over_time(
        frame.opens,
        frame.opens + dt.timedelta(days=frame.span),
        zone=zone,
        low=-top,
        high=top,
        y_ticks=[
            (-math.log(most), words.ratio(1 / most)),
            (0.0, "×1"),
            (math.log(most), words.ratio(most)),
        ],
        height=_TALL,
        above=22,
        size=size,
    )
    zero = plot.y(0.0)
    last = frame.x(frame.last)
    bars, fades = [], []
    for mark in marks:
        pen = "model" if (mark.weight or 0.0) > 0 else "base"
        start = frame.x(mark.known_at)
        end = last if math.isinf(mark.half_life) else min(last, start + _alive(mark))
        if mark.over is not None:
            end = min(end, frame.x(mark.over))
        if end > start:
            days = [(end - start) * (k / _STEPS) ** 1.5 for k in range(_STEPS + 1)]
            curve = [(plot.x(start + day), plot.y(weight_at(mark, day))) for day in days]
            fades.append((f"{line([(curve[0][0], zero), *curve, (curve[-1][0], zero)])}Z", pen))
        bars.append((plot.x(start), plot.y(mark.weight or 0.0), pen))
    facts = [plot.x(frame.x(mark.known_at)) for mark in question.evidence if mark.kind == "datum"]
    return Strip(plot, zero, bars, fades, facts)


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
