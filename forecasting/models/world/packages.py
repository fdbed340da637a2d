"""The class of deliveries: agreed packages as they were known, and the hazards drawn from them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from forecasting.domain.evidence import Evidence
from forecasting.domain.process import ProcessSpec
from forecasting.domain.reference import ReferenceClass
from forecasting.evidence.history import Record
from forecasting.inference.fit import Fit
from forecasting.models.deliveries import Deliveries, Package, delivery_data
from forecasting.models.fits import FitCache
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.cases import DAY, SAME, anchor, data_of, moment_of
from forecasting.models.world.delivery import delivery_parameters, package_of
from forecasting.models.world.parameters import MoveParameters

Key = tuple[str, str]
#: Draws of deliveries are kept for so many records and fits.
KEPT = 32


@dataclass(frozen=True, slots=True)
class Delivered:
    """The hazards of some deliveries, and the fit of the class behind each."""

    hazards: Mapping[Key, Hazard]
    fits: Mapping[str, Fit]


#: (processes, records, evidence, moment, fits, whether history counts, points, seed) to hazards.
type DeliveryOf = Callable[..., Delivered]


def delivery_hazards(classes: Mapping[str, ReferenceClass]) -> DeliveryOf:
    """Give what draws the moves of a bank's deliveries."""
    kept: dict[tuple[object, ...], tuple[Fit, dict[str, MoveParameters]]] = {}

    def of(
        processes: Mapping[str, ProcessSpec],
        records: Mapping[str, Record],
        items: Sequence[Evidence],
        as_of: dt.datetime,
        fits: FitCache,
        *,
        history: bool,
        points: int,
        seed: int,
    ) -> Delivered:
        hazards: dict[Key, Hazard] = {}
        made: dict[str, Fit] = {}
        graph = Deliveries()
        for name, process in processes.items():
            reference = classes.get(process.delivery.reference) if process.delivery else None
            own = package_of(records[name]) if history else None
            key = (name, own, as_of, history, points, seed, *(item.key for item in items))
            if key not in kept:
                if len(kept) >= KEPT:
                    kept.clear()
                until = anchor(items, "packages", as_of)
                if reference is not None:
                    until = min(until, reference.observed_until)
                others = (
                    packages(items, until, own=process) if history and reference is not None else []
                )
                fit = fits.fit(graph, delivery_data(others), graph.default_priors())
                drawn = delivery_parameters(process, own, fit, points=points, seed=seed)
                kept[key] = (fit, drawn)
            fit, drawn = kept[key]
            made[f"deliveries {name}"] = fit
            for move in process.moves:
                found = drawn.get(move.name)
                hazards[name, move.name] = (
                    Hazard(0.0)
                    if found is None
                    else Hazard(found.rate, found.shape, found.at_once, found.for_good, found.size)
                )
        return Delivered(hazards, made)

    return of


def packages(
    items: Sequence[Evidence], until: dt.datetime, *, own: ProcessSpec | None = None
) -> list[Package]:
    """Give the agreed packages of a class as known, without the one that a process is about."""
    told = data_of(items, "packages")
    parts: dict[str, list[tuple[dt.datetime, float | None]]] = {}
    for row, effect, item in told.get("begun", ()):
        parts.setdefault(row, []).append(
            (moment_of(effect, "at", item.event_at or item.known_at), None)
        )
    for row, effect, item in told.get("delivered", ()):
        at = moment_of(effect, "at", item.event_at or item.known_at)
        parts.setdefault(row, []).append((at, float(effect.detail["value"])))
    announced = own.delivery.announced if own is not None and own.delivery is not None else None
    found = []
    for row, effect, item in told.get("agreed", ()):
        agreed = moment_of(effect, "at", item.known_at)
        if agreed >= until or effect.detail.get("usable", "yes") != "yes":
            continue
        if announced is not None and abs(agreed - announced) <= SAME:
            continue
        came = sorted(parts.get(row, ()), key=lambda part: part[0])
        found.append(
            Package(
                float(effect.detail["size"]),
                tuple(
                    (max((at - agreed) / DAY, 0.0), amount) for at, amount in came if at <= until
                ),
                (until - agreed) / DAY,
            )
        )
    return found
