"""A resolution: the outcome, when the world could know it, and on whose word."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resolution:
    """One version of a question's outcome; a correction is a later version.

    `resolved_at` is when the outcome could be known (a fact known to the day: the midnight that
    ends it); `outcome` is an option, a number as text, or ``annulled``.
    """

    question: str
    outcome: str
    resolved_at: dt.datetime
    source: str
    certainty: str = ""
    note: str = ""
    version: int = 1
    recorded_at: dt.datetime | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A forecaster takes a standing forecast back from a moment on."""

    question: str
    forecaster: str
    withdrawn_at: dt.datetime
    recorded_at: dt.datetime | None = None
    seq: int | None = None
