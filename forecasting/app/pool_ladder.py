"""Pooled ladders: what is to happen by a date is no likelier than by a later one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forecasting.domain.forecast import Forecast, model_value
from forecasting.domain.question import Question

if TYPE_CHECKING:
    from forecasting.scoring.checks import FloatArray


def rising(pooled: Sequence[float]) -> "FloatArray":
    """Give the probabilities, by deadline, that do not fall and lie closest to the pooled ones.

    Least squares: rungs that fall share their mean. Members whose ladders rise, all on every
    rung, pool to one that rises; it falls where they differ from rung to rung.

    Examples
    --------
    >>> rising([0.1, 0.4, 0.2, 0.5]).round(3).tolist()
    [0.1, 0.3, 0.3, 0.5]
    """
    import numpy as np
    from scipy.optimize import isotonic_regression

    p = np.asarray(pooled, dtype=np.float64)
    return np.asarray(isotonic_regression(p).x, dtype=np.float64) if np.any(np.diff(p) < 0) else p


def drawn_together(
    questions: Sequence[Question], values: Sequence[Forecast]
) -> list[tuple[Forecast, str]]:
    """Give each pooled forecast with a note; the rungs of a ladder are made to rise by deadline.

    Parameters
    ----------
    questions, values : sequence
        Each question and its pooled forecast, in one order.

    Returns
    -------
    list of tuple
        In that order. The note is empty for what stays as pooled.
    """
    from dataclasses import replace

    found = [(value, "") for value in values]
    ladders: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if question.ladder and question.type == "binary":
            ladders.setdefault(question.ladder, []).append(place)
    for places in ladders.values():
        order = sorted(places, key=lambda place: questions[place].closes)
        before = [values[place].value.numbers[0] for place in order]
        for place, was, now in zip(order, before, rising(before), strict=True):
            if now != was:
                note = f"pooled to {was:.3g}; set to {now:.3g}, because a ladder cannot fall"
                value = model_value(questions[place].space, [float(now)])
                because = f"{values[place].because}; {note}"
                found[place] = replace(values[place], value=value, because=because), note
    return found
