"""What the review page shows, as plain frozen values: the numbers of every table and picture.

The layer above reads them from the ledger; nothing here computes a score. A number that does not
exist is None (NaN is read as None): the page writes a dash or says why.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forecasting.domain.instants import DEFAULT_ZONE

#: Days after which half of a report's weight is left, where its item says nothing else.
HALF_LIFE = 30.0
#: Quantile levels in percent of a numeric forecast that names no others.
LEVELS = (5.0, 25.0, 50.0, 75.0, 95.0)

type Row = Mapping[str, Any]
#: Rows of numbers: nested sequences, or a matrix of numpy.
type Grid = Any


@dataclass(frozen=True, slots=True)
class Run:
    """Where the numbers come from, and which stretch of time the page covers.

    `kind` is that of the forecasts; `evidence_head` is the ledger head that cut the evidence of a
    replay; days are printed in `zone`.
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
    versions: Mapping[str, str] = field(default_factory=dict)
    ledger_head_seq: int | None = None
    ledger_head_hash: str = ""
    content_digest: str = ""
    zone: str = DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class Point:
    """One forecast, in force from `at` until the next point or the end of the question.

    `values` are ``(p,)`` of yes, a probability per option, or the quantiles at `levels`. `p05` and
    `p95` are the spread of a model's probability over its posterior, `lows` and `highs` that of
    each option; empty where it is not known.
    """

    at: dt.datetime
    values: tuple[float, ...]
    p05: float | None = None
    p95: float | None = None
    levels: tuple[float, ...] = LEVELS
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()

    def quantile(self, level: float) -> float:
        """Read the quantile nearest to a level."""
        nearest = min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - level))
        return self.values[nearest]


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of evidence that bears on a question, at the moment it could be known.

    `effect` says how far it moved the model when it arrived: by option ("" for yes) in log-odds, or
    the median of a number in its unit; empty where it moved nothing. `note` may be HTML of unknown
    hands. `weight` of a report is the logarithm of the hazard ratio with which it hastens (above 0)
    or slows what it is coded on, None for a fact and for what nobody has coded; half of it is left
    after `half_life` days, and nothing from `over` on.
    """

    known_at: dt.datetime
    title: str
    certainty: str = ""
    url: str = ""
    kind: str = ""
    effect: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    weight: float | None = None
    half_life: float = HALF_LIFE
    over: dt.datetime | None = None

    @property
    def ratio(self) -> float | None:
        """The hazard ratio at first."""
        return None if self.weight is None else math.exp(self.weight)

    @property
    def lasting(self) -> bool:
        """Whether the report does not fade."""
        return math.isinf(self.half_life)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a forecast moved: an item, or the passing of time.

    `change` is by option ("" for yes) in log-odds, or the median of a number in its unit.
    """

    title: str
    change: Mapping[str, float]
    known_at: dt.datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Why the model's forecast made at `at` differs from the one before it."""

    at: dt.datetime
    causes: Sequence[Cause]


