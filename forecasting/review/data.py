"""What the review page shows, as plain frozen values: the numbers of every table and picture.

The layer above reads them from the ledger; nothing here computes a score. A number that does not
exist is None (NaN is read as None): the page writes a dash or says why.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from forecasting.domain.forecast import KINDS
from forecasting.domain.instants import BANK_ZONE, utc
from forecasting.domain.outcome import QUESTION_TYPES
from forecasting.errors import InvalidInput

#: Quantile levels in percent of a numeric forecast that names no others.
LEVELS = (5.0, 25.0, 50.0, 75.0, 95.0)

type Row = Mapping[str, Any]
_NO_EFFECT: Mapping[str, float] = MappingProxyType({})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Run:
    """Where the numbers come from.

    Attributes
    ----------
    kind
        ``live``, ``replay``, ``elicited`` or ``imported``: the kind of forecast the page is about.
    started_from, until
        First and last moment that the run, or the page, covers.
    evidence_head
        The ledger head that cut the evidence of a replay.
    versions
        Names of libraries and programs, with their versions.
    zone
        The zone in which days are printed.
    """

    kind: str
    generated_at: dt.datetime
    run_id: str = ""
    seed: int | None = None
    started_from: dt.datetime | None = None
    until: dt.datetime | None = None
    steps: int | None = None
    evidence_head: int | None = None
    bank_digest: str = ""
    observed_until: dt.datetime | None = None
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ledger_head_seq: int | None = None
    ledger_head_hash: str = ""
    content_digest: str = ""
    zone: str = BANK_ZONE

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            msg = f"kind ({self.kind}): must be one of {', '.join(KINDS)}"
            raise InvalidInput(msg)
        _aware(self.generated_at, self.started_from, self.until, self.observed_until)


@dataclass(frozen=True, slots=True)
class Point:
    """One forecast, in force from `at` until the next point or the end of the question.

    Attributes
    ----------
    values
        ``(p,)`` of yes; a probability per option; or the quantiles at `levels`.
    p05, p95
        The spread of a model's probability over its posterior (binary only).
    """

    at: dt.datetime
    values: tuple[float, ...]
    p05: float | None = None
    p95: float | None = None
    levels: tuple[float, ...] = LEVELS

    def __post_init__(self) -> None:
        _aware(self.at)


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of evidence that bears on a question, at the moment it could be known.

    Attributes
    ----------
    effect
        How far it moved the model when it arrived, as recorded with the forecast: by option (""
        for yes) in log-odds, or the median of a number in its unit; empty where it moved nothing.
    note
        What was written beside it, which may be HTML of unknown hands.
    """

    known_at: dt.datetime
    title: str
    certainty: str = ""
    url: str = ""
    kind: str = ""
    effect: Mapping[str, float] = field(default_factory=lambda: _NO_EFFECT)
    note: str = ""

    def __post_init__(self) -> None:
        _aware(self.known_at)


