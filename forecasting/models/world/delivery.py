"""The moves of one delivery: draws of its class, weighed by its own parts and its own silence."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.evidence import Evidence
from forecasting.domain.process import ProcessSpec, states_pace
from forecasting.domain.reference import ReferenceClass
from forecasting.errors import InvalidInput
from forecasting.evidence.history import DAY, Record
from forecasting.inference.fit import Fit
from forecasting.models.deliveries import SIZES, T0, Deliveries, Package, delivery_data
from forecasting.models.delivery_priors import RESUME
from forecasting.models.fits import FitCache
from forecasting.models.prior import PriorSpec
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import uniforms
from forecasting.models.world.classes import SAME, anchor, data_of, moment_of
from forecasting.models.world.values import Size

#: Draws of deliveries are kept for so many records and fits.
KEPT = 32
#: Draws of a prior that no other package has taught.
FINE = 1 << 16
#: (process, record, evidence, moment, fits, *, whether history counts, points, seed) to the
#: hazards of its moves by name, and the fit of its class.
type DeliveryOf = Callable[..., tuple[dict[str, Hazard], Fit]]


def delivery_hazards(classes: Mapping[str, ReferenceClass]) -> DeliveryOf:
    """Give what draws the moves of a bank's deliveries."""
    kept: dict[tuple[object, ...], tuple[dict[str, Hazard], Fit]] = {}

    def of(
        process: ProcessSpec,
        record: Record,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        fits: FitCache,
        *,
        history: bool,
        points: int,
        seed: int,
    ) -> tuple[dict[str, Hazard], Fit]:
        own = package_of(record) if history else None
        key = (process.name, own, as_of, history, points, seed, *(item.key for item in items))
        if key not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            reference = classes.get(process.delivery.reference) if process.delivery else None
            others: list[Package] = []
            if reference is not None and history:
                until = min(anchor(items, "packages", as_of), reference.observed_until)
                others = packages(items, until, own=process)
            graph = Deliveries()
            fit = fits.fit(graph, delivery_data(others), graph.default_priors())
            # Where no other package is known the fit is its prior, and that can be drawn as finely
            # as a record needs that is unlike what the prior expects.
            draws = fit.draws if others else prior_draws(graph.default_priors(), FINE, seed)
            drawn = delivery_parameters(process, own, draws, points=points, seed=seed)
            # A move that is never drawn comes by known facts alone.
            rest = {move.name: Hazard(0.0) for move in process.moves}
            kept[key] = (rest | drawn, fit)
        return kept[key]

    return of


def packages(
    items: Sequence[Evidence], until: dt.datetime, *, own: ProcessSpec | None = None
) -> list[Package]:
    """Give the agreed packages of a class as known, without the one that a process is about."""
    told = data_of(items, "packages")
    parts: dict[str, list[tuple[dt.datetime, float | None]]] = {}
    for name in ("begun", "delivered"):
        for row, effect, item in told.get(name, ()):
            at = moment_of(effect, "at", item.event_at or item.known_at)
            amount = float(effect.detail["value"]) if name == "delivered" else None
            parts.setdefault(row, []).append((at, amount))
    announced = own.delivery.announced if own is not None and own.delivery is not None else None
    found = []
    for row, effect, item in told.get("agreed", ()):
        agreed = moment_of(effect, "at", item.known_at)
        if agreed >= until or effect.detail.get("usable", "yes") != "yes":
            continue
        if announced is not None and abs(agreed - announced) <= SAME:
            continue
        came = sorted(parts.get(row, ()), key=lambda part: part[0])
        days = [(max((at - agreed) / DAY, 0.0), amount) for at, amount in came if at <= until]
        size = float(effect.detail["size"])
        found.append(Package(size, tuple(days), (until - agreed) / DAY))
    return found


def package_of(record: Record) -> Package:
    """Give a delivery's record as a package of its class, up to the end of its watch."""
    delivery = record.process.delivery
    if delivery is None:
        message = f"process ({record.process.name}): is not a delivery."
        raise InvalidInput(message)
    parts = tuple(
        (max((step.at - record.since) / DAY, 0.0), step.amount)
        for step in record.steps
        if step.amount > 0.0
    )
    watched = (record.free - record.since) / DAY
    return Package(delivery.agreed, parts, watched, delivery.delivered)


def delivery_parameters(
    process: ProcessSpec,
    package: Package | None,
    of_class: Mapping[str, FloatArray],
    *,
    points: int,
    seed: int,
) -> dict[str, Hazard]:
    """Draw the parameters of a delivery's moves by name.

    Where the bank states the pace of its parts, their record tells of sizes alone.
    """
    from scipy.special import gammaincinv

    draws = {name: np.asarray(values, dtype=np.float64) for name, values in of_class.items()}
    key = (seed, "parameter", process.name)
    level = uniforms(points, *key, "delivery")
    place = _places(draws, package, level, own_pace=states_pace(process))
    p = {name: values[place] for name, values in draws.items()}
    size = Size(p["mean"], p["precision"], p["whole"])
    first = np.exp(p["theta"] - p["first"] * np.log(T0))
    shape, rate = RESUME.values
    again = gammaincinv(shape, uniforms(points, *key, "stalled > begun", "rate")) / rate
    return {
        "agreed > begun": Hazard(first, p["first"], 0.0, 1.0 - p["w"], size),
        "begun > begun": Hazard(p["delta"] ** p["later"], p["later"], 0.0, p["stall"], size),
        "stalled > begun": Hazard(again),
    }


def prior_draws(priors: Mapping[str, PriorSpec], size: int, seed: int) -> dict[str, FloatArray]:
    """Draw priors by inverse cdf of evenly spread uniforms, (size,) each."""
    return {name: _prior_draw(name, prior, size, seed) for name, prior in priors.items()}


# No moment and no record changes them, and a quantile of a beta is slow.
@lru_cache(maxsize=32)
def _prior_draw(name: str, prior: PriorSpec, size: int, seed: int) -> FloatArray:
    from scipy.special import betaincinv, gammaincinv, ndtri

    u, (a, b) = uniforms(size, seed, "prior", name), prior.values
    if prior.distribution == "beta":
        drawn = betaincinv(a, b, u)
    elif prior.distribution == "gamma":
        drawn = gammaincinv(a, u) / b
    else:
        drawn = a + b * ndtri(u)
    drawn = np.exp(drawn) if prior.distribution == "lognormal" else drawn
    found = np.asarray(drawn, dtype=np.float64)
    found.setflags(write=False)
    return found


def _places(
    draws: Mapping[str, FloatArray], package: Package | None, level: FloatArray, *, own_pace: bool
) -> NDArray[np.int64]:
    """Give the draw of each point: a comb over draws, weighed by the record.

    The comb runs over what counts most, the pace, or the share of a part where the bank states the
    pace: then a pace unlike the priors' does not use up the draws.
    """
    log_weight = np.zeros(draws["w"].size)
    if package is not None:
        told = Deliveries().log_likelihood(draws, delivery_data([package]))
        log_weight = log_weight + told[:, SIZES if own_pace else slice(None)].sum(axis=1)
    begun = package is not None and package.parts
    by = np.argsort(draws["mean" if own_pace else "delta" if begun else "w"], kind="stable")
    reached = np.cumsum(np.exp(log_weight - log_weight.max())[by])
    found = np.searchsorted(reached, level * reached[-1])
    return np.asarray(by[np.minimum(found, by.size - 1)], dtype=np.int64)
