"""Numbers and dates as distributions: a CDF on a grid, its quantiles, log scales, open bounds.

A continuous forecast is kept as its quantile function: levels in percent with the values at them.
A CDF of two hundred steps is two hundred such pairs, exactly; probability beyond an open bound is
that below the first level or above the last, and stands at the bound, where an outcome beyond it
is scored too. A location is where a value lies between the bounds, from 0 to 1: linearly, or on a
logarithmic scale about a zero point.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from forecasting.domain.forecast import Value, decimal_text, plain_decimal
from forecasting.domain.outcome import OutcomeSpace
from forecasting.errors import InvalidInput

#: What keeps two steps of a level CDF apart.
_STEP = Decimal("1e-11")


def value_at(space: OutcomeSpace, location: float) -> float:
    """Give the value at a location t.

    With :math:`r = (u - z)/(l - z)` for bounds l, u and zero point z it is
    :math:`l + (u - l)(r^t - 1)/(r - 1)`, and linear without a zero point.
    At 0 and 1 it is the bound to the last digit, and between them never beyond one.
    """
    low, high = bounds(space)
    if location in (0, 1):
        return high if location else low
    value = _unbounded(space, low, high, location)
    return min(max(value, low), high) if 0 < location < 1 else value


def _unbounded(space: OutcomeSpace, low: float, high: float, location: float) -> float:
    if space.zero_point is None:
        return low + (high - low) * location
    ratio = (high - space.zero_point) / (low - space.zero_point)
    return low + (high - low) * (math.pow(ratio, location) - 1) / (ratio - 1)


def location_of(space: OutcomeSpace, value: float) -> float:
    """Give the location of a value; below 0 and above 1 it lies beyond a bound."""
    low, high = bounds(space)
    if space.zero_point is None:
        return (value - low) / (high - low)
    ratio = (high - space.zero_point) / (low - space.zero_point)
    inside = (value - low) * (ratio - 1) / (high - low) + 1
    return -math.inf if inside <= 0 else math.log(inside) / math.log(ratio)


def zero_point_of(low: float, middle: float, high: float, *, slack: float = 0.0) -> float | None:
    """Give the zero point of a scale from its middle value; None where linear within `slack`."""
    if abs(middle - (low + high) / 2) <= slack:
        return None
    share = (middle - low) / (high - low)
    if abs(share - 0.5) < 1e-6 or not 0 < share < 1:
        return None
    ratio = (1 / share - 1) ** 2
    return (ratio * low - high) / (ratio - 1)


def bounds(space: OutcomeSpace) -> tuple[float, float]:
    """Give the bounds of a numeric question."""
    if space.lower is None or space.upper is None:
        raise InvalidInput(f"type ({space.type}): has no bounds")
    return space.lower, space.upper


def cdf_value(space: OutcomeSpace, cdf: Sequence[str]) -> Value:
    """Give the forecast that a CDF states, in decimals at even steps from bound to bound."""
    steps = [Decimal(step) for step in cdf]
    if len(steps) < 3:
        raise InvalidInput(f"CDF ({len(steps)} steps): needs three or more")
    levels: list[str] = []
    values: list[str] = []
    before, last = Decimal(0), Decimal(0)
    for place, step in enumerate(steps):
        if not 0 <= step <= 1:
            raise InvalidInput(f"CDF ({step} at step {place + 1}): must lie from 0 to 1")
        if step < before:
            raise InvalidInput(f"CDF ({before} then {step} at step {place + 1}): must not fall")
        before = step
        level = max(step, last + _STEP) if levels else step
        if not 0 < level < 1:
            continue
        last = level
        levels.append(plain_decimal(100 * level))
        values.append(decimal_text(value_at(space, place / (len(steps) - 1))))
    if len(levels) < 2:
        raise InvalidInput(f"CDF ({len(steps)} steps): says nothing between the bounds")
    return Value("quantiles", tuple(levels), tuple(values))


def probability_at_most(quantiles: Mapping[float, float], value: float) -> float:
    """Give P(at most a value), linear between quantiles: 0 below the first, 1 above the last."""
    levels, values = list(quantiles), list(quantiles.values())
    place = bisect_left(values, value)
    if place == len(values):
        return levels[-1]
    if values[place] == value:
        # Of a value stated twice, a point of its own mass, the highest level.
        while place + 1 < len(values) and values[place + 1] == value:
            place += 1
        return levels[place]
    if place == 0:
        return 0.0
    left, right = values[place - 1], values[place]
    share = (value - left) / (right - left)
    return levels[place - 1] + share * (levels[place] - levels[place - 1])


def pmf(quantiles: Mapping[float, float], space: OutcomeSpace, buckets: int = 0) -> list[float]:
    """Give the probability below the lower bound, in each of equal steps, and above the upper."""
    low, high = bounds(space)
    ordered = dict(sorted(quantiles.items()))
    whole = ordered if low in ordered.values() else {0.0: low} | ordered
    whole = whole if high in whole.values() else whole | {1.0: high}
    n = buckets or len(set(whole.values())) - 1
    edges = [low, *(value_at(space, place / n) for place in range(1, n)), high]
    if not buckets:
        edges = sorted(set(whole.values()))
    # F at the lower bound itself is what lies at or below it.
    heights = [probability_at_most(whole, edge) for edge in edges]
    inside = [after - before for before, after in pairwise(heights)]
    return [heights[0], *inside, 1 - heights[-1]]


def bucket(space: OutcomeSpace, outcome: str, buckets: int) -> int:
    """Give the step that an outcome fell into (its upper edge included): 0 below, n + 1 above."""
    if outcome.startswith("<"):
        return 0
    if outcome.startswith(">"):
        return buckets + 1
    location = location_of(space, float(outcome))
    if location < 0:
        return 0
    if location > 1:
        return buckets + 1
    if location == 1:
        return buckets
    return max(int(location * buckets + 1 - 1e-10), 1)
