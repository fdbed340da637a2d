"""The moves of one delivery: draws of its class, weighed by its own parts and its own silence.

A delivery without a class, or with one of which no other package is known, is drawn from priors:
there are no draws to weigh, so they are made where its own record says that they are needed.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.evidence import Evidence
from forecasting.domain.prior import ClassPrior, PriorSpec, ReferenceClass, stated_over
from forecasting.domain.process import ProcessSpec, states_pace
from forecasting.errors import InvalidInput
from forecasting.evidence.history import DAY, Record
from forecasting.inference.fit import Fit, exact_fit
from forecasting.models.deliveries import BLOCKS, T0, Deliveries, Package, delivery_data
from forecasting.models.delivery_priors import RESUME
from forecasting.models.fits import FitCache
from forecasting.models.prior import prior_arrays
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import uniforms
from forecasting.models.world.classes import SAME, anchor, data_of, moment_of
from forecasting.models.world.values import Size

#: States of a delivery that a fact may enter.
STALLED, FAILED = "stalled", "failed"
#: Draws of deliveries are kept for so many records and fits.
KEPT = 32
#: Draws where no other package is known, of which a share stays as the prior has them.
FINE, PLAIN = 1 << 13, 1 / 8
#: Rounds in which draws go to where the record is likely, each as far as a tenth of them can tell;
#: and how much wider than the last round's they are spread.
ROUNDS, TOLD, WIDER, BISECTIONS = 4, 0.1, 1.3, 20
#: (process, record, evidence, moment, fits, *, whether history counts, points, seed) to the
#: hazards of its moves by name, and the fit of its class.
type DeliveryOf = Callable[..., tuple[dict[str, Hazard], Fit]]


def delivery_hazards(
    classes: Mapping[str, ReferenceClass], stated: Sequence[ClassPrior] = ()
) -> DeliveryOf:
    """Give what draws the moves of a bank's deliveries; `stated` are the priors of its classes."""
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
        stalls = stalls_of(record) if history else (0, 0.0)
        key = (
            process.name,
            own,
            stalls,
            as_of,
            history,
            points,
            seed,
            *(item.key for item in items),
        )
        if key not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            reference = classes.get(process.delivery.reference) if process.delivery else None
            others: list[Package] = []
            if reference is not None and history:
                until = min(anchor(items, "packages", as_of), reference.observed_until)
                others = packages(items, until, own=process)
            named = "" if reference is None else reference.id
            priors = stated_over(Deliveries().default_priors(), stated, named)
            if others:
                fit = fits.fit(Deliveries(), delivery_data(others), priors)
                draws, due = fit.draws, None
            else:
                fit = _prior_alone(priors, seed)
                draws, due = prior_draws(priors, own, seed)
            drawn = delivery_parameters(
                process, own, draws, due, stalls=stalls, points=points, seed=seed
            )
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


