"""The prior of one move's rate, as its phrase states it: a log-normal, or a count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.process import Phrase
from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit
from forecasting.models.spells import Spells, case_spread, representative_spells
from forecasting.models.world.chance import uniforms
from forecasting.models.world.links import NINETY
from forecasting.models.world.pooled import Pooled

#: A log-normal so wide that the counts alone speak.
FLAT = 300.0
#: Smoothing of a class's draws, and the width of what is stated without a range.
NARROW, EXACT = 0.05, 1e-6
#: Jeffreys' half event, and the least exposure in days on which it stands alone.
JEFFREYS, LEAST_DAYS = 0.5, 1.0
#: Without any exposure: once in two years, as wide as the pooled prior of one rate.
WIDE_LOC, WIDE_SCALE = log(1.0 / 730.5), 1.95


@dataclass(frozen=True, slots=True, eq=False)
class SpellDraws:
    """Draws of a reference class of spells: cumulative hazard exp(theta) (age / t0)^k.

    Attributes
    ----------
    theta, k
        (S,) each, in an order in which neighbours are alike.
    t0
        Reference age in days.
    at_once, lasting
        (S,) shares that fail at once and that never end; 0 where the class has none.
    spread
        Standard deviation by which the asked case may differ from its class in theta.
    """

    theta: FloatArray
    k: FloatArray
    t0: float
    at_once: FloatArray | float = 0.0
    lasting: FloatArray | float = 0.0
    spread: float = 0.0

    @property
    def arrays(self) -> list[FloatArray]:
        """Everything that is drawn, for a digest."""
        values = (self.theta, self.k, self.t0, self.at_once, self.lasting, self.spread)
        return [np.asarray(value, dtype=np.float64) for value in values]

    @classmethod
    def of(cls, model: Spells, fit: Fit, *, monitored: float = 0.0) -> "SpellDraws":
        """Give the draws of a fitted class."""
        draws = representative_spells(fit, monitored=monitored)
        once = draws.get("pi", 0.0)
        # A stay is at once, for good, or neither: of those not at once a share lasts.
        lasting = draws.get("lasting", 0.0) * (1.0 - np.asarray(once))
        return cls(
            draws["theta"],
            draws["k"],
            model.t0,
            once,
            lasting if np.ndim(lasting) else float(lasting),
            case_spread(model.setting),
        )


@dataclass(frozen=True, slots=True, eq=False)
class MovePrior:
    """log rate ~ Normal(loc, scale), times exp(count l - exposure exp(l)).

    Each is a number or one value a point. `order` is what the points are sorted by, where they
    come from draws; `pooled` whether these draws have learned from the move's own past.
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
    pooled: bool = False

    @property
    def flat(self) -> bool:
        """Whether counts alone speak, so that the rate is a Gamma."""
        return isinstance(self.scale, float) and self.scale == FLAT

    def shifted(self, by: float) -> "MovePrior":
        """Give the same prior for a rate exp(by) times as high."""
        if by == 0.0:
            return self
        if self.flat:
            return replace(self, exposure=self.exposure * np.exp(-by))
        return replace(self, loc=self.loc + by)

    def at(self, chosen: NDArray[np.int64]) -> "MovePrior":
        """Give the prior in some of the points."""

        def of(value: FloatArray | float) -> FloatArray | float:
            return value[chosen] if isinstance(value, np.ndarray) else value

        return replace(
            self,
            size=len(chosen),
            loc=of(self.loc),
            scale=of(self.scale),
            exposure=of(self.exposure),
            shape=of(self.shape),
            at_once=of(self.at_once),
            for_good=of(self.for_good),
            order=None if self.order is None else self.order[chosen],
        )


def prior_of(
    phrase: Phrase,
    size: int,
    key: tuple[object, ...],
    *,
    joined: Pooled | None,
    classes: Mapping[str, SpellDraws],
    exposure: float,
) -> MovePrior:
    """Give the prior of a rate in each point."""
    if phrase.form == "history":
        if joined is not None:
            mu, sigma, by = joined.at(size, key[0])
            return MovePrior(
                size,
                mu,
                sigma,
                order=by,
                pooled=True,
                at_once=phrase.at_once,
                for_good=phrase.for_good,
            )
        if exposure < LEAST_DAYS:
            return MovePrior(
                size, WIDE_LOC, WIDE_SCALE, at_once=phrase.at_once, for_good=phrase.for_good
            )
        return MovePrior(
            size, 0.0, FLAT, count=JEFFREYS, at_once=phrase.at_once, for_good=phrase.for_good
        )
    if phrase.form == "class":
        return _of_class(phrase, size, key, classes)
    shape, order = _shape(phrase, size, key)
    if phrase.form == "count":
        # n in T is a cumulative hazard of n at the age T.
        return MovePrior(
            size,
            0.0,
            FLAT,
            count=phrase.count,
            exposure=phrase.exposure**shape,
            shape=shape,
            order=order,
            at_once=phrase.at_once,
            for_good=phrase.for_good,
        )
    spread = log(phrase.high / phrase.low) / (2.0 * NINETY) if phrase.high > phrase.low else 0.0
    return MovePrior(
        size,
        log(log(2.0)) - shape * log(phrase.median),
        shape * spread + EXACT,
        shape=shape,
        order=order,
        at_once=phrase.at_once,
        for_good=phrase.for_good,
    )


def _shape(
    phrase: Phrase, size: int, key: tuple[object, ...]
) -> tuple[FloatArray | float, FloatArray | None]:
    from scipy.special import ndtri

    if not phrase.shape_high > phrase.shape_low:
        return phrase.shape, None
    spread = log(phrase.shape_high / phrase.shape_low) / (2.0 * NINETY)
    found = phrase.shape * np.exp(spread * ndtri(uniforms(size, *key, "shape")))
    return np.asarray(found, dtype=np.float64), found


def _of_class(
    phrase: Phrase, size: int, key: tuple[object, ...], classes: Mapping[str, SpellDraws]
) -> MovePrior:
    if phrase.reference not in classes:
        message = f"class ({phrase.reference}): no reference class of spells has that name"
        raise InvalidInput(message, hint=", ".join(sorted(classes)) or "none is fitted")
    draws = classes[phrase.reference]
    order = uniforms(size, *key, "class")
    place = (order * draws.theta.size).astype(np.int64)

    def of(value: FloatArray | float, stated: float) -> FloatArray | float:
        if stated > 0.0:
            return stated
        return value[place] if isinstance(value, np.ndarray) else value

    k = draws.k[place]
    # What the phrase says of its case against the class replaces what the class says of any case.
    ranged = phrase.high > phrase.low
    spread = log(phrase.high / phrase.low) / (2.0 * NINETY) if ranged else draws.spread
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
