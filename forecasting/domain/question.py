"""A question: its wording, window, outcome space, cluster, basis and model."""

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from forecasting.domain.instants import iso
from forecasting.domain.outcome import OutcomeSpace

#: A question that resolves this soon after its opening is shown and left out of means (rule 7).
TOO_SOON = dt.timedelta(days=2)
Status = Literal["upcoming", "open", "closed", "due", "resolved", "annulled"]

_canonical = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode

#: The criteria of a question whose criteria nobody has written yet.
WORDS_OF_TITLE = "As the title says: {}"


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a question comes from: a text with sentence numbers, or the context around it."""

    kind: Literal["text", "context"]
    texts: tuple[str, ...]
    sentences: Mapping[str, tuple[int, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The family of a question, what is fitted in its place, its reference class and settings."""

    family: str
    fitted: str
    reference: str
    settings: Mapping[str, str | float | bool | tuple[str, ...]]

    @property
    def label(self) -> str:
        """Name the model as outputs print it, a stand-in marked."""
        if self.family == self.fitted:
            return self.family
        return f"{self.fitted} (for {self.family})"


@dataclass(frozen=True, slots=True)
class Condition:
    """A conditional question counts only if another resolves to this outcome."""

    question: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Question:
    """One forecastable question; a rung of a ladder is one too.

    The wording that a forecaster saw (title, criteria, outcome space, window, zone, condition) is
    hashed into every forecast; topic, tags, background, model and answer may change without a new
    hash. `answer` is the predicate of the world's paths that answers it; empty for none.
    """

    id: str
    title: str
    criteria: str
    background: str
    space: OutcomeSpace
    zone: str
    opens: dt.datetime
    closes: dt.datetime
    resolves_by: dt.datetime
    topic: str
    event: str
    tags: tuple[str, ...]
    basis: Basis
    model: ModelChoice
    ladder: str | None = None
    parent: str | None = None
    condition: Condition | None = None
    source: str = ""
    answer: str = ""

    @property
    def type(self) -> str:
        """The question's type: binary, categorical, ordered or numeric."""
        return self.space.type

    @property
    def day(self) -> str:
        """The day by which a ladder names this rung; empty for a single question."""
        return self.id.partition("@")[2]

    @property
    def whole_title(self) -> str:
        """The title without the day that a rung's has."""
        return (self.ladder and self.title.rpartition(" (by ")[0]) or self.title

    @property
    def wording(self) -> dict[str, Any]:
        """What a forecaster commits to, as plain data for hashing."""
        space = self.space
        return {
            "id": self.id,
            "title": normalised(self.title),
            "criteria": normalised(self.criteria),
            "type": self.space.type,
            "options": list(self.space.options),
            "lower": None if self.space.lower is None else repr(float(self.space.lower)),
            "upper": None if self.space.upper is None else repr(float(self.space.upper)),
            "unit": self.space.unit,
            "zone": self.zone,
            "opens": iso(self.opens),
            "closes": iso(self.closes),
            "resolves_by": iso(self.resolves_by),
            "condition": None
            if self.condition is None
            else [self.condition.question, self.condition.outcome],
            # Only where they are stated: every other question hashes as it always did.
            **({} if space.zero_point is None else {"zero_point": repr(float(space.zero_point))}),
            **({"open_bounds": space.open_bounds} if space.open_bounds else {}),
        }

    @property
    def wording_hash(self) -> str:
        """SHA-256 of the canonical wording, in hexadecimal."""
        # What RFC 8785 says of texts, which is all that a wording holds, in a tenth of its time.
        return hashlib.sha256(_canonical(self.wording).encode()).hexdigest()

    def status(self, now: dt.datetime, outcome: str | None) -> Status:
        """Derive the status at a moment from the window and the standing outcome."""
        if outcome == ANNULLED:
            return "annulled"
        if outcome is not None:
            return "resolved"
        if now < self.opens:
            return "upcoming"
        if now < self.closes:
            return "open"
        return "closed" if now < self.resolves_by else "due"


ANNULLED = "annulled"


def effect_scale(question: Question) -> str:
    """Name the scale on which effects on a question's answer add up."""
    if question.type != "numeric":
        return "log-odds"
    return f"median in {question.space.unit or 'units'}"


def normalised(text: str) -> str:
    """Give text in NFC with outer white space gone, so that equal texts hash alike."""
    return unicodedata.normalize("NFC", text).strip()


def lacks_criteria(question: Question) -> bool:
    """Tell whether a question goes by its title alone."""
    return question.criteria.startswith(WORDS_OF_TITLE.format(""))
