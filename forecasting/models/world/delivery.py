"""The moves of one delivery: draws of its class, weighed by its own parts and its own silence."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.process import ProcessSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.history import DAY, Record
from forecasting.inference.fit import Fit
from forecasting.models.deliveries import T0, Deliveries, Package, delivery_data
from forecasting.models.delivery_priors import RESUME
from forecasting.models.prior import PriorSpec
from forecasting.models.world.chance import uniforms
from forecasting.models.world.parameters import MoveParameters
from forecasting.models.world.values import Size


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
    fit: Fit,
    *,
    points: int,
    seed: int,
    resume: PriorSpec = RESUME,
) -> dict[str, MoveParameters]:
    """Draw the parameters of a delivery's moves."""
    from scipy.special import gammaincinv

    draws = {name: np.asarray(values, dtype=np.float64) for name, values in fit.draws.items()}
    key = (seed, "parameter", process.name)
    place = _places(draws, package, uniforms(points, *key, "delivery"))
    p = {name: values[place] for name, values in draws.items()}
    none, size = np.zeros(points), Size(p["mean"], p["precision"], p["whole"])
    first = np.exp(p["theta"] - p["first"] * np.log(T0))
    shape, rate = (float(np.asarray(resume.value(name))) for name in ("shape", "rate"))
    again = gammaincinv(shape, uniforms(points, *key, "stalled > begun", "rate")) / rate
    return {
        "agreed > begun": MoveParameters(first, p["first"], none, 1.0 - p["w"], size),
        "begun > begun": MoveParameters(
            p["delta"] ** p["later"], p["later"], none, p["stall"], size
        ),
        "stalled > begun": MoveParameters(again, np.ones(points), none, none),
    }


def _places(
    draws: Mapping[str, FloatArray],
    package: Package | None,
    level: FloatArray,
) -> NDArray[np.int64]:
    """Give the draw of each point: a comb over draws by their pace, weighed by the record."""
    log_weight = np.zeros(draws["w"].size)
    begun = package is not None and bool(package.parts)
    if package is not None:
        told = Deliveries().log_likelihood(draws, delivery_data([package]))
        log_weight = log_weight + told.sum(axis=1)
    pace = draws["delta"] if begun else draws["w"]
    by = np.argsort(pace, kind="stable")
    reached = np.cumsum(np.exp(log_weight - log_weight.max())[by])
    found = np.searchsorted(reached, level * reached[-1])
    return np.asarray(by[np.minimum(found, by.size - 1)], dtype=np.int64)
