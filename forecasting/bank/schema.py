"""The shape of every bank file, as pydantic models."""

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from forecasting.domain import reading
from forecasting.domain.forecast import decimal_text
from forecasting.domain.instants import iso
from forecasting.domain.outcome import NO, YES
from forecasting.errors import InvalidInput

_IS_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
QUESTION_ID = r"^[a-z0-9]+(-[a-z0-9]+)*(@\d{4}-\d{2}-\d{2})?$"


def _day_text(value: object) -> object:
    if isinstance(value, dt.datetime):
        raise ValueError("a moment needs quotes, so that its zone is kept as written")
    return reading.day(value).isoformat() if isinstance(value, dt.date | str) else value


def _moment_text(value: object) -> object:
    if not isinstance(value, str) or _IS_DAY.fullmatch(value.strip()):
        return _day_text(value)
    try:
        return reading.day(value).isoformat()
    except reading.Ambiguous:
        raise
    except InvalidInput:
        return iso(reading.moment(value, name="known"))


def _number_text(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be text or a number")
    if isinstance(value, float):
        return decimal_text(value)
    return str(value) if isinstance(value, int) else value


def _outcome_text(value: object) -> object:
    if isinstance(value, bool):
        return YES if value else NO
    return _number_text(value)


def _number(value: object) -> object:
    return float(reading.number(value)) if isinstance(value, str) else value


Day = Annotated[
    str, BeforeValidator(_day_text), Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A day.")
]
DayOrMoment = Annotated[
    str,
    BeforeValidator(_moment_text),
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$",
        description="A day (known at the midnight that ends it) or a moment with its offset.",
    ),
]
Bound = Annotated[float, BeforeValidator(_number)]
OutcomeText = Annotated[str, BeforeValidator(_outcome_text), Field(min_length=1)]
CertaintyName = Literal["high", "medium", "low", "computed", "unconfirmed"]


class _File(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False
    )


class BasisFile(_File):
    """Whether a text raises the question, with sentence numbers, or the context around it."""

    kind: Literal["text", "context"]
    texts: list[str] = Field(min_length=1, description="Ids of the texts, such as 003.")
    sentences: dict[str, list[int]] = Field(
        default_factory=dict, description="Per text, the sentences that raise it, from 1."
    )

    @model_validator(mode="after")
    def _numbers_only_where_the_text_raises_it(self) -> "BasisFile":
        if self.kind == "context" and self.sentences:
            raise ValueError("basis context has no sentence numbers")
        if self.kind == "text" and set(self.sentences) != set(self.texts):
            raise ValueError("basis text needs sentence numbers for each of its texts")
        return self


class ModelFile(_File):
    """The model family, what stands in for it, its reference class and its settings."""

    family: str = Field(description="The family the question belongs to.")
    stand_in: str | None = Field(default=None, description="The family used instead for now.")
    reference: str = Field(
        pattern=SLUG, description="Reference class, a row of reference/classes.csv."
    )
    settings: dict[str, str | float | bool | list[str]] = Field(default_factory=dict)


class ConditionFile(_File):
    """The question counts only if another resolves so."""

    question: str = Field(pattern=QUESTION_ID)
    outcome: OutcomeText


class LinksFile(_File):
    """Links to other questions."""

    parent: str | None = Field(default=None, pattern=QUESTION_ID)
    condition: ConditionFile | None = None


class ResolutionFile(_File):
    """The outcome, when it could be known, and its source."""

    outcome: OutcomeText
    known: DayOrMoment
    source: str = Field(min_length=8, description="An address.")
    certainty: CertaintyName
    note: str = ""