@dataclass(frozen=True, slots=True)
class QuestionPath:
    """One question with the forecasts made of it over time.

    Attributes
    ----------
    ends
        When it stopped being open: its close, or its resolution if that came earlier.
    outcome
        An option, a number as text, ``annulled``, or None.
    gate_note
        What the diagnostics gate says of its model, such as ``does not fit its own class``.
    too_soon
        It resolved within two days of its first forecast: shown, and left out of means.
    paths
        Forecaster -> points, oldest first.
    scores
        Forecaster -> a score row of this question (``mean, skill, coverage, rule, ...``).
    """

    id: str
    title: str
    type: str
    opens: dt.datetime
    closes: dt.datetime
    ends: dt.datetime
    status: str
    options: tuple[str, ...] = ()
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    outcome: str | None = None
    resolved_at: dt.datetime | None = None
    resolution_source: str = ""
    certainty: str = ""
    note: str = ""
    event: str = ""
    topic: str = ""
    ladder: str | None = None
    model_label: str = ""
    gate_note: str = ""
    too_soon: bool = False
    paths: Mapping[str, Sequence[Point]] = field(default_factory=lambda: _NOTHING)
    evidence: Sequence[Mark] = ()
    scores: Mapping[str, Row] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        if self.type not in QUESTION_TYPES:
            msg = f"type ({self.type}) of {self.id}: must be one of {', '.join(QUESTION_TYPES)}"
            raise InvalidInput(msg)
        _aware(self.opens, self.closes, self.ends, self.resolved_at)
        for forecaster, points in self.paths.items():
            for point in points:
                wanted = self._width(point)
                if len(point.values) != wanted:
                    msg = (
                        f"forecast of {self.id} by {forecaster} ({len(point.values)} numbers): "
                        f"a {self.type} one has {wanted}"
                    )
                    raise InvalidInput(msg)

    def _width(self, point: Point) -> int:
        if self.type == "binary":
            return 1
        return len(point.levels) if self.type == "numeric" else len(self.options)


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim of a text: what it says in our words, and how it came out.

    Attributes
    ----------
    p, low, high
        The middle and the ends of the scored verbal band.
    first_band, second_band, scored_band
        Two independent readings, and the milder of them.
    shown_only
        Why the claim is shown and not scored; empty where it is scored.
    score, score_low, score_high
        At `p`, and the smallest and largest over the band; None while the question is open.
    alternatives
        For a flat denial: other codings and their scores.
    models
        Forecaster -> (probability, score) at the same moment.
    staleness
        The claim's score over the rest of the window, unranked.
    """

    claim: str
    question: str
    title: str
    sentences: tuple[int, ...]
    paraphrase: str
    first_band: str
    second_band: str
    scored_band: str
    p: float | None
    low: float | None = None
    high: float | None = None
    flat_denial: bool = False
    shown_only: str = ""
    outcome: str | None = None
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    alternatives: Mapping[float, float | None] = field(default_factory=dict)
    models: Mapping[str, tuple[float | None, float | None]] = field(
        default_factory=lambda: _NOTHING
    )
    staleness: float | None = None


@dataclass(frozen=True, slots=True)
class TextCard:
    """A text as a forecaster: who speaks, when, and each claim it truly makes.

    `agreement` is (claims coded alike by both readers, claims coded).
    """

    id: str
    slant: str
    date: dt.datetime | dt.date
    thesis: str
    sha256: str
    agreement: tuple[int, int] | None = None
    claims: Sequence[ClaimRow] = ()


@dataclass(frozen=True, slots=True)
class Events:
    """How many independent events stand behind the scores, and what so many could show.

    `detectable` is the smallest difference in the mean score that this many events would show
    (80 % power at the 5 % level); None where they are too few to say.
    """

    n: int = 0
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class ReviewData:
    """Everything on the page; every part may be empty.

    Attributes
    ----------
    scores, log_scores
        A row per forecaster and question type, keys as in ``forecast score --json``, with the
        difference to the base rate (below 0: better than it).
    horizons
        The same with ``horizon`` and ``event_rate``.
    calibrations
        Forecaster -> keys as in ``forecast calibration --json``.
    due
        ``question, title, since, reason``.
    unfit
        ``question, forecaster, verdict``: models that do not fit their own class.
    refused
        ``question, forecaster, verdict`` (and more): fits that the sampler's gate refused.
    priors
        ``question, reference, parameter, prior, source, known_by``.
    labels
        Names to print for forecasters, where the usual ones will not do.
    """

    run: Run
    scores: Sequence[Row] = ()
    log_scores: Sequence[Row] = ()
    horizons: Sequence[Row] = ()
    calibrations: Mapping[str, Row] = field(default_factory=lambda: _NOTHING)
    questions: Sequence[QuestionPath] = ()
    texts: Sequence[TextCard] = ()
    due: Sequence[Row] = ()
    unfit: Sequence[Row] = ()
    refused: Sequence[Row] = ()
    priors: Sequence[Row] = ()
    events: Events = field(default_factory=Events)
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


def _aware(*moments: dt.datetime | None) -> None:
    for moment in moments:
        if moment is not None:
            utc(moment)
