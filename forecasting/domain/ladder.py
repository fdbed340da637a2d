"""Ladders: what is true by one deadline is true by each later one, and forecasts must say so."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from forecasting.errors import InvalidInput

#: A probability from a moment on; None: none stands from then on.
type Steps = Sequence[tuple[dt.datetime, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Fall:
    """A later deadline that is said to be less likely than an earlier one, from a moment on."""

    at: dt.datetime
    early: str
    early_p: Decimal
    late: str
    late_p: Decimal

    def refused(self) -> InvalidInput:
        """Give the error of a door that does not take it."""
        msg = (
            f"ladder ({self.early}={self.early_p}, {self.late}={self.late_p}): "
            "a later deadline cannot be less likely than an earlier one"
        )
        return InvalidInput(msg, hint=f"{self.late}={self.early_p} or more, both at once")


def falls(rungs: Mapping[str, Steps]) -> Iterator[Fall]:
    """Give each moment at which one forecaster's forecasts of a ladder begin to fall."""
    order = {name: place for place, name in enumerate(rungs)}
    steps = sorted(
        ((at, name, p) for name, own in rungs.items() for at, p in own),
        key=lambda step: (step[0], order[step[1]]),
    )
    standing: dict[str, Decimal] = {}
    for place, (at, name, p) in enumerate(steps):
        standing.pop(name, None)
        if p is not None:
            standing[name] = p
        if place + 1 < len(steps) and steps[place + 1][0] == at:
            continue
        named = sorted(standing, key=order.__getitem__)
        for early, late in pairwise(named):
            if standing[late] < standing[early]:
                yield Fall(at, early, standing[early], late, standing[late])
                break
