"""Reference classes and the priors that rest on them, as plain values."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceClass:
    """A class of comparable cases; time outside what was observed is unobserved, not quiet.

    `kind` says how a base rate reads it: rate, share, dirichlet or rungs.
    """

    id: str
    family: str
    kind: str
    title: str
    observed_from: dt.datetime
    observed_until: dt.datetime
    source: str
    certainty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PriorRow:
    """One prior as the bank states it, before the code computes it.

    `rule` names how the numbers come about (``cited``, ``jeffreys+history``, ``ethprio:...``);
    `known_by` is a day, or ``first-opening`` for what the code computes from the facts known when
    the first question of the class opened.
    """

    reference: str
    parameter: str
    distribution: str
    arguments: tuple[float, ...]
    rule: str
    source: str
    known_by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DurationShare:
    """A published table's row: the share of ceasefires over by some days."""

    subset: str
    n: int
    over_by: tuple[tuple[float, float], ...]
    source: str

    def share(self, days: float) -> float:
        """Give the share over by a tabulated number of days."""
        return dict(self.over_by)[days]
