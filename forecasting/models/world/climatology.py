"""The climatology of a number: what comparable cases had come to, with their mass at zero."""

import datetime as dt
from collections.abc import Sequence

import numpy as np

from forecasting.domain.evidence import Evidence
from forecasting.domain.predicate import Predicate, Total
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question
from forecasting.evidence.cases import packages
from forecasting.evidence.history import DAY, Record
from forecasting.inference.estimate import quantiles
from forecasting.models.world.reading import LEVELS

#: Values that stand for one more case, spread evenly over the bounds.
SPREAD = 99


def climatology(
    question: Question,
    predicate: Predicate,
    world: WorldSpec,
    record: Record,
    items: Sequence[Evidence],
    as_of: dt.datetime,
) -> tuple[float, ...] | None:
    """Give the quantiles of a number from comparable cases, and one even case beside them.

    For a delivery: the shares that earlier packages had brought at that age; for a count: the
    events in each earlier stretch as long. A case not watched for so long is none.
    """
    event = predicate.event
    if not isinstance(event, Total):
        return None
    process = world.processes[event.process]
    until = event.when.of(question.closes)
    low, high = question.space.lower or 0.0, question.space.upper or 0.0
    if process.delivery is not None:
        age = (until - process.delivery.announced) / DAY
        cases = [
            process.delivery.agreed
            * min(sum(n or 0.0 for at, n in p.parts if at <= age) / p.agreed, 1.0)
            for p in packages(items, as_of, own=process)
            if p.watched >= age and p.agreed > 0 and all(n is not None for _, n in p.parts)
        ]
    else:
        length = until - question.opens
        times = [step.at for step in record.steps if step.counted]
        cases, end = [], question.opens
        while end - length >= record.since:
            cases.append(float(sum(end - length < at <= end for at in times)))
            end -= length
    if not cases:
        return None
    even = low + (high - low) * (np.arange(SPREAD) + 0.5) / SPREAD
    values = np.clip(np.concatenate([cases, even]), low, high)
    weights = np.concatenate([np.ones(len(cases)), np.full(SPREAD, 1.0 / SPREAD)])
    return quantiles(values, weights / weights.sum(), LEVELS)
