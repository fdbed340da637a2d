"""Reference classes as plain values."""

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
