"""Spells for the survival family: truces by claim or by formal end, and peace agreements.

The truce asked about may be a row only as one that has held up to `as_of`, entered at age 0; its
own end never enters (the prediction conditions on survival so far). A truce counts from when its
start was known, and each other fact from when that was known: the evidence is already filtered.
"""

import datetime as dt
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.evidence import Evidence
from forecasting.domain.reference import ReferenceClass
from forecasting.models import weibull
from forecasting.models.encoding import facts
from forecasting.models.encoding.facts import Truce

DAY = dt.timedelta(days=1)
Rows = dict[str, NDArray[np.float64]]
FIXED_TERM = "fixed-term"


def truce_rows(
    evidence: Iterable[Evidence],
    reference: ReferenceClass,
    definition: str,
    as_of: dt.datetime,
    own: str,
) -> Rows:
    """Give the class's spells of truces with an announced term, in days since each start.

    Parameters
    ----------
    definition : {"claim", "formal"}
        What ends a spell: the first claimed violation, or a formal end before the term.
    own : str
        The truce asked about.
    """
    rows: list[tuple[float, ...]] = []
    for truce in sorted(facts.truces(evidence).values(), key=lambda t: (t.start, t.id)):
        if truce.kind != FIXED_TERM or not reference.observed_from <= truce.start < as_of:
            continue
        if truce.id == own:
            row = (0.0, (as_of - truce.start) / DAY, 0.0, float(weibull.HELD))
        else:
            found = _claim(truce) if definition == "claim" else _formal(truce, as_of)
            if found is None:
                continue
            row = found
        rows.append((*row, 1.0 if truce.monitored else 0.0))
    return _arrays(rows)


def _claim(truce: Truce) -> tuple[float, float, float, float] | None:
    if truce.claim is None:
        return None
    after, by = truce.claim
    lower = (after - truce.start) / DAY
    if by is None:
        return (0.0, lower, 0.0, float(weibull.HELD))
    upper = (by - truce.start) / DAY
    if upper <= lower:
        return (0.0, upper, 0.0, float(weibull.ENDED)) if upper > 0 else None
    return (0.0, lower, upper, float(weibull.BETWEEN))


def _formal(truce: Truce, as_of: dt.datetime) -> tuple[float, float, float, float] | None:
    if truce.formal is not None and truce.how == "revoked":
        after, by = truce.formal
        if by is not None and by > after:
            return (
                0.0,
                (after - truce.start) / DAY,
                (by - truce.start) / DAY,
                float(weibull.BETWEEN),
            )
    # Expiry and replacement at the term are no event: it held until then, or until now.
    held = min(moment for moment in (as_of, truce.term) if moment is not None)
    if truce.formal is not None:
        held = min(held, truce.formal[0])
    age = (held - truce.start) / DAY
    return (0.0, age, 0.0, float(weibull.HELD)) if age > 0 else None


def agreement_rows(
    evidence: Iterable[Evidence], reference: ReferenceClass, as_of: dt.datetime
) -> Rows:
    """Give the spells of peace agreements, ended or still standing when last observed."""
    seen_until = min(as_of, reference.observed_until)
    rows: list[tuple[float, ...]] = []
    for signed, ended, _ in facts.agreements(evidence):
        if signed >= seen_until:
            continue
        if ended is not None and ended <= seen_until:
            # Dated to the day: an end on the day of signature lies within its first day.
            age = (ended - signed) / DAY
            row = (
                (0.0, age, 0.0, float(weibull.ENDED))
                if age > 0
                else (0.0, 0.0, 1.0, float(weibull.BETWEEN))
            )
        else:
            row = (0.0, (seen_until - signed) / DAY, 0.0, float(weibull.HELD))
        rows.append((*row, 0.0))
    return _arrays(rows)


def _arrays(rows: list[tuple[float, ...]]) -> Rows:
    entry, lower, upper, kind, monitored = (
        np.array(column, dtype=np.float64)
        for column in (zip(*rows, strict=True) if rows else [[]] * 5)
    )
    return weibull.spells(entry=entry, lower=lower, upper=upper, kind=kind, monitored=monitored)


def share_held(rows: Rows, days: float) -> tuple[int, int]:
    """Count the spells known to have held for some days, and those whose state then is known."""
    ended_by = np.where(rows["kind"] == weibull.BETWEEN, rows["upper"], rows["lower"])
    over = (rows["kind"] != weibull.HELD) & (ended_by <= days)
    held = ~over & (rows["lower"] >= days)
    return int(held.sum()), int((held | over).sum())
