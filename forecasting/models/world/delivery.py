"""The moves of one delivery: draws of its class, weighed by its parts and by the time without one.

A delivery without a class, or with one of which no other package is known, is drawn from priors:
there are no draws to weigh, so they are made where its own record is likely.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from forecasting.arrays import FloatArray, Recent
from forecasting.domain.evidence import Evidence
from forecasting.domain.prior import ClassPrior, PriorSpec, ReferenceClass, stated_over
from forecasting.domain.process import ProcessSpec, states_pace
from forecasting.evidence.cases import Package, anchor, package_of, packages, stalls_of
from forecasting.evidence.history import Record
from forecasting.inference.alike import comb
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fits import FitCache
from forecasting.inference.importance import likely_draws
from forecasting.inference.prior import prior_arrays
from forecasting.models.deliveries import BLOCKS, T0, Deliveries, delivery_data
from forecasting.models.priors import RESUME
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import uniforms
from forecasting.models.world.values import Size

#: Draws of deliveries are kept for so many records and fits.
KEPT = 32
#: Draws where no other package is known.
FINE = 1 << 13


@dataclass(frozen=True, slots=True)
class DeliveryClasses:
    """A bank's classes of deliveries, with the priors that it states of them."""

    classes: Mapping[str, ReferenceClass]
    stated: Sequence[ClassPrior]
    fits: FitCache
    _drawn: Recent[tuple[object, ...], tuple[dict[str, Hazard], Fit]] = field(
        default_factory=lambda: Recent(KEPT)
    )

    def hazards(
        self,
        process: ProcessSpec,
        record: Record,
        items: Sequence[Evidence],
        as_of: dt.datetime,
        *,
        history: bool,
        points: int,
        seed: int,
    ) -> tuple[dict[str, Hazard], Fit]:
        """Give the parameters of a delivery's moves by name, and the fit of its class."""
        own = package_of(record) if history else None
        stalls = stalls_of(record) if history else (0, 0.0)

        def drawn() -> tuple[dict[str, Hazard], Fit]:
            reference = self.classes.get(process.delivery.reference) if process.delivery else None
            others: list[Package] = []
            if reference is not None and history:
                until = min(anchor(items, "packages", as_of), reference.observed_until)
                others = packages(items, until, own=process)
            named = "" if reference is None else reference.id
            priors = stated_over(Deliveries().default_priors(), self.stated, named)
            if others:
                fit = self.fits.fit(Deliveries(), delivery_data(others), priors)
                draws, due = fit.draws, None
            else:
                alone, _ = prior_draws(priors, None, seed)  # as a fit, which needs no graph
                arrays = prior_arrays(priors, Deliveries().default_priors())
                fit = exact_fit(alone, delivery_data([]), arrays, seed=seed)
                draws, due = prior_draws(priors, own, seed)
            # A move that is never drawn comes by known facts alone.
            rest = {move.name: Hazard(0.0) for move in process.moves}
            hazards = delivery_parameters(
                process, own, draws, due, stalls=stalls, points=points, seed=seed
            )
            return rest | hazards, fit

        cases = tuple(item.key for item in items)
        return self._drawn.of(
            (process.name, own, stalls, as_of, history, points, seed, cases), drawn
        )


def delivery_parameters(
    process: ProcessSpec,
    package: Package | None,
    drawn: Mapping[str, FloatArray],
    due: FloatArray | None = None,
    *,
    stalls: tuple[int, float] = (0, 0.0),
    points: int,
    seed: int,
) -> dict[str, Hazard]:
    """Draw the parameters of a delivery's moves by name from draws of what is known without it.

    Its own record weighs each block apart, for nothing ties them; where the bank states the pace of
    its parts, it weighs their sizes alone. `due` is as `likely_draws` gives it. `stalls`: how often
    it went on after a stall, and the days of stalling, of a Gamma prior and a Poisson count.
    """
    from scipy.special import gammaincinv

    draws = {name: np.asarray(values, dtype=np.float64) for name, values in drawn.items()}
    log_weight = np.zeros((draws["w"].size, len(BLOCKS))) if due is None else due
    if package is not None:
        log_likelihood = _block_likelihoods(draws, package)
        log_weight = log_weight + (
            log_likelihood * [0.0, 0.0, 1.0] if states_pace(process) else log_likelihood
        )
    key = (seed, "parameter", process.name)
    p: dict[str, FloatArray] = {}
    for k, (names, _) in enumerate(BLOCKS):
        along = np.argsort(draws[names[0]], kind="stable")
        place = comb(log_weight[:, k], along, uniforms(points, *key, names[0]))
        p |= {name: draws[name][place] for name in names}
    size = Size(p["mean"], p["precision"], p["whole"])
    first = np.exp(p["theta"] - p["first"] * np.log(T0))
    shape, rate = (prior + count for prior, count in zip(RESUME.values, stalls, strict=True))
    again = gammaincinv(shape, uniforms(points, *key, "stalled > begun", "rate")) / rate
    return {
        "agreed > begun": Hazard(first, p["first"], 0.0, 1.0 - p["w"], size),
        "begun > begun": Hazard(p["delta"] ** p["later"], p["later"], 0.0, p["stall"], size),
        "stalled > begun": Hazard(again),
    }


def _block_likelihoods(draws: Mapping[str, FloatArray], package: Package) -> FloatArray:
    """Give the log-likelihood of each block of parameters, (S, 3)."""
    log_likelihood = Deliveries().log_likelihood(draws, delivery_data([package]))
    return np.stack([log_likelihood[:, kinds].sum(axis=1) for _, kinds in BLOCKS], axis=1)


def prior_draws(
    priors: Mapping[str, PriorSpec], package: Package | None, seed: int
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Draw priors where a record is likely; give the draws, (FINE,) each, and what `due` is."""
    levels = {name: uniforms(FINE, seed, "prior", name) for name in priors}
    record = None if package is None else partial(_block_likelihoods, package=package)
    return likely_draws(priors, [names for names, _ in BLOCKS], levels, record)