class QuestionFile(_File):
    """One question, or one ladder of binary rungs that share everything but the deadline."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    slug: str = Field(pattern=SLUG)
    title: str = Field(min_length=3, max_length=200)
    type: Literal["binary", "categorical", "ordered", "numeric"] = "binary"
    criteria: str = Field(
        default="",
        description="What counts, what does not, which source decides. Default: as the title says.",
    )
    background: str = ""
    answer: str = Field(
        default="",
        max_length=2000,
        description="What it asks of the world: truce=on through close, convoy by close, ...",
    )
    zone: str | None = Field(default=None, description="Zone of its days; default: the bank's.")
    opens: Day | None = Field(
        default=None,
        description="The local midnight that begins this day; default: the day it is added.",
    )
    closes: Day | None = Field(default=None, description="The local midnight that ends this day.")
    resolves_by: Day | None = Field(default=None, description="Default: closes.")
    ladder: list[Day] | None = Field(default=None, description="Deadlines of the rungs, rising.")
    options: list[str] | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    unit: str = ""
    topic: str = Field(default="", pattern=SLUG)
    event: str = Field(
        default="",
        pattern=SLUG,
        description="The event cluster that intervals resample; default: the slug.",
    )
    tags: list[str] = Field(default_factory=list)
    basis: BasisFile | None = None
    model: ModelFile | None = Field(
        default=None, description="Read in older files; answer says what it asks of the world."
    )
    links: LinksFile = LinksFile()
    resolution: ResolutionFile | None = None
    resolutions: dict[Day, ResolutionFile] = Field(
        default_factory=dict, description="Of a ladder: per rung that has resolved."
    )
    note: str = ""

    @field_validator("type", mode="before")
    @classmethod
    def _when_is_a_ladder(cls, value: object) -> object:
        if value == "date":
            msg = "when something happens is asked as a ladder of deadlines"
            raise InvalidInput(msg, hint="ladder: [2027-06-30, 2027-12-31]")
        return value

    @model_validator(mode="after")
    def _shape_fits_the_type(self) -> "QuestionFile":
        self._check_outcomes()
        if (self.ladder is None) == (self.closes is None):
            raise ValueError("give either closes or ladder")
        if self.ladder is not None:
            if self.type != "binary":
                raise ValueError("the rungs of a ladder are binary")
            if len(self.ladder) < 2 or sorted(set(self.ladder)) != self.ladder:
                days = ", ".join(sorted(set(self.ladder)))
                msg = "a ladder needs two deadlines or more, rising"
                raise InvalidInput(msg, hint=f"[{days}]" if len(set(self.ladder)) > 1 else "")
            if self.resolution is not None or not set(self.resolutions) <= set(self.ladder):
                msg = "a ladder resolves by rung, under resolutions, each a deadline of the ladder"
                raise ValueError(msg)
        elif self.resolutions:
            raise ValueError("resolutions belongs to a ladder; a single question has resolution")
        return self

    def _check_outcomes(self) -> None:
        """Refuse outcomes that the type lacks, and those that it would pass over."""
        chooses, counts = self.type in {"categorical", "ordered"}, self.type == "numeric"
        if chooses and not self.options:
            raise ValueError(f"a question of type {self.type} needs options")
        if counts and (self.lower is None or self.upper is None):
            raise ValueError("a numeric question needs lower and upper")
        if self.options and not chooses and {*self.options} != {NO, YES}:
            msg = f"a question of type {self.type} has no options of its own"
            raise InvalidInput(msg, hint="type: categorical, or type: ordered from the lowest")
        if not counts and (self.unit or (self.lower, self.upper) != (None, None)):
            msg = f"a question of type {self.type} has no lower, upper and unit"
            raise InvalidInput(msg, hint="type: numeric")


class ReadingFile(_File):
    """One coder's reading of a claim."""

    band: str = Field(description="ICD-203 band: almost-no-chance ... almost-certain.")
    why: str = Field(min_length=10)


class ClaimFile(_File):
    """One claim a text truly makes on a question, in our words, read twice."""

    id: str
    question: str = Field(pattern=QUESTION_ID)
    sentences: list[int] = Field(min_length=1)
    paraphrase: str = Field(min_length=10)
    first: ReadingFile
    second: ReadingFile
    flat_denial: bool = False
    shown_only: str = Field(default="", description="Why it is shown and not scored.")
    note: str = ""


class TextFile(_File):
    """A commentary: hash, inferred date, slant, thesis and claims; never a sentence of it."""

    schema_version: Literal[1] = Field(alias="schema")
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sentences: int = Field(ge=1)
    date_from: Day
    date_to: Day
    date_basis: str
    slant: str
    thesis: str = Field(min_length=40)
    claims: list[ClaimFile]
    not_claims: list[str] = Field(
        default_factory=list, description="Sentences that look like claims but are not, and why."
    )


class PriorChangeFile(_File):
    """One prior that the worldview sets differently: a move, a link or the gain of news."""

    process: str = Field(default="", description="A process of a world file.")
    move: str = Field(default="", description="none > on; not needed where there is one move.")
    link: str = Field(default="", description="A link without its size: while truce=on: convoy.")
    gain: float | None = Field(
        default=None, gt=0, description="News counts this many times as much."
    )
    times: float | None = Field(default=None, gt=0, description="Multiplies the rate or the ratio.")
    reason: str = Field(min_length=20)
    sentences: list[int] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _no_longer_a_class(cls, stated: object) -> object:
        if isinstance(stated, dict) and "reference" in stated:
            msg = (
                "a reference class can no longer be changed here; name a process and its move, or "
                "a link"
            )
            raise ValueError(msg)
        return stated

    @model_validator(mode="after")
    def _one_change(self) -> "PriorChangeFile":
        if sum((bool(self.process), bool(self.link), self.gain is not None)) != 1:
            raise ValueError("give exactly one of process, link, gain")
        if self.move and not self.process:
            raise ValueError("move belongs to a process")
        if (self.times is None) != (self.gain is not None):
            raise ValueError("a process or a link takes times, gain nothing else")
        return self


class WorldviewFile(_File):
    """A thesis as priors on the shared models."""

    schema_version: Literal[1] = Field(alias="schema")
    id: str
    text: str
    title: str
    thesis: str = Field(min_length=40)
    priors: list[PriorChangeFile] = Field(min_length=1)


class NamedScenarioFile(_File):
    """A named scenario: a path belongs to the first of its file that is true of it."""

    name: str = Field(pattern=SLUG)
    title: str = Field(min_length=10)
    when: str = Field(
        description="A predicate: deal=signed-soft by close and not truce=on on close."
    )


