"""The moves of one delivery: draws of its class, weighed by its parts and by the time without one.

A delivery without a class, or with one of which no other package is known, is drawn from priors:
there are no draws to weigh, so they are made where its own record is likely.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from forecasting.arrays import FloatArray, Recent
from forecasting.domain.evidence import Evidence
from forecasting.domain.prior import ClassPrior, PriorSpec, ReferenceClass, stated_over
from forecasting.domain.process import ProcessSpec, states_pace
from forecasting.evidence.cases import Package, anchor, package_of, packages, stalls_of
from forecasting.evidence.history import Record
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fits import FitCache
from forecasting.inference.prior import prior_arrays
from forecasting.models.deliveries import BLOCKS, T0, Deliveries, delivery_data
from forecasting.models.priors import RESUME
from forecasting.models.world.assembly import Hazard
from forecasting.models.world.chance import comb, uniforms
from forecasting.models.world.values import Size

#: Draws of deliveries are kept for so many records and fits.
KEPT = 32
#: Draws where no other package is known, of which a share stays as the prior has them.
FINE, PLAIN = 1 << 13, 1 / 8
#: Rounds in which draws go to where the record is likely, each so far that a tenth of them is the
#: effective number; and how much wider than the last round's they are spread.
ROUNDS, LEAST_EFFECTIVE, WIDER, BISECTIONS = 4, 0.1, 1.3, 20
#: (process, record, evidence, moment, fits, *, whether history counts, points, seed) to the
#: hazards of its moves by name, and the fit of its class.
type DeliveryOf = Callable[..., tuple[dict[str, Hazard], Fit]]


def delivery_hazards(
    classes: Mapping[str, ReferenceClass], stated: Sequence[ClassPrior] = ()
) -> DeliveryOf:
    """Give what draws the moves of a bank's deliveries; `stated` are the priors of its classes."""
    cache = Recent[tuple[object, ...], tuple[dict[str, Hazard], Fit]](KEPT)

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
        item_keys = tuple(item.key for item in items)

        def drawn() -> tuple[dict[str, Hazard], Fit]:
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

        return cache.of((process.name, own, stalls, as_of, history, points, seed, item_keys), drawn)

    return of


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

    Its own record weighs each block of parameters separately, for neither the priors nor the
    evidence ties them; where the bank states the pace of its parts, it weighs their sizes alone.
    `due`, (S, 3), is by how much the log density of each block is above that with which it was
    drawn. `stalls`: how often it went on after a stall, and the days of stalling; the rate of going
    on has a Gamma prior and a Poisson count.
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
            log_likelihood = _block_likelihoods(draws, package)
            near = [
                _next_proposal(z, due[:, k], log_likelihood[:, k]) for k, z in enumerate(placed)
            ]
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


def _next_proposal(
    z: FloatArray, due: FloatArray, log_likelihood: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the mean and the covariance of a block's next draws.

    They are those of this round's, weighed by the largest share of the log-likelihood at which
    the effective number of draws is large enough.
    """

    def weights(share: float) -> FloatArray:
        log_weight = due + share * log_likelihood
        relative = np.exp(log_weight - log_weight.max())
        return np.asarray(relative / relative.sum())

    def enough(share: float) -> bool:
        return bool(1.0 / np.sum(weights(share) ** 2) >= LEAST_EFFECTIVE * len(z))

    low, high = (1.0, 1.0) if enough(1.0) else (0.0, 1.0)
    for _ in range(BISECTIONS if low < high else 0):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    weight = weights(low)
    mean = weight @ z
    apart = z - mean
    return mean, WIDER * (apart * weight[:, None]).T @ apart + 1e-9 * np.eye(z.shape[1])