def stalls_of(record: Record) -> tuple[int, float]:
    """Give how often a stalled delivery went on, and the days that it was watched to be stalled."""
    went, days, begun = 0, 0.0, record.since if record.start == STALLED else None
    for step in record.steps:
        if begun is not None and step.state != STALLED:
            went += step.state != FAILED
            days += (step.at - begun) / DAY
            begun = None
        elif begun is None and step.state == STALLED:
            begun = step.at
    if begun is not None:
        days += max((record.free - begun) / DAY, 0.0)
    return went, days


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

    Its own record tells of each block of parameters apart, for neither the priors nor the evidence
    ties them; where the bank states the pace of its parts, of their sizes alone. `due`, (S, 3), is
    by how much the log density of each block is above that with which it was drawn. `stalls`: how
    often it went on after a stall, and the days of it, which the rate of going on counts (a Gamma
    prior and a Poisson count).
    """
    from scipy.special import gammaincinv

    draws = {name: np.asarray(values, dtype=np.float64) for name, values in drawn.items()}
    log_weight = np.zeros((draws["w"].size, len(BLOCKS))) if due is None else due
    if package is not None:
        told = _told(draws, package)
        log_weight = log_weight + (told * [0.0, 0.0, 1.0] if states_pace(process) else told)
    key = (seed, "parameter", process.name)
    p: dict[str, FloatArray] = {}
    for k, (names, _) in enumerate(BLOCKS):
        # A comb over what counts most, so that neighbours are alike.
        by = np.argsort(draws[names[0]], kind="stable")
        reached = np.cumsum(np.exp(log_weight[:, k] - log_weight[:, k].max())[by])
        found = np.searchsorted(reached, uniforms(points, *key, names[0]) * reached[-1])
        place = by[np.minimum(found, by.size - 1)]
        p |= {name: draws[name][place] for name in names}
    size = Size(p["mean"], p["precision"], p["whole"])
    first = np.exp(p["theta"] - p["first"] * np.log(T0))
    shape, rate = (prior + told for prior, told in zip(RESUME.values, stalls, strict=True))
    again = gammaincinv(shape, uniforms(points, *key, "stalled > begun", "rate")) / rate
    return {
        "agreed > begun": Hazard(first, p["first"], 0.0, 1.0 - p["w"], size),
        "begun > begun": Hazard(p["delta"] ** p["later"], p["later"], 0.0, p["stall"], size),
        "stalled > begun": Hazard(again),
    }


def _told(draws: Mapping[str, FloatArray], package: Package) -> FloatArray:
    """Give the log-likelihood of each block of parameters, (S, 3)."""
    told = Deliveries().log_likelihood(draws, delivery_data([package]))
    return np.stack([told[:, kinds].sum(axis=1) for _, kinds in BLOCKS], axis=1)


def prior_draws(
    priors: Mapping[str, PriorSpec], package: Package | None, seed: int
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Draw priors where a record is likely; give the draws, (FINE,) each, and what `due` is.

    Each parameter is the inverse cdf of a standard normal number. Round by round a normal
    distribution of each block's numbers moves to where prior times likelihood has its mass
    (adaptive importance sampling), however unlike the prior's own the record is.
    """
    from scipy.special import ndtri

    even = {name: ndtri(uniforms(FINE, seed, "prior", name)) for name in priors}
    plain = [np.stack([even[name] for name in names], axis=1) for names, _ in BLOCKS]
    near = [(np.zeros(z.shape[1]), np.eye(z.shape[1])) for z in plain]
    few = round(PLAIN * FINE)
    for rest in reversed(range(ROUNDS if package is not None else 1)):
        placed = [
            np.concatenate([z[:few], middle + z[few:] @ np.linalg.cholesky(spread).T])
            for z, (middle, spread) in zip(plain, near, strict=True)
        ]
        draws = {
            name: _by_normal(priors[name], z[:, k])
            for (names, _), z in zip(BLOCKS, placed, strict=True)
            for k, name in enumerate(names)
        }
        due = np.stack([_due(z, *each) for z, each in zip(placed, near, strict=True)], axis=1)
        if package is not None and rest:
            told = _told(draws, package)
            near = [_nearer(z, due[:, k], told[:, k]) for k, z in enumerate(placed)]
    return draws, due


def _by_normal(prior: PriorSpec, z: FloatArray) -> FloatArray:
    """Give the value of a prior at standard normal numbers."""
    from scipy.special import betaincinv, gammaincinv, ndtr

    a, b = prior.values
    if prior.distribution == "beta":
        return np.asarray(np.clip(betaincinv(a, b, ndtr(z)), 1e-300, 1.0 - 1e-12))
    if prior.distribution == "gamma":
        return np.asarray(np.maximum(gammaincinv(a, ndtr(z)) / b, 1e-300))
    return np.exp(a + b * z) if prior.distribution == "lognormal" else a + b * z


def _due(z: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    """Give log N(z; 0, I) less the log density of the mixture that z is drawn from."""
    root = np.linalg.cholesky(spread)
    near = np.linalg.solve(root, (z - middle).T)
    prior = -0.5 * np.sum(z * z, axis=1)
    there = -0.5 * np.sum(near * near, axis=0) - np.log(np.diag(root)).sum()
    return np.asarray(prior - np.logaddexp(np.log(PLAIN) + prior, np.log1p(-PLAIN) + there))


def _nearer(z: FloatArray, due: FloatArray, told: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the mean and the spread of a block under as much of its evidence as the draws bear."""

    def weights(share: float) -> FloatArray:
        log_weight = due + share * told
        found = np.exp(log_weight - log_weight.max())
        return np.asarray(found / found.sum())

    def borne(share: float) -> bool:
        return bool(1.0 / np.sum(weights(share) ** 2) >= TOLD * len(z))

    low, high = (1.0, 1.0) if borne(1.0) else (0.0, 1.0)
    for _ in range(BISECTIONS if low < high else 0):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if borne(middle) else (low, middle)
    weight = weights(low)
    mean = weight @ z
    apart = z - mean
    return mean, WIDER * (apart * weight[:, None]).T @ apart + 1e-9 * np.eye(z.shape[1])


def _prior_alone(priors: Mapping[str, PriorSpec], seed: int) -> Fit:
    """Give the draws of a prior as a fit, which needs no graph."""
    draws, _ = prior_draws(priors, None, seed)
    arrays = prior_arrays(priors, Deliveries().default_priors())
    return exact_fit(draws, delivery_data([]), arrays, seed=seed, seconds=0.0)
