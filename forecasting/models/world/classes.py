"""Reference classes of spells: truces by claim or formal end, peace agreements; rows and draws.

The truce that a process is about is no case of its class: what is known of it is told by the
process's own past.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import Recent
from forecasting.domain.evidence import Evidence
from forecasting.domain.prior import ClassPrior, ReferenceClass, stated_over
from forecasting.domain.process import ProcessSpec
from forecasting.errors import InvalidInput, nearest
from forecasting.evidence.cases import SAME, Truce, agreements, anchor, truces
from forecasting.evidence.history import DAY
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.fits import FitCache
from forecasting.inference.predictive_check import verdict
from forecasting.models import weibull
from forecasting.models.spells import KINDS, SpellDraws, Spells

Rows = dict[str, NDArray[np.float64]]
FIXED_TERM = "fixed-term"
#: Cases are kept for so many classes, moments and processes that ask.
ROWS = 64


@dataclass(frozen=True)
class ClassDraws:
    """A class of spells as drawn, with the graph, its fit, and the class's own cases."""

    graph: Spells
    fit: Fit
    rows: Rows

    @cached_property
    def draws(self) -> SpellDraws:
        """The draws in an order in which neighbours are alike."""
        return SpellDraws.of(self.graph, self.fit)

    @cached_property
    def verdict(self) -> str:
        """Empty, or that the model does not fit the class's own cases."""
        if not len(self.rows["lower"]):
            return ""
        text = verdict(self.graph.predictive_check(self.fit.draws, self.rows, seed=0))
        return text if text.startswith("does not fit") else ""


@dataclass(frozen=True, slots=True)
class SpellClasses:
    """A bank's classes of spells, drawn apart for each asker: no case of its own class."""

    classes: Mapping[str, ReferenceClass]
    stated: Sequence[ClassPrior]
    fits: FitCache
    _drawn: dict[tuple[str, str], ClassDraws] = field(default_factory=dict)
    _rows: Recent[tuple[object, ...], Rows] = field(default_factory=lambda: Recent(ROWS))

    def draws(
        self, name: str, items: Sequence[Evidence], as_of: dt.datetime, asking: ProcessSpec
    ) -> ClassDraws:
        """Give the draws of a class for a process, from the evidence of cases as of a moment."""
        known = {each.id: each for each in self.classes.values() if each.kind in KINDS}
        if name not in known:
            msg = f"class ({name}): no such reference class of spells"
            raise InvalidInput(msg, hint=nearest(name, known) or ", ".join(known))
        reference = known[name]
        asked = (name, as_of, asking.name, *(item.key for item in items))
        rows = self._rows.of(asked, lambda: _rows(reference, items, as_of, asking))
        key = (name, array_hash(rows))
        if key not in self._drawn:
            graph = Spells(KINDS[reference.kind])
            priors = stated_over(graph.default_priors(), self.stated, name)
            self._drawn[key] = ClassDraws(graph, self.fits.fit(graph, rows, priors), rows)
        return self._drawn[key]


def _rows(
    reference: ReferenceClass, items: Sequence[Evidence], as_of: dt.datetime, asking: ProcessSpec
) -> Rows:
    if reference.kind == "agreement":
        return agreement_rows(items, reference, as_of)
    return truce_rows(items, reference, anchor(items, "truces", as_of), asking.since)


def truce_rows(
    evidence: Iterable[Evidence],
    reference: ReferenceClass,
    as_of: dt.datetime,
    own: dt.datetime | None = None,
) -> Rows:
    """Give the class's spells of truces with an announced term, but for the one begun at `own`."""
    rows: list[tuple[float, ...]] = []
    for truce in sorted(truces(evidence).values(), key=lambda t: (t.start, t.id)):
        if truce.kind != FIXED_TERM or not reference.observed_from <= truce.start < as_of:
            continue
        if own is not None and abs(truce.start - own) <= SAME:
            continue
        row = _claim(truce) if reference.kind == "claim" else _formal(truce, as_of)
        if row is not None:
            rows.append((*row, float(truce.monitored)))
    return _arrays(rows)


def _claim(truce: Truce) -> tuple[float, float, float] | None:
    if truce.claim is None:
        return None
    after, by = truce.claim
    lower = (after - truce.start) / DAY
    if by is None:
        return lower, 0.0, weibull.HELD
    upper = (by - truce.start) / DAY
    if upper <= lower:
        return (upper, 0.0, weibull.ENDED) if upper > 0 else None
    return lower, upper, weibull.BETWEEN


def _formal(truce: Truce, as_of: dt.datetime) -> tuple[float, float, float] | None:
    if truce.formal is not None and truce.how == "revoked":
        after, by = truce.formal
        if by is not None and by > after:
            lower, upper = (after - truce.start) / DAY, (by - truce.start) / DAY
            return lower, upper, weibull.BETWEEN
    # Expiry and replacement at the term are no event: it held until then, or until now.
    until = min(moment for moment in (as_of, truce.term) if moment is not None)
    if truce.formal is not None:
        until = min(until, truce.formal[0])
    age = (until - truce.start) / DAY
    return (age, 0.0, weibull.HELD) if age > 0 else None


def agreement_rows(
    evidence: Iterable[Evidence], reference: ReferenceClass, as_of: dt.datetime
) -> Rows:
    """Give the spells of peace agreements, ended or still standing when last observed."""
    seen_until = min(as_of, reference.observed_until)
    rows: list[tuple[float, ...]] = []
    for signed, ended in agreements(evidence):
        if signed >= seen_until:
            continue
        if ended is not None and ended <= seen_until:
            # Dated to the day: an end on the day of signature lies within its first day.
            age = (ended - signed) / DAY
            within = (0.0, 1.0, weibull.BETWEEN)
            row = (age, 0.0, weibull.ENDED) if age > 0 else within
        else:
            row = ((seen_until - signed) / DAY, 0.0, weibull.HELD)
        rows.append((*row, 0.0))
    return _arrays(rows)


def _arrays(rows: list[tuple[float, ...]]) -> Rows:
    """Give (lower, upper, kind, monitored) of each case, watched from its start, as spells."""
    lower, upper, kind, monitored = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    entry = np.zeros(len(rows))
    return weibull.spells(entry=entry, lower=lower, upper=upper, kind=kind, monitored=monitored)
