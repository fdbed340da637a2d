"""What the bank states, as priors: of a rate (a log-normal, or a count), and of a link's ratio."""

from dataclasses import dataclass, fields, replace
from functools import partial
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.process import LinkSpec, Phrase
from forecasting.models.spells import SpellDraws
from forecasting.models.world.chance import uniforms
from forecasting.models.world.pooled import Pooled

#: Standard deviations from the middle to either end of a 90 % range.
NINETY = 1.6448536269514722
#: The scale of a log-normal so wide that the counts alone decide.
FLAT = 300.0
#: Smoothing of a class's draws, and the width of what is stated without a range.
NARROW, EXACT = 0.05, 1e-6
#: Jeffreys' half event, and the least exposure in days that it is used with.
JEFFREYS, LEAST_DAYS = 0.5, 1.0
#: Without any exposure: once in two years, as wide as the pooled prior of one rate.
WIDE_LOC, WIDE_SCALE = log(1.0 / 730.5), 1.95


@dataclass(frozen=True, slots=True, eq=False)
class MovePrior:
    """log rate ~ Normal(loc, scale), times exp(count l - exposure exp(l)).

    Each is a number or one value a point. `order` is what the points are sorted by, where they
    come from draws.
    """

    size: int
    loc: FloatArray | float
    scale: FloatArray | float
    count: float = 0.0
    exposure: FloatArray | float = 0.0
    shape: FloatArray | float = 1.0
    at_once: FloatArray | float = 0.0
    for_good: FloatArray | float = 0.0
    order: FloatArray | None = None

    @property
    def flat(self) -> bool:
        """Whether the counts alone decide, so that the rate is a Gamma."""
        return isinstance(self.scale, float) and self.scale == FLAT

    def shifted(self, by: float) -> "MovePrior":
        """Give the same prior for a rate exp(by) times as high."""
        if self.flat:
            return replace(self, exposure=self.exposure * np.exp(-by))
        return replace(self, loc=self.loc + by)

    def at(self, chosen: NDArray[np.int64]) -> "MovePrior":
        """Give the prior in some of the points."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays: dict[str, Any] = {
            name: value[chosen] for name, value in values.items() if isinstance(value, np.ndarray)
        }
        return replace(self, size=len(chosen), **arrays)


def prior_of(
    phrase: Phrase,
    size: int,
    key: tuple[object, ...],
    *,
    joined: Pooled | None,
    drawn: SpellDraws | None,
    exposure: float,
) -> MovePrior:
    """Give the prior of a rate in each point: by its phrase, of the pool, or as its class drew."""
    if drawn is not None:
        return _of_class(phrase, size, key, drawn)
    prior = partial(MovePrior, size, at_once=phrase.at_once, for_good=phrase.for_good)
    if phrase.form == "history":
        if joined is not None:
            mu, sigma, order = joined.at(size, key[0])
            return prior(mu, sigma, order=order)
        if exposure < LEAST_DAYS:
            return prior(WIDE_LOC, WIDE_SCALE)
        return prior(0.0, FLAT, count=JEFFREYS)
    shape: FloatArray | float = phrase.shape
    ordered = None
    if phrase.shape_high > phrase.shape_low:
        from scipy.special import ndtri

        sd = log_spread(phrase.shape_low, phrase.shape_high)
        shape = ordered = phrase.shape * np.exp(sd * ndtri(uniforms(size, *key, "shape")))
    if phrase.form == "count":
        # n in T is a cumulative hazard of n at the age T.
        seen = phrase.exposure**shape
        return prior(0.0, FLAT, count=phrase.count, exposure=seen, shape=shape, order=ordered)
    return prior(
        log(log(2.0)) - shape * log(phrase.median),
        shape * log_spread(phrase.low, phrase.high) + EXACT,
        shape=shape,
        order=ordered,
    )


def _of_class(phrase: Phrase, size: int, key: tuple[object, ...], draws: SpellDraws) -> MovePrior:
    order = uniforms(size, *key, "class")
    place = (order * draws.theta.size).astype(np.int64)

    def of(value: FloatArray | float, stated: float) -> FloatArray | float:
        if stated > 0.0:
            return stated
        return value[place] if isinstance(value, np.ndarray) else value

    k = draws.k[place]
    # What the phrase says of its case against the class replaces what the class says of any case.
    spread = log_spread(phrase.low, phrase.high) or draws.spread
    factor = log(phrase.median) if phrase.median > 0.0 else 0.0
    return MovePrior(
        size,
        draws.theta[place] - k * log(draws.t0) + factor,
        float(np.hypot(spread, NARROW)),
        shape=k,
        at_once=of(draws.at_once, phrase.at_once),
        for_good=of(draws.lasting, phrase.for_good),
        order=order,
    )


def log_spread(low: float, high: float) -> float:
    """Give the standard deviation of a log-normal with this 90 % range; 0 without a range."""
    return log(high / low) / (2.0 * NINETY) if high > low else 0.0


def beta_prior(link: LinkSpec) -> tuple[float, float]:
    """Give mean and standard deviation of a link's log hazard ratio."""
    return log(link.median), log_spread(link.low, link.high)


def prior_betas(link: LinkSpec, points: int, seed: int) -> FloatArray:
    """Draw a link's log hazard ratio by inverse cdf, one a point."""
    from scipy.special import ndtri

    mean, sd = beta_prior(link)
    return np.asarray(
        mean + sd * ndtri(uniforms(points, seed, "parameter", "link", link.name)), dtype=np.float64
    )


def implied_ratio(link: LinkSpec) -> float:
    """Give by how much a link multiplies the chance of a rare event: its mean ratio.

    A rare event is as likely as its rate is high on average, so a wide range counts for more than
    its middle: x3 with a standard deviation of 1 means x5.

    >>> round(implied_ratio(LinkSpec("a", ("on",), "b", (), 3.0, 3 / 5.18, 3 * 5.18)), 1)
    4.9
    """
    mean, sd = beta_prior(link)
    return exp(mean + 0.5 * sd * sd)