class ScenarioFile(_File):
    """Named scenarios of one stretch of time; what none of them says is the remainder."""

    schema_version: Literal[1] = Field(alias="schema")
    id: str = Field(pattern=SLUG)
    title: str = Field(min_length=10, max_length=200)
    note: str = ""
    zone: str | None = None
    opens: Day = Field(description="What happens from this day on counts.")
    closes: Day = Field(description="The close of the predicates: the midnight that ends this day.")
    scenarios: list[NamedScenarioFile] = Field(min_length=1)


DAY_KEY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
SINCE_KEY = r"^since [0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
LINK_KEY = r"^(while|once) .+$"
Text = Annotated[str, BeforeValidator(_number_text)]
PHRASE = (
    'How fast: "" (its own history), 3 in 70 weeks, once in 8 mo, 5% a year, '
    "median 60 d (15..240) shape 0.8, class NAME, at 2026-05-31."
)


class MoveFile(_File):
    """A move or an event in its long form."""

    rate: Text = Field(default="", description=PHRASE)
    source: str = ""
    known_by: Day | None = None
    because: str = ""


def _long(value: object) -> object:
    """Give a move in its long form; nothing after the colon states nothing, as ``""`` does."""
    scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    return {} if value is None else {"rate": value} if scalar else value


LONG = BeforeValidator(_long, json_schema_input_type=MoveFile | Text | None)


class FactFile(_File):
    """A dated fact in its long form: the state entered, ``event``, or the amount of a part."""

    state: Text = ""
    amount: float | None = None
    known: DayOrMoment | None = None
    source: str = ""
    grade: Literal["A", "B", "C", "D", "E", "F"] = "B"
    title: str = ""


class DeliveryFile(_File):
    """What was agreed to be delivered."""

    agreed: float
    announced: DayOrMoment
    known: DayOrMoment | None = Field(
        default=None, description="When the agreement was known; default: when it was announced."
    )
    delivered: float = Field(default=0.0, description="What had come before the first dated part.")
    unit: str = ""
    reference: str = Field(default="", alias="class", description="A row of reference/classes.csv.")


class ProcessFile(_File):
    """A process: exactly one of moves, event, delivery, at and kind, and its dated facts."""

    title: str = ""
    source: str = Field(default="", description="Of its moves and facts that state none.")
    known_by: Day | None = None
    because: str = ""
    states: list[Text] = Field(
        default_factory=list, description="In order; default: as the moves name them."
    )
    moves: dict[str, Annotated[MoveFile, LONG]] = Field(default_factory=dict)
    event: Annotated[MoveFile | None, LONG] = None
    delivery: DeliveryFile | None = None
    at: Annotated[str, BeforeValidator(str)] | None = Field(
        default=None, description="A day, or first possible..planned day."
    )
    kind: str | None = Field(default=None, description="A kind of process of one's own.")
    settings: dict[str, Any] = Field(default_factory=dict)
    watched: DayOrMoment | None = Field(default=None, description="Default: the file's.")


class LinkFile(_File):
    """A link, apart from its own key, ``while A=x: B=y x3 (1..9)``."""

    because: str = ""
    source: str = ""
    known_by: Day | None = None
    past: Text | None = Field(
        default=None, description="Share of the past in which it was on, such as 40%."
    )


class WorldFile(_File):
    """The fields of a world file; processes and links are read one by one."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    zone: str | None = None
    watched: DayOrMoment | None = None
    processes: dict[str, Any] = Field(default_factory=dict)
    links: list[Any] = Field(default_factory=list)
    questions: dict[str, Any] = Field(default_factory=dict)


def _dated_keys(schema: dict[str, Any]) -> None:
    fact = FactFile.model_json_schema() | {"description": "A dated fact."}
    schema["patternProperties"] = {
        SINCE_KEY: {"type": ["string", "null"], "description": "Watched from here, in a state."},
        DAY_KEY: {"anyOf": [{"type": ["string", "number"]}, fact]},
    }


def _link_keys(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {LINK_KEY: {"type": "string"}}


class _ProcessShape(ProcessFile):
    """As an editor sees it, its dated keys too."""

    model_config = ConfigDict(json_schema_extra=_dated_keys)


class _LinkShape(LinkFile):
    """As an editor sees it, its own key too."""

    model_config = ConfigDict(json_schema_extra=_link_keys)


class _ShortQuestion(QuestionFile):
    """A question whose slug is its key."""

    slug: str = Field(default="", pattern=SLUG)


class WorldShape(WorldFile):
    """A world file as an editor sees it."""

    processes: dict[Annotated[str, Field(pattern=SLUG)], _ProcessShape] = Field(
        default_factory=dict
    )
    links: list[_LinkShape] = Field(default_factory=list)
    questions: dict[Annotated[str, Field(pattern=SLUG)], _ShortQuestion] = Field(
        default_factory=dict, description="Questions in their short form: slug to fields."
    )
