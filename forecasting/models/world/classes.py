"""Reference classes as draws: the fits of spells to the cases known by a moment."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from forecasting.domain.evidence import Evidence
from forecasting.domain.process import ProcessSpec
from forecasting.domain.reference import ReferenceClass
from forecasting.errors import InvalidInput, nearest
from forecasting.inference.fit import Fit, array_hash
from forecasting.inference.predictive_check import verdict
from forecasting.models.fits import FitCache
from forecasting.models.spells import KINDS, SpellDraws, Spells
from forecasting.models.world.cases import Rows, agreement_rows, anchor, truce_rows

#: Cases are kept for so many classes, moments and processes that ask.
ROWS = 64


@dataclass(frozen=True, slots=True)
class ClassDraws:
    """A class of spells as drawn, its fit, and whether the model fits the class's own cases."""

    draws: SpellDraws
    fit: Fit
    verdict: str


#: (class, evidence of cases, moment, fits, processes that ask) to its draws.
type ClassOf = Callable[
    [str, Sequence[Evidence], dt.datetime, FitCache, Sequence[ProcessSpec]], ClassDraws
]


def class_draws(classes: Mapping[str, ReferenceClass]) -> ClassOf:
    """Give what draws a bank's classes of spells; each is made once for the same cases."""
    kept: dict[tuple[str, str], ClassDraws] = {}
    read: dict[tuple[object, ...], Rows] = {}

    def of(
        name: str,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        fits: FitCache,
        asking: Sequence[ProcessSpec],
    ) -> ClassDraws:
        if name not in classes or classes[name].kind not in KINDS:
            known = {each.id: None for each in classes.values() if each.kind in KINDS}
            msg = f"class ({name}): no such reference class of spells"
            raise InvalidInput(msg, hint=nearest(name, known) or ", ".join(known))
        asked = (name, as_of, *(process.name for process in asking), *(item.key for item in items))
        if asked not in read:
            if len(read) >= ROWS:
                read.clear()
            read[asked] = _rows(classes[name], items, as_of, asking)
        rows = read[asked]
        key = (name, array_hash(rows))
        if key not in kept:
            kept[key] = _drawn(KINDS[classes[name].kind], rows, fits)
        return kept[key]

    return of


def _rows(
    reference: ReferenceClass,
    items: Sequence[Evidence],
    as_of: dt.datetime,
    asking: Sequence[ProcessSpec],
) -> Rows:
    if reference.kind == "agreement":
        return agreement_rows(items, reference, as_of)
    until = anchor(items, "truces", as_of)
    own = [process.since for process in asking if process.since is not None]
    return truce_rows(items, reference, reference.kind, until, own)


def _drawn(setting: str, rows: Rows, fits: FitCache) -> ClassDraws:
    graph = Spells(setting)
    fit = fits.fit(graph, rows, graph.default_priors())
    told = verdict(graph.predictive_check(fit.draws, rows, seed=0)) if len(rows["lower"]) else ""
    misfit = told if told.startswith("does not fit") else ""
    return ClassDraws(SpellDraws.of(graph, fit), fit, misfit)


def told_apart(processes: Mapping[str, ProcessSpec]) -> dict[str, ProcessSpec]:
    """Name the class of each process's moves apart, for its own case is no case of its class."""
    found = {}
    for name, process in processes.items():
        moves = tuple(
            replace(move, phrase=replace(move.phrase, reference=f"{move.phrase.reference}/{name}"))
            if move.phrase.form == "class"
            else move
            for move in process.moves
        )
        found[name] = replace(process, moves=moves)
    return found
