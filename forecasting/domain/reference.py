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
class DurationShare:
    """A published table's row: the share of ceasefires over by some days."""

    subset: str
    n: int
    over_by: tuple[tuple[float, float], ...]
    source: str

    def share(self, days: float) -> float:
        """Give the share over by a tabulated number of days."""
        return dict(self.over_by)[days]
