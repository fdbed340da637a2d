"""The log score of a number over steps of its range, as Metaculus prints it; larger is better."""

from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.continuous import bucket, pmf
from forecasting.domain.outcome import OutcomeSpace, beyond
from forecasting.scoring.metaculus import TAIL
from forecasting.scoring.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

#: Metaculus' steps between the bounds.
STEPS = 200


def score(column: "pd.Series[Any]", outcome: FloatArray, frame: "pd.DataFrame") -> FloatArray:
    r"""Score each forecast of a number: :math:`50 \ln(m_b / \pi_b)`, 0 for the uniform forecast.

    :math:`m_b` is the probability of the step that the outcome fell into; :math:`\pi_b` is 0.05
    beyond an open bound and (1 - 0.05 k) / 200 inside with k open bounds. Steps are equal on the
    question's scale; probability is spread evenly between stated quantiles.
    """
    found = np.empty(len(column))
    zeros = frame.get("zero_point", [None] * len(column))
    opens = frame.get("open_bounds", [""] * len(column))
    sides = frame.get("beyond", [0] * len(column))
    rows = zip(column, outcome, frame["lower"], frame["upper"], zeros, opens, sides, strict=True)
    for place, (said, came, low, high, zero, ends, side) in enumerate(rows):
        space = OutcomeSpace(
            "numeric", (), float(low), float(high), "",
            None if zero is None or np.isnan(zero) else float(zero), ends or "",
        )  # fmt: skip
        below, above = beyond(space)
        text = (below if side < 0 else above) if side else repr(float(came))
        step = bucket(space, text, STEPS)
        tails = {"": 0, "both": 2}.get(space.open_bounds, 1)
        inside = (1 - TAIL * tails) / STEPS
        chance = TAIL if step in (0, STEPS + 1) else inside
        mass = max(pmf(dict(said), space, STEPS)[step], 0.0)
        found[place] = 50 * np.log(mass / chance) if mass > 0 else -np.inf
    return found


#: A rule whose score needs the scale of each question beside its forecast.
RULE = Rule("baseline", "numeric", f"points, {STEPS} steps", score, larger_is_better=True)