@dataclass(frozen=True, slots=True)
class QuestionPath:
    """One question with the forecasts made of it over time.

    `ends` is its close, or its resolution if that came earlier; `outcome` an option, a number as
    text, ``annulled``, or None. `gate_note` is what the diagnostics gate says of its model.
    `too_soon`: it resolved within two days of its opening, and is left out of means. `paths`
    and `scores` are by forecaster, points and moves oldest first; `answer` is what it asks
    of the world, in the words of the bank.
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
    paths: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    evidence: Sequence[Mark] = ()
    scores: Mapping[str, Row] = field(default_factory=dict)
    moved: Sequence[Moved] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim of a text: what it says in our words, and how it came out.

    `p, low, high` are the middle and the ends of the scored verbal band, the milder of two
    independent readings; the scores are those at `p` and the smallest and largest over the band,
    None while the question is open. `shown_only` says why it is not scored. A flat denial has
    `alternatives`, other codings and their scores. `models` are (probability, score) at the same
    moment; `staleness` is the claim's score over the rest of the window, unranked.
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
    models: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
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
class ProcessRow:
    """One process of the world: where it stands, and how fast it moves by itself.

    `since` is when its state was entered, or the last event of an event process; a date where the
    record begins with it, for that day is begun, not ended. Silence after `watched` is no evidence;
    `base_rate` says in words how fast its moves come without links and news; nothing leads out of
    its state where it `is_over`.
    """

    name: str
    title: str
    state: str
    since: dt.datetime | dt.date | None = None
    watched: dt.datetime | None = None
    base_rate: str = ""
    source: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link: while (or once) `parent` is in a state, moves of `child` come so much faster.

    `median`, `low`, `high` are the stated hazard ratio and its 90 % range; `learned` and its range
    are the same after the past was taken into account, None where nothing was learned.
    """

    link: str
    parent: str
    child: str
    median: float
    low: float
    high: float
    learned: float | None = None
    learned_low: float | None = None
    learned_high: float | None = None
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """How one process may go on: at each moment the shares of its states, or quantiles of a total.

    At T rising moments: `shares` (T, K) of the paths in each of K states, rows summing to 1; or, of
    a total, `quantiles` (T, Q) at Q rising levels in percent, and `states` is empty.
    """

    process: str
    title: str
    moments: Sequence[dt.datetime]
    states: Sequence[str] = ()
    shares: Grid = ()
    quantiles: Grid = ()
    levels: Sequence[float] = LEVELS
    unit: str = ""


@dataclass(frozen=True, slots=True)
class WorldPage:
    """The world behind the forecasts: its processes, its links, and how it may go on."""

    processes: Sequence[ProcessRow] = ()
    links: Sequence[LinkRow] = ()
    fans: Sequence[Fan] = ()


@dataclass(frozen=True, slots=True)
class ReviewData:
    """Everything on the page; every part may be empty.

    Score rows have the keys of ``forecast score --json``, with the difference to the base rate
    (below 0: better than it); those of `horizons` also ``horizon`` and ``event_rate``; `parts` are
    of the model with one part taken out, whose difference is to the model itself. `calibrations`
    are by forecaster, with the keys of ``forecast calibration --json``.

    Attributes
    ----------
    due
        ``question, title, since``.
    unfit
        ``question, forecaster, verdict``: models that do not fit their own class.
    refused
        ``forecaster, fit, verdict``: fits and simulations that the gate refused.
    priors
        ``question, reference, parameter, prior, source, known_by``.
    labels
        Names to print for forecasters, where the usual ones will not do.
    reports
        ``source, reports, moves, moved_questions, moved_events, change, change_lower,
        change_upper, verdict``: the model's numbers after each source's reports, and after all.
    news_gain
        ``mean, lower, upper, moves``: what reports were found to be worth; empty: not learned.
    left_out
        ``question, title, reason``: what is not in the scores.
    """

    run: Run
    scores: Sequence[Row] = ()
    log_scores: Sequence[Row] = ()
    horizons: Sequence[Row] = ()
    calibrations: Mapping[str, Row] = field(default_factory=dict)
    questions: Sequence[QuestionPath] = ()
    texts: Sequence[TextCard] = ()
    due: Sequence[Row] = ()
    unfit: Sequence[Row] = ()
    refused: Sequence[Row] = ()
    priors: Sequence[Row] = ()
    events: Events = field(default_factory=Events)
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Row] = ()
    reports: Sequence[Row] = ()
    news_gain: Row = field(default_factory=dict)
    world: WorldPage = field(default_factory=WorldPage)
    left_out: Sequence[Row] = ()

    @property
    def moment(self) -> dt.datetime:
        """The "now" of the page: the end of a replay, or when the page was written."""
        ended = self.run.until if self.run.kind == "replay" else None
        return ended or self.run.generated_at
