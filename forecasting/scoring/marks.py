"""The score of every row of a frame, whatever shape its forecast has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.arrays import FloatArray, IntArray
from forecasting.domain.continuous import bucket, pmf
from forecasting.domain.outcome import OutcomeSpace, beyond
from forecasting.errors import InvalidInput
from forecasting.scoring import checks, crowd, crps, rules, timeline
from forecasting.scoring.metaculus import TAIL

if TYPE_CHECKING:
    import pandas as pd


_BINARY, _NUMERIC = -1, -2
#: Metaculus' steps between the bounds.
STEPS = 200
#: The columns that say it.
SCALE = ["lower", "upper", "zero_point", "open_bounds", "beyond"]


@dataclass(frozen=True, slots=True)
class Marks:
    """Per row: its score, the uniform forecast's score, its question type and its convention.

    For ``peer`` and ``relative`` the reference is 0.
    """

    score: FloatArray
    reference: FloatArray
    question_type: "np.ndarray[Any, np.dtype[np.object_]]"
    convention: "np.ndarray[Any, np.dtype[np.object_]]"
    larger_is_better: bool = False


def mark(frame: "pd.DataFrame", question: IntArray, rule: str, convention: str) -> Marks:
    """Score every row, a group of equal shape at a time."""
    column = frame["forecast"]
    outcome = checks.floats(frame["outcome"].to_numpy(), "outcome")
    timeline.constant(question, outcome, frame, "outcome")
    shape, keys = _shapes(column)
    timeline.constant(question, shape, frame, "forecast")
    n = len(column)
    larger = rule in ("baseline", "peer")
    base = crowd.BASIS.get(rule, rule)
    marks = Marks(
        np.empty(n), np.empty(n), np.empty(n, dtype=object), np.empty(n, dtype=object), larger
    )
    for code in np.unique(keys):
        rows = np.flatnonzero(keys == code)
        # Only a number's score asks for more than the forecast: its scale.
        about = SCALE if shape[rows[0]] == _NUMERIC else []
        scale = frame[[name for name in about if name in frame.columns]]
        chosen, scores, reference = _mark_group(
            column.iloc[rows],
            outcome[rows],
            scale.iloc[rows],
            int(shape[rows[0]]),
            base,
            convention,
        )
        marks.score[rows], marks.reference[rows] = scores, reference
        marks.question_type[rows] = chosen.question_type
        marks.convention[rows] = crowd.PEER_POINTS if rule == "peer" else chosen.convention
    if rule in crowd.RULES:
        marks.reference[:] = 0.0
    return marks


def _mark_group(
    column: "pd.Series[Any]",
    outcome: FloatArray,
    frame: "pd.DataFrame",
    shape: int,
    rule: str,
    convention: str,
) -> tuple[rules.Rule, FloatArray, FloatArray]:
    if shape == _BINARY:
        chosen = rules.get(rule, "binary", convention)
        scores = chosen.score(column.to_numpy(dtype=np.float64), outcome)
        return chosen, scores, chosen.reference(outcome, 2)
    if shape == _NUMERIC and rule == "baseline":
        return STEP_RULE, step_score(column, outcome, frame), np.zeros(len(column))
    if shape == _NUMERIC:
        chosen = rules.get(rule, "numeric", convention)
        absent = [name for name in ("lower", "upper") if name not in frame.columns]
        if absent:
            message = f"frame (without {' and '.join(absent)}): numeric questions need bounds"
            raise InvalidInput(message)
        low, high = crps.bounds(frame["lower"].to_numpy(), frame["upper"].to_numpy(), len(frame))
        levels = sorted(column.iloc[0])
        quantiles = np.array([[row[level] for level in levels] for row in column], dtype=np.float64)
        scores = chosen.score(quantiles, outcome, levels=levels, lower=low, upper=high)
        return chosen, scores, chosen.numeric_reference(outcome, low, high)
    chosen = rules.get(rule, "ordered" if rule == "rps" else "categorical", convention)
    scores = chosen.score(np.array(column.to_list(), dtype=np.float64), outcome)
    return chosen, scores, chosen.reference(outcome, shape)


def _shapes(column: "pd.Series[Any]") -> tuple[IntArray, IntArray]:
    """Of each forecast its shape (K, or binary, or numeric) and its group of equal scoring."""
    if column.dtype.kind in "biuf" or {*map(type, column)} <= {float, int}:
        every = np.full(len(column), _BINARY)
        return every, every
    shapes = np.empty(len(column), dtype=np.int64)
    keys = np.empty(len(column), dtype=np.int64)
    groups: dict[object, int] = {}
    for row, forecast in enumerate(column):
        key: object
        if isinstance(forecast, Mapping):
            shapes[row], key = _NUMERIC, ("levels", frozenset(forecast))
        elif np.ndim(forecast) == 1:
            shapes[row] = len(forecast)
            key = len(forecast)
        elif np.ndim(forecast) == 0 and isinstance(forecast, int | float | np.number):
            shapes[row], key = _BINARY, "binary"
        else:
            message = (
                f"forecast ({forecast!r} in row {row}): must be a probability, a vector of them, "
                "or a mapping of levels to values"
            )
            raise InvalidInput(message)
        keys[row] = groups.setdefault(key, len(groups))
    return shapes, keys


def step_score(column: "pd.Series[Any]", outcome: FloatArray, frame: "pd.DataFrame") -> FloatArray:
    r"""Score each forecast of a number: :math:`50 \ln(m_b / \pi_b)`, 0 for the uniform forecast.

    :math:`m_b` is the probability of the step that the outcome fell into; :math:`\pi_b` is 0.05
    beyond an open bound and (1 - 0.05 k) / 200 inside with k open bounds. Steps are equal on the
    question's scale; probability is spread evenly between stated quantiles.
    """
    scores = np.empty(len(column))
    zeros = frame.get("zero_point", [None] * len(column))
    opens = frame.get("open_bounds", [""] * len(column))
    sides = frame.get("beyond", [0] * len(column))
    rows = zip(column, outcome, frame["lower"], frame["upper"], zeros, opens, sides, strict=True)
    for place, (forecast, value, low, high, zero, ends, side) in enumerate(rows):
        space = OutcomeSpace(
            "numeric", (), float(low), float(high), "",
            None if zero is None or np.isnan(zero) else float(zero), ends or "",
        )  # fmt: skip
        below, above = beyond(space)
        text = (below if side < 0 else above) if side else repr(float(value))
        step = bucket(space, text, STEPS)
        tails = {"": 0, "both": 2}.get(space.open_bounds, 1)
        inside = (1 - TAIL * tails) / STEPS
        chance = TAIL if step in (0, STEPS + 1) else inside
        mass = max(pmf(dict(forecast), space, STEPS)[step], 0.0)
        scores[place] = 50 * np.log(mass / chance) if mass > 0 else -np.inf
    return scores


#: A rule whose score needs the scale of each question beside its forecast.
STEP_RULE = rules.Rule(
    "baseline", "numeric", f"points, {STEPS} steps", step_score, larger_is_better=True
)
