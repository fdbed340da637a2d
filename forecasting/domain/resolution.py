"""A resolution: the outcome, when it could be known, and its source."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from forecasting.domain.question import ANNULLED
from forecasting.errors import InvalidInput

Standing = Literal["resolved", "annulled", "disputed", "reopened"]
Reading = Literal["standing", "first", "disputed"]
READINGS: tuple[Reading, ...] = ("standing", "first", "disputed")
DISPUTED, REOPENED = "disputed", "reopened"


@dataclass(frozen=True, slots=True)
class Resolution:
    """One version of a question's outcome; a correction is a later version.

    `resolved_at` is when the outcome could be known (a fact known to the day: the midnight that
    ends it); `outcome` is an option, a number as text, or ``annulled``. `status` is empty for a
    version that stands, ``disputed`` for a contested reading that changes nothing, ``reopened``
    for the end of what stood: from then on the question has no outcome.
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
    status: str = ""

    @property
    def said(self) -> Standing:
        """What this version says of the question."""
        if self.status == DISPUTED:
            return "disputed"
        if self.status == REOPENED:
            return "reopened"
        return "annulled" if self.outcome == ANNULLED else "resolved"

    @property
    def derived(self) -> bool:
        """Whether it is no entry, but follows from the outcome of the question's condition."""
        return self.version == 0


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A forecaster takes a standing forecast back from a moment on."""

    question: str
    forecaster: str
    withdrawn_at: dt.datetime
    recorded_at: dt.datetime | None = None
    seq: int | None = None


def outcomes(
    versions: Iterable[Resolution], reading: Reading = "standing"
) -> dict[str, Resolution]:
    """Give the version that counts for each question, under one reading of the record.

    ``standing``: the last outcome or annulment, unless the question was reopened after it.
    ``first``: the first, whatever came later. ``disputed``: the last contested reading, where there
    is one. The versions come in the order of recording.
    """
    if reading not in READINGS:
        raise InvalidInput(f"reading ({reading}): must be one of {', '.join(READINGS)}")
    standing: dict[str, Resolution] = {}
    first: dict[str, Resolution] = {}
    disputed: dict[str, Resolution] = {}
    for version in versions:
        if version.status == DISPUTED:
            disputed[version.question] = version
        elif version.status == REOPENED:
            standing.pop(version.question, None)
        else:
            standing[version.question] = version
            first.setdefault(version.question, version)
    if reading == "first":
        return first
    return standing | disputed if reading == "disputed" else standing
