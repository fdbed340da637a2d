"""Links in numbers: a log hazard ratio with its prior, and what it means for a rare event."""

from math import exp, log

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.process import LinkSpec
from forecasting.models.world.chance import uniforms

#: Standard deviations from the middle to either end of a 90 % range.
NINETY = 1.6448536269514722


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
