"""A text as a forecaster: its date, slant, thesis and claims; and its thesis as a worldview."""

import datetime as dt
from dataclasses import dataclass

from forecasting.domain.verbal import FLAT_DENIAL_ALTERNATIVES, Band


@dataclass(frozen=True, slots=True)
class Claim:
    """What a text truly says of a question, in our words, coded twice without the outcome.

    `sentences` count from 1; `scored` is the milder reading; `shown_only` says why a claim is shown
    and not scored.
    """

    id: str
    question: str
    sentences: tuple[int, ...]
    paraphrase: str
    first: Band
    second: Band
    scored: Band
    flat_denial: bool = False
    shown_only: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One commentary: identified by its hash, never quoted."""

    id: str
    file: str
    sha256: str
    sentences: int
    date_from: dt.date
    date_to: dt.date
    slant: str
    thesis: str
    claims: tuple[Claim, ...]
    zone: str = "UTC"

    @property
    def forecaster(self) -> str:
        """The name under which its claims are scored."""
        return f"text:{self.id}"


@dataclass(frozen=True, slots=True)
class PriorChange:
    """One prior that a worldview sets differently from the shared world.

    The rate of `move` of `process`, the hazard ratio of `link`, or (with neither) what reports are
    worth is multiplied by `times`, for the reason given and the sentences that carry it.
    """

    reason: str
    sentences: tuple[int, ...]
    times: float
    process: str = ""
    move: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Worldview:
    """A text's thesis as priors on the shared models; it speaks from the text's last day on."""

    id: str
    text: str
    title: str
    thesis: str
    speaks_from: dt.datetime
    changes: tuple[PriorChange, ...]

    @property
    def forecaster(self) -> str:
        """The name under which it forecasts."""
        return f"worldview:{self.id}"


def claim_scores(claim: Claim, seen: float) -> tuple[float, float, float, dict[float, float]]:
    """Give a claim's half Brier score, its range, and that of other readings of a flat denial."""
    band = claim.scored
    ends = [(p - seen) ** 2 for p in (band.low, band.high)]
    others = FLAT_DENIAL_ALTERNATIVES if claim.flat_denial else ()
    return (band.middle - seen) ** 2, min(ends), max(ends), {p: (p - seen) ** 2 for p in others}
