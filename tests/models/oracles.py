"""Data of the three graphs from known parameters, and the likelihood of spells without a graph.

The processes are simulated, not the arithmetic that the likelihoods use.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec
from forecasting.evidence.cases import Package
from forecasting.models import weibull
from forecasting.models.deliveries import LEAST_SHARE, T0, Deliveries, delivery_data
from forecasting.models.rates import Rates, rate_data
from forecasting.models.spells import Spells
from forecasting.models.weibull import cumulative_hazard

#: An hour: the least age at which an end is told from the start.
HOUR = 1.0 / 24.0


def prior_draw(rng, priors):
    """Draw every parameter once from its prior."""
    drawn = {
        "normal": rng.normal,
        "lognormal": lambda mu, sd: np.exp(rng.normal(mu, sd)),
        "gamma": lambda shape, rate: rng.gamma(shape, 1.0 / rate),
        "beta": rng.beta,
    }
    return {
        name: np.asarray(drawn[prior.distribution](*prior.values), dtype=np.float64)
        for name, prior in priors.items()
    }


def simulated(
    model: Any,
    rng: np.random.Generator,
    priors: Mapping[str, PriorSpec] | None = None,
    n: int | None = None,
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Draw parameters of a graph from its prior, and data from them: n moves, spells, packages."""
    truth = prior_draw(rng, model.default_priors() if priors is None else priors)
    match model:
        case Rates():
            return truth, _rates(rng, truth, 12 if n is None else n)
        case Spells():
            return truth, _spells(rng, truth, t0=model.t0, n=12 if n is None else n)
        case Deliveries():
            days = [30.0 + 60.0 * (k % 2) for k in range(6 if n is None else n)]
            return truth, delivery_data([package(rng, truth, 1000.0, day) for day in days])
    raise AssertionError(model)


def _rates(
    rng: np.random.Generator, truth: Mapping[str, FloatArray], n: int
) -> dict[str, FloatArray]:
    """Draw counts of moves watched for unequal times."""
    exposures = np.exp(rng.uniform(np.log(10.0), np.log(3000.0), n))
    rates = np.exp(truth["mu"] + truth["sigma"] * rng.standard_normal(n))
    # Beyond a million the generator has no integers, and no count says more.
    counts = rng.poisson(np.minimum(rates * exposures, 1e6)).astype(np.float64)
    return rate_data(counts, exposures)


def _spells(
    rng: np.random.Generator, truth: Mapping[str, FloatArray], *, t0: float, n: int
) -> dict[str, FloatArray]:
    """Draw spells: half monitored, some watched from later, some ends known by an interval."""
    pi, lasting = float(truth.get("pi", 0.0)), float(truth.get("lasting", 0.0))
    rows: dict[str, list[float]] = {name: [] for name in ("entry", "lower", "upper", "kind", "x")}
    for row in range(n):
        x, late, coarse = row % 2, row % 4 == 3, row % 3 == 2
        entry = 0.2 * t0 if late else 0.0
        until = t0 * (0.3, 1.0, 3.0)[row % 3]
        eta = float(truth["theta"] + truth["beta"] * x)
        k = float(truth["k"])
        lived = np.exp(eta) * (entry / t0) ** k
        # S(T) is uniform below S(entry); below the lasting share it never ends.
        level = rng.random() * (lasting + (1.0 - lasting) * np.exp(-lived))
        end = np.inf
        if level > lasting:
            hazard = -np.log((level - lasting) / (1.0 - lasting))
            end = t0 * (hazard / np.exp(eta)) ** (1.0 / k)
        if entry == 0.0 and rng.random() < pi:
            end = 0.0
        step = until / 4.0 if coarse else HOUR
        if end > until:
            seen = (until, until, weibull.HELD)
        elif coarse or end < HOUR:
            low = max(entry, step * np.floor(end / step))
            seen = (low, step * np.floor(end / step) + step, weibull.BETWEEN)
        else:
            seen = (end, end, weibull.ENDED)
        for name, value in zip(rows, (entry, *seen, x), strict=True):
            rows[name].append(float(value))
    monitored = rows.pop("x")
    return weibull.spells(**rows, monitored=monitored)


def package(
    rng: np.random.Generator, truth: Mapping[str, ArrayLike], agreed: float, watched: float
) -> Package:
    """Draw one package part by part, watched for whole days; gaps are whole days, as known."""
    p = {name: float(np.asarray(value)) for name, value in truth.items()}
    if rng.random() >= p["w"]:
        return Package(agreed, (), watched)
    day = float(np.ceil(T0 * (rng.exponential() / np.exp(p["theta"])) ** (1.0 / p["first"])))
    a = p["mean"] * p["precision"]
    parts: list[tuple[float, float | None]] = []
    left = agreed
    while day <= watched:
        share = 1.0 if rng.random() < p["whole"] else rng.beta(a, p["precision"] - a)
        number = min(left, max(share, LEAST_SHARE) * agreed)
        left -= number
        parts.append((day, number))
        if left <= LEAST_SHARE * agreed or rng.random() < p["stall"]:
            break
        day += max(1.0, float(np.ceil(rng.exponential() ** (1.0 / p["later"]) / p["delta"])))
    return Package(agreed, tuple(parts), watched)


def spell_log_likelihood(
    draws: Mapping[str, ArrayLike], rows: Mapping[str, ArrayLike], *, t0: float
) -> FloatArray:
    """Return weight * log p(row | draw) for every draw and spell, (S, n).

    Held: log S(lower)/S(entry). Ended: log h(lower) S(lower)/S(entry). Between:
    log (S(lower) - S(upper))/S(entry), by log1mexp; from age 0 it includes instant failures. Never
    NaN: a row that is impossible under a draw is very negative, at least -1e300.
    """
    entry, low, high, kind, weight, x = (
        np.asarray(rows[name], dtype=np.float64)
        for name in ("entry", "lower", "upper", "kind", "weight", "monitored")
    )
    k = np.asarray(draws["k"], dtype=np.float64)[:, None]
    eta = np.asarray(draws["theta"])[:, None] + np.asarray(draws["beta"])[:, None] * x
    h_entry = cumulative_hazard(entry, eta, k, t0=t0)
    h_low = cumulative_hazard(low, eta, k, t0=t0)
    h_high = cumulative_hazard(high, eta, k, t0=t0)
    pi = np.asarray(draws["pi"], dtype=np.float64)[:, None] if "pi" in draws else np.zeros_like(k)
    c = np.asarray(draws.get("lasting", np.zeros(len(k))), dtype=np.float64)[:, None]
    escaped = np.where((entry == 0) & (low > 0), np.log1p(-pi), 0.0)
    watched = weibull._log_kept(draws, h_entry)
    age = np.where(low > 0, low, 1.0)
    log_hazard = eta + np.log(k) + k * np.log(age / t0) - np.log(age)
    with np.errstate(divide="ignore"):
        log_within = np.log1p(-c) - h_low + np.log(-np.expm1(-(h_high - h_low)))
        from_start = np.log(pi + (1 - pi) * np.exp(log_within))
    terms = np.where(
        kind == weibull.HELD,
        escaped + weibull._log_kept(draws, h_low) - watched,
        np.where(
            kind == weibull.ENDED,
            escaped + np.log1p(-c) + log_hazard - h_low - watched,
            np.where(low == 0, from_start, escaped + log_within - watched),
        ),
    )
    return np.asarray(weight * np.maximum(terms, -1e300), dtype=np.float64)
